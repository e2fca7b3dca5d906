"""Requests that several files hold: the one that came first counts, the others stay in the lake, marked.

Two rows are the same request where label, UTC day and request id agree. Marking instead of dropping keeps
the truth when a file is replaced later: the row that it hid comes back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from data.frames import first_row
from data.lake import Slice, write_slice
from data.text import literal_path
from data.warehouse import Store

_ROWS_AT_ONCE = 5_000_000
"""Bound on the ids that are counted in one query, and so on its memory."""

_MARK = """
SELECT * EXCLUDE (is_duplicate, earlier_id),
       request_id IS NOT NULL AND (
           earlier_id IS NOT NULL
           OR row_number() OVER (
               PARTITION BY request_id
               ORDER BY arrived_utc, prompt_tok, output_tok, cached_prompt_tok,
                   status, model, region, team, category
           ) > 1
       ) AS is_duplicate
FROM read_parquet($slice)
LEFT JOIN (
    SELECT DISTINCT request_id AS earlier_id FROM read_parquet($earlier)
    WHERE request_id IS NOT NULL AND $any_earlier
) ON request_id = earlier_id
"""


def mark_duplicates(store: Store, folder: Path, slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """Return the slices of one source label, those with newly marked or unmarked duplicates written again.

    slices: all slices of the days in question, the file that came first in front. folder: for half-written files.
    """
    days: dict[date, list[Slice]] = {}
    for part in slices:
        days.setdefault(part.day_utc, []).append(part)
    doubtful = _days_with_repeats(store, days) | {part.day_utc for part in slices if part.rows_duplicate}
    marked = [_mark_day(store, folder, days[day]) if day in doubtful else days[day] for day in sorted(days)]
    return tuple(part for day in marked for part in day)


def _days_with_repeats(store: Store, days: dict[date, list[Slice]]) -> set[date]:
    """Return the days on which some id occurs twice. Ids are compared by a 64-bit hash: this only picks days."""
    sql = """SELECT CAST(arrived_utc AS DATE) FROM read_parquet($files) GROUP BY 1
        HAVING count(request_id) > count(DISTINCT CASE WHEN request_id IS NOT NULL THEN hash(request_id) END)"""
    found: set[date] = set()
    for batch in _batches(days.values()):
        files = [literal_path(store.lake / part.path) for part in batch]
        found |= {row[0] for row in store.con.execute(sql, {"files": files}).fetchall()}
    return found


def _batches(days: Iterable[list[Slice]]) -> Iterable[list[Slice]]:
    batch: list[Slice] = []
    for day in days:
        if batch and sum(part.rows for part in (*batch, *day)) > _ROWS_AT_ONCE:
            yield batch
            batch = []
        batch = [*batch, *day]
    if batch:
        yield batch


def _mark_day(store: Store, folder: Path, slices: list[Slice]) -> list[Slice]:
    """Mark each slice of a day against those in front of it, and against itself."""
    return [_mark_slice(store, folder, part, slices[:i]) for i, part in enumerate(slices)]


def _mark_slice(store: Store, folder: Path, part: Slice, earlier: Sequence[Slice]) -> Slice:
    parameters = {
        "slice": [literal_path(store.lake / part.path)],
        "earlier": [literal_path(store.lake / other.path) for other in earlier or [part]],
        "any_earlier": bool(earlier),
    }
    counted = first_row(store.con, f"SELECT count(*) FILTER (is_duplicate) FROM ({_MARK})", parameters)  # noqa: S608
    duplicates = int(counted[0]) if counted else 0
    if duplicates == part.rows_duplicate == 0:
        return part
    return replace(write_slice(store, folder, part, _MARK, parameters), rows_duplicate=duplicates)
