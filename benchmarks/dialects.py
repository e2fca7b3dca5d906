"""Time the reading of gateways' and traces' own formats against DuckDB's scan of the same file, in the same run.

    python -m benchmarks.dialects [--rows 300000] [--repeat 3]

Makes up one log of each format below (seeded by the row's number, nothing is downloaded), then reads it into a
store's lake, rows judged and laid down by day, as `fleetcast ingest` does before it rolls up. The bare side scans
the same columns as declared text and writes them to Parquet; it judges, converts and splits nothing.
Prints CPU seconds too: on a busy machine only those compare well. What is made is removed.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent]  # no package

import duckdb  # noqa: E402 - after the line above

from data.formats.contract import Options  # noqa: E402
from data.formats.registry import recognise  # noqa: E402
from data.formats.sample import look_at  # noqa: E402
from data.lake import staging  # noqa: E402
from data.requests_file import read_requests  # noqa: E402
from data.warehouse import open_store  # noqa: E402

NOW = datetime(2026, 11, 24, tzinfo=UTC)
START_NS, STEP_NS, SECOND_NS = 1_793_512_800_000_000_000, 10_000_000, 1_000_000_000
SPANS_PER_EXPORT = 10
TEXT = "x" * 200
"""Stands for the text of a prompt, which real logs carry and which is never read."""


def litellm(rows: int) -> Iterator[str]:
    yield "request_id,call_type,spend,prompt_tokens,completion_tokens,startTime,endTime,model,team_id,metadata"
    yield ",status,messages\n"
    for i in range(rows):
        at = datetime.fromtimestamp((START_NS + i * STEP_NS) / SECOND_NS, UTC).replace(tzinfo=None)
        usage = f'"{{""usage_object"": {{""prompt_tokens_details"": {{""cached_tokens"": {i % 400}}}}}}}"'
        yield f"c-{i},acompletion,0.01,{1000 + i % 400},{i % 300},{at},{at},gpt,team,{usage},success,{TEXT}\n"


def bedrock(rows: int) -> Iterator[str]:
    for i in range(rows):
        at = datetime.fromtimestamp((START_NS + i * STEP_NS) // SECOND_NS, UTC)
        record = {"schemaType": "ModelInvocationLog", "timestamp": at.isoformat(), "requestId": f"b-{i}"}
        record |= {"operation": "Converse", "modelId": "m", "region": "eu-west-1"}
        yield (
            json.dumps(
                record
                | {
                    "input": {
                        "inputTokenCount": i % 900,
                        "cacheReadInputTokenCount": i % 400,
                        "inputBodyJson": TEXT,
                    },
                    "output": {"outputTokenCount": 1 + i % 300},
                }
            )
            + "\n"
        )


def otel(rows: int) -> Iterator[str]:
    for export in range(rows // SPANS_PER_EXPORT):
        spans = []
        for i in range(export * SPANS_PER_EXPORT, (export + 1) * SPANS_PER_EXPORT):
            at = START_NS + i * STEP_NS
            words = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "m", "gen_ai.input.messages": TEXT}
            counts = {"gen_ai.usage.input_tokens": 100 + i % 900, "gen_ai.usage.output_tokens": 1 + i % 300}
            pairs = [{"key": key, "value": {"stringValue": value}} for key, value in words.items()]
            pairs += [{"key": key, "value": {"intValue": str(value)}} for key, value in counts.items()]
            span = {"traceId": f"{export:032x}", "spanId": f"{i:016x}", "name": "chat", "attributes": pairs}
            spans.append({**span, "startTimeUnixNano": str(at), "endTimeUnixNano": str(at + SECOND_NS)})
        yield json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}) + "\n"


_PAIRS = "STRUCT(key VARCHAR, value STRUCT(stringValue VARCHAR, intValue VARCHAR))[]"
_MOMENTS = "startTimeUnixNano VARCHAR, endTimeUnixNano VARCHAR"
_SPAN = f"STRUCT(traceId VARCHAR, spanId VARCHAR, {_MOMENTS}, attributes {_PAIRS})"
_COUNTS = "STRUCT(inputTokenCount VARCHAR, cacheReadInputTokenCount VARCHAR)"
BARE = {
    litellm: "SELECT * EXCLUDE (messages) FROM read_csv($path, all_varchar = true, header = true)",
    bedrock: f"""SELECT * FROM read_json($path, format = 'newline_delimited', columns = {{'timestamp': 'VARCHAR',
        'requestId': 'VARCHAR', 'modelId': 'VARCHAR', 'region': 'VARCHAR', 'input': '{_COUNTS}',
        'output': 'STRUCT(outputTokenCount VARCHAR)'}})""",
    otel: f"""SELECT unnest(scope.spans) FROM (SELECT unnest(resource.scopeSpans) AS scope FROM (
        SELECT unnest(resourceSpans) AS resource FROM read_json($path, format = 'newline_delimited',
        columns = {{'resourceSpans': 'STRUCT(scopeSpans STRUCT(spans {_SPAN}[])[])[]'}})))""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'format':10s} {'MB':>6s} {'ours s':>8s} {'bare s':>8s} {'ratio':>6s} {'ratio of CPU':>13s}")
    with tempfile.TemporaryDirectory() as made:
        for write, bare in BARE.items():
            path = Path(made) / write.__name__
            with path.open("w", encoding="utf-8") as file:
                file.writelines(write(arguments.rows))
            pairs = [(timed(ours, path), timed(scan, path, bare)) for _ in range(arguments.repeat)]
            here, there = (
                [statistics.median(x) for x in zip(*side, strict=True)] for side in zip(*pairs, strict=True)
            )
            print(
                f"{write.__name__:10s} {path.stat().st_size / 1e6:6.0f} {here[0]:8.2f} {there[0]:8.2f}"
                f" {here[0] / there[0]:6.2f} {here[1] / there[1]:13.2f}"
            )
            path.unlink()


def timed(work: Callable[..., None], *what: object) -> tuple[float, float]:
    """Return the seconds that passed, and those that this process computed."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(*what)
    return time.perf_counter() - wall, time.process_time() - cpu


def ours(path: Path) -> None:
    sample = look_at(path)
    select = recognise(sample, Options()).select(sample, Options())
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(Path(folder) / "s.duckdb", write=True, now=NOW) as store,
        staging(store) as staged,
    ):
        store.con.execute("CREATE TEMP TABLE pending_rejected AS SELECT * FROM main.rejected_rows WHERE false")
        read = read_requests(
            store,
            staged,
            "0" * 16,
            sample,
            select,
            label="it",
            max_rejected_share=0.0,
            latest_utc=datetime.max.replace(tzinfo=UTC),
        )
    if read.refused or not read.slices:
        raise SystemExit(f"{path.name}: {read.rows_rejected} rows were rejected: {read.rejected[:1]}")


def scan(path: Path, sql: str) -> None:
    with duckdb.connect() as con:
        con.execute(f"COPY ({sql}) TO $target (FORMAT parquet)", {"path": str(path), "target": f"{path}.parquet"})
    Path(f"{path}.parquet").unlink()


if __name__ == "__main__":
    main()
