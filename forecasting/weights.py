"""Weights of several forecasts at each horizon, from what each got wrong before the origin."""

import numpy as np
import numpy.typing as npt

from forecasting.calendar import WEEK_DAYS, History

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BANDS = (1, 4, 10, 20, 40, 75, 140, 230, 365)
"""Horizons at which forecasts are weighed; in between the weights are linear in log h."""
SHARPNESS = 8.0
"""Power of the mean error in a forecast's weight, where the history is long."""
CARRIED_STRETCHES = 4.0
"""Weight of the next shorter horizon's weights, in independent stretches of outcomes."""
WEIGHED_DAYS = 24
"""Errors around a horizon are taken at about this many of its days: more say the same again."""


def weighted(history: History, origins: Ints, each: Floats) -> Floats:
    """Return (O, H): forecasts `each` (M, O, H) on the log scale, weighed by their own past errors.

        log weight_v(h) = (4 log weight_v(shorter h) - n 8 log error_v(h)) / (4 + n)

    error_v: mean |log error| of forecast v around horizon h over the outcomes known at the origin; n: how many
    independent stretches they span. The shortest horizon starts from equal weights, so that where nothing is
    known of a horizon yet, the next shorter one speaks for it. origins: (O,), ascending.
    """
    horizon = each.shape[2]
    bands = [h for h in BANDS if h <= horizon]
    logs, by_band = np.zeros(each.shape[:2]), []
    for h in bands:
        error, stretches = _past_errors(history, origins, each, h)
        logs = (CARRIED_STRETCHES * logs - stretches * SHARPNESS * error) / (CARRIED_STRETCHES + stretches)
        weight = np.exp(logs - logs.max(axis=0))
        by_band.append(weight / weight.sum(axis=0))
    at_bands = np.stack(by_band)
    place = np.interp(np.log(np.arange(1, horizon + 1)), np.log(bands), np.arange(len(bands)))
    # a weighted sum is linear in the weights: sum at the bands' weights, then interpolate between the sums
    low = np.minimum(place.astype(np.int64), max(len(bands) - 2, 0))
    out = np.empty(each.shape[1:])
    for band in np.unique(low):
        days = np.flatnonzero(low == band)
        part, share = each[:, :, days], place[days] - band
        first = np.einsum("mo,mod->od", at_bands[band], part)
        second = np.einsum("mo,mod->od", at_bands[min(band + 1, len(bands) - 1)], part)
        out[:, days] = first + share * (second - first)
    return out


def _past_errors(history: History, origins: Ints, each: Floats, h: int) -> tuple[Floats, Floats]:
    """(M, O) mean log |error| within a factor 1.5 of h, centred over the forecasts; (O,) stretches behind it."""
    first, stop = max(0, int(h / 1.5) - 1), min(each.shape[2], int(np.ceil(h * 1.5)))
    days = np.arange(first, stop, _stride(stop - first))
    index = np.minimum(origins[:, None] + days[None], len(history.y))
    error = np.abs(np.append(np.log1p(history.y), np.nan)[index][None] - each[:, :, days])
    known = np.isfinite(error[0]).sum(axis=1)
    whole = (origins + stop <= len(history.y)) & (known > 0)
    mean = np.where(whole, np.nansum(error, axis=2) / np.maximum(known, 1), 0.0)
    total = np.concatenate([np.zeros((len(each), 1)), np.cumsum(mean, axis=1)], axis=1)
    count = np.concatenate([[0], np.cumsum(whole)])
    ended = np.searchsorted(origins + stop, origins, side="right")
    average = total[:, ended] / np.maximum(count[ended], 1)
    logs = np.where(count[ended] > 0, np.log(np.maximum(average, 1e-6)), 0.0)
    return logs - logs.mean(axis=0), count[ended] * WEEK_DAYS / max(stop, WEEK_DAYS)


def _stride(days: int) -> int:
    """Step that leaves about WEIGHED_DAYS of `days` and never falls on one weekday only."""
    step = max(1, days // WEIGHED_DAYS)
    return step + 1 if step % WEEK_DAYS == 0 else step
