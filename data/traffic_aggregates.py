"""The past of a workload of which only sums are known: what was stated as stated, the rest fitted and said so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.frames import frame
from data.histogram_lengths import as_stated, by_day, widths
from data.lognormal import LogNormal, add_up, fit, mixture_quantiles
from data.traffic import FIELDS, LONG_PROMPT_TOK, PERCENTILES, SUMS, no_hours
from data.traffic_shape import (
    WINDOW_DAYS,
    Ask,
    Observed,
    Past,
    calendar,
    hour_of_week,
    observed_share,
    percentile_columns,
    whole_hours,
    window_grid,
)
from data.units import HOUR_S, MINUTE_S
from data.usage_windows import read_usage
from data.warehouse import Store, query

Floats = npt.NDArray[np.float64]

_STATED = [f"p{round(100 * p)}_tok" for p in PERCENTILES]
_PARTS = ("text", "image", "audio", "video")
_EDGES = (*np.linspace(0.0, 0.95, 20), 0.975, 0.99, 0.995, 0.999, 1.0)

FITTED = (
    "This source states sums and percentiles, not requests: lengths are a lognormal fitted to the mean and the"
    " percentiles of each window, prompt and output taken as independent, and there is no 10-second plan."
)
FROM_STEPS = (
    "This source keeps lengths as histograms: lengths are a lognormal fitted to the mean and the percentiles of"
    " each day, prompt and output taken as independent, and there is no 10-second plan."
)
NOT_FITTED = (
    "This source states sums without percentiles, so percentiles of lengths are unknown. The spread of lengths is"
    " assumed: standard deviations of {prompt:g} times the mean prompt and {output:g} times the mean output"
    " (public traces: 1.0 to 1.3 and 0.7 to 1.0), both independent, and there is no 10-second plan."
)
MIXED = "Percentiles of a day are those of its windows together, interpolated between the stated ones."
UNKNOWN_CACHED = "This source does not state cached prompt tokens: none are counted as cached."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lengths:
    """Fitted lengths of one window; None where nothing can be fitted."""

    prompt: LogNormal | None
    output: LogNormal | None


def read_aggregates_past(store: Store, ask: Ask, observed: Observed, workload: str) -> Past:
    """Return the past of matching sums; second moments, long prompts and the joint lengths come from fits.

    Raises UserError where requests or tokens are neither stated nor assumed.
    """
    read = read_usage(store, ask, workload)
    usage = read.windows
    stated, by_step = _stated(store, ask, usage)
    window_s = int(usage["bucket_s"].max())
    lengths = _lengths(usage, stated) if len(stated) else _assumed(usage, ask)
    sums = _sums(usage, lengths)
    days = calendar(usage["window_utc"].min().floor("D"), observed)
    grid = window_grid(observed, window_s)
    grid = grid[grid < observed.last]  # the last window ends there
    by_window = sums.groupby(usage["window_utc"].dt.floor(f"{window_s}s")).sum(min_count=1)
    windows = by_window.reindex(grid)
    windows.loc[~grid.isin(by_window.index)] = 0.0
    windows = windows.assign(**{name: windows[name].fillna(0.0) for name in SUMS if "cached" in name})
    hours = usage.groupby(usage["window_utc"].dt.floor("h"))["requests"].sum()
    daily = _daily(usage, stated, by_step, sums, lengths, days, observed, window_s)
    whole = days[daily["observed_share"] >= 1.0]
    return Past(
        daily=daily,
        windows=windows,
        window_s=window_s,
        hour_of_week=hour_of_week(hours, observed) if window_s <= HOUR_S else np.ones(168),
        joint=_joint(windows),
        notes=(*read.notes, *_notes(usage, stated, by_step, ask)),
        hours=whole_hours(hours, observed, whole_days=whole) if window_s <= HOUR_S else no_hours(),
        percentile_basis="histogram" if by_step else "stated" if len(stated) else "none",
        percentile_widths=widths(by_step, days[-1] - pd.Timedelta(days=WINDOW_DAYS - 1)),
        arrival_cv=_arrival_cv(usage),
    )


def _stated(store: Store, ask: Ask, usage: pd.DataFrame) -> tuple[pd.DataFrame, Mapping[Any, Floats]]:
    """Return percentiles by window, and by day where they come from histograms, with their bounds.

    A source states percentiles or keeps histograms; means beside a histogram are those of the counted tokens.
    """
    stated = frame(store.con, query("usage_percentiles"), ask.parameters())
    steps = frame(store.con, query("usage_histograms"), ask.parameters())
    steps = steps[steps["field"].isin(FIELDS)]
    if len(stated) or not len(steps):
        return stated, {}
    days = by_day(steps)
    day = steps["window_utc"].dt.floor("D")
    found = as_stated(days, steps.groupby([steps["field"], day])["requests"].sum())
    sums = usage.groupby(usage["window_utc"].dt.floor("D"))[["requests", "prompt_tok_sum", "output_tok_sum"]].sum()
    for field in ("prompt", "output"):
        rows = found["field"] == field
        mean = sums[f"{field}_tok_sum"] / sums["requests"].where(sums["requests"] > 0)
        found.loc[rows, "mean_tok"] = mean.reindex(found["window_utc"][rows]).to_numpy()
    return found[found["mean_tok"].notna()], days


def _lengths(usage: pd.DataFrame, stated: pd.DataFrame) -> list[_Lengths]:
    """Return the fitted lengths for each row of usage: those of the statistics window that holds it, else None."""
    fits: dict[pd.Timestamp, _Lengths] = {}
    ends: dict[pd.Timestamp, pd.Timestamp] = {}
    for window, rows in stated.groupby("window_utc"):
        moment = pd.Timestamp(window)  # type: ignore[arg-type]  # the key of the group is its time
        fits[moment] = _Lengths(prompt=_fit_prompt(rows), output=_fit_field(rows, "output"))
        ends[moment] = moment + pd.to_timedelta(rows["window_s"].max(), unit="s")
    starts = sorted(fits)
    position = (
        np.searchsorted(np.array(starts, dtype="datetime64[ns]"), usage["window_utc"].to_numpy(), "right") - 1
    )
    nothing = _Lengths(prompt=None, output=None)
    return [
        fits[starts[i]] if i >= 0 and moment < ends[starts[i]] else nothing
        for i, moment in zip(position, usage["window_utc"], strict=True)
    ]


def _assumed(usage: pd.DataFrame, ask: Ask) -> list[_Lengths]:
    """Return lengths of the assumed spread around the means of each row's day, one object a day."""
    day = usage["window_utc"].dt.floor("D")
    sums = usage.groupby(day)[["requests", "prompt_tok_sum", "output_tok_sum"]].sum()
    found = {
        key: _Lengths(
            prompt=_around(row["prompt_tok_sum"], row["requests"], ask.assumed.prompt_cv),
            output=_around(row["output_tok_sum"], row["requests"], ask.assumed.output_cv),
        )
        for key, row in sums.iterrows()
    }
    return [found[key] for key in day]


