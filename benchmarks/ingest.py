"""Measure ingestion against bare DuckDB doing the same scan and aggregate, on the same files, in the same run.

    python -m benchmarks.ingest [rows] [formats] [again] [--rows 10e6] [--times 10] [--days 30]

rows     From Parquet, a file a day, to finished rollups, at --rows and at --times as many rows (0: only --rows).
         Bar: at most 2.0x the sum of the bare aggregations, under 4 GB of memory, 10x rows in at most 11x time.
formats  The same month as one CSV and one JSONL file. Bar: text to lake, with its hash, in at most 1.5x
         DuckDB's own scan with declared columns plus the Parquet write.
again    The same Parquet files once more. Bar: at most 1% of the first time plus the hash.

The bare side runs, in a process of its own with the same memory limit and threads, one CREATE TABLE AS SELECT
for each table that the store keeps, in the plainest SQL that we know to be fast: windows by whole-number
arithmetic on microseconds, buckets by ceil(ln n / ln g), GROUP BY on the key's words. It does not hash files,
check rows, keep the raw requests, record anything, or commit safely: all that is on our side only. The
duplicate check is an exact GROUP BY of the request ids. Times are wall-clock and CPU seconds (on a busy machine
only the latter compare well); memory is the process's largest resident set, DuckDB included. What is made is
removed.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent]  # no package

import duckdb  # noqa: E402 - after the line above

from data.files import digest_of  # noqa: E402
from data.formats.canonical import select  # noqa: E402
from data.formats.contract import Options  # noqa: E402
from data.formats.sample import look_at  # noqa: E402
from data.ingest import ingest_logs  # noqa: E402
from data.lake import staging  # noqa: E402
from data.requests_file import read_requests  # noqa: E402
from data.traffic import LONG_PROMPT_TOK  # noqa: E402
from data.warehouse import MEMORY_LIMIT_GB, open_store  # noqa: E402

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PARQUET = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
TYPES = {
    "request_id": "VARCHAR", "arrived_utc": "TIMESTAMPTZ", "source_label": "VARCHAR", "model": "VARCHAR",
    "region": "VARCHAR", "team": "VARCHAR", "category": "VARCHAR", "prompt_tok": "BIGINT",
    "cached_prompt_tok": "BIGINT", "output_tok": "BIGINT", "first_token_s": "DOUBLE", "duration_s": "DOUBLE",
    "status": "VARCHAR",
}  # fmt: skip
MONTH = """
WITH numbered AS (
    SELECT i, hash(i + {first}) AS h, hash(i + {first} + 1000000007) AS g FROM range({rows}) AS r(i)
), drawn AS (
    SELECT i, h, g, (h % 1000003 + 1) / 1000004.0 AS u1, ((h // 1000003) % 1000003) / 1000003.0 AS u2,
           (g % 1000003 + 1) / 1000004.0 AS u3, ((g // 1000003) % 1000003) / 1000003.0 AS u4, (h >> 40) % 100 AS k
    FROM numbered
), sized AS (
    SELECT *, CAST(least(200000, exp(6.9 + 1.2 * sqrt(-2 * ln(u1)) * cos(2 * pi() * u2))) AS BIGINT) AS prompt_tok
    FROM drawn
)
SELECT md5(CAST(h AS VARCHAR)) AS request_id,
       make_timestamptz({day_us} + CAST(i * (86400e6 / {rows}) AS BIGINT)) AS arrived_utc,
       'gateway' AS source_label,
       CASE WHEN k < 60 THEN 'llama-3.1-70b-instruct' WHEN k < 85 THEN 'qwen3-coder-480b-a35b'
            ELSE 'llama-3.1-8b' END AS model,
       CASE k % 3 WHEN 0 THEN 'eu-west-1' ELSE 'us-east-1' END AS region,
       CASE k % 4 WHEN 0 THEN 'assistants' WHEN 1 THEN 'search' WHEN 2 THEN 'support' END AS team,
       'online' AS category, prompt_tok,
       CASE WHEN g % 10 < 7 THEN CAST(0.5 * u3 * prompt_tok AS BIGINT) END AS cached_prompt_tok,
       CAST(least(32000, exp(5.3 + sqrt(-2 * ln(u3)) * cos(2 * pi() * u4))) AS BIGINT) AS output_tok,
       u3 AS first_token_s, 3 * u4 AS duration_s,
       CASE WHEN g % 1000 < 6 THEN 'rate_limited' WHEN g % 1000 < 10 THEN 'server_error' ELSE 'ok' END AS status
FROM sized
"""
KEY = """source_label, model, region, team, category,
    CASE WHEN status = 'rate_limited' THEN 'throttled'
    WHEN status IN ('client_error', 'server_error') THEN 'failed' ELSE 'served' END AS status_class"""
SUMS = """count(*), count(prompt_tok), count(cached_prompt_tok), sum(p), sum(c), sum(o), sum(p * p), sum(c * c),
    sum(p * c), sum(p * o), sum(o * o)"""
LENGTHS = """(SELECT *, CAST(prompt_tok AS DOUBLE) AS p, CAST(cached_prompt_tok AS DOUBLE) AS c,
    CAST(output_tok AS DOUBLE) AS o FROM read_parquet({files}))"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="rows|formats|again", help="default: all")
    parser.add_argument("--rows", type=float, default=10e6)
    parser.add_argument("--times", type=float, default=10)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(SIDES[arguments.side](arguments.folder)))
        return
    what, rows = arguments.what or ["rows", "formats", "again"], int(arguments.rows)
    with tempfile.TemporaryDirectory(prefix="fleetcast-ingest-") as name:
        folder = Path(name)
        make_month(folder / "month", rows, arguments.days)
        if "rows" in what or "again" in what:
            small = compare_rows(folder, rows)
            if "again" in what:
                compare_again(folder, small)
        if "formats" in what:
            compare_formats(folder, rows)
        if "rows" in what and arguments.times > 0:
            make_month(folder / "month", int(rows * arguments.times), arguments.days)
            large = compare_rows(folder, int(rows * arguments.times))
            for clock in ("wall_s", "cpu_s"):
                print(f"{arguments.times:g}x the rows take {large[clock] / small[clock]:.2f}x the {clock}")


def make_month(folder: Path, rows: int, days: int) -> None:
    """Write the canonical requests of some days, a Parquet file each, the same for the same numbers."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    con = connect()
    first_us, a_day = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6), rows // days
    for day in range(days):
        sql = MONTH.format(rows=a_day, first=day * a_day, day_us=first_us + day * 86_400_000_000)
        con.execute(f"COPY ({sql}) TO '{folder}/day-{day:03d}.parquet' ({PARQUET})")


def compare_rows(folder: Path, rows: int) -> dict[str, float]:
    """Print both sides of Parquet to rollups, and return ours."""
    shutil.rmtree(folder / "store", ignore_errors=True)
    bare, ours = run("bare", folder), run("ingest", folder)
    print(f"\n{rows:,} rows of Parquet, {size_of(folder / 'month') / 1e6:,.0f} MB, to finished rollups")
    for part, seconds in bare["parts"].items():
        print(f"  bare {part:32s} {seconds:8.2f} s")
    show("rows", bare, ours, bar=2.0)
    print(
        f"  memory: ours {ours['rss_gb']:.2f} GB (bar 4 GB), bare {bare['rss_gb']:.2f} GB;"
        f" {rows / ours['wall_s'] / 1e6:.2f} million rows a second;"
        f" store {size_of(folder / 'store' / 's.duckdb') / 1e6:,.0f} MB,"
        f" lake {size_of(folder / 'store' / 's.lake') / 1e6:,.0f} MB"
    )
    return ours


def compare_again(folder: Path, first: dict[str, float]) -> None:
    """Print what known files cost, beyond their hash."""
    again, hashed = run("again", folder), run("hash", folder)
    for clock in ("wall_s", "cpu_s"):
        share = (again[clock] - hashed[clock]) / first[clock]
        print(
            f"\nthe same files again: {again[clock]:.2f} {clock}, their hash {hashed[clock]:.2f}:"
            f" {share:.1%} of the first time beyond it (bar 1%)"
        )


def compare_formats(folder: Path, rows: int) -> None:
    """Print both sides of text to Parquet."""
    con = connect()
    source = f"""SELECT * REPLACE (strftime(arrived_utc, '%Y-%m-%dT%H:%M:%S.%fZ') AS arrived_utc)
        FROM read_parquet('{folder}/month/*.parquet')"""
    for kind, options in (("csv", "HEADER"), ("jsonl", "FORMAT json")):
        path = folder / f"month.{kind}"
        con.execute(f"COPY ({source}) TO '{path}' ({options})")
        bare, ours = run(f"scan-{kind}", folder), run(f"read-{kind}", folder)
        print(f"\n{rows:,} rows of {kind}, {path.stat().st_size / 1e6:,.0f} MB, to Parquet by UTC day")
        show(kind, bare, ours, bar=1.5)
        path.unlink()


def show(name: str, bare: dict[str, float], ours: dict[str, float], bar: float) -> None:
    for clock in ("wall_s", "cpu_s"):
        ratio = ours[clock] / bare[clock]
        print(f"  {name}: ours {ours[clock]:8.2f} {clock}, bare {bare[clock]:8.2f}: {ratio:.2f}x (bar {bar}x)")


def run(side: str, folder: Path) -> dict[str, float]:
    """Return what one side measured of itself, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--side", side, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(work: Callable[[], None]) -> dict[str, float]:
    started, cpu = time.perf_counter(), time.process_time()
    work()
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return {"wall_s": wall_s, "cpu_s": cpu_s, "rss_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def bare(folder: Path) -> dict[str, float]:
    """Make every table of the rollups from the Parquet files, one query each."""
    database = folder / "bare.duckdb"
    con = connect(database)
    parts = {}

    def work() -> None:
        for table, sql in bare_queries(f"'{folder}/month/*.parquet'").items():
            started = time.perf_counter()
            con.execute(f'CREATE TABLE "{table}" AS {sql}')
            parts[table] = time.perf_counter() - started
        con.execute("CHECKPOINT")

    result = measured(work)
    con.close()
    database.unlink()
    return {**result, "parts": parts}


def bare_queries(files: str) -> dict[str, str]:
    rows, day = LENGTHS.format(files=files), "epoch_us(arrived_utc) // 86400000000 AS day"
    bucket = "CAST(CASE WHEN {0} = 0 THEN 0 ELSE greatest(1, ceil(ln({0}) / ln({1}))) END AS INTEGER)"
    queries = {
        name: f"SELECT epoch_us(arrived_utc) // {us} AS w, {KEY}, {SUMS} FROM {rows} GROUP BY ALL"
        for name, us in (("minute", 60_000_000), ("10s", 10_000_000))
    }
    for field in ("prompt_tok", "cached_prompt_tok", "output_tok"):
        queries[f"histogram {field}"] = f"""SELECT {day}, {KEY}, {bucket.format(field, 1.01 / 0.99)} AS b, count(*)
            FROM read_parquet({files}) WHERE {field} IS NOT NULL GROUP BY ALL"""
    queries["joint histogram"] = f"""SELECT {day}, {KEY}, {bucket.format("prompt_tok", 1.1 / 0.9)} AS a,
        {bucket.format("output_tok", 1.1 / 0.9)} AS b, count(*) FROM read_parquet({files}) GROUP BY ALL"""
    lengths = f"(SELECT unnest({list(LONG_PROMPT_TOK)}) AS length)"
    queries[
        "long prompts"
    ] = f"""SELECT {day}, {KEY}, length, {SUMS} FROM {rows} JOIN {lengths} ON prompt_tok > length
        WHERE prompt_tok > {min(LONG_PROMPT_TOK)} GROUP BY ALL"""
    queries["duplicates"] = f"""SELECT request_id, count(*) FROM read_parquet({files}) WHERE request_id IS NOT NULL
        GROUP BY request_id HAVING count(*) > 1"""
    return queries


def ingest(folder: Path) -> dict[str, float]:
    """Ingest the Parquet files into a store, as `fleetcast ingest` does."""

    def work() -> None:
        with open_store(folder / "store" / "s.duckdb", write=True, now=NOW) as store:
            ingest_logs(store, [folder / "month"], now=NOW)

    return measured(work)


def hash_files(folder: Path) -> dict[str, float]:
    return measured(lambda: [digest_of(path) for path in sorted((folder / "month").iterdir())])


def read_text(kind: str) -> Callable[[Path], dict[str, float]]:
    """Hash a text log and read it into the lake, as `ingest` does before it rolls up."""

    def work(folder: Path) -> None:
        sample = look_at(folder / f"month.{kind}")
        with open_store(folder / "text" / "s.duckdb", write=True, now=NOW) as store, staging(store) as stage:
            digest_of(sample.path)
            found = read_requests(
                store,
                stage,
                "0" * 16,
                sample,
                select(sample, Options()),
                label="x",
                max_rejected_share=0.0,
                latest_utc=NOW,
            )
            assert found.rows_read == sum(part.rows for part in found.slices)
        shutil.rmtree(folder / "text")

    return lambda folder: measured(lambda: work(folder))


def scan_text(kind: str) -> Callable[[Path], dict[str, float]]:
    """Scan a text log with declared columns and write it as Parquet by UTC day."""
    reader = "read_csv($path, header = true, auto_detect = false, columns = $columns)"
    if kind == "jsonl":
        reader = "read_json($path, format = 'newline_delimited', columns = $columns)"
    sql = f"""COPY (SELECT *, CAST(epoch_us(arrived_utc) // 86400000000 AS INTEGER) AS day FROM {reader})
        TO $out ({PARQUET}, PARTITION_BY (day))"""

    def work(folder: Path) -> None:
        paths = {"path": [str(folder / f"month.{kind}")], "out": str(folder / "split")}
        connect().execute(sql, {**paths, "columns": TYPES})
        shutil.rmtree(folder / "split")

    return lambda folder: measured(lambda: work(folder))


def connect(database: Path | None = None) -> duckdb.DuckDBPyConnection:
    config = {
        "memory_limit": f"{MEMORY_LIMIT_GB}GB",
        "threads": os.cpu_count() or 1,
        "preserve_insertion_order": False,
        "partitioned_write_max_open_files": 800,
    }
    con = duckdb.connect(str(database or ":memory:"), config=config)
    con.execute("SET TimeZone = 'UTC'")
    return con


def size_of(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


SIDES = {
    "bare": bare,
    "ingest": ingest,
    "again": ingest,
    "hash": hash_files,
    **{f"read-{kind}": read_text(kind) for kind in ("csv", "jsonl")},
    **{f"scan-{kind}": scan_text(kind) for kind in ("csv", "jsonl")},
}


if __name__ == "__main__":
    main()
