"""The windows of a source of sums; what it does not state may be assumed, where the user says so."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.frames import frame
from data.traffic_shape import Ask
from data.warehouse import Store, query

Floats = npt.NDArray[np.float64]
TOKEN_SUMS = ("prompt_tok_sum", "cached_prompt_tok_sum", "output_tok_sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """windows: one row per window, `requests` with the throttled ones, token sums scaled up to them.

    Columns: window_utc, bucket_s, requests, throttled_requests, failed_requests, unknown_requests (those without
    lengths), TOKEN_SUMS, arrival_cv. notes: sentences about what was assumed.
    """

    windows: pd.DataFrame
    notes: tuple[str, ...]


def read_usage(store: Store, ask: Ask, workload: str) -> Usage:
    """Return the matching windows; raises UserError where requests or tokens are neither stated nor assumed."""
    stated = frame(store.con, query("usage_windows"), ask.parameters())
    windows = stated.copy()
    notes = [note for fill in (_requests, _tokens) if (note := fill(windows, ask))]
    _refuse_unknown(windows, workload)
    unknown = windows["prompt_tok_sum"].isna() | windows["output_tok_sum"].isna()
    windows["unknown_requests"] = windows["requests"].where(unknown, 0.0)
    return Usage(windows=_with_throttled(windows), notes=tuple(notes))


def _requests(windows: pd.DataFrame, ask: Ask) -> str:
    """Fill unknown requests from token sums and the assumed length of a request; return what the page must say."""
    unknown = windows["requests"].isna()
    prompt, output = ask.assumed.prompt_tok, ask.assumed.output_tok
    if not unknown.any():
        return ""
    ways: list[tuple[str, float | None, str]] = [
        ("prompt_tok_sum", prompt, "prompt"),
        ("output_tok_sum", output, "output"),
        ("total_tok_sum", prompt + output if prompt and output else None, "total"),
    ]
    for column, length, name in ways:
        found = unknown & windows[column].notna()
        if length and found.any():
            windows.loc[found, "requests"] = windows.loc[found, column] / length
            return (
                f"This source does not count requests: they are assumed to be its {name} tokens divided by"
                f" {length:,.0f}, as plan.toml says."
            )
    return ""


def _tokens(windows: pd.DataFrame, ask: Ask) -> str:
    """Fill unknown token sums from requests and their assumed lengths; return what the page must say."""
    said = []
    whole = windows["total_tok_sum"]
    lengths = {"prompt_tok_sum": ask.assumed.prompt_tok, "output_tok_sum": ask.assumed.output_tok}
    for column, length in lengths.items():
        unknown = windows[column].isna() & windows["requests"].notna()
        if not length or not unknown.any():
            continue
        total = sum(each for each in lengths.values() if each)
        split = windows["requests"] * length
        if all(lengths.values()) and whole[unknown].notna().all():
            split = whole * length / total
        windows.loc[unknown, column] = split[unknown]
        said.append(f"{length:,.0f} {column.partition('_')[0]} tokens")
    if not said:
        return ""
    return (
        "This source does not state every length: a request is assumed to have"
        f" {' and '.join(said)}, as plan.toml says."
    )


def _refuse_unknown(windows: pd.DataFrame, workload: str) -> None:
    """Say in one sentence what a plan cannot do without, and the way out."""
    checks: list[tuple[Callable[[], bool], str, str]] = [
        (lambda: bool(windows["requests"].notna().any()), "does not count requests", "prompt_tok"),
        (lambda: bool(windows["prompt_tok_sum"].notna().any()), "does not state prompt tokens", "prompt_tok"),
        (lambda: bool(windows["output_tok_sum"].notna().any()), "does not state output tokens", "output_tok"),
    ]
    for known, what, key in checks:
        if not known():
            raise UserError(
                f"The source of workload {workload!r} {what}, and a plan needs them; match a log or export that"
                f" has them, or say what a request is taken to have with assume = {{ {key} = 1500 }} in its"
                " [[workloads]]."
            )


def _with_throttled(windows: pd.DataFrame) -> pd.DataFrame:
    """Count throttled requests as demand whose lengths are those of the day's others."""
    throttled = windows["throttled_requests"]
    if not throttled.any():
        return windows
    day = windows["window_utc"].dt.floor("D")
    served = windows["requests"]
    per_day = served.groupby(day).transform("sum")
    for column in TOKEN_SUMS:
        mean = windows[column].groupby(day).transform("sum") / per_day.where(per_day > 0)
        windows[column] = windows[column] + throttled * mean.fillna(0.0)
    windows["requests"] = served + throttled
    windows["unknown_requests"] += throttled
    return windows
