from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.traffic import SUMS
from forecasting.demand import Moments
from sizing.fleet import plan_fleet
from sizing.windowed.pools import (
    LongRequests,
    PoolFleet,
    best_pool,
    cheapest_pool,
    part_demand,
    part_traffic,
    pool_sentence,
    sum_ratios,
    work_share,
)

SHORT = {"p": [100.0, 300.0], "c": [20.0, 0.0], "o": [50.0, 10.0]}
LONG = {"p": [9_000.0], "c": [1_000.0], "o": [500.0]}


def sums(p, c, o):
    p, c, o = (np.asarray(x, dtype=float) for x in (p, c, o))
    values = [np.ones_like(p), p, c, o, p * p, c * c, p * c, p * o, o * o]
    return pd.DataFrame({name: [value.sum()] for name, value in zip(SUMS, values, strict=True)})


def pool(gpus, usd, gpu="h100"):
    return PoolFleet(gpu=gpu, layout="TP 2", batch=9, gpus=gpus, usd=usd)


def long_requests(**changes):
    row = {
        "days": 30, "budget_tok": 4_096, "share": 0.99, "requests_share": 0.01, "work_share": 0.2,
        "whole": pool(20, 36_000.0), "within": pool(14, 25_200.0), "beyond": pool(4, 7_200.0),
    }  # fmt: skip
    return LongRequests.of(**(row | changes))


def test_parts_of_a_demand_have_the_means_and_squares_of_their_own_requests(worlds):
    demand, _ = worlds(paths=2, days=3)
    whole = sums(*(SHORT[k] + LONG[k] for k in "pco"))
    short = part_demand(whole_demand(demand, whole), sum_ratios(sums(**SHORT), whole))

    assert short.requests == pytest.approx(demand.requests * 2 / 3)
    assert short.prompt_tok == pytest.approx(np.full((2, 3), 200.0))
    assert short.output_tok == pytest.approx(np.full((2, 3), 30.0))
    assert short.moments.prompt_sq == pytest.approx((100**2 + 300**2) / 2 / 200**2)
    assert short.moments.prompt_cached == pytest.approx((100 * 20) / 2 / (200 * 10))
    assert short.moments.output_sq == pytest.approx((50**2 + 10**2) / 2 / 30**2)


def whole_demand(demand, whole):
    """Return a demand whose mean request and moments are those of `whole`."""
    n, p, c, o, pp, cc, pc, po, oo = whole.iloc[0].to_numpy()
    p, c, o = p / n, c / n, o / n
    moments = Moments(
        prompt_sq=pp / n / p**2,
        cached_sq=cc / n / c**2,
        prompt_cached=pc / n / (p * c),
        prompt_output=po / n / (p * o),
        output_sq=oo / n / o**2,
    )
    same = np.ones_like(demand.prompt_tok)
    return replace(demand, prompt_tok=same * p, cached_prompt_tok=same * c, output_tok=same * o, moments=moments)


def test_two_parts_add_up_to_the_whole_demand(worlds):
    demand, _ = worlds(paths=2, days=3)
    whole = sums(*(SHORT[k] + LONG[k] for k in "pco"))
    demand = whole_demand(demand, whole)
    parts = [part_demand(demand, sum_ratios(sums(**part), whole)) for part in (SHORT, LONG)]

    assert parts[0].sums() + parts[1].sums() == pytest.approx(demand.sums())


def test_share_of_work_weighs_what_long_prompts_cost(profile):
    whole = sums(*(SHORT[k] + LONG[k] for k in "pco"))
    share = work_share(profile, sums(**LONG), whole)
    by_hand = profile.work_s(sums(**LONG).to_numpy()[0]) / profile.work_s(whole.to_numpy()[0])

    assert share == pytest.approx(float(by_hand))
    assert share > 0.8  # a third of the requests
    assert work_share(profile, whole, whole) == 1.0


def test_refusing_and_a_pool_of_their_own_by_hand():
    row = long_requests()

    assert row.gpus_saved == 6
    assert row.usd_saved == pytest.approx(10_800.0)
    assert row.pool_saves_usd == pytest.approx(3_600.0)
    assert long_requests(beyond=pool(8, 14_400.0)).pool_saves_usd == pytest.approx(-3_600.0)


def test_saving_is_unknown_where_a_fleet_is():
    assert long_requests(beyond=None).pool_saves_usd is None
    assert long_requests(beyond=None).gpus_saved == 6
    assert long_requests(within=pool(9, 20_000.0, "h200")).gpus_saved is None  # kinds cannot be subtracted
    assert long_requests(within=None).gpus_saved is long_requests(within=None).usd_saved is None


def test_best_pool_saves_most():
    rows = [long_requests(), long_requests(budget_tok=9, beyond=pool(2, 3_600.0)), long_requests(beyond=None)]

    assert best_pool(rows).budget_tok == 9
    assert best_pool(rows[2:]) is best_pool([]) is None


def test_sentence_says_which_way_is_cheaper_and_by_how_much():
    saves, costs = long_requests(), long_requests(beyond=pool(8, 14_400.0, "h200"))

    assert pool_sentence([costs, saves]) == (
        "Serve requests above 4,096 tokens (1.00% of requests) in a pool of their own: it saves $3,600. 14 x h100"
        " (TP 2) and 4 x h100 (TP 2), $32,400, against 20 x h100 (TP 2), $36,000 on demand over 30 days."
    )
    assert pool_sentence([costs]).startswith("Keep one fleet: ")
    assert "costs $3,600 more. 14 x h100 (TP 2) and 8 x h200 (TP 2), $39,600" in pool_sentence([costs])
    assert pool_sentence([long_requests(beyond=None, why_not="Too long.")]).endswith(" Too long.")


def test_cheapest_pool_is_the_least_dollars_and_not_the_fewest_gpus(worlds, profile):
    demand, traffic = worlds()
    fleet = plan_fleet(demand, traffic, profile, category="online")
    double = replace(fleet, horizons=tuple(replace(h, gpus_p80=2 * h.gpus_p80) for h in fleet.horizons))
    fleets = {"dear": fleet, "cheap": double}
    found = cheapest_pool(fleets, {"dear": 5.0, "cheap": 2.0}, 30)

    assert (found.gpu, found.gpus) == ("cheap", 2 * fleet.horizons[0].gpus_p80)
    assert found.usd == found.gpus * 720 * 2.0
    assert cheapest_pool(fleets, {"dear": 5.0}, 30).gpu == "dear"
    assert cheapest_pool(fleets, {}, 30) is cheapest_pool(fleets, {"dear": 5.0}, 31) is None


@settings(max_examples=20, deadline=None)
@given(share=st.floats(0.05, 0.95))
def test_fewer_requests_never_take_more_gpus(worlds, profile, share):
    demand, traffic = worlds(paths=4, days=31)
    part = part_demand(demand, np.full(9, share))
    windows = part_traffic(traffic, traffic.windows * share, 10)

    before = plan_fleet(demand, traffic, profile, category="online").need_gpus
    assert (plan_fleet(part, windows, profile, category="online").need_gpus <= before).all()
