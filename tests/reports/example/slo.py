"""The example's fleets in simulation: one that misses its SLO, one that holds with room to spare."""

from reports.values.capacity import FleetRow
from reports.values.slo import SimulatedFleet, SloCheck


def slo_check_of(fleet: FleetRow, *, holds: bool) -> SloCheck:
    """Return a check of the first horizon's fleet; where it holds, one replica fewer would as well."""
    planned = max((fleet.gpus_p80 or 0) // fleet.tp - 1, 3)
    fewest = planned - 1 if holds else planned + 2
    return SloCheck(
        gpu=fleet.gpu,
        layout=f"TP {fleet.tp}",
        days=30,
        sized_by="utilisation",
        percentile=0.99,
        ttft_s=1.0,
        tpot_s=0.04,
        requests_per_s=31.4,
        requests=17_021,
        alone=0.998,
        planned=_fleet(fleet, planned, 0.71 if holds else 2.4, 0.031 if holds else 0.044, holds=holds),
        fewest=_fleet(fleet, fewest, 0.93, 0.036, holds=True),
        fewer=_fleet(fleet, fewest - 1, None if holds else 1.3, 0.041, holds=False),
        tried=max(planned, fewest),
    )


def _fleet(fleet: FleetRow, replicas: int, ttft_s: float | None, tpot_s: float, *, holds: bool) -> SimulatedFleet:
    within = 0.993 if holds else 0.951
    return SimulatedFleet(
        replicas=replicas,
        gpus=replicas * fleet.tp,
        holds=holds,
        ttft_s=ttft_s,
        tpot_s=tpot_s,
        within=within,
        goodput_per_s=31.4 * within,
    )
