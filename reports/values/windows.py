"""Windowed work of one workload, as the page prints it: three plans side by side, and what long requests cost."""

from dataclasses import dataclass

from sizing.windowed.logics import PlanLogic
from sizing.windowed.pools import LongRequests
from sizing.windowed.spread import WindowSpread


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowedWork:
    """On the GPU that hosts the workload, or would.

    window_s, percentile: the windows that the fleet covers. usd_per_gpu_hour: on demand, behind every dollar here.
    logics: three ways of planning by horizon. spreads: GPU-seconds a window, by length of window, history first.
    long: by horizon and length; empty where the stored requests are not there (sums alone), and long_sentence says
    so.
    """

    gpu: str
    layout: str
    window_s: int
    percentile: float
    usd_per_gpu_hour: float | None
    logics: list[PlanLogic]
    spreads: list[WindowSpread]
    long: list[LongRequests]
    long_sentence: str
