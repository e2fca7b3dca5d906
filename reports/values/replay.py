"""What the plan's decisions would have been worth on its own past, as the page prints it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPolicy:
    """One policy over the past months, at flat prices. over_hindsight: cost over the cheapest plan that knows the
    future, None where that is nothing; worst_over_hindsight: the same by the worst of the price paths.
    """

    policy: str
    usd: float
    regret_usd: float
    regret_cvar_usd: float
    """Mean over the worst tenth of the months."""
    unserved_gpu_hours: float
    over_hindsight: float | None
    worst_over_hindsight: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDecisions:
    """One workload's past months decided again; rows is empty and why_not a sentence where that is unknown."""

    workload: str
    gpu: str | None
    first_month: str | None
    last_month: str | None
    one_year_discount: float | None
    hindsight_usd: float | None
    why_not: str
    rows: list[PastPolicy] = field(default_factory=list)
