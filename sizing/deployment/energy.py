"""Power and energy of a fleet: what its GPUs draw at the load they carry, its hosts, its facility, its carbon."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecasting.spread import Spread
from sizing.fleet import FleetPlan

Floats = npt.NDArray[np.float64]

IDLE_SHARE = 0.43
"""Share of TDP that a serving GPU draws at next to no load: 300 of 700 W on an H100 SXM with one request."""

ACTIVE_SHARE = 0.86
"""Share at the largest batch: 600 of 700 W at 128 requests. Both: ML.ENERGY Benchmark v3.0, as cited by
https://vllm-semantic-router.com/docs/fleet-sim/power-model (read 2026-11-24)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRules:
    """How power follows load, and what stands around the GPUs; None = not stated, and what rests on it is unknown.

    idle_share, active_share: of TDP, at no load and at full load. host_w_per_gpu: CPUs, memory, network and fans
    of the server, for each GPU. pue: facility energy over IT energy. carbon_g_per_kwh: of the grid. source: of the
    stated figures, as the page prints it.
    """

    idle_share: float = IDLE_SHARE
    active_share: float = ACTIVE_SHARE
    host_w_per_gpu: float | None = None
    pue: float | None = None
    carbon_g_per_kwh: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyUse:
    """One fleet over one horizon. peak_kw: its GPUs at TDP (and hosts), what circuits must carry.

    gpu_kwh: of the GPUs, those that an hour does not take given back. always_on_kwh: mean if each day's fleet runs
    in all of its hours. it_kwh: with hosts, facility_kwh: with cooling, carbon_kg: means; None where not stated.
    """

    peak_kw: float | None
    gpu_kwh: Spread | None
    always_on_kwh: float | None
    it_kwh: float | None
    facility_kwh: float | None
    carbon_kg: float | None


def fleet_energy(fleet: FleetPlan, days: int, *, tdp_w: float | None, gpus: int, rules: PowerRules) -> EnergyUse:
    """Return the power and energy of the fleet over its first `days` days; unknown where the TDP is.

        P = TDP (i n + (a - i) min(l g, n))     n GPUs running, l replicas' worth of work, g GPUs a replica

    linear between the two measured ends; a fleet of n GPUs at load l g spreads it evenly. gpus: of the horizon's
    plan, for the peak.
    """
    if tdp_w is None:
        return EnergyUse(
            peak_kw=None, gpu_kwh=None, always_on_kwh=None, it_kwh=None, facility_kwh=None, carbon_kg=None
        )
    running = fleet.hourly_gpus()[:, :days].astype(np.float64)
    all_day = np.broadcast_to(fleet.need_gpus[:, :days, None].astype(np.float64), running.shape)
    work = fleet.load[:, :days, None] * fleet.hour_share[None, :days] * 24 * fleet.profile.gpus
    kwh = _kwh(running, work, tdp_w, rules)
    host = rules.host_w_per_gpu
    it = None if host is None else float(kwh.mean() + running.sum(axis=(1, 2)).mean() * host / 1_000)
    facility = None if it is None or rules.pue is None else it * rules.pue
    return EnergyUse(
        peak_kw=gpus * (tdp_w + (host or 0.0)) / 1_000,
        gpu_kwh=Spread.of(kwh),
        always_on_kwh=float(_kwh(all_day, work, tdp_w, rules).mean()),
        it_kwh=it,
        facility_kwh=facility,
        carbon_kg=None
        if facility is None or rules.carbon_g_per_kwh is None
        else facility * rules.carbon_g_per_kwh / 1_000,
    )


def _kwh(gpus: Floats, work: Floats, tdp_w: float, rules: PowerRules) -> Floats:
    """Return (S,) kWh of GPUs (S, D, 24) that carry so many GPUs' worth of work each hour."""
    watts = tdp_w * (rules.idle_share * gpus + (rules.active_share - rules.idle_share) * np.minimum(work, gpus))
    return np.asarray(watts.sum(axis=(1, 2)) / 1_000)
