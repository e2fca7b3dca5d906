"""Token percentiles of 6-hour windows, a week ahead, against repeating the last week (ServeGen tables).

Called by `python -m benchmarks.forecast tokens`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from forecasting import series
from forecasting.calendar import make_history
from forecasting.scores import SCORED, coverage, pinball

SLOTS = 4
"""Windows a day."""
WEEK = 7 * SLOTS
PERCENTILES = ("p50", "p90", "p95", "p99")
FIRST_WEEK = range(3 * SLOTS, 6 * SLOTS, SLOTS)
SECOND_WEEK = range(WEEK, 2 * WEEK, SLOTS)
P = np.array(SCORED)


def main(traffic: Path) -> None:
    """Print each percentile at the one whole origin, then what rolling origins say of the interval."""
    table = pd.read_csv(traffic / "llm_servegen_m_large_tokens_6h.csv")
    values = {
        (str(field), name): rows.sort_values("t_s")[name].to_numpy(dtype=np.float64)
        for field, rows in table.groupby("field")
        for name in PERCENTILES
    }
    week = pd.DataFrame([_score(*key, y, WEEK, len(y)) for key, y in values.items()])
    print("7 days seen, 7 ahead")
    for row in week.itertuples():
        print(f"{row.field:14s} {row.name}  loss / repeat {row.loss / row.repeat:.3f}  cov80 {row.cov80:.2f}")
    print(f"p95 and p99 together (geometric mean): {_tail(week):.3f}   all: {_all(week):.3f}\n")
    _rolling(values, FIRST_WEEK, WEEK, "origins 3, 4, 5 days in, to the end of the first week")
    _rolling(values, SECOND_WEEK, 2 * WEEK, "origins 7 to 13 days in, up to 7 days ahead")
    image = pd.read_csv(traffic / "llm_servegen_mm_image_tokens_6h.csv")
    rows = image.groupby("field").size().max()
    print(f"mm-image: {rows} windows are one day, too few for an origin and an outcome; not scored.")


def _rolling(values: dict[tuple[str, str], np.ndarray], origins: range, end: int, title: str) -> None:
    rows = pd.DataFrame([_score(*key, y, t, end) for key, y in values.items() for t in origins])
    by = rows.groupby(["field", "name"])[["loss", "repeat", "cov80"]].mean()
    print(title)
    for (field, name), row in by.iterrows():
        print(f"{field:14s} {name}  loss / repeat {row['loss'] / row['repeat']:.3f}  cov80 {row['cov80']:.2f}")
    print(f"p95 and p99: {_tail(by.reset_index()):.3f}   all: {_all(by.reset_index()):.3f}", end="   ")
    print(f"cov80 of all: {by['cov80'].mean():.2f}\n")


def _score(field: str, name: str, y: np.ndarray, origin: int, end: int) -> dict[str, object]:
    ahead = min(WEEK, end - origin)
    history = make_history(np.datetime64("2026-01-05"), y[:origin], where=name, counts=False)
    q = series.short_series(history, ahead, season=SLOTS).predictive.ppf(P)
    actual, seen = y[origin : origin + ahead], y[max(0, origin - WEEK) : origin]
    repeat = np.tile(np.resize(seen, ahead), (3, 1))
    return {
        "field": field, "name": name, "loss": pinball(actual, q), "repeat": pinball(actual, repeat),
        "cov80": coverage(actual, q[0], q[2]),
    }  # fmt: skip


def _all(rows: pd.DataFrame) -> float:
    return float(np.exp(np.log(rows["loss"] / rows["repeat"]).mean()))


def _tail(rows: pd.DataFrame) -> float:
    return _all(rows[rows["name"].isin(("p95", "p99"))])
