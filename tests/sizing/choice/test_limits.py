import pytest

from data.errors import UserError
from sizing.choice.limits import Limits


def test_the_bound_that_is_broken_is_named_with_its_numbers():
    limits = Limits(max_gpus={"h100": 8}, max_power_kw=7.0)

    assert limits.why_not({"h100": 9}, 6.3) == "It takes 9 h100, and 8 can be had."
    assert limits.why_not({"h100": 8, "h200": 3}, 7.7) == "It takes 7.7 kW, and 7 kW are the bound."
    assert limits.why_not({"h100": 8}, 5.6) == ""


def test_unknown_power_does_not_fit_a_bound_and_needs_none_without_one():
    assert "power of tpu-v6e is unknown" in Limits(max_power_kw=10.0).why_not({"tpu-v6e": 1}, None)
    assert Limits().why_not({"tpu-v6e": 1}, None) == ""
    assert not Limits().any
    assert Limits(max_power_kw=1.0).any


@pytest.mark.parametrize("bad", [{"max_gpus": {"h100": -1}}, {"max_power_kw": 0.0}])
def test_bounds_that_cannot_be_are_refused(bad):
    with pytest.raises(UserError):
        Limits(**bad)
