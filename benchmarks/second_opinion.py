"""What the library's second opinion is worth: its totals beside ours and beside what came, on the nested windows.

Needs the reference data (../shared), which the repository does not hold.

python -m benchmarks.second_opinion      error of the totals, how often they lie outside our range, seconds
"""

import argparse
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.forecast import HORIZONS, TRAFFIC, _before_scored, _nested_windows
from forecasting.calendar import make_history
from forecasting.joint import joint_paths
from forecasting.second_opinion import second_opinion
from forecasting.series import forecast_series

PATHS = 200
MOST_MISSING = 0.05
"""A window that lacks more of its days has no total to be held against."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not TRAFFIC.exists():
        sys.exit(f"{TRAFFIC} is missing: the benchmark needs the reference data beside the repository.")
    import statsmodels.tsa.holtwinters  # noqa: F401  (its import is not the fit's time)

    data = _before_scored()
    windows = [(name, *window) for name in data for window in _nested_windows(data[name])]
    table = pd.DataFrame([row for name, cutoff, h in windows for row in _scores(name, data[name], cutoff, h)])
    print(_summary(table).to_string())
    print(
        f"\n{len(windows)} windows, {table['spent_s'].median():.3f} s of processor time for one opinion (median)"
    )


def _scores(name: str, y: pd.Series, cutoff: pd.Timestamp, horizon: int) -> list[dict[str, object]]:
    past = y[:cutoff].asfreq("D")
    first = past.index.to_numpy().astype("datetime64[D]")[0]
    seen = past.to_numpy(dtype=np.float64)
    history = make_history(first, seen, where=name)
    forecasts = {"requests": forecast_series(history, horizon)}
    rng = np.random.default_rng(0)
    ours = joint_paths({"requests": seen}, forecasts, gap=0, paths=PATHS, rng=rng)["requests"]
    start = time.process_time()
    opinion = second_opinion(history, ours, gap=0, scenarios=False)
    spent_s = time.process_time() - start
    rows = []
    for days in (h for h in HORIZONS if h <= horizon):
        came = y[cutoff + pd.Timedelta(days=1) : cutoff + pd.Timedelta(days=days)]
        found = opinion.over(days)
        if found is None or len(came) < days * (1 - MOST_MISSING):
            continue
        total = float(came.mean()) * days
        rows.append({
            "series": name,
            "days": days,
            "library": abs(np.log(found.requests / total)),
            "ours": abs(np.log(found.ours_q50 / total)),
            "outside": not found.inside_80,
            "came_inside": found.ours_q10 <= total <= found.ours_q90,
            "spent_s": spent_s,
        })  # fmt: skip
    return rows


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    """One row per horizon: means of |log(forecast / actual)| and shares, each series counted once."""
    lone = table[table["outside"]].groupby(["days", "series"])["came_inside"].mean().groupby("days").mean()
    by = table.groupby(["days", "series"])[["library", "ours", "outside", "came_inside"]].mean().groupby("days")
    found = by.mean()
    found["came_inside_where_outside"] = lone
    found["ours_closer"] = (table["ours"] < table["library"]).groupby(table["days"]).mean()
    found["windows"] = table.groupby("days").size()
    return found.round(3)


if __name__ == "__main__":
    main()
