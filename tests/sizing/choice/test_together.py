from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizing.choice.limits import Limits
from sizing.choice.together import Candidate, choose_together, in_all


def on(gpu, gpus, usd, tdp_w=500.0):
    return Candidate(gpu=gpu, gpus=gpus, usd=usd, tdp_w=tdp_w)


def test_who_gains_least_by_the_scarce_gpu_gives_way():
    """Both want a; the first saves 5 by it, the second 2, and there is one for one of them."""
    workloads = [[on("a", 4, 10), on("b", 4, 15)], [on("a", 4, 10), on("b", 4, 12)]]

    assert choose_together(workloads, Limits()) == (0, 0)
    assert choose_together(workloads, Limits(max_gpus={"a": 4})) == (0, 1)
    assert choose_together(workloads, Limits(max_gpus={"a": 4, "b": 3})) is None


def test_an_api_takes_what_power_leaves_no_room_for():
    workloads = [[on("a", 4, 10), Candidate(gpu=None, gpus=0, usd=30.0)]] * 2

    assert choose_together(workloads, Limits(max_power_kw=4.0)) == (0, 0)
    assert sorted(choose_together(workloads, Limits(max_power_kw=2.5))) == [0, 1]
    assert choose_together([[on("a", 4, 10, tdp_w=None)]], Limits(max_power_kw=99.0)) is None


def test_gpus_of_a_kind_add_up():
    assert in_all([on("a", 4, 1), on("a", 3, 1), on("b", 2, 1), Candidate(gpu=None, gpus=0, usd=1)]) == {
        "a": 7,
        "b": 2,
    }


candidate = st.builds(on, st.sampled_from("ab"), st.integers(1, 6), st.integers(1, 50).map(float))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(candidate, min_size=1, max_size=3), min_size=1, max_size=3),
    st.sampled_from([None, 4, 8]),
    st.sampled_from([None, 3.0, 5.0]),
)
def test_it_equals_brute_force(workloads, most, kw):
    limits = Limits(max_gpus={} if most is None else {"a": most}, max_power_kw=kw)
    costs = [
        sum(c.usd for c in picked)
        for picked in product(*workloads)
        if not limits.why_not(in_all(picked), sum(c.power_kw for c in picked))
    ]
    found = choose_together(workloads, limits)

    assert (found is None) == (not costs)
    if found is not None:
        assert sum(w[i].usd for w, i in zip(workloads, found, strict=True)) == pytest.approx(min(costs))
        assert np.isfinite(min(costs))
