"""Where an own fleet costs what the API does: requests a second, utilisation, tokens a month."""

import math
from dataclasses import dataclass, field

import numpy as np

from data.catalog.prices import GpuOffer
from data.errors import UserError
from data.units import DAYS_PER_MONTH, HOUR_S, MTOK
from forecasting.demand import Demand
from sizing.profile import ReplicaProfile

_MONTH_HOURS = DAYS_PER_MONTH * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakeven:
    """Where one kind of replica and the API cost the same. All of it None where no such point exists.

    qps: least rate at which whole replicas cost no more than the API; qps_for_good: from there on they never cost
    more again, whatever step the fleet is on. utilisation: busy share of paid GPU time at the breakeven.
    qps_low, qps_high: qps at the ends of the GPU's price range, throughput at the good and the bad end of its 80%
    band; None where no breakeven exists there. gpu_usd_per_request: of a fleet at its planned utilisation.
    """

    gpu: str
    usd_per_gpu_hour: float
    api_usd_per_request: float
    api_usd_per_mtok: float
    gpu_usd_per_request: float
    qps: float | None
    qps_for_good: float | None
    utilisation: float | None
    mtok_per_month: float | None
    qps_low: float | None
    qps_high: float | None
    now_qps: float
    sentence: str
    curve_qps: list[float] = field(default_factory=list)
    curve_api_usd_per_month: list[float] = field(default_factory=list)
    curve_gpu_usd_per_month: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One replica's side of the question.

    gpu_s_per_request: GPU-seconds of work. utilisation: share of paid GPU time that may be work, averaged over the
    month, so peaks and spares are in it. error_p10, error_p90: measured / predicted throughput, 80% band.
    """

    gpus: int
    gpu_s_per_request: float
    utilisation: float
    error_p10: float = 1.0
    error_p90: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a replica that can do nothing."""
        if self.gpus < 1 or not self.gpu_s_per_request > 0 or not 0 < self.utilisation <= 1:
            raise UserError(
                f"A replica of {self.gpus} GPUs, {self.gpu_s_per_request} GPU-seconds a request at utilisation"
                f" {self.utilisation} has no price: the first two must be above 0, the last above 0 and at most 1."
            )

    @property
    def qps(self) -> float:
        """Requests a second that one replica serves at its utilisation."""
        return self.gpus * self.utilisation / self.gpu_s_per_request


def mean_gpu_s(profile: ReplicaProfile, demand: Demand) -> float:
    """Return the mean GPU-seconds of a request over all paths and days; NaN without requests."""
    sums = demand.sums().sum(axis=(0, 1))
    return float(profile.gpu_work_s(sums) / sums[0]) if sums[0] > 0 else math.nan


def gpu_request_usd(gpu_s_per_request: float, usd_per_gpu_hour: float, utilisation: float) -> float:
    """Return USD of GPU time that one request takes in a fleet that is busy `utilisation` of its paid time.

        m = w price / (3600 u)

    >>> round(gpu_request_usd(0.36, 3.0, 0.5), 6)
    0.0006
    """
    return gpu_s_per_request * usd_per_gpu_hour / (HOUR_S * utilisation)


def breakeven_qps(replica: Replica, *, usd_per_gpu_hour: float, api_usd_per_request: float) -> float | None:
    """Return the least rate at which whole replicas cost no more than the API; None where none exists.

    One replica costs g price an hour whether used or not, the API 3600 q a: they meet at

        q = g price / (3600 a)

    which one replica can serve only if q <= g u / w, that is m <= a. More replicas scale both sides, so if the
    first does not break even, none does.
    """
    if gpu_request_usd(replica.gpu_s_per_request, usd_per_gpu_hour, replica.utilisation) > api_usd_per_request:
        return None
    return replica.gpus * usd_per_gpu_hour / (HOUR_S * api_usd_per_request)


def breakeven_qps_for_good(
    replica: Replica, *, usd_per_gpu_hour: float, api_usd_per_request: float
) -> float | None:
    """Return the rate from which whole replicas never cost more than the API again; None where there is none.

    Just past what n replicas serve, n + 1 are paid: that stays below the API's bill once (n + 1) m <= n a, so from
    n = m / (a - m) on; before it, replica n breaks even anew at n times the first one's rate.
    """
    marginal = gpu_request_usd(replica.gpu_s_per_request, usd_per_gpu_hour, replica.utilisation)
    if marginal >= api_usd_per_request:
        return None
    replicas = max(1, math.ceil(marginal / (api_usd_per_request - marginal)))
    return replicas * replica.gpus * usd_per_gpu_hour / (HOUR_S * api_usd_per_request)


def fleet_usd_per_month(replica: Replica, qps: float, *, usd_per_gpu_hour: float) -> float:
    """Return USD a mean month of the whole replicas that serve this rate, at least one."""
    replicas = max(1, math.ceil(qps / replica.qps - 1e-9))
    return replicas * replica.gpus * usd_per_gpu_hour * _MONTH_HOURS


