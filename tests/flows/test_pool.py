"""One decision for all workloads on a kind of GPU: never dearer than apart, and shared out to the cent."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from data.catalog.prices import GpuOffer
from flows.commit_page import commitment_page, later_prices, shared_costs
from flows.headline import as_currency, decide_plan
from flows.pool import borne, pool_commitments
from flows.pricing import Needs, Priced
from flows.spend import plan_spend
from forecasting.demand import Demand, Moments
from sizing.commit.optimum import Risk
from sizing.compare import DailyCost
from sizing.decide import Choice
from sizing.gpu_cost import reserved_usd
from sizing.scenarios.prices import PriceItem

START, DAYS, PATHS = date(2026, 11, 23), 100, 12
HORIZONS = [30, 90, 100]


def offer(term, usd):
    return GpuOffer(
        gpu="h100", term=term, usd_per_gpu_hour_low=usd, usd_per_gpu_hour_high=usd, provider="example",
        source="worked example", checked=START, price_source="test",
    )  # fmt: skip


OFFERS = {"on-demand": offer("on-demand", 3.0), "reserved-30d": offer("reserved-30d", 1.8)}


def demand(name):
    one = np.ones((PATHS, DAYS))
    return Demand(
        workload=name, as_of=START, basis="history", days=np.datetime64(START) + np.arange(DAYS), requests=one,
        prompt_tok=one, cached_prompt_tok=one, output_tok=one, busiest_10s_factor=one, window_s=10, long=(),
        moments=Moments(prompt_sq=2.0, cached_sq=1.0, prompt_cached=1.0, prompt_output=1.0, output_sq=2.0),
        tokens=(), hour_of_week=np.ones(168),
    )  # fmt: skip


def choice(option, gpu="h100"):
    return Choice(
        action="commit", sentence="", option=option, gpu=gpu, gpus=1, usd=1.0, saving_usd=None, decide_by=None,
        flips=False,
    )  # fmt: skip


def priced(name, need, options):
    bill = reserved_usd(need, OFFERS["reserved-30d"], OFFERS["on-demand"], first_day=12)
    hourly = need.sum(axis=2) * 3.0

    def line(option, usd, held, hours):
        return DailyCost(
            workload=name, option=option, label=option, gpu="h100", usd=usd, usd_low=usd.mean(axis=0),
            usd_high=usd.mean(axis=0), paid_gpu_hours=hours, gpus=1, source="", checked=None, held_gpus=held,
        )  # fmt: skip

    costs = (
        line("on-demand", hourly, None, need.sum(axis=2)),
        line("reserved-30d", bill.usd, bill.held_gpus, bill.paid_gpu_hours),
    )
    month = SimpleNamespace(term="reserved-30d", usd_per_gpu_hour=1.8, action="commit", gpus=1, gpu="h100")
    choices = dict(zip(HORIZONS, [choice(each) for each in options], strict=True))
    return Priced(costs=costs, lines={}, ladder={"h100": (month,)}, choices=choices, breakevens=())


def settings(**more):
    rows = {
        "decision_days": 5,
        "risk": Risk(),
        "max_gpus": lambda gpu: {},
    }
    commit = SimpleNamespace(**{**rows, **more.pop("commit", {})})
    return SimpleNamespace(
        settings=SimpleNamespace(
            horizons_days=HORIZONS, commit=commit, commitments=more.pop("commitments", []), lead_time_days=7
        )
    )


def pools_of(needs, *, options=None, moves=None, **more):
    """needs: (S, D, 24) by workload."""
    each_options = options or {name: ["reserved-30d"] * 3 for name in needs}
    offered = [priced(name, need, each_options[name]) for name, need in needs.items()]
    fleet = SimpleNamespace(profile=SimpleNamespace(gpus=1))
    sized = [(SimpleNamespace(gpu="h100", fleet=fleet, offers=OFFERS),) for _ in needs]
    asked = [Needs(buy={"h100": need}, held={"h100": 0 * need}) for need in needs.values()]
    plan = settings(**more)
    return plan, pool_commitments(plan, [demand(name) for name in needs], sized, asked, offered, moves), offered


def day_and_night():
    day, night = np.zeros((PATHS, DAYS, 24)), np.zeros((PATHS, DAYS, 24))
    day[:, :, :12], night[:, :, 12:] = 2.0, 2.0
    return {"day": day, "night": night}


def test_two_that_fill_each_others_gaps_are_reserved_for_together():
    """Apart each is busy half the hours and needs 60%: on demand. Together two GPUs are always busy."""
    _, (pool,), _ = pools_of(day_and_night())

    assert pool.decision.ladder[0].gpus == 2
    page = commitment_page(pool)
    assert page.usd == pytest.approx(2 * 24 * (12 * 3.0 + 88 * 1.8))
    assert page.apart_usd == pytest.approx(2 * 24 * 100 * 3.0)
    assert page.workloads == ["day", "night"]


def test_what_each_bears_adds_up_to_the_pool_by_path_and_day_and_to_the_cent():
    rng = np.random.default_rng(4)
    needs = {name: rng.integers(0, 5, (PATHS, DAYS, 24)).astype(float) for name in ("a", "b", "c")}
    _, (pool,), _ = pools_of(needs)

    together = reserved_usd(sum(needs.values()), OFFERS["reserved-30d"], OFFERS["on-demand"], first_day=12)
    assert sum(cost.usd for cost in pool.costs.values()) == pytest.approx(together.usd)
    assert sum(cost.held_gpus for cost in pool.costs.values()) == pytest.approx(together.held_gpus)
    assert sum(cost.paid_gpu_hours for cost in pool.costs.values()) == pytest.approx(together.paid_gpu_hours)
    cents = sum(round(100 * share.usd) for share in shared_costs(pool))
    assert cents == round(100 * float(together.usd.sum(axis=1).mean()))


def test_a_pool_pays_the_price_that_moves_and_its_terms_the_price_they_began_at():
    """The price doubles on day 50: overflow at once, the term of days 42 to 71 not before the next one begins."""
    twice = np.where(np.arange(DAYS) < 50, 1.0, 2.0) * np.ones((PATHS, 1))
    need = np.full((PATHS, DAYS, 24), 2.0)
    _, (still,), _ = pools_of({"a": need})
    _, (pool,), _ = pools_of({"a": need}, moves={PriceItem("gpu", "h100"): twice})
    by = pool.costs["a"].usd[0] / still.costs["a"].usd[0]

    assert pool.still_costs["a"].usd == pytest.approx(still.costs["a"].usd)
    assert by[:72] == pytest.approx(1.0)
    assert by[72:] == pytest.approx(2.0)
    assert borne([pool])["a", "h100"] is pool.costs["a"]
    assert borne([pool], still=True)["a", "h100"] is pool.still_costs["a"]


def test_one_alone_bears_what_it_costs_alone():
    need = np.random.default_rng(4).integers(0, 5, (PATHS, DAYS, 24)).astype(float)
    _, (pool,), offered = pools_of({"a": need})

    assert pool.costs["a"].usd == pytest.approx(offered[0].costs[1].usd)


def test_the_spend_counts_the_pool_in_the_place_of_each_alone():
    plan, (pool,), offered = pools_of(day_and_night())
    nothing = np.zeros((PATHS, DAYS))
    shared = {(name, pool.gpu): cost for name, cost in pool.costs.items()}

    apart = plan_spend(plan.settings, offered, nothing[0], nothing)
    together = plan_spend(plan.settings, offered, nothing[0], nothing, shared=shared)

    assert apart.usd.sum() > together.usd.sum()
    assert together.usd.mean(axis=0).sum() == pytest.approx(commitment_page(pool).usd, abs=0.01)
    assert together.committed_usd.mean(axis=0).sum() == pytest.approx(2 * 24 * 88 * 1.8)
    assert sum(part.usd for part in together.parts) == pytest.approx(together.usd)


def test_who_is_on_it_for_a_month_only_is_not_reserved_for_later():
    needs = day_and_night()
    options = {"day": ["reserved-30d"] * 3, "night": ["reserved-30d", "api", "api"]}
    _, (pool,), _ = pools_of(needs, options=options)

    assert pool.costs["night"].usd[:, 30:].sum() == pytest.approx(0.0)


def test_what_is_in_force_serves_all_of_them_first():
    held = SimpleNamespace(gpu="h100", units=1, usd_per_gpu_hour=2.0, start=START, end=date(2027, 12, 31),
                           to_commitment=lambda: held)  # fmt: skip
    _, (pool,), _ = pools_of(day_and_night(), commitments=[held])

    assert pool.decision.ladder[0].gpus == 1
    assert pool.decision.held_usd == pytest.approx(DAYS * 24 * 2.0)
    assert pool.idle_gpus.max() == 0


def test_no_more_is_reserved_than_is_to_be_had():
    _, (pool,), _ = pools_of(day_and_night(), commit={"max_gpus": lambda gpu: {"reserved-30d": 1}})

    assert pool.decision.ladder[0].gpus == 1
    assert pool.costs["day"].held_gpus.max() + pool.costs["night"].held_gpus.max() == pytest.approx(1.0)


def test_nobody_on_gpus_needs_no_pool():
    needs = day_and_night()
    _, pools, _ = pools_of(needs, options={name: ["api"] * 3 for name in needs})

    assert pools == ()


def test_the_headline_signs_for_the_pool_and_not_for_each():
    _, pools, offered = pools_of(day_and_night())
    for each in offered:
        for made in each.choices.values():
            assert made.gpu == "h100"

    decision = decide_plan(
        [SimpleNamespace(name="day"), SimpleNamespace(name="night")], offered, [30, 100],
        as_currency("USD", None, None, None), spend={}, committed_share=None, pools=pools,
    )  # fmt: skip

    assert decision.headline.startswith("Commit 2 h100 for 30 days, $2,592;")
    assert decision.decide_by == date(2026, 11, 28)


def test_prices_of_after_the_planned_day_are_said_to_be():
    _, (pool,), _ = pools_of(day_and_night())

    assert later_prices(pool.decision) == ""
    earlier = replace(pool.decision, start=date(2026, 3, 1))
    assert "Prices are those of 2026-11-23, which were not known on 2026-03-01" in later_prices(earlier)
