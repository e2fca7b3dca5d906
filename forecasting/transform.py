"""The same demand, were it different: more traffic, longer requests, more long ones.

Pure functions on `Demand`, for scenarios and stress tests: what is not named stays. They change every path alike,
so a changed demand and the one that it came from are on the same paths: their difference is the change's own.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.errors import UserError
from data.traffic import LONG_PROMPT_TOK, SUMS, Traffic
from forecasting.demand import Demand, LongShare, Moments
from forecasting.tokens import RECENT_DAYS

Floats = npt.NDArray[np.float64]

LONG_ABOVE_TOK = 32_000
"""From this prompt on a request is a long-context one where nobody says otherwise: the shortest kept threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongSquares:
    """Shares (0..1) of the second sums that prompts above a length make up; NaN where the source does not say."""

    prompt_sq: float
    cached_sq: float
    prompt_cached: float
    prompt_output: float
    output_sq: float


def times_requests(demand: Demand, factor: float) -> Demand:
    """Return the demand with `factor` times the requests of every path and day."""
    _check(factor, "requests")
    return replace(demand, requests=demand.requests * factor)


def times_tokens(
    demand: Demand, *, prompt: float = 1.0, cached: float | None = None, output: float = 1.0
) -> Demand:
    """Return the demand with every request's lengths multiplied; requests stay.

    cached: None = it follows the prompt; it never exceeds the prompt. Prompts above T become prompts above
    `prompt` x T, so the shares of long prompts move with their thresholds.
    """
    follows = prompt if cached is None else cached
    for name, factor in (("prompt_tok", prompt), ("cached_prompt_tok", follows), ("output_tok", output)):
        _check(factor, name)
    longer = demand.prompt_tok * prompt
    kept = np.fmin(demand.cached_prompt_tok * follows, longer)
    cached_by = np.divide(
        kept, demand.cached_prompt_tok, out=np.ones_like(kept), where=demand.cached_prompt_tok > 0
    )
    by_field: dict[str, float | Floats] = {"prompt": prompt, "cached": cached_by, "output": output}
    return replace(
        demand,
        prompt_tok=longer,
        cached_prompt_tok=kept,
        output_tok=demand.output_tok * output,
        tokens=tuple(each.times(by_field[each.field]) for each in demand.tokens),
        long=tuple(replace(each, threshold_tok=round(each.threshold_tok * prompt)) for each in demand.long),
    )


def times_long(
    demand: Demand, factor: float, *, above_tok: int = LONG_ABOVE_TOK, squares: LongSquares | None = None
) -> Demand:
    """Return the demand in which `factor` times the share of requests have prompts above `above_tok`.

    Requests stay: long ones take the place of short ones, lengths within both groups stay as they are. With the
    share w -> w' = min(factor w, 1), every sum S of which long prompts make up the share s becomes

        S (s w'/w + (1 - s) (1 - w') / (1 - w))

    squares: the shares of the second sums, None = the least that they can be (E[xy] >= E[x] E[y] among the long).
    Percentiles of lengths are not known of the new mix and are left out. Raises UserError where the share of long
    prompts is not known.
    """
    _check(factor, "long_share")
    long = _share_at(demand, above_tok)
    w = long.requests
    if not np.isfinite(w):
        raise UserError(
            f"The share of {demand.workload!r}'s prompts above {above_tok:,} tokens is not known, so it cannot be"
            " changed; ingest request logs, or state prompt_tok instead of long_share."
        )
    if w == 0 or factor == 1:
        return demand
    new = min(factor * w, 1.0)
    more, fewer = new / w, (1 - new) / (1 - w) if w < 1 else 0.0

    def gain(share: float) -> float:
        return share * more + (1 - share) * fewer

    known = squares or least_squares(long, demand.moments)
    p, c, o = (gain(_known(s)) for s in (long.prompt_tok, long.cached_prompt_tok, long.output_tok))
    m = demand.moments
    return replace(
        demand,
        prompt_tok=demand.prompt_tok * p,
        cached_prompt_tok=demand.cached_prompt_tok * c,
        output_tok=demand.output_tok * o,
        moments=Moments(
            prompt_sq=m.prompt_sq * gain(known.prompt_sq) / p**2,
            cached_sq=m.cached_sq * gain(known.cached_sq) / max(c, 1e-12) ** 2,
            prompt_cached=m.prompt_cached * gain(known.prompt_cached) / max(p * c, 1e-12),
            prompt_output=m.prompt_output * gain(known.prompt_output) / (p * o),
            output_sq=m.output_sq * gain(known.output_sq) / o**2,
        ),
        tokens=(),
        long=tuple(_mixed(each, long, more, fewer, (p, c, o)) for each in demand.long),
    )


def least_squares(long: LongShare, moments: Moments) -> LongSquares:
    """Return the least shares of the second sums that long prompts can make up.

    Among them E[xy] is at least E[x] E[y] (Cauchy-Schwarz for squares, and longer prompts seldom bring shorter
    answers), so the share of a sum of xy is at least s_x s_y / (w m) with m = E[xy] / (E[x] E[y]) of all requests.
    """

    def least(x: float, y: float, moment: float) -> float:
        return float(min(1.0, _known(x) * _known(y) / (long.requests * moment))) if moment > 0 else 0.0

    p, c, o = long.prompt_tok, long.cached_prompt_tok, long.output_tok
    return LongSquares(
        prompt_sq=least(p, p, moments.prompt_sq),
        cached_sq=least(c, c, moments.cached_sq),
        prompt_cached=least(p, c, moments.prompt_cached),
        prompt_output=least(p, o, moments.prompt_output),
        output_sq=least(o, o, moments.output_sq),
    )