def breakeven(
    replica: Replica,
    offer: GpuOffer,
    *,
    api_usd_per_request: float,
    tok_per_request: float,
    now_qps: float,
    points: int = 160,
) -> Breakeven:
    """Return where the replica on this offer and the API cost the same, with the curve for a chart.

    api_usd_per_request: the mean over the traffic's own lengths (`sizing.api_cost`), not that of a mean length.
    tok_per_request: prompt and output tokens of the mean request. points: of the curve.
    """
    if not api_usd_per_request > 0 or not tok_per_request > 0:
        raise UserError(
            f"A breakeven needs an API price and tokens above 0, not ${api_usd_per_request} a request of"
            f" {tok_per_request} tokens."
        )
    price, api = offer.usd_per_gpu_hour, api_usd_per_request
    qps = breakeven_qps(replica, usd_per_gpu_hour=price, api_usd_per_request=api)
    for_good = breakeven_qps_for_good(replica, usd_per_gpu_hour=price, api_usd_per_request=api)
    low = _at_end(replica, replica.error_p90, offer.usd_per_gpu_hour_low, api)
    high = _at_end(replica, replica.error_p10, offer.usd_per_gpu_hour_high, api)
    grid = _grid(replica, qps, for_good, now_qps, points)
    gpu_usd = gpu_request_usd(replica.gpu_s_per_request, price, replica.utilisation)
    return Breakeven(
        gpu=offer.gpu,
        usd_per_gpu_hour=price,
        api_usd_per_request=api,
        api_usd_per_mtok=api / tok_per_request * MTOK,
        gpu_usd_per_request=gpu_usd,
        qps=qps,
        qps_for_good=for_good,
        utilisation=None if qps is None else qps * replica.gpu_s_per_request / replica.gpus,
        mtok_per_month=None if qps is None else qps * tok_per_request * _MONTH_HOURS * HOUR_S / MTOK,
        qps_low=low,
        qps_high=high,
        now_qps=now_qps,
        sentence=_sentence(replica, offer, api, gpu_usd, qps, for_good, low, high, now_qps),
        curve_qps=grid,
        curve_api_usd_per_month=[q * api * HOUR_S * _MONTH_HOURS for q in grid],
        curve_gpu_usd_per_month=[fleet_usd_per_month(replica, q, usd_per_gpu_hour=price) for q in grid],
    )


def _at_end(replica: Replica, error: float, usd_per_gpu_hour: float, api_usd_per_request: float) -> float | None:
    """Return the breakeven if throughput is `error` times the predicted one, at one end of the price range."""
    there = Replica(
        gpus=replica.gpus, gpu_s_per_request=replica.gpu_s_per_request / error, utilisation=replica.utilisation
    )
    return breakeven_qps(there, usd_per_gpu_hour=usd_per_gpu_hour, api_usd_per_request=api_usd_per_request)


def _grid(replica: Replica, qps: float | None, for_good: float | None, now_qps: float, points: int) -> list[float]:
    """Return rates from 0 to past everything that matters: the breakeven, two replicas, and today's rate."""
    reach = max(2 * replica.qps, 2 * (qps or 0.0), 1.5 * (for_good or 0.0), 1.2 * now_qps)
    return [float(q) for q in np.linspace(0.0, reach, points)]


def _sentence(
    replica: Replica,
    offer: GpuOffer,
    api: float,
    gpu_usd: float,
    qps: float | None,
    for_good: float | None,
    low: float | None,
    high: float | None,
    now_qps: float,
) -> str:
    where = f"{offer.gpu} at ${offer.usd_per_gpu_hour:,.2f} an hour"
    if qps is None:
        text = (
            f"No breakeven exists on {where}: at {replica.utilisation:.0%} utilisation a request takes"
            f" ${gpu_usd:.3g} of GPU time, more than the ${api:.3g} that the API charges, at any volume as bursty."
        )
        return (
            text if low is None else f"{text} At the low end of the price range it exists, at {low:.3g} a second."
        )
    ends = f"{low:.3g} at the low end of the price range" if low is not None else "none at the low end"
    ends += f", {high:.3g} at the high end" if high is not None else ", none at the high end"
    busy = qps * replica.gpu_s_per_request / replica.gpus
    text = (
        f"On {where} self-hosting costs what the API does at {qps:.3g} requests a second ({ends}), with its GPUs"
        f" busy {busy:.0%} of the time" + (f"; the forecast is {now_qps:.3g} a second." if now_qps else ".")
    )
    if for_good is None or for_good <= qps * (1 + 1e-9):
        return text
    return f"{text} Each further replica loses it again for a while; from {for_good:.3g} a second on it holds."