def _around(total: float, requests: float, cv: float) -> LogNormal | None:
    if not (total > 0 and requests > 0):
        return None
    sigma_sq = float(np.log1p(cv**2))
    return LogNormal(float(np.log(total / requests) - sigma_sq / 2), max(sigma_sq**0.5, 1e-3))


def _fit_field(rows: pd.DataFrame, field: str) -> LogNormal | None:
    """Return the fit of one field in one window; several keys in it add up by their requests."""
    rows = rows[rows["field"] == field]
    weight = rows["requests"].to_numpy(dtype=np.float64)
    if not len(rows) or weight.sum() <= 0:
        return None
    mean = float(weight @ rows["mean_tok"].to_numpy(dtype=np.float64) / weight.sum())
    stated = rows[_STATED].to_numpy(dtype=np.float64)
    return fit(mean, stated[0] if len(rows) == 1 else mixture_quantiles(stated, weight).tolist())


def _fit_prompt(rows: pd.DataFrame) -> LogNormal | None:
    """Return the fit of the prompt; where only its parts state percentiles, of their sum."""
    whole = _fit_field(rows, "prompt")
    if whole is not None:
        return whole
    parts = [part for part in (_fit_field(rows, name) for name in _PARTS) if part is not None]
    return add_up(parts) if parts else None


def _sums(usage: pd.DataFrame, lengths: list[_Lengths]) -> pd.DataFrame:
    """Return the SUMS of each row of usage: stated means, fitted second moments; NaN = unknown."""
    requests = usage["requests"].to_numpy(dtype=np.float64)
    prompt, cached, output = (
        usage[name].to_numpy(dtype=np.float64)
        for name in ("prompt_tok_sum", "cached_prompt_tok_sum", "output_tok_sum")
    )
    prompt_ratio = np.array([_ratio(one.prompt) for one in lengths])
    output_ratio = np.array([_ratio(one.output) for one in lengths])
    some = np.where(requests > 0, requests, np.nan)
    prompt_sq = prompt_ratio * prompt**2 / some
    share = cached / np.where(prompt > 0, prompt, np.nan)
    columns = (
        requests,
        prompt,
        cached,
        output,
        prompt_sq,
        share**2 * prompt_sq,
        share * prompt_sq,
        prompt * output / some,
        output_ratio * output**2 / some,
    )
    return pd.DataFrame(dict(zip(SUMS, columns, strict=True)), index=usage.index).mask(
        pd.Series(requests == 0, index=usage.index), 0.0
    )


