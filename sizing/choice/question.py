"""One question: which fleet for so many requests a second of these lengths, and what would the others cost?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from data.catalog.gpus import Gpu
from data.catalog.models import Precision
from data.errors import UserError
from sizing.choice.disaggregated import INTERCONNECT_GBIT_PER_S, Disaggregated, best_disaggregated
from sizing.choice.fleets import Fleet, Ranked, cheaper, rank_single, second_best
from sizing.choice.lengths import LengthBucket, length_buckets, whole
from sizing.choice.limits import Limits
from sizing.choice.mixed import best_mixed
from sizing.choice.options import Options, Serving, fleet_options, held_by_length
from sizing.fleet import MEAN_UTILISATION
from sizing.profile import TENSOR_PARALLEL


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetChoice:
    """What to run, what was second best, and what other ways would cost, in dollars an hour at the planned peak.

    chosen: the cheapest of single, mixed and disaggregated; None where none keeps to the limits. ranked: single
    fleets. second: the next in line on another kind of GPU. mixed: the cheapest fleet of any number of kinds, the
    single one where mixing saves nothing. by_length_single, by_length_mixed: the same where the SLO must hold in
    the mean of every length bucket, not only of the whole mix; None where no fleet does.
    """

    qps: float
    options: Options
    mix: LengthBucket
    ranked: tuple[Ranked, ...]
    second: Ranked | None
    single: Fleet | None
    mixed: Fleet | None
    disaggregated: Disaggregated | None
    by_length_single: Fleet | None
    by_length_mixed: Fleet | None
    chosen: Fleet | None

    @property
    def kind(self) -> str:
        """`single`, `mixed` or `disaggregated`: what was chosen; `none` where nothing could be."""
        if self.chosen is None:
            return "none"
        if self.disaggregated is not None and self.chosen == self.disaggregated.fleet:
            return "disaggregated"
        return "mixed" if len(self.chosen.pools) > 1 else "single"


def choose_fleet(
    serving: Serving,
    gpus: Sequence[Gpu],
    precisions: Sequence[Precision],
    joint: pd.DataFrame,
    *,
    qps: float,
    usd_per_gpu_hour: Mapping[str, float],
    limits: Limits | None = None,
    utilisation: float = MEAN_UTILISATION,
    spare_replicas: int = 0,
    tensor_parallel: Sequence[int] = TENSOR_PARALLEL,
    interconnect_gbit_per_s: float = INTERCONNECT_GBIT_PER_S,
) -> FleetChoice:
    """Return the choice for `qps` requests a second of these lengths (`data.traffic.Traffic.joint`).

    utilisation: share of its capacity that a fleet may use, as in `fleetcast size`. Raises UserError where a rate
    or share cannot be, and where no GPU can serve the mix at all.
    """
    if not qps > 0:
        raise UserError(f"qps is {qps:g}; give a rate above 0.")
    if not 0 < utilisation <= 1:
        raise UserError(f"utilisation is {utilisation:g}; give a share above 0 and at most 1.")
    limits = limits or Limits()
    buckets = length_buckets(joint)
    mix = whole(buckets)
    options = fleet_options(
        serving,
        gpus,
        precisions,
        mix,
        buckets,
        requests_per_s=qps / utilisation,
        usd_per_gpu_hour=usd_per_gpu_hour,
        tensor_parallel=tensor_parallel,
        spare_replicas=spare_replicas,
    )
    apart = best_disaggregated(
        serving,
        gpus,
        precisions,
        mix,
        limits,
        requests_per_s=qps / utilisation,
        usd_per_gpu_hour=usd_per_gpu_hour,
        interconnect_gbit_per_s=interconnect_gbit_per_s,
        tensor_parallel=tensor_parallel,
        spare_replicas=spare_replicas,
    )
    return _choice(qps, options, mix, limits, apart)


def _choice(
    qps: float, options: Options, mix: LengthBucket, limits: Limits, apart: Disaggregated | None
) -> FleetChoice:
    ranked = rank_single(options, limits)
    single = None if ranked[0].why_not else ranked[0].fleet
    mixed = best_mixed(options, limits)
    held = held_by_length(options)
    held_single = rank_single(held, limits)[0]
    return FleetChoice(
        qps=qps,
        options=options,
        mix=mix,
        ranked=ranked,
        second=second_best(ranked),
        single=single,
        mixed=mixed,
        disaggregated=apart,
        by_length_single=None if held_single.why_not else held_single.fleet,
        by_length_mixed=best_mixed(held, limits),
        chosen=cheaper(cheaper(single, mixed), None if apart is None else apart.fleet),
    )
