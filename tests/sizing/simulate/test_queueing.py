"""Closed forms that hold where the engine is set so that they apply. Sources: Kleinrock, Queueing Systems I."""

import math

import numpy as np
import pytest

from sizing.simulate.arrivals import one_length, renewal
from sizing.simulate.engine import run_engine
from sizing.simulate.requests import Requests
from sizing.simulate.steps import StepTable
from tests.sizing.simulate.cases import engine


def erlang_c(servers: int, load: float) -> float:
    """Return the chance to wait in M/M/c at `load` erlangs."""
    below = sum(load**k / math.factorial(k) for k in range(servers))
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (below + last)


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.85])
def test_one_at_a_time_of_constant_length_waits_as_m_d_1_says(rho):
    """W = rho s / (2 (1 - rho)) before service s."""
    on = engine(seqs=1, tokens=100, steps=StepTable.constant(0.5, 0.005))  # 100 tokens: 1 s
    asked = renewal(rho, 100_000.0, one_length(100, 1), seed=7)

    found = run_engine(asked, on)

    waited = (found.ttft_s - 1.0).mean()
    assert waited == pytest.approx(rho / (2 * (1 - rho)), rel=0.04)
    assert found.replicas.busy_s[0] / found.end_s == pytest.approx(rho, rel=0.01)


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.6), (4, 0.8), (20, 0.9)])
def test_seats_with_exponential_answers_wait_as_m_m_c_says(servers, rho):
    """Steps of the same time whatever the batch: each seat is a server. W = C(c, a) / (c mu - lambda)."""
    step, mean = 0.02, 60.0
    rng = np.random.default_rng(11)
    rate = rho * servers / (step * mean)
    n = 20_000 * (servers if servers < 5 else 7)
    arrival = np.cumsum(rng.exponential(1 / rate, n))
    asked = Requests.of(arrival, 1, rng.geometric(1 / mean, n))

    found = run_engine(asked, engine(seqs=servers, tokens=64, steps=StepTable.constant(step)))

    waited = (found.first_s - asked.arrival_s).mean() - 1.5 * step  # half a step until one ends, and its own
    expected = erlang_c(servers, rho * servers) / (servers / (step * mean) - rate)
    assert waited == pytest.approx(expected, rel=0.10)


def test_joining_the_shorter_queue_beats_taking_turns():
    """With answers of different lengths: were all alike, taking turns would be as good."""
    alike = renewal(3.2, 20_000.0, one_length(100, 1), seed=3)
    prompt = np.random.default_rng(3).choice([20, 180], len(alike))
    asked = Requests.of(alike.arrival_s, prompt, 1)
    steps = StepTable.constant(0.0, 0.01)

    shortest, in_turn = (
        run_engine(asked, engine(seqs=1, tokens=200, steps=steps, routing=routing), replicas=4)
        for routing in ("least-loaded", "round-robin")
    )

    waited, waited_in_turn = (found.ttft_s.mean() - 1.0 for found in (shortest, in_turn))
    assert waited < 0.8 * waited_in_turn


def test_tokens_a_second_never_exceed_what_full_steps_give():
    """At most max_num_seqs tokens a step, and a prompt's fresh tokens each take their own time."""
    on = engine(seqs=16, tokens=64, steps=StepTable.constant(0.02, 0.001))
    asked = Requests.of(np.zeros(4_000), 50, 40)  # all at once: as much as it can do

    found = run_engine(asked, on)

    least_s = 4_000 * 50 * 0.001 + 4_000 * 39 / 16 * 0.02
    assert found.end_s >= least_s
    assert found.end_s < 1.25 * least_s
