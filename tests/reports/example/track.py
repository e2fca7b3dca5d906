"""The example's track record and second opinions."""

from dataclasses import replace
from datetime import date, timedelta

from data.traffic import Basis
from example.common import AS_OF, HORIZONS
from forecasting.track import grade
from reports.budget import (
    Moved,
    MovedPart,
    OpinionRow,
    PlanScore,
    Scored,
    SecondOpinion,
    TrackRecord,
    TrackRow,
    Workload,
)
from reports.history import moved_sentence, track_sentence


def track_record(workloads: list[Workload]) -> TrackRecord:
    """Return the record of two earlier plans for the first workload, and of one for the second."""
    rows = []
    for w, (plans, error, bias) in zip(workloads, ((2, 0.064, 0.021), (1, 0.23, -0.11)), strict=False):
        rows += [_track_row(w.name, plans, quantity, *span, error * worse, bias) for quantity, span, worse in (
            ("requests", (1, 30, 30 * plans), 1.0), ("requests", (31, 90, 30 * (plans - 1)), 1.6),
            ("peak_10s_qps", (1, 30, 30 * plans), 2.0), ("prompt_tok", (1, 30, 30 * plans), 0.5),
        ) if span[2]]  # fmt: skip
    last = [_scored(w) for w in workloads[:1] if len(w.traffic.history) >= 30]
    return TrackRecord(
        since=AS_OF - timedelta(days=60),
        plans=2,
        sentence=track_sentence(rows, 2),
        rows=rows,
        by_plan=[
            PlanScore(as_of=AS_OF - timedelta(days=ago), workload=r.workload, from_day=r.from_day, to_day=r.to_day,
                      days=30, error=r.error, bias=r.bias, coverage_80=r.coverage_80)
            for r in rows if r.quantity == "requests" for ago in (60, 30)[-r.plans:]
        ],
        last=last,
        notes=["4 scored days lie in declared events; they count like any other."],
    )  # fmt: skip


def _track_row(
    name: str, plans: int, quantity: str, low: int, high: int, days: int, error: float, bias: float
) -> TrackRow:
    return TrackRow(workload=name, quantity=quantity, from_day=low, to_day=high, plans=plans, days=days,
                    event_days=4, outage_days=0, error=error, bias=bias, coverage_80=0.83, loss_vs_naive=0.71,
                    grade=grade(error, days))  # fmt: skip


def _scored(w: Workload) -> Scored:
    series = w.traffic
    days, actual = series.history_days[-30:], series.history[-30:]
    level = [0.98 * v if v is not None else 0.0 for v in actual]
    return Scored(workload=w.name, as_of=days[0], days=days, actual=actual, mean=level, q50=level,
                  q10=[0.94 * v for v in level], q90=[1.07 * v for v in level])  # fmt: skip


def moved_since(since: date | None, requests: float, tokens: float) -> Moved:
    """Return a move of a tenth, half of it the level's; nothing where there was no plan before."""
    parts = [("calendar", 0.02), ("method", 0.0), ("level", 0.05), ("trend", -0.01), ("growth", 0.0),
             ("events", 0.04), ("lengths", 0.0), ("length events", 0.0)]  # fmt: skip
    moved = Moved(
        since=since,
        days=30,
        requests_before=None if since is None else requests / 1.1,
        requests_now=requests,
        tokens_before=None if since is None else tokens / 1.1,
        tokens_now=tokens,
        came_over_forecast=None if since is None else 1.031,
        parts=[] if since is None else [
            MovedPart(cause=c, requests=s * requests / 1.1, tokens=s * tokens / 1.1)  # type: ignore[arg-type]  # literals
            for c, s in parts
        ],
        sentence="",
    )  # fmt: skip
    return replace(moved, sentence=moved_sentence(moved, ["Spring campaign"]))


def opinion(basis: Basis, seen: int, level: float) -> SecondOpinion:
    """At 0.97, 1.003 and 1.4 times ours, the last one outside of the range; none on a short history."""
    rows = [
        OpinionRow(days=d, requests=round(level * d * times), ours_q10=round(level * d * 0.8), ours_q50=level * d,
                   ours_q90=round(level * d * 1.25), ours_over_it=round(1 / times, 4), inside_80=times <= 1.25)
        for d, times in zip(HORIZONS, (0.97, 1.003, 1.4), strict=True)
    ]  # fmt: skip
    known = basis == "history"
    return SecondOpinion(
        method="statsmodels, damped ETS",
        scenarios=known,
        why_not="" if known else f"{seen} full days of history, and it needs 60",
        rows=rows if known else [],
    )
