"""What long requests cost: refused above a token budget, or served by a pool of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.traffic import SUMS, Traffic
from forecasting.demand import Demand, Moments
from sizing.fleet import FleetPlan
from sizing.gpu_cost import held_usd
from sizing.profile import ReplicaProfile

Floats = npt.NDArray[np.float64]

BUDGET_SHARES = (0.99, 0.995, 0.999)
"""Shares of requests that a token budget lets through."""

LONG_REQUEST_TOK = (32_000, 128_000, 200_000)
"""Lengths (prompt + output) above which requests are looked at as long, beside the budgets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFleet:
    """The cheapest fleet for some of the requests over one horizon: the 80% path's GPUs, spares included.

    usd: on demand in every hour of the horizon.
    """

    gpu: str
    layout: str
    batch: int
    gpus: int
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRequests:
    """Requests above one length over one horizon: what refusing them saves, what a pool of their own costs.

    budget_tok: prompt and output tokens up to which a request is served with the others. share: of requests that
    the budget is to let through, None for a length that was given. requests_share, work_share: of those beyond.
    whole, within, beyond: the cheapest fleet for all, for those within and for those beyond; None where no GPU
    with a known price serves them, and why_not says so.
    gpus_saved, usd_saved: what refusing the longer requests saves; GPUs only where both fleets are of one kind.
    pool_saves_usd: what a pool of their own saves against one fleet for all; negative where it costs more.
    """

    days: int
    budget_tok: int
    share: float | None
    requests_share: float
    work_share: float
    whole: PoolFleet | None
    within: PoolFleet | None
    beyond: PoolFleet | None
    gpus_saved: int | None
    usd_saved: float | None
    pool_saves_usd: float | None
    why_not: str = ""

    @classmethod
    def of(
        cls,
        *,
        days: int,
        budget_tok: int,
        share: float | None,
        requests_share: float,
        work_share: float,
        whole: PoolFleet | None,
        within: PoolFleet | None,
        beyond: PoolFleet | None,
        why_not: str = "",
    ) -> "LongRequests":
        """Return the comparison of three fleets."""
        both = None if whole is None or within is None else (whole, within)
        saved = None if both is None else both[0].usd - both[1].usd
        return cls(
            days=days,
            budget_tok=budget_tok,
            share=share,
            requests_share=requests_share,
            work_share=work_share,
            whole=whole,
            within=within,
            beyond=beyond,
            gpus_saved=both[0].gpus - both[1].gpus if both and both[0].gpu == both[1].gpu else None,
            usd_saved=saved,
            pool_saves_usd=None if saved is None or beyond is None else saved - beyond.usd,
            why_not=why_not,
        )


def sum_ratios(part: pd.DataFrame, whole: pd.DataFrame) -> Floats:
    """Return (9,): the share of each of the SUMS that a part of the requests makes up; 0 where the whole is 0."""
    of, total = part[list(SUMS)].sum().to_numpy(float), whole[list(SUMS)].sum().to_numpy(float)
    return np.asarray(np.divide(of, total, out=np.zeros(len(SUMS)), where=total > 0))


def part_demand(demand: Demand, ratios: Floats) -> Demand:
    """Return the demand of a part of the requests, which makes up `ratios` (9,) of each of the SUMS on every path.

    requests' = requests r0, mean' = mean r_k / r0, and each ratio of squares follows: E'[P^2]/E'[P]^2 =
    (r_pp / r0) E[P^2] / ((r_p / r0) E[P])^2 = prompt_sq r_pp r0 / r_p^2.
    """
    r, p, c, o, pp, cc, pc, po, oo = ratios
    m = demand.moments
    return replace(
        demand,
        requests=demand.requests * r,
        prompt_tok=demand.prompt_tok * _over(p, r),
        cached_prompt_tok=demand.cached_prompt_tok * _over(c, r),
        output_tok=demand.output_tok * _over(o, r),
        moments=Moments(
            prompt_sq=m.prompt_sq * _over(pp * r, p * p),
            cached_sq=m.cached_sq * _over(cc * r, c * c),
            prompt_cached=m.prompt_cached * _over(pc * r, p * c),
            prompt_output=m.prompt_output * _over(po * r, p * o),
            output_sq=m.output_sq * _over(oo * r, o * o),
        ),
        tokens=(),
        long=(),
    )


def part_traffic(traffic: Traffic, windows: pd.DataFrame, window_s: int) -> Traffic:
    """Return the traffic whose windows are those of a part of the requests; its days stay those of all."""
    return replace(traffic, windows=windows, window_s=window_s)


def work_share(profile: ReplicaProfile, part: pd.DataFrame, whole: pd.DataFrame) -> float:
    """Return the share (0..1) of the work on this replica that a part of the requests makes up."""
    columns = list(SUMS)
    total = float(profile.work_s(whole[columns].sum().to_numpy(float)))
    each = float(profile.work_s(part[columns].sum().to_numpy(float)))
    return min(1.0, max(0.0, each / total)) if total > 0 else 0.0


def cheapest_pool(
    fleets: Mapping[str, FleetPlan], usd_per_gpu_hour: Mapping[str, float], days: int
) -> PoolFleet | None:
    """Return the candidate whose fleet costs least on demand over the horizon, None where none has a price."""
    found = []
    for gpu, fleet in fleets.items():
        horizon = next((h for h in fleet.horizons if h.days == days), None)
        usd = None if horizon is None else held_usd(
            horizon.gpus_p80, days=days, usd_per_gpu_hour=usd_per_gpu_hour.get(gpu)
        )  # fmt: skip
        if horizon is not None and usd is not None:
            found.append(
                PoolFleet(
                    gpu=gpu,
                    layout=fleet.profile.layout.text,
                    batch=fleet.profile.batch,
                    gpus=horizon.gpus_p80,
                    usd=usd,
                )
            )
    return min(found, key=lambda pool: pool.usd, default=None)


def best_pool(rows: Sequence[LongRequests]) -> LongRequests | None:
    """Return the length at which a pool of their own saves most, None where none can be compared."""
    known = [row for row in rows if row.pool_saves_usd is not None]
    return max(known, key=lambda row: row.pool_saves_usd or 0.0, default=None)


def pool_sentence(rows: Sequence[LongRequests], usd: str = "$") -> str:
    """Say whether long requests deserve a pool of their own over these rows' horizon, and by how much."""
    best = best_pool(rows)
    if best is None or best.whole is None or best.within is None or best.beyond is None:
        reason = next((row.why_not for row in rows if row.why_not), "")
        return f"No pool of their own can be weighed for long requests. {reason}".strip()
    saves = best.pool_saves_usd or 0.0
    two = f"{_fleet(best.within)} and {_fleet(best.beyond)}, {usd}{best.within.usd + best.beyond.usd:,.0f}"
    one = f"{_fleet(best.whole)}, {usd}{best.whole.usd:,.0f} on demand over {best.days} days"
    above = f"above {best.budget_tok:,} tokens ({best.requests_share:.2%} of requests)"
    if saves > 0:
        return f"Serve requests {above} in a pool of their own: it saves {usd}{saves:,.0f}. {two}, against {one}."
    return (
        f"Keep one fleet: of the lengths tried, a pool of their own for requests {above} comes nearest and costs"
        f" {usd}{-saves:,.0f} more. {two}, against {one}."
    )


def _fleet(pool: PoolFleet) -> str:
    return f"{pool.gpus} x {pool.gpu} ({pool.layout})"


def _over(value: float, by: float) -> float:
    """Return a ratio of shares, 1 where there is nothing of either: what is 0 stays 0 by its own mean."""
    return float(value / by) if by > 0 else 1.0
