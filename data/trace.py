"""Requests one by one, as a simulation replays them: from a store, or straight from log files."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from data.frames import frame
from data.ingest import ingest_logs
from data.traffic import Match
from data.warehouse import Store, open_store, query

Floats = npt.NDArray[np.float64]

ANY_START = datetime(2026, 1, 5, tzinfo=UTC)
"""When a trace without dates began, where nobody says: a Monday; only hours of the week depend on it."""

EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """N requests with known lengths, in order of arrival.

    arrival_s: (N,) seconds since begin_utc. prompt_tok, cached_prompt_tok, output_tok: (N,); cached tokens that
    nobody stated count as none. batch: (N,) requests that say they are of batch or scheduled work. left_out:
    requests of unknown length beside them.
    """

    begin_utc: datetime | None
    arrival_s: Floats
    prompt_tok: Floats
    cached_prompt_tok: Floats
    output_tok: Floats
    batch: npt.NDArray[np.bool_]
    left_out: int

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.arrival_s)


def read_trace(store: Store, match: Match, *, since: datetime = EVER[0], until: datetime = EVER[1]) -> Trace:
    """Return the matching requests of a store from `since` to before `until`, served or throttled.

    Empty where the store has none, such as for a source that states sums alone.
    """
    parameters = {
        "label": match.label,
        "model": match.model,
        "region": match.region,
        "team": match.team,
        "since": since,
        "until": until,
    }
    rows = frame(store.con, query("trace_requests"), parameters)
    known = rows["prompt_tok"].notna() & rows["output_tok"].notna()
    left_out, rows = int((~known).sum()), rows[known]
    arrived = rows["arrived_us"].to_numpy(np.int64)
    prompt = rows["prompt_tok"].to_numpy(np.float64)
    return Trace(
        begin_utc=datetime.fromtimestamp(arrived[0] / 1e6, UTC) if len(rows) else None,
        arrival_s=(arrived - arrived[0]) / 1e6 if len(rows) else np.zeros(0),
        prompt_tok=prompt,
        cached_prompt_tok=np.minimum(rows["cached_prompt_tok"].fillna(0).to_numpy(np.float64), prompt),
        output_tok=rows["output_tok"].to_numpy(np.float64),
        batch=rows["category"].isin(["batch", "scheduled"]).to_numpy(np.bool_),
        left_out=left_out,
    )


@contextmanager
def store_of_files(
    paths: Sequence[Path],
    *,
    now: datetime,
    format: str | None = None,  # noqa: A002  # what the command line's option is called
    mapping: Path | None = None,
    start: datetime | None = None,
) -> Iterator[Store]:
    """Open a store that holds these logs alone and is gone afterwards; every format that `ingest` knows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.duckdb"
        with open_store(path, write=True, now=now) as store:
            summary = ingest_logs(
                store, paths, now=now, format=format, mapping=mapping, start=start or ANY_START, label="trace"
            )
            if not sum(file.rows_new for file in summary.files):
                names = ", ".join(str(path) for path in paths)
                raise UserError(
                    f"{names} has no request that can be used; `fleetcast ingest` says why of each row."
                )
            yield store
