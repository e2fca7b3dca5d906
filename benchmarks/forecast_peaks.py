"""Daily peaks a week ahead, against level x factor; and peaks finer than the data, against Poisson.

Called by `python -m benchmarks.forecast peaks`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.calendar import make_history
from forecasting.dispersion import busiest_within, dispersion, index_of_dispersion
from forecasting.peaks import INDEX_WITHIN, peak_forecast
from forecasting.scores import SCORED
from forecasting.series import SeriesForecast, forecast_series

HORIZON = 7
FIRST_DAYS = {"twitter": 14, "servegen": 7, "client": 7, "hourly": 100}
STEP_DAYS = {"hourly": 97}
SEEN_DAYS = 400
CLIENTS = 60
P = np.array(SCORED)


TABLES = {
    "loss": "loss: mean pinball (0.1, 0.5, 0.9) of the daily peak over the series' mean peak",
    "log_loss": "log_loss: the same of log(1 + peak)",
    "cov80": "cov80: share of days inside the 80% band",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """One series by day: its busiest slot and its total, in the slot's unit; NaN where a day is not whole."""

    name: str
    kind: str
    first: np.datetime64
    peaks: np.ndarray
    totals: np.ndarray
    slots: int


def main(traffic: Path) -> None:
    """Print loss ratios and coverage by series, by set and pooled, then what is estimated below the data."""
    rows = pd.DataFrame([row for days in read(traffic) for row in _scored(days)])
    by = rows.groupby(["kind", "series", "method"])[["loss", "log_loss", "cov80"]].mean()
    print(__doc__)
    print(
        "bare: level x factor without a band; level's, factor's: with that band; own: the series of peaks alone;"
    )
    print("seen: quantiles of the scored days themselves, constant over the series (nothing constant is better)\n")
    for column, what in TABLES.items():
        print(what)
        print(by[column].unstack("method").round(3).to_string(), "\n")
    sets = by.groupby(["kind", "method"]).mean()
    pooled = by.groupby("method").mean()
    table = pd.concat([sets, pd.concat({"pooled": pooled}, names=["kind"])])
    for column in ("loss", "log_loss"):
        wide = table[column].unstack("method")
        print(f"{column}, forecast over each baseline (below 1: the forecast is better)")
        ratios = wide.drop(columns="forecast").rdiv(wide["forecast"], axis=0)
        print(ratios.reindex(["twitter", "servegen", "pooled"]).round(3).to_string(), "\n")
    print(table["cov80"].unstack("method").reindex(["twitter", "servegen", "pooled"]).round(3).to_string(), "\n")
    _others(traffic)
    _finer(traffic)


def read(traffic: Path) -> list[Days]:
    """Return five Twitter counts of 5 minutes and the ServeGen m-large rate of 10 minutes, whole days."""
    out = []
    twitter = pd.read_csv(traffic / "twitter_5min.csv.gz", parse_dates=["ds"])
    for name, rows in twitter.groupby("unique_id"):
        out.append(_days(str(name), "twitter", rows.set_index("ds")["y"], 288))
    clients = pd.read_parquet(traffic / "llm_servegen_m_large_clients_10min.parquet")
    rate = clients.groupby("t_s")["rate_rps"].sum()
    rate.index = pd.Timestamp("2026-01-05") + pd.to_timedelta(rate.index, unit="s")
    out.append(_days("servegen_m_large", "servegen", rate * 600, 144))
    return out


def _days(name: str, kind: str, y: "pd.Series[float]", slots: int) -> Days:
    by_day = y.resample("D").agg(["max", "sum", "size"])
    whole = by_day.where(by_day["size"] >= 0.95 * slots)  # the Twitter counts miss a slot here and there
    whole = whole.loc[whole["max"].first_valid_index() : whole["max"].last_valid_index()]
    first = pd.DatetimeIndex(whole.index)[0].to_datetime64().astype("datetime64[D]")
    return Days(
        name=name, kind=kind, first=first, slots=slots,
        peaks=whole["max"].to_numpy(dtype=np.float64), totals=whole["sum"].to_numpy(dtype=np.float64),
    )  # fmt: skip


def _scored(days: Days) -> list[dict[str, object]]:
    """Every day from the first with enough history on is an origin whose whole week ahead is known."""
    rows = []
    first, step = FIRST_DAYS[days.kind], STEP_DAYS.get(days.kind, 1)
    for origin in range(first, len(days.peaks) - HORIZON + 1, step):
        actual = days.peaks[origin : origin + HORIZON]
        known = np.isfinite(actual)
        if not known.any() or not np.isfinite(days.totals[:origin]).any():
            continue
        for method, q in _quantiles(days, origin).items():
            a, b = actual[known], np.maximum(q[:, known], 0.0)
            rows.append(
                {
                    "kind": days.kind, "series": days.name, "method": method,
                    "loss": _pinball(a, b) / np.nanmean(days.peaks),
                    "log_loss": _pinball(np.log1p(a), np.log1p(b)),
                    "cov80": float(((a >= b[0]) & (a <= b[2])).mean()),
                }
            )  # fmt: skip
    return rows


