"""The busiest window of each day, modelled directly from the peaks that were seen."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.traffic import Traffic
from data.units import DAY_S, MINUTE_S

Floats = npt.NDArray[np.float64]


def daily_peaks(traffic: Traffic) -> Floats:
    """Return (n,) requests in the busiest window of `traffic.window_s` of each day, NaN = unknown.

    Windows are kept for 35 days only. Before that the peak of the next longer window that is known for good
    (minute, or hour where windows are longer than a minute) is scaled by the median of fine over coarse on the
    days that have both. Level x factor, the other way to a peak, lost on real series (0.51 against 0.39).
    """
    fine = _fine_peaks(traffic)
    coarse = traffic.daily["peak_minute_requests" if traffic.window_s <= MINUTE_S else "peak_hour_requests"]
    long = coarse.to_numpy(dtype=np.float64)
    both = np.isfinite(fine) & np.isfinite(long) & (long > 0)
    if not both.any():
        return fine
    ratio = float(np.median(fine[both] / long[both]))
    return np.asarray(np.where(np.isfinite(fine), fine, long * ratio))


def peak_factor(peaks: Floats, requests: Floats, window_s: int) -> Floats:
    """Return the busiest window's rate over the day's mean rate, at least 1, for peaks and requests (S, D).

    >>> peak_factor(np.array([[20.0]]), np.array([[86_400.0]]), 10)  # 2 a second against 1 a second
    array([[2.]])
    """
    mean = requests / DAY_S * window_s
    return np.asarray(np.maximum(np.divide(peaks, mean, out=np.ones_like(peaks), where=mean > 0), 1.0))


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