def long_squares(traffic: Traffic, above_tok: int) -> LongSquares | None:
    """Return the shares of the second sums over the newest 35 days, None where the source does not keep them."""
    threshold = max((t for t in LONG_PROMPT_TOK if t <= above_tok), default=LONG_PROMPT_TOK[0])
    names = SUMS[4:]
    columns = [f"long_{threshold}_{name}" for name in names]
    recent = traffic.daily.tail(RECENT_DAYS)
    if not set(columns) <= set(recent.columns) or not set(names) <= set(recent.columns):
        return None
    rows = recent[recent[[*columns, *names]].notna().all(axis=1)]
    if rows.empty:
        return None
    total = rows[list(names)].sum().to_numpy(dtype=np.float64)
    shares = np.divide(rows[columns].sum().to_numpy(dtype=np.float64), total, out=np.zeros(5), where=total > 0)
    fields = (name.removesuffix("_tok_sq_sum").removesuffix("_sum") for name in names)
    by_name = dict(zip(fields, np.clip(shares, 0, 1).tolist(), strict=True))
    return LongSquares(
        prompt_sq=by_name["prompt"],
        cached_sq=by_name["cached_prompt"],
        prompt_cached=by_name["prompt_cached"],
        prompt_output=by_name["prompt_output"],
        output_sq=by_name["output"],
    )


def some_paths(demand: Demand, paths: npt.NDArray[np.int64]) -> Demand:
    """Return the demand on these of its paths, (n,) indices; percentiles of lengths are left out."""
    return _cut(demand, paths, slice(None))


def since(demand: Demand, first_day: int) -> Demand:
    """Return the demand from its `first_day`-th day on (0: all of it); percentiles of lengths are left out."""
    return _cut(demand, slice(None), slice(first_day, None))


def per_request_gains(before: Demand, after: Demand) -> Floats:
    """Return (9,) what a change multiplied the SUMS of one request by, over all paths and days."""
    one, other = (
        np.where(d.requests[..., None] > 0, d.sums(), 0.0).sum(axis=(0, 1)) / d.requests.sum()
        for d in (before, after)
    )
    return np.asarray(np.divide(other, one, out=np.ones(len(SUMS)), where=one > 0))


def windows_times(traffic: Traffic, gains: Floats) -> Traffic:
    """Return the traffic with the sums of its windows multiplied by (9,) gains.

    So that bursts of the same users grow with what each of them asks: how work gathers in a window is learned from
    the past, whose requests were the old ones.
    """
    windows = traffic.windows.copy()
    windows[list(SUMS)] = windows[list(SUMS)] * gains
    return replace(traffic, windows=windows)


def _cut(demand: Demand, paths: npt.NDArray[np.int64] | slice, days: slice) -> Demand:
    def cut(values: Floats) -> Floats:
        return values[paths][:, days]

    return replace(
        demand,
        days=demand.days[days],
        requests=cut(demand.requests),
        prompt_tok=cut(demand.prompt_tok),
        cached_prompt_tok=cut(demand.cached_prompt_tok),
        output_tok=cut(demand.output_tok),
        busiest_10s_factor=cut(demand.busiest_10s_factor),
        busiest=tuple(replace(each, factor=cut(each.factor)) for each in demand.busiest),
        tokens=(),
        clock_shift_h=None if demand.clock_shift_h is None else demand.clock_shift_h[days],
    )


def _share_at(demand: Demand, above_tok: int) -> LongShare:
    kept = [s for s in demand.long if s.threshold_tok <= above_tok] or list(demand.long[:1])
    if not kept:
        nan = float("nan")
        return LongShare(
            threshold_tok=above_tok, requests=nan, prompt_tok=nan, cached_prompt_tok=nan, output_tok=nan
        )
    return max(kept, key=lambda s: s.threshold_tok)


def _mixed(
    each: LongShare, long: LongShare, more: float, fewer: float, gains: tuple[float, float, float]
) -> LongShare:
    """Return a share in the new mix: what it has in common with the long prompts grows, the rest shrinks."""

    def share(own: float, long_own: float, gain: float) -> float:
        common = min(own, long_own)
        return (common * more + (own - common) * fewer) / gain if gain > 0 else 0.0

    return replace(
        each,
        requests=share(each.requests, long.requests, 1.0),
        prompt_tok=share(each.prompt_tok, long.prompt_tok, gains[0]),
        cached_prompt_tok=share(each.cached_prompt_tok, long.cached_prompt_tok, gains[1]),
        output_tok=share(each.output_tok, long.output_tok, gains[2]),
    )


def _known(share: float) -> float:
    return share if np.isfinite(share) else 0.0


def _check(factor: float, what: str) -> None:
    if not (factor >= 0 and np.isfinite(factor)):
        raise UserError(
            f"A change of {what} by {factor} is none; give a multiplier of 0 or more (1: as forecast)."
        )
