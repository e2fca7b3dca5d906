import math

import numpy as np
import pytest

from sizing.profile import Slo
from sizing.simulate.engine import run_engine
from sizing.simulate.requests import Requests
from sizing.simulate.steps import StepTable
from tests.sizing.simulate.cases import engine


@pytest.fixture(scope="module")
def found():
    """Five requests at 0..4 s, one after the other, 2 s each: they wait 0, 1, 2, 3, 4 s, and the last is cut."""
    on = engine(seqs=1, steps=StepTable.constant(1.0))
    return run_engine(Requests.of(np.arange(5.0), 1, 2), on, until_s=9.5)


def test_times_are_those_worked_out_by_hand(found):
    assert found.ttft_s.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert found.e2e_s.tolist() == [2.0, 3.0, 4.0, 5.0, math.inf]
    assert found.tpot_s.tolist() == [1.0, 1.0, 1.0, 1.0, math.inf]


def test_unfinished_requests_count_against_every_percentile(found):
    assert found.unfinished == 1
    assert found.percentiles("e2e_s", (0.5, 0.8, 0.99)).tolist() == [4.0, 5.0, math.inf]
    assert found.attainment(Slo(ttft_s=10.0)) == pytest.approx(0.8)
    assert found.goodput_per_s(Slo(ttft_s=2.5)) == pytest.approx(2 / 4)


@pytest.mark.parametrize(
    ("slo", "holds"),
    [
        (Slo(ttft_s=4.0, percentile=0.8), True),
        (Slo(ttft_s=3.9, percentile=0.8), False),
        (Slo(ttft_s=5.0, tpot_s=1.0, percentile=0.8), True),
        (Slo(ttft_s=5.0, tpot_s=0.9, percentile=0.8), False),
        (Slo(percentile=0.8), True),
        (Slo(percentile=0.9), False),
    ],
)
def test_the_slo_holds_where_its_percentile_does(found, slo, holds):
    assert found.holds(slo) is holds


def test_answers_of_one_token_have_no_pace_and_do_not_break_a_promise_of_one():
    once = run_engine(Requests.of([0.0], 4, 1), engine(steps=StepTable.constant(1.0)))

    assert np.isnan(once.tpot_s[0])
    assert once.holds(Slo(tpot_s=0.1))
    assert once.attainment(Slo(tpot_s=0.1)) == 1.0


def test_a_start_can_be_left_out(found):
    assert found.percentiles("ttft_s", (0.5,), found.after(3.0)).tolist() == [4.0]
