"""One line per option, each exactly the sum of its days; what has no price says so and is never 0."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalog.prices import GpuOffer
from data.traffic import LONG_PROMPT_TOK
from data.units import MTOK
from forecasting.demand import Demand, LongShare, Moments
from sizing.api_cost import ApiPlan
from sizing.commitments import ladder
from sizing.compare import COMMITMENTS, GpuNeed, committed_cost, cost_lines, daily_costs, price_lines
from sizing.gpu_cost import Commitment

LLAMA = ApiPlan(provider="together", model="meta-llama/Llama-3.3-70B-Instruct-Turbo")
SONNET = ApiPlan(provider="anthropic", model="claude-sonnet-4-5")


def offer(term, low, high):
    return GpuOffer(
        gpu="h100",
        term=term,
        usd_per_gpu_hour_low=low,
        usd_per_gpu_hour_high=high,
        provider="example",
        source="worked example",
        checked=date(2026, 11, 1),
        price_source="test",
    )


OFFERS = {
    "on-demand": offer("on-demand", 2.0, 4.0),
    "reserved-30d": offer("reserved-30d", 1.4, 2.8),
    "reserved-1y": offer("reserved-1y", 1.25, 2.5),
}


def demand_of(requests, prompt=1_000.0, output=200.0):
    requests = np.asarray(requests, dtype=float)
    shape = np.ones_like(requests)
    return Demand(
        workload="chat",
        as_of=date(2026, 11, 23),
        basis="history",
        days=np.datetime64("2026-11-23") + np.arange(requests.shape[1]),
        requests=requests,
        prompt_tok=shape * prompt,
        cached_prompt_tok=shape * 0.0,
        output_tok=shape * output,
        busiest_10s_factor=shape,
        window_s=10,
        moments=Moments(prompt_sq=1, cached_sq=1, prompt_cached=1, prompt_output=1, output_sq=1),
        long=tuple(
            LongShare(threshold_tok=t, requests=0.0, prompt_tok=0.0, cached_prompt_tok=0.0, output_tok=0.0)
            for t in LONG_PROMPT_TOK
        ),
        tokens=(),
        hour_of_week=np.ones(168),
    )


def need_of(demand, per_gpu_hour=1_000.0, offers=OFFERS):
    return GpuNeed(gpu="h100", hourly_gpus=np.ceil(demand.hourly() / per_gpu_hour), offers=offers)


def random_demand(seed, days, paths=5):
    return demand_of(np.random.default_rng(seed).uniform(10_000, 200_000, (paths, days)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), days=st.integers(2, 70), data=st.data())
def test_a_horizon_is_exactly_the_sum_of_its_days(seed, days, data):
    demand = random_demand(seed, days)
    horizon = data.draw(st.integers(1, days))
    costs = daily_costs(demand, category="batch", api=SONNET, gpus=[need_of(demand)])

    for cost, priced in zip(costs, price_lines(costs, demand, horizon), strict=True):
        assert cost.usd is not None
        assert priced.usd_paths == pytest.approx(sum(cost.usd[:, d] for d in range(horizon)), rel=1e-12)
        assert priced.line.usd is not None
        assert priced.line.usd.mean == pytest.approx(cost.usd[:, :horizon].mean(axis=0).sum(), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_ends_of_the_price_range_enclose_the_mean(seed):
    demand = random_demand(seed, 40)

    for line in cost_lines(daily_costs(demand, category="online", api=LLAMA, gpus=[need_of(demand)]), demand, 30):
        assert line.usd is not None
        assert line.usd_low <= line.usd.mean * (1 + 1e-12)
        assert line.usd.mean <= line.usd_high * (1 + 1e-12)


def test_the_lines_of_one_flat_workload_by_hand():
    """1 M requests a day of 1,000 + 200 tokens: 1,200 Mtok at $0.88 or 42 GPUs (41,667 an hour / 1,000) at $3."""
    demand = demand_of(np.full((1, 30), 1_000_000.0))

    api, hourly, monthly, yearly = cost_lines(
        daily_costs(demand, category="online", api=LLAMA, gpus=[need_of(demand)]), demand, 30
    )

    assert (api.option, hourly.option, monthly.option, yearly.option) == (
        "api",
        "on-demand",
        "reserved-30d",
        "reserved-1y",
    )
    assert hourly.usd.mean == pytest.approx(42 * 720 * 3.0)
    assert (hourly.usd_low, hourly.usd_high) == pytest.approx((42 * 720 * 2.0, 42 * 720 * 4.0))
    assert hourly.gpu_hours == pytest.approx(42 * 720)
    assert monthly.usd.mean == pytest.approx(42 * 720 * 2.1)
    assert yearly.usd.mean == pytest.approx(42 * 720 * 1.875)
    assert hourly.usd_per_mtok == pytest.approx(hourly.usd.mean / (30 * 1_000_000 * 1_200 / MTOK))
    assert api.usd_low == api.usd_high == api.usd.mean


def test_only_work_that_can_wait_gets_the_batch_price():
    demand = demand_of(np.full((1, 30), 1_000.0))

    online = daily_costs(demand, category="online", api=SONNET, gpus=[])
    batch = daily_costs(demand, category="batch", api=SONNET, gpus=[])

    assert [c.option for c in online] == ["api"]
    assert [c.option for c in batch] == ["api", "api-batch"]
    assert batch[1].usd == pytest.approx(batch[0].usd / 2)


def test_an_option_without_a_price_is_unknown_with_the_reason():
    demand = demand_of(np.full((1, 30), 1_000.0))
    bare = need_of(demand, offers={"reserved-30d": OFFERS["reserved-30d"]})

    lines = cost_lines(daily_costs(demand, category="batch", api=LLAMA, gpus=[bare]), demand, 30)

    unknown = {line.option: line.note for line in lines if line.usd is None}
    assert set(unknown) == {"api-batch", "on-demand", "reserved-30d", "reserved-1y"}
    assert "batch_fraction" in unknown["api-batch"]
    assert unknown["reserved-30d"] == "No on-demand (for the overflow) price of h100 is known."


def test_a_token_ratio_scales_the_api_line_and_leaves_the_gpus():
    demand = demand_of(np.full((1, 30), 1_000.0))
    once = daily_costs(demand, category="online", api=LLAMA, gpus=[need_of(demand)])
    twice = daily_costs(demand, category="online", api=LLAMA, gpus=[need_of(demand)], token_ratio=2.0)

    assert twice[0].usd == pytest.approx(2 * once[0].usd)
    assert twice[1].usd == pytest.approx(once[1].usd)


def test_reservations_in_force_stand_on_a_line_of_their_own():
    held = Commitment(
        gpu="h100", units=2, usd_per_gpu_hour=2.2, start=date(2026, 7, 1), end=date(2026, 12, 2), provider="x"
    )
    demand = demand_of(np.full((3, 30), 1_000.0))

    (line,) = cost_lines([committed_cost([held], demand.days, 3, "h100")], demand, 30)

    assert (line.workload, line.option, line.usd_per_mtok) == (COMMITMENTS, "committed", None)
    assert line.usd.mean == pytest.approx(10 * 2 * 24 * 2.2)  # 23 November to 2 December: ten days
    assert line.gpu_hours == pytest.approx(480)


def test_a_reservation_costs_from_the_day_that_it_can_begin():
    demand = demand_of(np.full((1, 37), 1_000_000.0))

    costs = daily_costs(demand, category="online", api=None, gpus=[need_of(demand)], lead_days=7)

    monthly = next(c for c in costs if c.option == "reserved-30d")
    assert monthly.held_gpus.tolist() == [0.0] * 7 + [42.0] * 30
    assert monthly.usd[0, 6] == pytest.approx(42 * 24 * 3.0)
    assert monthly.usd[0, 7] == pytest.approx(42 * 24 * 2.1)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), lead_days=st.integers(0, 10))
def test_a_line_and_the_ladder_reserve_the_same_gpus(seed, lead_days):
    demand = random_demand(seed, 60)
    need = need_of(demand)

    costs = daily_costs(demand, category="online", api=None, gpus=[need], lead_days=lead_days)
    first = ladder(need.hourly_gpus, offers=OFFERS, start=demand.as_of, lead_days=lead_days)[0]

    monthly = next(c for c in costs if c.option == "reserved-30d")
    assert monthly.gpus == first.gpus
