import numpy as np
import pytest

from sizing.queueing.busy import busy_requests, drawn_requests
from sizing.queueing.lengths import Lengths
from sizing.simulate.arrivals import dispersion

LENGTHS = Lengths(
    prompt_tok=np.array([100.0, 900.0]), cached_prompt_tok=np.array([0.0, 300.0]),
    output_tok=np.array([20.0, 60.0]), weight=np.array([0.75, 0.25]),
)  # fmt: skip


@pytest.fixture(scope="module")
def traffic(worlds):
    return worlds(requests_per_day=100_000.0, burst=2.0)[1]


@pytest.mark.parametrize("rate", [0.5, 5.0, 40.0])
def test_requests_come_at_the_planned_rate_with_the_workloads_lengths(traffic, rate):
    drawn = busy_requests(traffic, LENGTHS, rate, seed=1, most=3_000)

    assert len(drawn) / drawn.span_s == pytest.approx(rate, rel=0.1)  # the last windows may be empty
    pairs = set(zip(drawn.prompt_tok, drawn.output_tok, drawn.cached_prompt_tok, strict=True))
    assert pairs == {(100, 20, 0), (900, 60, 300)}
    assert (drawn.prompt_tok == 900).mean() == pytest.approx(0.25, abs=0.04)


def test_same_seed_same_requests_and_another_seed_others(traffic):
    a, b, c = (busy_requests(traffic, LENGTHS, 5.0, seed=s, most=2_000) for s in (1, 1, 2))

    assert (a.arrival_s == b.arrival_s).all()
    assert len(a) != len(c) or (a.arrival_s != c.arrival_s).any()


def test_bursts_of_the_past_come_again(worlds):
    calm, wild = (
        busy_requests(worlds(requests_per_day=200_000.0, burst=b)[1], LENGTHS, 10.0, seed=1) for b in (0.1, 2.0)
    )

    assert dispersion(wild) > 2 * dispersion(calm)


def test_starts_are_spread_over_their_window():
    drawn = drawn_requests(np.array([0.0, 10.0]), LENGTHS, np.random.default_rng(1), spread_s=10.0)

    assert 0 <= drawn.arrival_s[0] < 10 <= drawn.arrival_s[1] < 20


def test_most_bounds_what_is_drawn_but_for_ten_minutes(traffic):
    assert len(busy_requests(traffic, LENGTHS, 5.0, seed=1, most=4_000)) == pytest.approx(4_000, rel=0.1)
    assert len(busy_requests(traffic, LENGTHS, 50.0, seed=1, most=4_000)) == pytest.approx(30_000, rel=0.1)
