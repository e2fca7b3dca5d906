"""The hour-of-week profile against repeating last week's, the mean of eight weeks, and an even day.

Called by `python -m benchmarks.forecast profile`.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.profile import hour_profile

FIRST_DAYS = 14
MOST_ORIGINS = 40
LAGS = (0, 49)
"""Days between the origin and the scored week: the week ahead, and the eighth week."""
SEEN_DAYS = 112


def main(traffic: Path) -> None:
    """Print the mean absolute error of each hour's share of its day, in hours of mean traffic, and ratios."""
    series = read(traffic)
    for lag in LAGS:
        rows = pd.DataFrame([row for name, y in series.items() for row in _scored(name, y, lag)])
        table = rows.groupby("series")[[*METHODS]].mean()
        ratios = table.div(table["forecast"], axis=0)[[m for m in METHODS if m != "forecast"]].rdiv(1.0)
        ratios.loc["geometric mean"] = np.exp(np.log(ratios).mean())
        out = pd.concat([table["forecast"].rename("error"), ratios.add_prefix("vs ")], axis=1)
        out["origins"] = rows.groupby("series").size() // 7
        week = "a week ahead" if lag == 0 else f"{lag // 7 + 1} weeks ahead"
        print(f"{week}: mean |share x 24 - forecast|, then forecast / other (below 1: the forecast is better)")
        print(out.reindex([*table.index, "geometric mean"]).round(3).to_string(na_rep=""), "\n")


def read(traffic: Path) -> dict[str, "pd.Series[float]"]:
    """Return requests (or trips, load, mentions) by hour: bike trips, three PJM loads, Twitter, ServeGen."""
    out: dict[str, pd.Series[float]] = {}
    hourly = pd.read_csv(traffic / "hourly_series.csv.gz", parse_dates=["ds"])
    for name, rows in hourly.groupby("unique_id"):
        out[str(name)] = rows.set_index("ds")["y"]
    twitter = pd.read_csv(traffic / "twitter_5min.csv.gz", parse_dates=["ds"])
    for name, rows in twitter.groupby("unique_id"):
        by_hour = rows.set_index("ds")["y"].resample("h").agg(["sum", "size"])
        out[str(name)] = by_hour["sum"][by_hour["size"] >= 11]
    clients = pd.read_parquet(traffic / "llm_servegen_m_large_clients_10min.parquet")
    rate = clients.groupby("t_s")["rate_rps"].sum()
    rate.index = pd.Timestamp("2026-01-05") + pd.to_timedelta(rate.index, unit="s")
    out["servegen_m_large"] = rate.resample("h").sum() * 600
    return out


def _scored(name: str, y: "pd.Series[float]", lag: int) -> list[dict[str, object]]:
    days = pd.DatetimeIndex(y.index).normalize()
    first, last = pd.Timestamp(y.index[0]).ceil("D"), days.max()
    seen = 7 if (last - first).days < FIRST_DAYS + 7 else FIRST_DAYS
    origins = pd.date_range(first + pd.Timedelta(days=seen), last - pd.Timedelta(days=6 + lag), freq="7D")
    keep = np.unique(np.linspace(0, len(origins) - 1, MOST_ORIGINS).astype(int)) if len(origins) else []
    rows = []
    for origin in origins[keep]:
        past = y[(days >= origin - pd.Timedelta(days=SEEN_DAYS)) & (days < origin)]
        found = {method: guess(past, origin) for method, guess in METHODS.items()}
        for day in pd.date_range(origin + pd.Timedelta(days=lag), periods=7):
            actual = y[days == day]
            if len(actual) == 24 and actual.sum() > 0:
                share = actual.to_numpy() / actual.mean()
                at = slice(day.day_of_week * 24, day.day_of_week * 24 + 24)
                rows.append(
                    {"series": name} | {m: float(np.abs(share - _even(p[at])).mean()) for m, p in found.items()}
                )
    return rows


def _forecast(past: "pd.Series[float]", origin: pd.Timestamp) -> np.ndarray:
    found = hour_profile(past, origin.date())
    return np.ones(168) if found is None else found


def _last_week(past: "pd.Series[float]", origin: pd.Timestamp) -> np.ndarray:
    return _mean(past[past.index >= origin - pd.Timedelta(days=7)])


def _eight_weeks(past: "pd.Series[float]", origin: pd.Timestamp) -> np.ndarray:
    return _mean(past[past.index >= origin - pd.Timedelta(days=56)])


def _mean(past: "pd.Series[float]") -> np.ndarray:
    index = pd.DatetimeIndex(past.index)
    slots = past.groupby(index.day_of_week * 24 + index.hour).mean().reindex(range(168))
    return slots.fillna(past.mean()).to_numpy(dtype=np.float64)


def _even(profile: np.ndarray) -> np.ndarray:
    """The day of a profile at mean 1, as `Demand.hourly` has it."""
    return profile / profile.mean() if profile.sum() > 0 else np.ones(24)


METHODS: dict[str, Callable[["pd.Series[float]", pd.Timestamp], np.ndarray]] = {
    "forecast": _forecast,
    "last week": _last_week,
    "mean of 8 weeks": _eight_weeks,
    "even": lambda _past, _origin: np.ones(168),
}