def _ratio(lengths: LogNormal | None) -> float:
    """E[X^2] / E[X]^2 = exp(sigma^2)."""
    return float(np.exp(lengths.sigma**2)) if lengths else np.nan


def _daily(
    usage: pd.DataFrame,
    stated: pd.DataFrame,
    by_step: Mapping[Any, Floats],
    sums: pd.DataFrame,
    lengths: list[_Lengths],
    days: pd.DatetimeIndex,
    observed: Observed,
    window_s: int,
) -> pd.DataFrame:
    day = usage["window_utc"].dt.floor("D")
    seen = days.isin(observed.days)
    total = pd.concat([sums, _long(usage, sums, lengths)], axis=1).groupby(day).agg(_sum_known).reindex(days)
    total.loc[seen & ~days.isin(day)] = 0.0  # watched, and nothing of this workload came
    counted = usage.groupby(day)[["throttled_requests", "failed_requests", "unknown_requests"]].sum()
    counted = counted.rename(columns={"unknown_requests": "missing_tok_requests"})
    columns: dict[str, pd.Series] = {
        "requests": total["requests"],
        "observed_share": observed_share(days, observed, total["requests"]),
        **{name: total[name] for name in SUMS[1:]},
        **_percentiles(stated, by_step, days),
        **_peaks(usage, days, window_s),
        **{name: total[name] for name in total.columns if name.startswith("long_")},
        **{str(name): counted[name].reindex(days).fillna(0.0).where(seen) for name in counted},
        "cached_known_share": total["cached_prompt_tok_sum"].notna().astype(float).where(total["requests"] > 0),
    }
    return pd.DataFrame(columns, index=days)


def _sum_known(values: pd.Series) -> float:
    """Return the sum, or NaN where a part of it is unknown."""
    return float(values.sum(skipna=False))


def _percentiles(
    stated: pd.DataFrame, by_step: Mapping[Any, Floats], days: pd.DatetimeIndex
) -> dict[str, pd.Series]:
    if by_step:
        return percentile_columns({key: each[:, 1] for key, each in by_step.items()}, days)
    known = stated[stated["field"].isin(FIELDS)]
    quantile_of = {
        key: mixture_quantiles(rows[_STATED].to_numpy(dtype=np.float64), rows["requests"].to_numpy())
        for key, rows in known.groupby(["field", known["window_utc"].dt.floor("D")], sort=True)
    }
    return percentile_columns(quantile_of, days)


def _peaks(usage: pd.DataFrame, days: pd.DatetimeIndex, window_s: int) -> dict[str, pd.Series]:
    """Return the busiest windows that the source can resolve; NaN for those that it cannot."""
    found = {}
    for name, length_s in (
        ("peak_10s_requests", 10),
        ("peak_minute_requests", MINUTE_S),
        ("peak_hour_requests", HOUR_S),
    ):
        if window_s > length_s:
            found[name] = pd.Series(np.nan, index=days)
            continue
        busiest = usage.groupby(usage["window_utc"].dt.floor(f"{length_s}s"))["requests"].sum().reset_index()
        found[name] = busiest.groupby(busiest["window_utc"].dt.floor("D"))["requests"].max().reindex(days)
    return found


