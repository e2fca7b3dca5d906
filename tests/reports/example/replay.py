"""One workload whose past was decided again, and one whose past is too short."""

from reports.values.replay import PastDecisions, PastPolicy


def past_decisions() -> list[PastDecisions]:
    hindsight = 118_400.0
    costs = (
        ("fleetcast", 121_900.0, 1.09),
        ("on-demand", 186_300.0, 1.62),
        ("one-year", 125_100.0, 1.31),
        ("ladder", 151_000.0, 1.33),
    )
    return [
        PastDecisions(
            workload="chat",
            gpu="h100",
            first_month="2025-12",
            last_month="2026-11",
            one_year_discount=0.425,
            hindsight_usd=hindsight,
            why_not="",
            rows=[
                PastPolicy(
                    policy=policy,
                    usd=usd,
                    regret_usd=usd - hindsight,
                    regret_cvar_usd=(usd - hindsight) / 6,
                    unserved_gpu_hours=0.0,
                    over_hindsight=usd / hindsight,
                    worst_over_hindsight=worst,
                )
                for policy, usd, worst in costs
            ],
        ),
        PastDecisions(
            workload="code-agents",
            gpu=None,
            first_month=None,
            last_month=None,
            one_year_discount=None,
            hindsight_usd=None,
            why_not=(
                "120 days of history are too few to decide 6 past months again, each with 90 days before it; from"
                " about 2027-05-10 there are enough."
            ),
        ),
    ]
