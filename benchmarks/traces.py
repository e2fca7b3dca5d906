"""Ingest every trace of a folder of reference traffic and hold the rows against those of the files.

    python -m benchmarks.traces TRAFFIC [--mappings examples/mappings]

TRAFFIC holds the files of its own README. Rows of a file are counted here from its text or its Parquet footer,
without fleetcast. Ends with status 1 where a count differs.
"""

import argparse
import gzip
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

sys.path = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent]  # sizing.py lies here too

from data.errors import UserError  # noqa: E402 - after the line above
from data.ingest import ingest_logs  # noqa: E402
from data.warehouse import Store, open_store  # noqa: E402

START = datetime(2026, 1, 5, tzinfo=UTC)
MAPPINGS = Path(__file__).resolve().parent.parent / "examples" / "mappings"
TRACES: tuple[tuple[str, str], ...] = (
    ("llm_azure2023_conv.csv.gz", ""),
    ("llm_mooncake_conversation.jsonl.gz", ""),
    ("llm_servegen_m_large_clients_10min.parquet", ""),
    ("llm_servegen_mm_image_clients_10min.parquet", ""),
    ("llm_burstgpt_week1_minute.csv.gz", "tokens_per_s"),
    ("llm_burstgpt_hourly_profile.csv", ""),
    ("twitter_5min.csv.gz", "five_minute_counts"),
    ("daily_series.csv.gz", "daily_counts"),
    ("hourly_series.csv.gz", "hourly_counts"),
)
"""Each trace with the mapping that describes it; ServeGen's token statistics come with their rates."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One file: rows that it has, and what became of them. refusal: why it was not read."""

    name: str
    format: str
    rows: int
    read: int
    stored: int
    rejected: int
    seconds: float
    refusal: str = ""


def rows_in(path: Path) -> int:
    """Return the rows of a trace, its header not counted."""
    if path.suffix == ".parquet":
        return pq.read_metadata(path).num_rows
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = sum(1 for line in content.splitlines() if line.strip())
    return lines if ".jsonl" in path.name else lines - 1


def take(store: Store, folder: Path, mappings: Path) -> Iterator[Row]:
    """Ingest every trace, each under its own label, and yield a row for each file."""
    for name, mapping in TRACES:
        path = folder / name
        began = time.perf_counter()
        try:
            summary = ingest_logs(
                store,
                [path],
                now=datetime.now(UTC),
                start=START,
                mapping=mappings / f"{mapping}.toml" if mapping else None,
            )
        except UserError as error:
            rows = rows_in(path)
            yield Row(
                name=name, format="-", rows=rows, read=0, stored=0, rejected=0, seconds=0.0, refusal=str(error)
            )
            continue
        seconds = time.perf_counter() - began
        for file in summary.files:
            yield Row(
                name=file.path.name,
                format=file.format,
                rows=rows_in(file.path),
                read=file.rows_read,
                stored=file.rows_new,
                rejected=file.rows_rejected,
                seconds=seconds / len(summary.files),
            )


def main() -> int:
    """Print the table; return 1 where rows were lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traffic", type=Path)
    parser.add_argument("--mappings", type=Path, default=MAPPINGS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "traces.duckdb"
        with open_store(path, write=True, now=datetime.now(UTC)) as store:
            rows = list(take(store, arguments.traffic, arguments.mappings))
    print(f"{'file':46s} {'taken as':14s} {'rows':>8s} {'read':>8s} {'stored':>8s} {'rejected':>8s} {'s':>5s}")
    for row in rows:
        print(
            f"{row.name:46s} {row.format:14s} {row.rows:8,d} {row.read:8,d} {row.stored:8,d} {row.rejected:8,d}"
            f" {row.seconds:5.1f}"
        )
        if row.refusal:
            print(f"  {row.refusal}")
    return int(any(row.rows != row.stored and not row.refusal for row in rows))


if __name__ == "__main__":
    sys.exit(main())
