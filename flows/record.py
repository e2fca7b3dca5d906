"""Earlier plans, read back from the store: what they forecast, how that did, and what the last one expected."""

import hashlib
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, cast

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from data.errors import UserError
from data.frames import frame
from data.traffic import Traffic
from data.warehouse import open_store, query
from flows.runs import Run
from flows.settings import LoadedPlan
from flows.walk import Past
from forecasting.moves import Expected
from forecasting.outlook import Outlook, expected_requests
from forecasting.track import Actuals, Score, peak_quantity, read_actuals, score_forecast

Floats = npt.NDArray[np.float64]
BANDS = ("mean", "q10", "q50", "q90")
SCORE_COLUMNS = (
    "run_id", "as_of", "workload", "quantity", "from_day", "to_day", "through", "days", "event_days",
    "outage_days", "actual_mean", "error", "bias", "coverage_80", "pinball", "naive_pinball",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One score, of which run, workload and quantity."""

    run_id: str
    as_of: date
    workload: str
    quantity: str
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The last plan before this one, for one workload. bands: (4, D) BANDS of its requests for the days that came.

    refit: what today's method makes of the same past (`moves.explain_move`), None where it cannot.
    """

    expected: Expected
    refit: Floats | None
    bands: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that earlier plans left behind: scores, the last plan by workload, and what came by workload.

    unscored: workloads that earlier plans forecast and this one does not know.
    """

    scores: tuple[Scored, ...]
    before: Mapping[str, Before]
    actuals: Mapping[str, Actuals]
    unscored: tuple[str, ...]


def record_digest(con: duckdb.DuckDBPyConnection, as_of: date) -> str:
    """Return the sha256 of the earlier plans that a plan on as_of is compared with, by their inputs."""
    rows = con.execute(query("counted_runs"), {"as_of": as_of}).fetchall()
    said = [[str(day), workload, digest] for day, workload, _, digest in rows]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def read_record(plan: LoadedPlan, past: Past, as_of: date) -> Record:
    """Score every earlier plan on the days before as_of, and read the last one of each workload.

    A plan is the newest published revision of its day. A forecast whose year is scored whole is not read again,
    and days whose actuals lie before what the plan reads (`history_days`) keep the score that a run stored.
    """
    traffic = {each.workload: each for each in past.traffic}
    events = [event.to_event() for event in plan.settings.events]
    actuals = {name: read_actuals(each, events, as_of) for name, each in traffic.items()}
    with open_store(plan.store_path) as store:
        counted = frame(store.con, query("counted_runs"), {"as_of": as_of})
        asked = {"runs": sorted(set(counted["run_id"])), "as_of": as_of}
        forecasts = frame(store.con, query("recorded_forecasts"), asked)
        kept = frame(store.con, query("recorded_scores"), asked)
        parts = {name: _last_parts(store.con, counted, name) for name in traffic}
    pairs = set(zip(counted["run_id"], counted["workload"], strict=True))
    bands = _bands(forecasts, pairs)
    scores = [scored for key, each in bands.items() for scored in _scored(key, each, actuals)]
    return Record(
        scores=tuple(_with_kept(scores, kept, pairs, actuals)),
        before={
            name: Before(
                expected=expected,
                refit=_refit(plan, traffic[name], expected),
                bands=bands.get((run_id, expected.as_of, name, "requests"), np.empty((4, 0))),
            )
            for name, found in parts.items()
            if found is not None
            for run_id, expected in [found]
        },
        actuals=actuals,
        unscored=tuple(sorted({name for _, name in pairs} - set(traffic))),
    )


def keep_record(
    con: duckdb.DuckDBPyConnection, run: Run, outlooks: Sequence[Outlook], ratios: Mapping[str, float]
) -> None:
    """Keep what was forecast for each workload and day, to be scored when the actuals are in.

    ratios: tokens of the planned model per logged token, by workload; lengths are kept as logged.
    """
    rows = pd.concat([_forecast_rows(run, each, ratios[each.workload]) for each in outlooks], ignore_index=True)
    _insert(con, "forecast_record", rows)
    _insert(con, "forecast_part", pd.concat([_part_rows(run, each) for each in outlooks], ignore_index=True))


def keep_scores(con: duckdb.DuckDBPyConnection, scores: Sequence[Scored]) -> None:
    """Store the scores, in the place of what the same forecasts had before; a score of fewer days never wins."""
    if not scores:
        return
    table = pd.DataFrame([_row(each) for each in scores], columns=list(SCORE_COLUMNS))
    con.register("new_score", pa.Table.from_pandas(table, preserve_index=False))
    same = "new.run_id = old.run_id AND new.workload = old.workload AND new.quantity = old.quantity"
    same += " AND new.from_day = old.from_day AND new.through >= old.through"
    con.execute(f"DELETE FROM forecast_score AS old USING new_score AS new WHERE {same}")  # noqa: S608  # our own text
    con.execute(
        f"INSERT INTO forecast_score ({', '.join(SCORE_COLUMNS)})"  # noqa: S608  # our own names
        f" SELECT {', '.join('new.' + c for c in SCORE_COLUMNS)} FROM new_score AS new"
        " ANTI JOIN forecast_score AS old USING (run_id, workload, quantity, from_day)"
    )
    con.unregister("new_score")


def _last_parts(
    con: duckdb.DuckDBPyConnection, counted: pd.DataFrame, workload: str
) -> tuple[str, Expected] | None:
    """The newest earlier plan of a workload whose parts are kept, whole."""
    own = counted[counted["workload"] == workload].sort_values("as_of", ascending=False)
    for run_id, as_of in zip(own["run_id"], own["as_of"], strict=True):
        rows = frame(con, query("recorded_parts"), {"run_id": run_id, "workload": workload})
        if len(rows):
            columns = {c: rows[c].to_numpy(dtype=np.float64) for c in rows.columns if c != "day_utc"}
            return str(run_id), Expected(as_of=pd.Timestamp(as_of).date(), **columns)
    return None


def _refit(plan: LoadedPlan, traffic: Traffic, before: Expected) -> Floats | None:
    settings = plan.settings
    workload = next(w for w in settings.workloads if w.name == traffic.workload)
    try:
        return expected_requests(
            traffic,
            as_of=before.as_of,
            days=len(before.base),
            paths=settings.paths,
            events=[event.to_event() for event in settings.events],
            growth=workload.growth.to_growth() if workload.growth else None,
            holidays=settings.holidays_of(workload),
        )
    except UserError:  # the plan no longer reads as far back
        return None


Key = tuple[str, date, str, str]


def _bands(forecasts: pd.DataFrame, pairs: set[tuple[str, str]]) -> dict[Key, Floats]:
    """(4, D) of each recorded forecast by run, as_of, workload and quantity, over the days that have come."""
    out: dict[Key, Floats] = {}
    for key, rows in forecasts.groupby(["run_id", "as_of", "workload", "quantity"]):
        run_id, as_of, workload, quantity = cast(tuple[str, pd.Timestamp, str, str], key)
        if (run_id, workload) not in pairs:
            continue
        start = pd.Timestamp(as_of)
        place = (rows["day_utc"] - start).dt.days.to_numpy()
        bands = np.full((len(BANDS), int(place.max()) + 1), np.nan)
        bands[:, place] = rows[list(BANDS)].to_numpy(dtype=np.float64).T
        out[run_id, start.date(), workload, quantity] = bands
    return out


def _scored(key: Key, bands: Floats, actuals: Mapping[str, Actuals]) -> list[Scored]:
    run_id, as_of, workload, quantity = key
    if workload not in actuals:
        return []
    found = score_forecast(as_of, bands, actuals[workload], quantity)
    return [Scored(run_id=run_id, as_of=as_of, workload=workload, quantity=quantity, score=s) for s in found]


def _with_kept(
    scores: Sequence[Scored], kept: pd.DataFrame, pairs: set[tuple[str, str]], actuals: Mapping[str, Actuals]
) -> list[Scored]:
    """Stored scores stand where this plan does not read all of their days; else today's do."""
    fresh = {(s.run_id, s.workload, s.quantity, s.score.from_day): s for s in scores}
    for row in kept.to_dict("records"):
        key = (row["run_id"], row["workload"], row["quantity"], row["from_day"])
        if (row["run_id"], row["workload"]) not in pairs or row["workload"] not in actuals:
            continue
        begins = np.datetime64(row["as_of"], "D") + int(row["from_day"]) - 1
        if actuals[row["workload"]].first > begins or key not in fresh:
            fresh[key] = _from_row(row)
    return sorted(fresh.values(), key=lambda s: (s.as_of, s.workload, s.quantity, s.score.from_day))


def _row(each: Scored) -> list[object]:
    columns = {
        "run_id": each.run_id,
        "as_of": each.as_of,
        "workload": each.workload,
        "quantity": each.quantity,
        **asdict(each.score),
    }
    return [columns[name] for name in SCORE_COLUMNS]


def _from_row(row: Mapping[Hashable, Any]) -> Scored:
    values = {name: row[name] for name in SCORE_COLUMNS[4:]}
    for name in ("error", "bias", "naive_pinball"):
        values[name] = None if pd.isna(values[name]) else values[name]
    values["through"] = pd.Timestamp(row["through"]).date()
    return Scored(
        run_id=str(row["run_id"]),
        as_of=pd.Timestamp(row["as_of"]).date(),
        workload=str(row["workload"]),
        quantity=str(row["quantity"]),
        score=Score(**values),
    )


def _forecast_rows(run: Run, outlook: Outlook, ratio: float) -> pd.DataFrame:
    """One row per day and quantity whose forecast is known."""
    demand = outlook.demand
    samples = {
        "requests": demand.requests,
        peak_quantity(demand.window_s): demand.peak_qps(),
        "prompt_tok": demand.prompt_tok / ratio,
        "cached_prompt_tok": demand.cached_prompt_tok / ratio,
        "output_tok": demand.output_tok / ratio,
    }
    tables = []
    for quantity, paths in samples.items():
        if not np.isfinite(paths).all():
            continue
        q10, q50, q90 = np.quantile(paths, (0.1, 0.5, 0.9), axis=0)
        columns = {"mean": paths.mean(axis=0), "q10": q10, "q50": q50, "q90": q90}
        days = demand.days.astype("datetime64[s]")
        tables.append(
            pd.DataFrame({**_stamp(run, outlook, len(days)), "day_utc": days, "quantity": quantity, **columns})
        )
    return pd.concat(tables, ignore_index=True)


def _part_rows(run: Run, outlook: Outlook) -> pd.DataFrame:
    parts, days = outlook.parts, outlook.demand.days.astype("datetime64[s]")
    columns = {name: getattr(parts, name) for name in ("base", "growth", "events", "total_tok", "event_tok")}
    return pd.DataFrame({**_stamp(run, outlook, len(days)), "day_utc": days, **columns})


def _stamp(run: Run, outlook: Outlook, rows: int) -> dict[str, list[object]]:
    return {"run_id": [run.run_id] * rows, "as_of": [run.as_of] * rows, "workload": [outlook.workload] * rows}


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: pd.DataFrame) -> None:
    """Append rows to one of our own tables, NaN as NULL."""
    names = ", ".join(rows.columns)
    con.register("new_rows", pa.Table.from_pandas(rows, preserve_index=False))
    con.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM new_rows")  # noqa: S608  # our own names
    con.unregister("new_rows")
