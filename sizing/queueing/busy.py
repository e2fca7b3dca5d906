"""The requests of a planned busy hour, drawn for simulation: the workload's own lengths and its own bursts."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.traffic import Traffic
from forecasting.dispersion import Dispersion
from sizing.queueing.curve import dispersion_of
from sizing.queueing.lengths import Lengths
from sizing.simulate.requests import Requests

Floats = npt.NDArray[np.float64]

REQUESTS = 12_000
"""Requests that a simulation draws: the busy hour is drawn again and again where it has fewer."""

OUTPUT_TOK = 3_000_000
"""Tokens of answers that a simulation draws at most where that leaves LEAST_REQUESTS: they are what takes time."""

LEAST_REQUESTS = 5_000

SHORTEST_S = 600.0
"""Seconds that are drawn at least, so that bursts of minutes are among them."""

MOST_REQUESTS = 60_000

WINDOW_S = 10
"""Windows whose counts carry the bursts; within one, requests come at any time."""

BUSY_SHARE = 0.25
"""Share of the hours seen, the busiest, whose windows are drawn from."""


def busy_requests(
    traffic: Traffic, lengths: Lengths, requests_per_s: float, *, seed: int, most: int = REQUESTS
) -> Requests:
    """Return requests at a mean rate, as they come in this workload's busy hours.

    Windows of 10 s are taken from the busiest hours seen, in their own order, minutes together; their counts are
    moved to the planned rate at a constant index of dispersion (`sizing.windows.BusyWindows`: more traffic is more
    users). Where the source has longer windows, counts are drawn with the index that its dispersion gives.
    most: requests that are drawn, more only where SHORTEST_S holds more.
    """
    rng = np.random.default_rng(seed)
    affordable = max(OUTPUT_TOK / lengths.mean_output_tok, LEAST_REQUESTS)
    wanted_s = max(min(most, affordable) / requests_per_s, SHORTEST_S)
    wanted_s = min(wanted_s, max(MOST_REQUESTS / requests_per_s, WINDOW_S))
    count = max(int(np.ceil(wanted_s / WINDOW_S)), 1)
    mean = requests_per_s * WINDOW_S
    ratio = _ratios(traffic, count, rng) if traffic.window_s <= WINDOW_S else None
    if ratio is None:
        counts = _drawn(dispersion_of(traffic), mean, count, rng)
    else:
        seen, seen_mean = ratio
        counts = mean + (seen - seen_mean) / seen_mean * np.sqrt(mean * seen_mean)
    counts = np.maximum(counts, 0.0)
    whole = _whole(counts * (mean * count / max(counts.sum(), 1e-9)), rng)
    start = np.repeat(np.arange(count, dtype=np.float64), whole) * WINDOW_S
    return drawn_requests(start, lengths, rng, spread_s=WINDOW_S)


def drawn_requests(start_s: Floats, lengths: Lengths, rng: np.random.Generator, *, spread_s: float) -> Requests:
    """Return a request for each start, up to spread_s later, with lengths drawn by their weights."""
    n = len(start_s)
    kind = rng.choice(len(lengths.weight), n, p=lengths.weight / lengths.weight.sum())
    return Requests.of(
        start_s + rng.random(n) * spread_s,
        lengths.prompt_tok[kind],
        np.maximum(lengths.output_tok[kind], 1.0),
        np.minimum(lengths.cached_prompt_tok[kind], lengths.prompt_tok[kind]),
    )


def _ratios(traffic: Traffic, count: int, rng: np.random.Generator) -> tuple[Floats, float] | None:
    """Return (counts of `count` windows out of busy hours, their own mean), None where no hour was seen."""
    if "requests" not in traffic.windows or traffic.windows.empty:
        return None
    seen = traffic.windows["requests"].dropna()
    hours = seen.groupby(pd.DatetimeIndex(seen.index).floor("h"))
    whole = [each.to_numpy(np.float64) for _, each in hours if len(each) >= 360 // (traffic.window_s / 10) // 2]
    whole = [each for each in whole if each.mean() > 0]
    if not whole:
        return None
    whole.sort(key=lambda each: float(each.mean()))
    busy = whole[-max(1, round(BUSY_SHARE * len(whole))) :]
    # Each hour is brought to the mean of all, so that a draw has the bursts of its hours and not their levels.
    level = float(np.mean([each.mean() for each in busy]))
    parts: list[Floats] = []
    while sum(len(part) for part in parts) < count:
        hour = busy[int(rng.integers(len(busy)))]
        mean = float(hour.mean())
        parts.append(level + (hour - mean) / mean * np.sqrt(level * mean))
    return np.concatenate(parts)[:count], level


def _drawn(scatter: Dispersion | None, mean: float, count: int, rng: np.random.Generator) -> Floats:
    """Return counts of a gamma-mixed Poisson process with the index of dispersion of such windows."""
    above = 0.0 if scatter is None else max(scatter.at(WINDOW_S) - 1, 0.0)
    rate = rng.gamma(mean / above, above, count) if above > 1e-6 else np.full(count, mean)
    return rng.poisson(rate).astype(np.float64)


def _whole(counts: Floats, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return whole counts that are right on average."""
    low = np.floor(counts)
    return np.asarray(low + (rng.random(len(counts)) < counts - low), dtype=np.int64)
