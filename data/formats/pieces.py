"""Pieces of SQL that several log dialects share. Names that go in are our own, never text of a file."""

from collections.abc import Mapping

_NAN = "CAST('nan' AS DOUBLE)"


def columns_of(reads: Mapping[str, str]) -> Mapping[str, str]:
    """Return {column or key of the source: our name for it}, for the list of formats."""
    return {source: name for name, source in reads.items()}


def moment(text: str) -> str:
    """Return the SQL of a date and time: an offset is honoured, without one it is UTC."""
    return f"TRY_CAST({text} AS TIMESTAMPTZ)"


def moment_ns(number: str) -> str:
    """Return the SQL of a moment in nanoseconds since 1970."""
    return f"""CASE WHEN TRY_CAST({number} AS BIGINT) BETWEEN 0 AND 8000000000000000000
        THEN make_timestamptz(TRY_CAST({number} AS BIGINT) // 1000) END"""


def span_s(first: str, last: str) -> str:
    """Return the SQL of the seconds between two moments."""
    return f"(epoch_us({last}) - epoch_us({first})) / 1e6"


def before(moment_sql: str, seconds: str) -> str:
    """Return the SQL of the moment so many seconds earlier: from a completion to its arrival.

    Unknown where the seconds are: a completion is no arrival.
    """
    return f"{moment_sql} - to_microseconds(CAST(round(TRY_CAST({seconds} AS DOUBLE) * 1e6) AS BIGINT))"


def divided(number: str, parts: float) -> str:
    """Return the SQL of a number in a unit so many times as large."""
    return f"TRY_CAST({number} AS DOUBLE) / {parts!r}"


def counted(value: str, *counts: str) -> str:
    """Return the SQL of a count that is unknown where a source says 0 for all of `counts`, because nobody counted.

    No request has a prompt of no token and no output either; gateways write that for streams without usage and for
    calls that failed.
    """
    nothing = " AND ".join(f"({count} IS NULL OR TRY_CAST({count} AS DOUBLE) = 0)" for count in counts)
    return f"CASE WHEN {nothing} THEN NULL ELSE {value} END"


def total(*parts: str) -> str:
    """Return the SQL of the sum of disjoint counts: unknown without the first, another one may be missing.

    A part that is no number makes it NaN, which is no count either: the row is rejected like one with a bad count.
    """
    first, *others = (
        f"CASE WHEN {p} IS NOT NULL THEN coalesce(TRY_CAST({p} AS DOUBLE), {_NAN}) END" for p in parts
    )
    return " + ".join([first, *(f"coalesce({part}, 0)" for part in others)])


def older_version(row_id: str, version: str) -> str:
    """Return the SQL of whether another row of the file is a newer version of the same one."""
    return f"({version} IS NOT NULL AND row_number() OVER (PARTITION BY {row_id} ORDER BY {version} DESC) > 1)"