def _long(usage: pd.DataFrame, sums: pd.DataFrame, lengths: list[_Lengths]) -> pd.DataFrame:
    """Return long_{threshold}_{sum} of each row of usage, from the fitted prompt lengths."""
    share = (sums["cached_prompt_tok_sum"] / sums["prompt_tok_sum"]).to_numpy()
    columns: dict[str, pd.Series] = {}
    for threshold in LONG_PROMPT_TOK:
        # Rows of one statistics window share one object. (U, 3) parts of 1, P, P^2.
        every = {id(one): one for one in lengths}
        found = {key: _above(one.prompt, float(threshold)) for key, one in every.items()}
        above = np.array([found[id(one)] for one in lengths])
        parts = {
            "requests": above[:, 0] * sums["requests"],
            "prompt_tok_sum": above[:, 1] * sums["prompt_tok_sum"],
            "cached_prompt_tok_sum": share * above[:, 1] * sums["prompt_tok_sum"],
            "output_tok_sum": above[:, 0] * sums["output_tok_sum"],
            "prompt_tok_sq_sum": above[:, 2] * sums["prompt_tok_sq_sum"],
            "cached_prompt_tok_sq_sum": share**2 * above[:, 2] * sums["prompt_tok_sq_sum"],
            "prompt_cached_sum": share * above[:, 2] * sums["prompt_tok_sq_sum"],
            "prompt_output_sum": above[:, 1] * sums["prompt_output_sum"],
            "output_tok_sq_sum": above[:, 0] * sums["output_tok_sq_sum"],
        }
        columns |= {f"long_{threshold}_{name}": values for name, values in parts.items()}
    return pd.DataFrame(columns, index=usage.index)


def _above(lengths: LogNormal | None, threshold: float) -> list[float]:
    """Return the shares of requests, prompt tokens and squared prompt tokens above a length."""
    if lengths is None:
        return [np.nan] * 3
    return [lengths.moment_above(k, threshold) / lengths.moment_above(k, 0.0) for k in (0, 1, 2)]


def _joint(windows: pd.DataFrame) -> pd.DataFrame:
    """Return representative lengths of the newest windows: slices of lognormals with their pooled moments."""
    known = ["requests", "prompt_tok_sum", "prompt_tok_sq_sum", "output_tok_sum", "output_tok_sq_sum"]
    total = windows.dropna(subset=known).sum(min_count=1)
    pooled = [_pooled(total, f"{name}_tok_sum", f"{name}_tok_sq_sum") for name in ("prompt", "output")]
    if any(one is None for one in pooled):
        return pd.DataFrame(
            {name: [] for name in ("prompt_tok", "output_tok", "cached_share", "weight")}, dtype=float
        )
    (prompt, prompt_weight), (output, output_weight) = (one.slices(_EDGES) for one in pooled if one is not None)
    cached = float(total["cached_prompt_tok_sum"] / total["prompt_tok_sum"])
    return pd.DataFrame(
        {
            "prompt_tok": np.repeat(prompt, len(output)),
            "output_tok": np.tile(output, len(prompt)),
            "cached_share": np.full(len(prompt) * len(output), cached),
            "weight": np.repeat(prompt_weight, len(output)) * np.tile(output_weight, len(prompt)),
        }
    )


def _pooled(total: pd.Series, mean: str, square: str) -> LogNormal | None:
    """Return the lognormal with the mean and second moment of all windows together."""
    requests, first, second = float(total["requests"]), float(total[mean]), float(total[square])
    if not np.isfinite([requests, first, second]).all() or requests <= 0 or first <= 0:
        return None
    sigma_sq = max(float(np.log(second * requests / first**2)), 1e-6)
    return LogNormal(float(np.log(first / requests) - sigma_sq / 2), sigma_sq**0.5)


def _notes(usage: pd.DataFrame, stated: pd.DataFrame, by_step: Mapping[Any, Floats], ask: Ask) -> tuple[str, ...]:
    notes = [FROM_STEPS if by_step else FITTED]
    if not len(stated):
        notes = [NOT_FITTED.format(prompt=ask.assumed.prompt_cv, output=ask.assumed.output_cv)]
    elif not by_step and stated.groupby("field").size().max() > 1:
        notes.append(MIXED)
    if usage["cached_prompt_tok_sum"].isna().any():
        notes.append(UNKNOWN_CACHED)
    prompts = stated[stated["field"] == "prompt"]
    share = prompts["requests"].sum() / usage["requests"].sum() if len(prompts) else np.nan
    if np.isfinite(share) and share < 0.99:
        notes.append(f"Its token statistics cover {share:.0%} of the requests; the others are taken to be alike.")
    cv = _arrival_cv(usage)
    if cv is not None:
        notes.append(
            f"Within a window, gaps between one client's requests vary by {cv:.1f} times their mean (Poisson: 1)."
        )
    return tuple(notes)


def _arrival_cv(usage: pd.DataFrame) -> float | None:
    """Return the mean coefficient of variation of the gaps, weighted by requests; None where nobody states it."""
    known = usage["arrival_cv"].notna() & (usage["requests"] > 0)
    if not known.any():
        return None
    return float(np.average(usage["arrival_cv"][known], weights=usage["requests"][known]))