def _quantiles(days: Days, origin: int) -> dict[str, np.ndarray]:
    """The forecast, and level x factor with three bands.

    level: the same pipeline on daily totals; factor: median of peak over total. Its band: none, as where a plan
    multiplies a mean by a peak-to-mean ratio; the level's; or what the factor itself did (its 10% and 90%).
    """
    begin = max(0, origin - SEEN_DAYS)
    peaks, totals = days.peaks[begin:origin], days.totals[begin:origin]
    scored = days.peaks[FIRST_DAYS[days.kind] :]
    level, direct = (_forecast(days, y) for y in (totals, peaks))
    factors = (peaks / totals)[np.isfinite(peaks / totals)]
    q = level.predictive.ppf(P)
    low, middle, high = np.quantile(factors, P)
    return {
        "forecast": peak_forecast(direct, level, peaks, totals).predictive.ppf(P),
        "bare": np.tile(middle * q[1], (3, 1)),
        "level's": middle * q,
        "factor's": np.array([low, middle, high])[:, None] * q[1],
        "own": direct.predictive.ppf(P),
        "seen": np.tile(np.nanquantile(scored, P)[:, None], (1, HORIZON)),
    }


def _others(traffic: Path) -> None:
    """Series that the half-and-half was chosen on: ServeGen's busiest clients, and the busiest hour of others."""
    clients = pd.read_parquet(traffic / "llm_servegen_m_large_clients_10min.parquet")
    busiest = clients.groupby("client_id")["rate_rps"].sum().nlargest(CLIENTS).index
    index = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(0, 14 * 86_400, 600), unit="s")
    found = []
    for client in busiest:
        rows = clients[clients["client_id"] == client].set_index("t_s")["rate_rps"]
        y = pd.Series(rows.reindex(np.arange(0, 14 * 86_400, 600)).fillna(0.0).to_numpy() * 600, index=index)
        if (y.resample("D").sum() > 0).all():
            found.append(_days(f"client {client}", "client", y, 144))
    hourly = pd.read_csv(traffic / "hourly_series.csv.gz", parse_dates=["ds"])
    for name, rows in hourly.groupby("unique_id"):
        found.append(_days(str(name), "hourly", rows.set_index("ds")["y"], 24))
    scored = pd.DataFrame([row for days in found for row in _scored(days)])
    scored["set"] = np.where(scored["kind"] == "client", "ServeGen clients", scored["series"])
    table = scored.groupby(["set", "method"])["loss"].mean().unstack("method")
    print("others, on which the half-and-half was chosen: loss over that of level x factor with the factor's band")
    print(table.div(table["factor's"], axis=0)[["forecast", "own", "level's"]].round(3).to_string(), "\n")


def _forecast(days: Days, y: np.ndarray) -> SeriesForecast:
    history = make_history(days.first, y, where=days.name, counts=False)
    return forecast_series(history, HORIZON, trend=False, light=True)


def _pinball(actual: np.ndarray, q: np.ndarray) -> float:
    gap = actual[None] - q
    return float(np.mean(2 * np.maximum(P[:, None] * gap, (P[:, None] - 1) * gap)))


def _finer(traffic: Path) -> None:
    """The busiest 5 minutes of each day from windows of 10, 30 and 60, all days of the Twitter counts."""
    twitter = pd.read_csv(traffic / "twitter_5min.csv.gz", parse_dates=["ds"])
    rows = []
    for name, found in twitter.groupby("unique_id"):
        y = found.set_index("ds")["y"].resample("5min").sum()
        day = pd.DatetimeIndex(y.index).normalize()
        fine = y[y.groupby(day).transform("size") == 288].to_numpy(dtype=np.float64).reshape(-1, 288)
        for parts in (2, 6, 12):
            coarse = fine.reshape(len(fine), -1, parts).sum(axis=2)
            scatter = dispersion(coarse.ravel(), parts * 300)
            if scatter is None:
                continue
            index, actual = scatter.at(300), fine.max(axis=1)
            mine, poisson = (busiest_within(coarse, parts, i, 0.5) for i in (index, 1.0))
            low = busiest_within(coarse, parts, index / INDEX_WITHIN, 0.1)
            high = busiest_within(coarse, parts, index * INDEX_WITHIN, 0.9)
            rows.append(
                {
                    "series": name, "from": f"{5 * parts} min", "index": index,
                    "true index": index_of_dispersion(fine.ravel()),
                    "actual / estimate": np.median(actual / mine), "actual / Poisson": np.median(actual / poisson),
                    "cov80": ((actual >= low) & (actual <= high)).mean(),
                }
            )  # fmt: skip
    table = pd.DataFrame(rows).set_index(["from", "series"])
    print("the busiest 5 minutes of a day, estimated from longer windows (medians over the days)")
    print(table.round(2).to_string())
    print("mean cov80:", table.groupby("from")["cov80"].mean().round(2).to_dict())
