"""A need cut into bands: how often the k-th GPU is busy, and which of them are worth reserving.

The k-th band of a need is busy in the hours in which the need reaches k. A reserved band is paid in every hour of
its term, an on-demand band only when it is busy, so a band is worth reserving exactly when it is busy often
enough. docs/money.md derives the rule and its limits.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.errors import UserError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One unit of a need, from GPU first_gpu to last_gpu, and how often it is busy.

    busy_share: mean over the paths of its busy share of the term's hours, each hour weighted by its on-demand
    price; p10 and p90 over the paths. needed_share: what the reserved price asks, 1 - discount. worth_share: what
    holding the unit saves over its hours at the on-demand price, None where that is the busy share: with spot, an
    API or work that can wait it is not.
    """

    gpu: str
    first_gpu: int
    last_gpu: int
    busy_share: float
    busy_share_p10: float
    busy_share_p90: float
    needed_share: float
    commit: bool
    worth_share: float | None = None

    @property
    def sentence(self) -> str:
        """Return the row as a person reads it."""
        name = f"{self.gpu} #{self.first_gpu}"
        if self.last_gpu > self.first_gpu:
            name += f"-{self.last_gpu}"
        verdict = "commit" if self.commit else "leave on demand"
        busy = f"{name} is busy {self.busy_share:.0%} of hours{self._worth}"
        return f"{busy}, needs {self.needed_share:.0%}: {verdict}."

    @property
    def reason(self) -> str:
        """Return why, as part of a longer sentence."""
        busy = f"#{self.last_gpu} is busy {self.busy_share:.0%} of hours{self._worth}"
        return f"{busy} and needs {self.needed_share:.0%}"

    @property
    def _worth(self) -> str:
        if self.worth_share is None or abs(self.worth_share - self.busy_share) < 0.005:
            return ""
        return f" (worth {self.worth_share:.0%} of them at the on-demand price)"


def busy_hours(hourly_gpus: Floats, *, unit_gpus: int = 1, weight: Floats | None = None) -> Floats:
    """Return (S, K): hours in which each unit of the need is busy on each path, K units up to the largest need.

        N_k = sum over hours of w_h clip(need_h / unit - (k - 1), 0, 1)

    hourly_gpus: (S, D, 24). weight: (D, 24) or (S, D, 24) hours' weights, 1 by default. A unit that is partly
    needed counts by its part, so that sum_k N_k is the need itself.
    """
    if unit_gpus < 1:
        raise UserError(f"unit_gpus = {unit_gpus} must be at least 1.")
    need = np.reshape(hourly_gpus, (hourly_gpus.shape[0], -1)) / unit_gpus
    wide = np.broadcast_to(1.0 if weight is None else weight, hourly_gpus.shape)
    weights = np.reshape(wide, need.shape)
    full = np.floor(need).astype(np.int64)
    units = int(np.ceil(need.max(initial=0.0)))
    row = np.arange(need.shape[0])[:, None] * (units + 2)
    size = need.shape[0] * (units + 2)
    whole = np.bincount(np.ravel(row + full), np.ravel(weights), size).reshape(-1, units + 2)
    part = np.bincount(np.ravel(row + full + 1), np.ravel(weights * (need - full)), size).reshape(-1, units + 2)
    at_least = np.cumsum(whole[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((at_least + part)[:, 1 : units + 1])


def units_to_commit(
    hourly_gpus: Floats,
    *,
    reserved_usd_per_gpu_hour: float,
    on_demand_usd_per_gpu_hour: float | Floats,
    unit_gpus: int = 1,
) -> int:
    """Return the number of units whose reservation makes the expected cost of the need least.

    Reserving n units costs n r H, on demand serves the rest; unit n + 1 changes that by r H - sum_h p_h busy_h.
    Busy hours fall with k, so the expected cost is convex in n and the units that pay are the first ones:

        reserve k  <=>  sum_h p_h E[busy_kh] / sum_h p_h  >=  r H / sum_h p_h = 1 - discount

    on_demand_usd_per_gpu_hour: one price, or (D, 24) prices. The need is (S, D, 24) over the whole term.
    """
    weight = price_weight(hourly_gpus, on_demand_usd_per_gpu_hour)
    if weight.sum() == 0:
        return 0
    share = busy_hours(hourly_gpus, unit_gpus=unit_gpus, weight=weight).mean(axis=0) / weight.sum()
    return int(np.count_nonzero(share >= _needed_share(weight, reserved_usd_per_gpu_hour)))


def bands(
    hourly_gpus: Floats,
    *,
    gpu: str,
    reserved_usd_per_gpu_hour: float,
    on_demand_usd_per_gpu_hour: float | Floats,
    unit_gpus: int = 1,
) -> tuple[Band, ...]:
    """Return each unit of the need as an explainable row, first unit first."""
    weight = price_weight(hourly_gpus, on_demand_usd_per_gpu_hour)
    needed = _needed_share(weight, reserved_usd_per_gpu_hour)
    share = busy_hours(hourly_gpus, unit_gpus=unit_gpus, weight=weight) / weight.sum()
    mean, (p10, p90) = share.mean(axis=0), np.quantile(share, (0.1, 0.9), axis=0)
    return tuple(
        Band(
            gpu=gpu,
            first_gpu=k * unit_gpus + 1,
            last_gpu=(k + 1) * unit_gpus,
            busy_share=float(mean[k]),
            busy_share_p10=float(p10[k]),
            busy_share_p90=float(p90[k]),
            needed_share=needed,
            commit=bool(mean[k] >= needed),
        )
        for k in range(share.shape[1])
    )


def price_weight(hourly_gpus: Floats, usd_per_gpu_hour: float | Floats) -> Floats:
    """Return (D, 24) on-demand USD per GPU-hour for the hours of a need (S, D, 24)."""
    return np.array(np.broadcast_to(np.asarray(usd_per_gpu_hour, dtype=np.float64), hourly_gpus.shape[1:]))


def _needed_share(weight: Floats, reserved_usd_per_gpu_hour: float) -> float:
    return float(reserved_usd_per_gpu_hour * weight.size / weight.sum())
