"""What to commit to of one kind of GPU: terms with their reasons, bands, policies, and who bears the bill."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from forecasting.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class BandRow:
    """One unit of the need above what is in force, from GPU first_gpu to last_gpu.

    Shares are of the term's hours: busy, its 10th and 90th percentile over the paths, and what the price asks.
    """

    first_gpu: int
    last_gpu: int
    busy_share: float
    busy_share_p10: float
    busy_share_p90: float
    needed_share: float
    commit: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRow:
    """One term: how much of it, what it wins and risks, until when to sign, and why.

    usd_total: over the whole term. saving_usd, chance_of_loss, regret_p95_usd: over its known_days. regret: what
    the units that were best in hindsight would have saved more. start, end: its first and last day.
    """

    term: str
    """As the price catalog names it: reserved-30d, reserved-1y."""
    name: str
    action: Literal["commit", "hedge", "watch"]
    gpus: int
    firm_gpus: int
    usd_per_gpu_hour: float
    on_demand_usd_per_gpu_hour: float
    usd_per_hour: float
    usd_total: float
    upfront_usd: float
    start: date
    end: date
    known_days: int
    saving_usd: Spread
    breakeven_utilisation: float
    expected_utilisation: float | None
    chance_of_loss: float
    regret_p95_usd: float
    decide_by: date
    reason: str
    source: str
    checked: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """One way to go on: its bill over the plan's days, decided again at every turn with what is known by then.

    tail_usd: mean of the worst bills. saving_usd: against on demand, in the mean. sign_gpus: signed today.
    """

    name: str
    sentence: str
    usd: Spread
    tail_usd: float
    saving_usd: float
    sign_gpus: int
    followed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCost:
    """What one workload bears of a kind of GPU, over the plan, in whole cents; the rows add up to the whole."""

    workload: str
    usd: float
    gpu_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitments:
    """Everything about one kind of GPU. Bands are those of the first term, above what is in force.

    usd: mean bill over the plan as the spend counts it: terms, and overflow on demand. apart_usd: the same if each
    workload reserved for itself. best_usd: the plan of all terms that costs least if decided all today.
    ladder_price_usd: what staying free costs over that; negative where it saves. held_usd: in force, on top.
    """

    gpu: str
    workloads: list[str]
    days: int
    sentence: str
    terms: list[TermRow]
    bands: list[BandRow]
    policies: list[PolicyRow]
    best_usd: Spread
    best: str
    ladder_price_usd: float | None
    held_usd: float
    risk_weight: float
    risk_level: float
    usd: float | None
    apart_usd: float | None
    shares: list[SharedCost]
