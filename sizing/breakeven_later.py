"""The same breakeven later: prices of the API and of the GPU multiplied as price scenarios say."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sizing.tornado import Case

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Where self-hosting breaks even under one price scenario, over its paths: 10th percentile, median, 90th.

    utilisation: busy share of paid GPU time at which both cost the same. qps, mtok_per_month: of one replica, each
    None on paths without a breakeven, so None where such a path is reached. chance: share of paths on which an own
    fleet, used as the plan uses it, can break even at all.
    """

    scenario: str
    utilisation: tuple[float, float, float]
    qps: tuple[float | None, float | None, float | None]
    mtok_per_month: tuple[float | None, float | None, float | None]
    chance: float


def breakeven_later(base: Case, scenario: str, *, api_factor: npt.ArrayLike, gpu_factor: npt.ArrayLike) -> Later:
    """Return the breakeven with both prices multiplied, path by path; (S,) factors or one number each.

    The three points are paths: those at the 10th, 50th and 90th percentile of the utilisation that is needed, each
    with the rate and the tokens that belong to it.
    """
    api, gpu = np.broadcast_arrays(
        np.atleast_1d(api_factor).astype(float), np.atleast_1d(gpu_factor).astype(float)
    )
    ratio = gpu / api
    order = np.argsort(ratio, kind="stable")
    last = len(order) - 1
    cases = [
        replace(base, api_usd=base.api_usd * api[k], usd_per_gpu_hour=base.usd_per_gpu_hour * gpu[k])
        for k in (order[round(share * last)] for share in (0.1, 0.5, 0.9))
    ]
    low, mid, high = cases
    return Later(
        scenario=scenario,
        utilisation=(low.needed_utilisation, mid.needed_utilisation, high.needed_utilisation),
        qps=(low.qps, mid.qps, high.qps),
        mtok_per_month=(low.mtok_per_month, mid.mtok_per_month, high.mtok_per_month),
        chance=float(np.mean(base.needed_utilisation * ratio <= base.utilisation)),
    )
