"""Where simulated requests come from: a trace, rollups that are resampled, Poisson, or Gamma; all seeded."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.traffic import Traffic
from sizing.simulate.requests import Requests, merged

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHIFT_S = 900.0
"""How far the copies of a trace are moved apart, at most: bursts fall on other seconds, hours stay the same."""


def repeated(trace: Requests, times: float, *, seed: int, shift_s: float = SHIFT_S) -> Requests:
    """Return a trace at `times` its rate: the trace itself and copies of it, each moved as a whole.

    Each copy is moved by up to shift_s either way, round the end of the trace. More traffic is more users, not the
    same ones all at once: bursts are independent and the index of dispersion stays. A fraction takes each request
    of one more copy (of the trace, where times is below 1) by chance.
    """
    if not times > 0 or not math.isfinite(times):
        raise UserError(f"A trace at {times:g} times its rate has no requests; give a factor above 0.")
    rng = np.random.default_rng(seed)
    whole, part = int(times), times - int(times)
    first = [trace] if whole else []
    if times == 1 or not len(trace):
        return trace
    span = trace.span_s * (1 + 1 / max(len(trace) - 1, 1))
    copies = [_moved(trace, rng.uniform(-shift_s, shift_s), span) for _ in range(whole - 1)]
    if part:
        last = _moved(trace, rng.uniform(-shift_s, shift_s), span) if whole else trace
        copies.append(last.take(rng.random(len(trace)) < part))
    return merged(*first, *copies)


def _moved(trace: Requests, by_s: float, span_s: float) -> Requests:
    begin = trace.arrival_s[0]
    moved = begin + np.mod(trace.arrival_s - begin + by_s, span_s) if span_s > 0 else trace.arrival_s
    return Requests.of(moved, trace.prompt_tok, trace.output_tok, trace.cached_prompt_tok, trace.batch)


def from_windows(
    counts: Floats,
    window_s: float,
    lengths: pd.DataFrame,
    *,
    seed: int,
    times: float = 1.0,
    hour_s: float = 3_600.0,
) -> Requests:
    """Return requests resampled from counts a window (W,) and representative lengths.

    Within a window they come at random; prompt and output are drawn together from `lengths` (columns prompt_tok,
    output_tok, cached_share, weight: `Traffic.joint`). At k times the rate a window has k m + sqrt(k) (n - m)
    requests, m the mean of its hour: the hours grow with the load, bursts with its square root, as in
    sizing/windows.py; at k = 1 the counts are those that were seen. Fractions are rounded by chance.
    """
    if not len(counts) or not np.nansum(counts) > 0:
        raise UserError("The windows to resample hold no requests; take a time with traffic.")
    rng = np.random.default_rng(seed)
    seen = np.nan_to_num(np.asarray(counts, dtype=np.float64))
    hour = np.arange(len(seen)) // max(int(hour_s / window_s), 1)
    mean = (np.bincount(hour, seen) / np.bincount(hour))[hour]
    wanted = np.maximum(times * mean + math.sqrt(times) * (seen - mean), 0.0)
    whole = np.floor(wanted + rng.random(len(seen))).astype(np.int64) if times != 1 else np.rint(seen).astype(int)
    window = np.repeat(np.arange(len(seen)), whole)
    arrival = (window + rng.random(len(window))) * window_s
    return drawn(arrival, lengths, rng)


def from_traffic(traffic: Traffic, *, seed: int, times: float = 1.0, hours: float = 24.0) -> Requests:
    """Return the busiest whole stretch of `hours` of a workload's rollups, resampled.

    Raises UserError where lengths or windows are unknown.
    """
    if traffic.windows.empty or traffic.joint.empty:
        raise UserError(
            f"Workload {traffic.workload!r} has no windows with token lengths to resample; ingest requests, or a"
            " source that states its tokens."
        )
    windows = traffic.windows["requests"].to_numpy(np.float64)
    size = min(len(windows), max(1, round(hours * 3_600 / traffic.window_s)))
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(windows))])
    begin = int(np.argmax(total[size:] - total[:-size]))
    return from_windows(
        windows[begin : begin + size], float(traffic.window_s), traffic.joint, seed=seed, times=times
    )


def renewal(
    requests_per_s: float, seconds: float, lengths: pd.DataFrame, *, seed: int, cv: float = 1.0
) -> Requests:
    """Return requests whose gaps are independent: Poisson at cv 1, else Gamma with that coefficient of variation.

    The counts of long windows then have an index of dispersion (variance over mean) of cv^2.
    """
    if not (requests_per_s > 0 and seconds > 0 and cv > 0):
        raise UserError(
            f"{requests_per_s:g} requests/s over {seconds:g} s at CV {cv:g} cannot be drawn; give all above 0."
        )
    rng = np.random.default_rng(seed)
    shape = 1 / cv**2
    times: list[Floats] = []
    reached = 0.0
    while reached < seconds:
        some = max(1_000, int(1.1 * requests_per_s * (seconds - reached)))
        gaps = rng.gamma(shape, 1 / (shape * requests_per_s), some)
        times.append(reached + np.cumsum(gaps))
        reached = float(times[-1][-1])
    arrival = np.concatenate(times)
    return drawn(arrival[arrival < seconds], lengths, rng)


def drawn(arrival_s: Floats, lengths: pd.DataFrame, rng: np.random.Generator) -> Requests:
    """Return requests at these times with lengths drawn from representative ones."""
    weight = lengths["weight"].to_numpy(np.float64)
    row = rng.choice(len(lengths), size=len(arrival_s), p=weight / weight.sum())
    prompt, output, cached = (
        lengths[name].to_numpy(np.float64)[row] for name in ("prompt_tok", "output_tok", "cached_share")
    )
    prompt = np.rint(prompt)
    return Requests.of(arrival_s, prompt, output, np.floor(prompt * np.clip(cached, 0.0, 1.0)))


def lengths_of(requests: Requests) -> pd.DataFrame:
    """Return the lengths of requests as representative ones, each of weight one."""
    prompt = np.maximum(requests.prompt_tok, 1)
    return pd.DataFrame(
        {
            "prompt_tok": requests.prompt_tok.astype(np.float64),
            "output_tok": requests.output_tok.astype(np.float64),
            "cached_share": requests.cached_prompt_tok / prompt,
            "weight": np.ones(len(requests)),
        }
    )


def one_length(prompt_tok: float, output_tok: float, cached_prompt_tok: float = 0.0) -> pd.DataFrame:
    """Return lengths of requests that are all alike."""
    share = cached_prompt_tok / prompt_tok if prompt_tok else 0.0
    columns = {"prompt_tok": prompt_tok, "output_tok": output_tok, "cached_share": share, "weight": 1.0}
    return pd.DataFrame({name: [value] for name, value in columns.items()})


def dispersion(requests: Requests, window_s: float = 10.0) -> float:
    """Return the index of dispersion of arrivals: variance over mean of the counts of windows (Poisson: 1)."""
    if requests.span_s < 2 * window_s:
        return float("nan")
    counts = np.bincount(((requests.arrival_s - requests.arrival_s[0]) // window_s).astype(np.int64))[:-1]
    return float(counts.var() / counts.mean()) if counts.mean() > 0 else float("nan")
