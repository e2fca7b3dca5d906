"""The words beside the simulated SLO."""

from reports import format as fmt
from reports.values.slo import SimulatedFleet, SloCheck

OPTIMISTIC = (
    "Against measured points the simulator's first tokens come too early (docs/simulation.md), so a fleet that"
    " barely holds here may not in fact."
)


def slo_bounds(check: SloCheck) -> str:
    """Return the promise: `TTFT 1 s, TPOT 40 ms at p99`."""
    bounds = [f"{name} {seconds(s)}" for name, s in (("TTFT", check.ttft_s), ("TPOT", check.tpot_s)) if s]
    return f"{', '.join(bounds)} at p{100 * check.percentile:g}"


def seconds(value: float | None) -> str:
    """Return seconds in words.

    >>> seconds(0.04), seconds(2.5), seconds(None)
    ('40 ms', '2.5 s', 'never')
    """
    if value is None:
        return "never"
    return f"{value * 1e3:.3g} ms" if value < 0.9995 else f"{value:,.3g} s"


def slo_sentence(check: SloCheck) -> str:
    """Say whether the planned fleet holds its SLO in the simulator, and what it would take."""
    return f"{_verdict(check)} {_fewer(check)}{OPTIMISTIC}"


def _verdict(check: SloCheck) -> str:
    planned, fewest = check.planned, check.fewest
    if planned.holds:
        return f"In the simulator the planned {_replicas(planned)} hold the SLO."
    if check.alone < check.percentile:
        return (
            "No number of replicas holds the SLO: even alone on a replica, the first token of only"
            f" {fmt.percent(check.alone)} of the requests comes in time; use more GPUs per replica"
            ' (sized_by = "percentile" looks for those), or a looser SLO.'
        )
    if fewest is None:
        return (
            f"In the simulator the planned {_replicas(planned)} miss the SLO, and so do all fleets up to"
            f" {fmt.count(check.tried)} replicas."
        )
    more = fewest.replicas - planned.replicas
    return (
        f"In the simulator the planned {_replicas(planned)} miss the SLO; the simulator asks"
        f" {fmt.count(more)} more ({fmt.count(fewest.gpus)} GPUs). The fleet and the dollars on this page are as"
        ' planned: sized_by = "percentile" plans the corrected one.'
    )


def _fewer(check: SloCheck) -> str:
    if check.fewest is None:
        return ""
    saved = check.planned.replicas - check.fewest.replicas
    if saved > 0:
        return (
            f"So would {fmt.count(check.fewest.replicas)} replicas, and one fewer would not. "
            if (check.fewer is not None)
            else f"So would {fmt.count(check.fewest.replicas)}. "
        )
    if check.fewer is None:
        return "It is a single replica. "
    return f"With {fmt.count(check.fewer.replicas)} the SLO does not hold. "


def _replicas(fleet: SimulatedFleet) -> str:
    return f"{fmt.count(fleet.replicas)} replica{'s' * (fleet.replicas != 1)}"
