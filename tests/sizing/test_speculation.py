import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import UserError
from sizing.speculation import Speculation


def test_accepted_tokens_are_those_of_the_paper():
    # Leviathan et al. 2023, equation 1: (1 - 0.8^6) / (1 - 0.8) = 3.69 at a = 0.8 and 5 drafts.
    assert Speculation(tokens=5, acceptance=0.8).accepted == pytest.approx(3.68928)


def test_accepted_tokens_are_what_draws_show():
    accepted = np.random.default_rng(3).random((20_000, 4)) < 0.7
    yields = 1 + np.cumprod(accepted, axis=1).sum(axis=1)

    assert Speculation(tokens=4, acceptance=0.7).accepted == pytest.approx(yields.mean(), rel=0.01)


@given(k=st.integers(1, 16), a=st.floats(0, 1), b=st.floats(0, 1))
def test_yield_is_between_one_and_all_drafts_and_grows_with_acceptance(k, a, b):
    low, high = sorted((a, b))
    fewer, more = Speculation(tokens=k, acceptance=low).accepted, Speculation(tokens=k, acceptance=high).accepted

    assert 1 <= fewer <= more * (1 + 1e-9) <= (k + 1) * (1 + 1e-9)


def test_ends_are_one_token_and_all_of_them():
    assert Speculation(tokens=3, acceptance=0).accepted == 1
    assert Speculation(tokens=3, acceptance=1).accepted == 4


@pytest.mark.parametrize("wrong", [{"tokens": 0}, {"acceptance": 1.1}, {"acceptance": -0.1}, {"draft_cost": 1.5}])
def test_speculation_that_cannot_be_is_the_users_to_mend(wrong):
    with pytest.raises(UserError, match=str(next(iter(wrong.values())))[:3]):
        Speculation(**{"tokens": 3, "acceptance": 0.5} | wrong)
