import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from sizing.simulate.arrivals import (
    dispersion,
    from_windows,
    lengths_of,
    one_length,
    renewal,
    repeated,
)
from sizing.simulate.requests import Requests

LENGTHS = pd.DataFrame(
    {"prompt_tok": [100.0, 900.0], "output_tok": [10.0, 90.0], "cached_share": [0.0, 0.5], "weight": [0.75, 0.25]}
)


def columns(requests: Requests) -> list[list]:
    return [getattr(requests, name).tolist() for name in Requests.__slots__]


@pytest.mark.parametrize("cv", [0.5, 1.0, 3.0])
def test_gaps_have_the_stated_rate_and_spread(cv):
    asked = renewal(20.0, 5_000.0, one_length(10, 1), seed=3, cv=cv)
    gaps = np.diff(asked.arrival_s)

    assert gaps.mean() == pytest.approx(1 / 20, rel=0.03)
    assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.03)
    assert dispersion(asked) == pytest.approx(cv**2, rel=0.2)
    assert asked.arrival_s[-1] < 5_000


def test_same_seed_same_requests_and_another_seed_others():
    one, same, other = (renewal(5.0, 100.0, LENGTHS, seed=s) for s in (1, 1, 2))

    assert columns(one) == columns(same)
    assert columns(one) != columns(other)


def test_prompt_and_answer_are_drawn_together():
    asked = renewal(50.0, 200.0, LENGTHS, seed=1)

    assert (asked.output_tok * 10 == asked.prompt_tok).all()
    assert (asked.prompt_tok == 900).mean() == pytest.approx(0.25, abs=0.02)
    assert set(asked.cached_prompt_tok[asked.prompt_tok == 900]) == {450}


def test_windows_that_were_seen_come_back_as_they_were():
    counts = np.array([3.0, 0.0, 7.0, 1.0])

    asked = from_windows(counts, 10.0, LENGTHS, seed=4)

    assert np.bincount((asked.arrival_s // 10).astype(int), minlength=4).tolist() == counts.tolist()


def test_windows_at_k_times_the_rate_keep_their_index_of_dispersion():
    rng = np.random.default_rng(0)
    counts = rng.negative_binomial(5, 5 / 25, 6_000).astype(float)  # mean 20, variance over mean 5

    asked = from_windows(counts, 10.0, LENGTHS, seed=4, times=9.0)
    found = np.bincount((asked.arrival_s // 10).astype(int))

    assert found.mean() == pytest.approx(9 * counts.mean(), rel=0.01)
    assert found.var() / found.mean() == pytest.approx(counts.var() / counts.mean(), rel=0.05)


def test_a_repeated_trace_has_so_many_requests_of_its_own_lengths_and_no_larger_bursts():
    trace = renewal(10.0, 4_000.0, LENGTHS, seed=1, cv=2.0)

    ten = repeated(trace, 10, seed=2)

    assert len(ten) == 10 * len(trace)
    assert ten.prompt_tok.sum() == 10 * trace.prompt_tok.sum()
    assert ten.span_s <= trace.span_s * 1.001
    assert dispersion(ten) == pytest.approx(dispersion(trace), rel=0.35)
    assert columns(ten) == columns(repeated(trace, 10, seed=2))


@pytest.mark.parametrize(("times", "expected"), [(0.25, 0.25), (1.5, 1.5)])
def test_a_fraction_takes_requests_by_chance(times, expected):
    trace = renewal(10.0, 4_000.0, LENGTHS, seed=1)

    assert len(repeated(trace, times, seed=5)) == pytest.approx(expected * len(trace), rel=0.03)


def test_once_is_the_trace_itself():
    trace = renewal(10.0, 50.0, LENGTHS, seed=1)

    assert columns(repeated(trace, 1.0, seed=9)) == columns(trace)
    assert lengths_of(trace)["prompt_tok"].tolist() == trace.prompt_tok.tolist()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(UserError, match="above 0"):
        renewal(0.0, 10.0, LENGTHS, seed=1)
    with pytest.raises(UserError, match="no requests"):
        from_windows(np.zeros(5), 10.0, LENGTHS, seed=1)
    with pytest.raises(UserError, match="above 0"):
        repeated(Requests.of([0.0], 1, 1), 0.0, seed=1)
