"""The busiest hour, minute and 10 seconds of each day, modelled directly from the peaks that were seen."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from data.traffic import Traffic
from data.units import DAY_S, HOUR_S, MINUTE_S
from forecasting.demand import Busiest
from forecasting.dispersion import Dispersion, busiest_within, dispersion
from forecasting.intervals import KNOTS, SHAPE, UPPER_CAP, Predictive
from forecasting.scenarios import Z90
from forecasting.series import SeriesForecast

Floats = npt.NDArray[np.float64]

PEAKS = {"peak_hour": HOUR_S, "peak_minute": MINUTE_S, "peak_10s": 10}
"""Windows, in seconds, whose busiest one a plan shows."""
FACTOR_DAYS = 91
FACTOR_SHRINK_DAYS = 5.0
USUAL_FACTOR_HALF_WIDTH = 0.3
"""80% half-width (log) of a day's peak over its mean where a workload has shown few days."""
INDEX_WITHIN = 3.0
"""An index of dispersion below the windows seen is taken to be known to within this factor: with it the busiest 5
minutes of five Twitter counts lie inside the 80% band from hours, or 10 minutes (docs/forecasting.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakPredictive:
    """The middle of two ways to a day's peak: its own series, and level x factor.

    direct: of the log series of daily peaks. level: of the day's requests; factor: median of peak over requests;
    above, below: 80% half-widths (log) of that factor; ceiling: no level x factor goes above it.

        log q(p) = (log direct(p) + log level(1/2) + log factor +- sqrt(level(p)^2 + factor(p)^2)) / 2

    Quantiles are averaged, not probabilities (Ratcliff 1979, Psychological Bulletin 86, 446-461), so that neither
    way's error hides in the width of the other.
    """

    direct: Predictive
    level: Predictive
    factor: float
    above: float
    below: float
    ceiling: float

    def ppf(self, p: Floats) -> Floats:
        """Return (K, H): the quantiles p (K,) of each day, non-decreasing in p and never negative."""
        middle = np.maximum(self.level.ppf(np.array([0.5])), 1e-9)
        apart = np.log(np.maximum(self.level.ppf(p), 1e-9) / middle)
        shape = np.interp(stats.norm.ppf(p), stats.norm.ppf(KNOTS), SHAPE)[:, None]
        own = shape * np.where(shape > 0, self.above, self.below)
        composed = middle * self.factor * np.exp(np.sign(shape) * np.hypot(apart, own))
        logs = np.log1p(self.direct.ppf(p)) + np.log1p(np.minimum(composed, self.ceiling))
        return np.asarray(np.expm1(logs / 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finer:
    """What the busiest window of `window_s` seconds is to that of the finest windows seen, never seen itself.

    ratio: median of the fine peak over the seen one; above, below: its 80% half-widths (log).
    """

    window_s: int
    ratio: float
    above: float
    below: float
    dispersion: Dispersion

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
        """Return (S, D) ratios: normal in two halves on the log scale."""
        z = rng.standard_normal(shape) / Z90
        return np.asarray(self.ratio * np.exp(z * np.where(z > 0, self.above, self.below)))


def peak_forecast(
    direct: SeriesForecast, level: SeriesForecast, peaks: Floats, requests: Floats
) -> SeriesForecast:
    """Return the forecast of a daily peak, halfway between its own series and level x factor.

    direct, level: forecasts of the peaks and of the requests; peaks, requests: (n,) both as seen. Alone, the first
    is better on regular series and the second on bursty ones (docs/forecasting.md).
    """
    both = np.isfinite(peaks) & np.isfinite(requests) & (peaks > 0) & (requests > 0)
    if not both.any():
        return direct
    logs = np.log(peaks[both] / requests[both])[-FACTOR_DAYS:]
    low, middle, high = np.quantile(logs, (0.1, 0.5, 0.9))
    predictive = PeakPredictive(
        direct=direct.predictive,
        level=level.predictive,
        factor=float(np.exp(middle)),
        above=_shrunk(float(high - middle), len(logs)),
        below=_shrunk(float(middle - low), len(logs)),
        ceiling=UPPER_CAP * float(np.nanmax(peaks)),
    )
    return replace(direct, predictive=predictive)


def daily_peaks(traffic: Traffic) -> Floats:
    """Return (n,) requests in the busiest window of `traffic.window_s` of each day, NaN = unknown.

    Windows are kept for 35 days only. Before that the peak of the next longer window that is known for good
    (minute, or hour where windows are longer than a minute) is scaled by the median of fine over coarse on the
    days that have both.
    """
    fine = _fine_peaks(traffic)
    coarse = traffic.daily["peak_minute_requests" if traffic.window_s <= MINUTE_S else "peak_hour_requests"]
    long = coarse.to_numpy(dtype=np.float64)
    both = np.isfinite(fine) & np.isfinite(long) & (long > 0)
    if not both.any():
        return fine
    ratio = float(np.median(fine[both] / long[both]))
    return np.asarray(np.where(np.isfinite(fine), fine, long * ratio))


def coarse_peaks(traffic: Traffic) -> dict[str, Floats]:
    """Return (n,) requests in the busiest hour and minute of each day, where longer than the finest windows."""
    return {
        name: traffic.daily[f"{name}_requests"].to_numpy(dtype=np.float64)
        for name, window_s in PEAKS.items()
        if window_s > traffic.window_s
    }


def finer_peaks(traffic: Traffic) -> tuple[Finer, ...]:
    """Return the windows of PEAKS that are shorter than those seen, by the workload's own index of dispersion.

    None for windows over an hour, which say nothing of minutes, nor where too few were seen.
    """
    shorter = [w for w in PEAKS.values() if w < traffic.window_s]
    if not shorter or traffic.window_s > HOUR_S or traffic.windows.empty:
        return ()
    seen = traffic.windows["requests"]
    index = pd.DatetimeIndex(seen.index)
    grid = pd.date_range(index[0], index[-1], freq=f"{traffic.window_s}s")
    counts = seen.reindex(grid).to_numpy(dtype=np.float64)
    scatter = dispersion(counts, traffic.window_s, arrival_cv=traffic.arrival_cv)
    days = _by_day(seen, DAY_S // traffic.window_s)
    if scatter is None or not len(days):
        return ()
    return tuple(_finer(days, traffic.window_s, window_s, scatter) for window_s in shorter)


def busiest_windows(
    traffic: Traffic, drawn: dict[str, Floats], finer: tuple[Finer, ...], rng: np.random.Generator
) -> tuple[Busiest, ...]:
    """Return the busiest hour, minute and 10 s on the paths (S, D) of drawn peaks, longest window first."""
    if "peak" not in drawn or traffic.window_s > HOUR_S:
        return ()
    requests, finest = drawn["requests"], traffic.window_s
    seen = {finest: drawn["peak"]} | {PEAKS[name]: drawn[name] for name in PEAKS if name in drawn}
    peaks = seen | {each.window_s: drawn["peak"] * each.draw(requests.shape, rng) for each in finer}
    out, least = [], np.ones_like(requests)
    for window_s in sorted(peaks, reverse=True):
        least = np.maximum(least, peak_factor(peaks[window_s], requests, window_s))
        out.append(Busiest(window_s=window_s, factor=least, estimated=window_s < finest))
    return tuple(each for each in out if each.window_s in PEAKS.values())


def finer_notes(finer: tuple[Finer, ...]) -> tuple[str, ...]:
    """Return the sentence that says which busiest windows were never seen, and what they rest on."""
    if not finer:
        return ()
    scatter = finer[0].dispersion
    windows = " and ".join("minute" if each.window_s == MINUTE_S else f"{each.window_s} s" for each in finer)
    indices = ", ".join(f"{scatter.at(each.window_s):.1f} at {each.window_s} s" for each in finer)
    return (
        f"Its busiest {windows} are estimated, not seen: windows of {scatter.window_s} s scatter with an index of"
        f" dispersion of {scatter.index:.1f} (independent requests: 1), taken as {indices}.",
    )


def peak_factor(peaks: Floats, requests: Floats, window_s: int) -> Floats:
    """Return the busiest window's rate over the day's mean rate, at least 1, for peaks and requests (S, D).

    >>> peak_factor(np.array([[20.0]]), np.array([[86_400.0]]), 10)  # 2 a second against 1 a second
    array([[2.]])
    """
    mean = requests / DAY_S * window_s
    return np.asarray(np.maximum(np.divide(peaks, mean, out=np.ones_like(peaks), where=mean > 0), 1.0))


def _shrunk(half_width: float, days: int) -> float:
    """Half-width of the factor: its own over `days` days, and the usual one with the weight of five."""
    own, usual = np.log(max(half_width, 1e-3)), np.log(USUAL_FACTOR_HALF_WIDTH)
    return float(np.exp((days * own + FACTOR_SHRINK_DAYS * usual) / (days + FACTOR_SHRINK_DAYS)))


def _finer(days: Floats, seen_s: int, window_s: int, scatter: Dispersion) -> Finer:
    index, parts, most = scatter.at(window_s), seen_s // window_s, days.max(axis=1)
    low, middle, high = (
        float(np.median(busiest_within(days, parts, index * times, p) / most))
        for p, times in ((0.1, 1 / INDEX_WITHIN), (0.5, 1.0), (0.9, INDEX_WITHIN))
    )
    return Finer(
        window_s=window_s,
        ratio=middle,
        above=float(np.log(high / middle)),
        below=float(np.log(middle / low)),
        dispersion=scatter,
    )


def _by_day(seen: "pd.Series[float]", per_day: int) -> Floats:
    """Counts (N, W) of the days with all of their windows and any request; of all that was seen where none is."""
    index = pd.DatetimeIndex(seen.index)
    rows = [rows.to_numpy(dtype=np.float64) for _, rows in seen.groupby(index.normalize())]
    whole = [row for row in rows if len(row) == per_day and row.max() > 0]
    if not whole and seen.max() > 0:
        return np.asarray(seen.to_numpy(dtype=np.float64)[None])
    return np.array(whole) if whole else np.empty((0, per_day))


def _fine_peaks(traffic: Traffic) -> Floats:
    """Daily peak of the finest window: the stored column for 10 s, else the largest of the kept windows."""
    stored = traffic.daily["peak_10s_requests"].to_numpy(dtype=np.float64)
    if traffic.window_s == 10 and np.isfinite(stored).any():
        return stored
    if traffic.windows.empty:
        return np.full(len(traffic.daily), np.nan)
    seen = traffic.windows["requests"]
    daily = seen.groupby(pd.DatetimeIndex(seen.index).normalize()).max()
    return np.asarray(daily.reindex(traffic.daily.index).to_numpy(dtype=np.float64))
