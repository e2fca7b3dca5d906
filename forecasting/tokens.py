"""Token lengths: mean tokens, their percentiles, second moments and the share of long prompts."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.traffic import FIELDS, LONG_PROMPT_TOK, PERCENTILES, SUMS, Traffic
from forecasting.demand import LongShare, Moments, TokenOutlook

Floats = npt.NDArray[np.float64]

RECENT_DAYS = 35
"""Ratios of lengths are taken over the newest days, as long as the finest windows are kept."""
SUM_OF_FIELD = {"prompt": "prompt_tok_sum", "cached": "cached_prompt_tok_sum", "output": "output_tok_sum"}
ODDS_SCALE = 1000.0
MOST_ODDS = 999.0
"""A share of 99.9%: more is not told apart from all."""


def mean_tokens(daily: pd.DataFrame, field: str) -> Floats:
    """Return (n,) mean tokens a request of one field, NaN where it or the requests are unknown or 0."""
    requests = daily["requests"].to_numpy(dtype=np.float64)
    total = daily[SUM_OF_FIELD[field]].to_numpy(dtype=np.float64)
    return np.asarray(np.divide(total, requests, out=np.full(len(daily), np.nan), where=requests > 0))


def percentile_tokens(daily: pd.DataFrame, field: str) -> Floats:
    """Return (P, n): each of PERCENTILES of one field by day, NaN = unknown."""
    return np.array([daily[f"{field}_p{round(100 * p)}_tok"].to_numpy(dtype=np.float64) for p in PERCENTILES])


def percentile_name(field: str, p: float) -> str:
    """Return the name of the daily series of one percentile of a length.

    >>> percentile_name("output", 0.95)
    'output_p95'
    """
    return f"{field}_p{round(100 * p)}"


def token_outlook(field: str, paths: Floats, mean_tok: Floats) -> TokenOutlook:
    """Return the outlook of one field from paths (P, S, D) of its percentiles and (S, D) of its mean.

    Percentiles are forecast one by one and then sorted on each path and day, so that they never cross. And lengths
    with these percentiles have at least the mean

        least = sum over i of (p[i+1] - p[i]) tok[i],  p[P] = 1

    so where that is more than the path's mean, the percentiles shrink in proportion until it is not.
    """
    tok = np.sort(paths, axis=0)
    least = np.tensordot(np.diff([*PERCENTILES, 1.0]), tok, axes=1)
    over = np.divide(mean_tok, least, out=np.ones_like(mean_tok), where=least > mean_tok)
    return TokenOutlook.of(field, tok * over)


def second_moments(traffic: Traffic) -> Moments:
    """Return the ratios over the newest 35 days; from the joint lengths where the sums are unknown.

    A ratio whose mean is 0 is 1; one that nothing tells is NaN.
    """
    recent = traffic.daily[list(SUMS)].tail(RECENT_DAYS).dropna(how="all")
    known = recent.dropna()
    if not known.empty and known["requests"].sum() > 0:
        n, p, c, o, pp, cc, pc, po, oo = (float(known[name].sum()) for name in SUMS)
        p, c, o, pp, cc, pc, po, oo = (v / n for v in (p, c, o, pp, cc, pc, po, oo))
        return _ratios(p, c, o, pp, cc, pc, po, oo)
    if traffic.joint.empty:
        nan = float("nan")
        return Moments(prompt_sq=nan, cached_sq=nan, prompt_cached=nan, prompt_output=nan, output_sq=nan)
    w, prompt, cached, output = _joint(traffic.joint)
    pairs = (prompt**2, cached**2, prompt * cached, prompt * output, output**2)
    return _ratios(float(w @ prompt), float(w @ cached), float(w @ output), *(float(w @ v) for v in pairs))


def long_shares(traffic: Traffic) -> tuple[LongShare, ...]:
    """Return what prompts above each of LONG_PROMPT_TOK make up over the newest 35 days, in shares (0..1).

    From the joint lengths where the source does not keep long prompts apart; NaN where nothing tells.
    """
    return tuple(_long_share(traffic, threshold) for threshold in LONG_PROMPT_TOK)


def _long_share(traffic: Traffic, threshold: int) -> LongShare:
    names = ("requests", "prompt_tok_sum", "cached_prompt_tok_sum", "output_tok_sum")
    recent = traffic.daily.tail(RECENT_DAYS)
    columns = [f"long_{threshold}_{name}" for name in names]
    if set(columns) <= set(recent.columns) and recent[columns].notna().all(axis=1).any():
        rows = recent[recent[columns].notna().all(axis=1)]
        parts = [_share(float(rows[c].sum()), float(rows[n].sum())) for c, n in zip(columns, names, strict=True)]
    elif not traffic.joint.empty:
        w, prompt, cached, output = _joint(traffic.joint)
        above = w * (prompt > threshold)
        parts = [_share(float(above @ v), float(w @ v)) for v in (np.ones_like(w), prompt, cached, output)]
    else:
        parts = [float("nan")] * 4
    return LongShare(
        threshold_tok=threshold,
        requests=parts[0],
        prompt_tok=parts[1],
        cached_prompt_tok=parts[2],
        output_tok=parts[3],
    )


def _joint(joint: pd.DataFrame) -> tuple[Floats, Floats, Floats, Floats]:
    """Weights and lengths of the representative requests; an unknown cached share counts as none."""
    weight, prompt, output = (joint[c].to_numpy(dtype=np.float64) for c in ("weight", "prompt_tok", "output_tok"))
    cached = prompt * np.nan_to_num(joint["cached_share"].to_numpy(dtype=np.float64))
    return weight / weight.sum(), prompt, cached, output


def _ratios(p: float, c: float, o: float, pp: float, cc: float, pc: float, po: float, oo: float) -> Moments:
    return Moments(
        prompt_sq=_ratio(pp, p * p),
        cached_sq=_ratio(cc, c * c),
        prompt_cached=_ratio(pc, p * c),
        prompt_output=_ratio(po, p * o),
        output_sq=_ratio(oo, o * o),
    )


def _ratio(moment: float, square: float) -> float:
    return moment / square if square > 0 else 1.0


def _share(part: float, whole: float) -> float:
    if np.isnan(part) or np.isnan(whole):
        return float("nan")
    return min(part / whole, 1.0) if whole > 0 else 0.0


def known_fields(daily: pd.DataFrame) -> tuple[str, ...]:
    """Return the fields whose mean is known on at least one day."""
    return tuple(field for field in FIELDS if np.isfinite(mean_tokens(daily, field)).any())


def cached_odds(prompt_tok: Floats, cached_tok: Floats) -> Floats:
    """Return 1,000 times the odds C / (P - C) that a prompt token comes from the cache, those at most MOST_ODDS.

    The share is forecast as odds, so that on no path more of a prompt is cached than there is of it, and a share
    of 90% moves as much when it comes to 95% as one of 5% that comes to 10%. Thousandfold, so that log(1 + odds),
    which is forecast, moves in proportion for small shares too.
    """
    fresh = np.maximum(prompt_tok - cached_tok, prompt_tok / (1.0 + MOST_ODDS))
    odds = np.divide(cached_tok, fresh, out=np.full_like(cached_tok, np.nan), where=fresh > 0)
    return ODDS_SCALE * odds


def cached_tokens(prompt_tok: Floats, odds: Floats) -> Floats:
    """Return the cached tokens of prompts at these odds: P x odds / (1 + odds), the inverse of `cached_odds`."""
    return np.asarray(prompt_tok * odds / (ODDS_SCALE + odds))
