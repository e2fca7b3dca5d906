"""Plan the Azure 2023 conversation hour x10 three ways, and price its long requests.

    python -m benchmarks.windows TRAFFIC [--times 10] [--model llama-3.1-70b] [--gpu h100]

TRAFFIC is the folder of the reference traces. The hour is laid over itself `times` times, each copy turned by a
tenth of the hour, so that bursts of the copies do not fall together; prints what `fleetcast windows` does:
GPU-seconds a window of 1, 10 and 60 s, the mean plan, the product-of-p95s plan and the windowed plan with dollars,
token budgets and a pool for long requests. TTFT 1 s, TPOT 40 ms; a pool of long requests 10 s and 40 ms.
"""

import argparse
import gzip
import io
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

sys.path = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent]  # sizing.py lies here too

from data.ingest import ingest_logs  # noqa: E402 - after the line above
from data.warehouse import open_store  # noqa: E402
from flows.cli import main as fleetcast  # noqa: E402

TRACE = "llm_azure2023_conv.csv.gz"
HOUR_S = 3_600


def times_over(trace: pd.DataFrame, times: int) -> pd.DataFrame:
    """Return the hour laid over itself: arrived_utc, prompt_tok, output_tok, in order of arrival."""
    arrived = pd.to_datetime(trace["TIMESTAMP"])
    since_s = (arrived - arrived.min()).dt.total_seconds()
    copies = []
    for n in range(times):
        turned = (since_s + n * HOUR_S / times) % HOUR_S
        copies.append(
            pd.DataFrame(
                {
                    "arrived_utc": pd.Timestamp("2026-01-05T18:00:00+00:00") + pd.to_timedelta(turned, unit="s"),
                    "prompt_tok": trace["ContextTokens"],
                    "output_tok": trace["GeneratedTokens"],
                }
            )
        )
    return pd.concat(copies).sort_values("arrived_utc", ignore_index=True)


def main() -> int:
    """Ingest, and print what `fleetcast windows` says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traffic", type=Path)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--model", default="llama-3.1-70b")
    parser.add_argument("--gpu", default="h100")
    arguments = parser.parse_args()
    trace = pd.read_csv(io.BytesIO(gzip.decompress((arguments.traffic / TRACE).read_bytes())))
    with tempfile.TemporaryDirectory() as scratch:
        log, db = Path(scratch) / "requests.csv", Path(scratch) / "s.duckdb"
        rows = times_over(trace, arguments.times)
        rows.to_csv(log, index=False, date_format="%Y-%m-%dT%H:%M:%S.%f+00:00")
        with open_store(db, write=True, now=datetime.now(UTC)) as store:
            ingest_logs(store, [log], now=datetime.now(UTC), label="azure")
        print(f"{len(rows):,} requests in an hour, {len(rows) / HOUR_S:.1f} a second")
        slo = ["--ttft-s", "1", "--tpot-s", "0.04", "--long-ttft-s", "10", "--long-tpot-s", "0.04"]
        what = ["--model", arguments.model, "--gpu", arguments.gpu, "--precision", "fp8", "--kv-precision", "fp8"]
        return fleetcast(["windows", "--store", str(db), *what, *slo])


if __name__ == "__main__":
    sys.exit(main())
