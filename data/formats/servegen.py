"""ServeGen aggregates: request rates of each client in 10-minute slots, and token statistics in 6-hour windows.

Two files of one prefix belong together: `<prefix>_clients_10min.parquet` (client_id, t_s, rate_rps, iat_cv) and
`<prefix>_tokens_6h.csv` (model, t_s, window_s, field, requests, mean, p50, p90, p95, p99). Times count from an
unknown start. Slots without a request are left out. Source: https://github.com/alibaba/ServeGen (2026-11-23).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

from data.buckets import MAX_TOK
from data.errors import UserError
from data.formats.contract import AggregateFile, Options, Percentiles, Rejected, end_of, start_key
from data.formats.reader import Relation, exact_relation, exact_rows, fast_relation
from data.formats.sample import Sample
from data.frames import first_row, frame
from data.warehouse import query

name = "servegen"
description = (
    "ServeGen aggregates (Parquet: client_id, t_s, rate_rps, iat_cv; CSV: token statistics); needs --start"
)
recognised = "Parquet with `client_id`, `t_s`, `rate_rps`, `iat_cv`; CSV with `t_s`, `window_s`, `field`, ..."
columns: Mapping[str, str] = {
    "client_id": "clients of a slot are added up",
    "t_s": "start of the slot or window, seconds from --start",
    "rate_rps": "requests: rate x 600 s",
    "iat_cv": "variation of the gaps between one client's arrivals",
    "model": "model",
    "window_s": "length of the window of statistics",
    "field": "prompt, output, or a part of the prompt",
    "requests": "weight of the statistics",
    "mean": "token sums: requests x mean",
    "p50, p90, p95, p99": "percentiles, as given",
}
percentiles: Percentiles = "stated"
gathers = False
options_key = start_key

SLOT_S = 600
_RATES, _TOKENS = "_clients_10min.parquet", "_tokens_6h.csv"
_RATE_COLUMNS = ("client_id", "t_s", "rate_rps", "iat_cv")
_TOKEN_COLUMNS = ("model", "t_s", "window_s", "field", "requests", "mean", "p50", "p90", "p95", "p99")


def sniff(sample: Sample) -> bool:
    """Return whether the file is one of the pair."""
    return _is_rates(sample) or sample.has(*_TOKEN_COLUMNS)


def unit(path: Path) -> tuple[Path, ...]:
    """Return the rates and, where it exists, the token statistics of the same prefix."""
    for ending in (_RATES, _TOKENS):
        if path.name.endswith(ending):
            prefix = path.name.removesuffix(ending)
            pair = (path.with_name(prefix + _RATES), path.with_name(prefix + _TOKENS))
            return tuple(file for file in pair if file.exists())
    return (path,)


def own_label(path: Path) -> str:
    """Return the prefix that the two files share."""
    return path.name.removesuffix(_RATES).removesuffix(_TOKENS)


def load(con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], options: Options) -> tuple[AggregateFile, ...]:
    """Return usage buckets of SLOT_S from the rates, and the token statistics as given.

    requests = rate x 600 s, summed over clients; arrival_cv = mean of the clients' coefficients of variation,
    weighted by their rates; token sums = requests x the mean of the 6-hour window that holds the slot, though that
    mean covers only the clients whose lengths were published. Raises UserError without the rates.
    """
    rates = next((s for s in samples if _is_rates(s)), None)
    if rates is None:
        raise UserError(f"{samples[0].path} has token statistics but no rates; add the file *{_RATES} beside it.")
    start = options.start_utc(rates)
    tokens = next((s for s in samples if not _is_rates(s)), None)
    percentiles, token_rows, bad_tokens = _load_tokens(con, tokens, start)
    buckets, rate_rows, bad_rates = _load_rates(con, rates, start)
    ends = [bucket.to_pydatetime().replace(tzinfo=UTC) for bucket in buckets["bucket_utc"]]
    span = (ends[0], end_of(ends[-1], SLOT_S)) if ends else (None, None)
    loaded = AggregateFile(
        sample=rates,
        rows_read=rate_rows,
        rejected=bad_rates,
        buckets=buckets,
        percentiles=percentiles.iloc[:0],
        first_utc=span[0],
        last_utc=span[1],
    )
    if tokens is None:
        return (loaded,)
    statistics = AggregateFile(
        sample=tokens,
        rows_read=token_rows,
        rejected=bad_tokens,
        buckets=buckets.iloc[:0],
        percentiles=percentiles,
        first_utc=span[0],
        last_utc=span[1],
    )
    return (loaded, statistics)


def _is_rates(sample: Sample) -> bool:
    return sample.has(*_RATE_COLUMNS)


def _load_rates(
    con: duckdb.DuckDBPyConnection, rates: Sample, start: datetime
) -> tuple[pd.DataFrame, int, tuple[Rejected, ...]]:
    """Return the buckets, how many rows were read, and the bad ones; needs the table servegen_percentile."""
    stated = fast_relation(rates, {column: column for column in _RATE_COLUMNS})
    sql = f"CREATE OR REPLACE TEMP TABLE servegen_rate AS WITH stated AS ({stated.sql}) {query('servegen_rates')}"
    con.execute(sql, {**stated.parameters, "slot_s": SLOT_S})
    buckets = frame(con, query("servegen_buckets"), {"start_utc": start, "slot_s": SLOT_S})
    return buckets, *_rows_of(con, "servegen_rate")


def _load_tokens(
    con: duckdb.DuckDBPyConnection, tokens: Sample | None, start: datetime
) -> tuple[pd.DataFrame, int, tuple[Rejected, ...]]:
    """Return the statistics as given, how many rows were read, and the bad ones; leaves servegen_percentile."""
    reads = {column: column for column in _TOKEN_COLUMNS}
    if tokens is None:
        nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS {column}" for column in ("line", "malformed", *reads))
        stated = Relation(sql=f"SELECT {nothing} WHERE false", parameters={})
    else:
        con.register("servegen_lines", exact_rows(tokens))
        stated = exact_relation(tokens, reads, "servegen_lines")
    sql = f"""CREATE OR REPLACE TEMP TABLE servegen_token AS WITH stated AS ({stated.sql})
        SELECT * FROM ({query("servegen_tokens")})"""  # noqa: S608  # values are parameters
    con.execute(sql, {**stated.parameters, "max_tok": MAX_TOK})
    sql = "CREATE OR REPLACE TEMP TABLE servegen_percentile AS " + query("servegen_percentiles")
    con.execute(sql, {"start_utc": start})
    percentiles = frame(con, "SELECT * FROM servegen_percentile ORDER BY window_utc, field")
    return percentiles, *_rows_of(con, "servegen_token")


def _rows_of(con: duckdb.DuckDBPyConnection, table: str) -> tuple[int, tuple[Rejected, ...]]:
    """Return how many rows a table of ours has, and those with a reason."""
    read = first_row(con, f"SELECT count(*) FROM {table}")  # noqa: S608  # our own names
    sql = f"SELECT line, reason, left(excerpt, 200) FROM {table} WHERE reason IS NOT NULL ORDER BY line"  # noqa: S608
    rejected = tuple(Rejected(line=n, reason=why, excerpt=text) for n, why, text in con.execute(sql).fetchall())
    return (int(read[0]) if read else 0), rejected
