"""Whether learned holidays help: shared series whose country is known, rolling origins before the scored ones.

Needs the reference data (../shared), which the repository does not hold.

python -m benchmarks.holidays            loss with and without, on holidays and on all days, by series
"""

import argparse
import os
import sys
from zoneinfo import ZoneInfo

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.forecast import TRAFFIC, _before_scored, _nested_windows
from forecasting.calendar import make_history
from forecasting.holiday import HolidayCalendar, learn_holidays
from forecasting.scenarios import Z90
from forecasting.scores import coverage, pinball
from forecasting.series import forecast_series

COUNTRIES = {
    "pedestrians_melbourne": ("AU", "VIC"),
    "cta_bus_boardings": ("US", "IL"),
    "mta_subway": ("US", "NY"),
    "mta_metro_north": ("US", "NY"),
    "mta_access_a_ride": ("US", "NY"),
    "bikeshare_trips": ("US", "DC"),
    "electricity_load": ("PT", None),
    "site_page_loads": ("US", None),
    "wiki_peyton_manning": ("US", None),
    "wikipage_00": ("JP", None),
    "wikipage_04": ("FR", None),
    "wikipage_06": ("RU", None),
    "wikipage_08": ("RU", None),
    "npm_electron": ("US", None),
}
"""By the meta file's source and name (Melbourne, Chicago, New York, Washington; the electricity clients are
Portuguese; Wikipedia by its language). npm is used all over the world: US stands in, to see what a wrong country
costs."""


BAND = (0.025, 0.1, 0.5, 0.9, 0.975)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not TRAFFIC.exists():
        sys.exit(f"{TRAFFIC} is missing: the benchmark needs the reference data beside the repository.")
    data = _before_scored()
    table = pd.concat([_scores(name, data[name]) for name in COUNTRIES if name in data], ignore_index=True)
    print(_summary(table, "name").to_string())
    known = table[table["name"] != "npm_electron"]
    print(_summary(known.assign(all="right country"), "all").to_string())


def _scores(name: str, y: pd.Series) -> pd.DataFrame:
    calendar = HolidayCalendar(country=COUNTRIES[name][0], subdivision=COUNTRIES[name][1], zone=ZoneInfo("UTC"))
    rows = []
    for cutoff, horizon in _nested_windows(y):
        past = y[:cutoff].asfreq("D")
        first = past.index.to_numpy().astype("datetime64[D]")[0]
        seen = past.to_numpy(dtype=np.float64)
        effect = learn_holidays(first, seen, calendar)
        if effect is None:
            rows.append({"name": name, "learned": 0})
            continue
        n = len(seen)
        log_effect, _ = effect.on(calendar.exposure(first, n), n)
        start = first + n
        ahead = calendar.exposure(start, horizon)
        mean, sd = effect.on(ahead, horizon)
        plain = forecast_series(make_history(first, seen, where=name), horizon).predictive.ppf(np.array(BAND))
        clean = make_history(first, seen * np.exp(-log_effect), where=name)
        with_effect = _moved(
            forecast_series(clean, horizon).predictive.ppf(np.array(BAND)), np.exp(mean), Z90 * sd
        )
        actual = y[cutoff + pd.Timedelta(days=1) : cutoff + pd.Timedelta(days=horizon)]
        at = ((actual.index - cutoff).days - 1).to_numpy()
        holiday = mean[at] != 0
        a = actual.to_numpy(dtype=np.float64)
        for days, mask in (("holidays", holiday), ("others", ~holiday), ("all", holiday | ~holiday)):
            if mask.any():
                scale = max(float(a.mean()), 1e-9)
                q0, q1 = (q[1:4][:, at][:, mask] for q in (plain, with_effect))
                rows.append({"name": name, "learned": 1, "days": days, "without": pinball(a[mask], q0) / scale,
                             "with": pinball(a[mask], q1) / scale, "cov0": coverage(a[mask], q0[0], q0[2]),
                             "cov1": coverage(a[mask], q1[0], q1[2])})  # fmt: skip
    return pd.DataFrame(rows)


def _moved(band: np.ndarray, likely: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Multiply quantiles (5, D) by a factor known to within `width` (log, 80%): widths add in quadrature."""
    scores = np.asarray(stats.norm.ppf(BAND)) / Z90
    middle = np.maximum(band[2], 1e-9)
    apart = np.log(np.maximum(band, 1e-9) / middle)
    moved = np.sqrt(apart**2 + (scores[:, None] * width[None]) ** 2)
    return middle * likely * np.exp(np.sign(scores)[:, None] * moved)


def _summary(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Mean loss with over mean loss without, and coverage, on holidays, other days and all days."""
    learned = table[table["learned"] == 1]
    mean = learned.groupby([by, "days"])[["without", "with", "cov0", "cov1"]].mean()
    mean["ratio"] = mean["with"] / mean["without"]
    out = mean["ratio"].unstack("days")[["holidays", "others", "all"]]
    cover = mean[["cov0", "cov1"]].xs("holidays", level="days")
    windows = learned[learned["days"] == "all"].groupby(by).size()
    return out.assign(cov80_without=cover["cov0"], cov80_with=cover["cov1"], windows=windows).round(3)


if __name__ == "__main__":
    main()
