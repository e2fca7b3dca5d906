"""Keys of a config.json: the first that is there counts, and it is a whole number."""

import pytest

from data.catalog.hf_keys import number, optional
from data.errors import UserError


def test_the_first_key_that_is_there_and_not_null_counts():
    assert optional({"a": None, "b": 3, "c": 4}, "f", "a", "b", "c") == 3
    assert optional({}, "f", "a") is None


@pytest.mark.parametrize("value", [True, 1.5, "3", -1, [3], {}])
def test_what_is_no_whole_number_is_said(value):
    with pytest.raises(UserError, match=r"f: `a` is .*; it should be a whole number\."):
        optional({"a": value}, "f", "a")


def test_a_number_is_there_and_above_0():
    assert number({"a": 1}, "f", "a") == 1
    with pytest.raises(UserError, match="`a` is missing"):
        number({}, "f", "a")
    with pytest.raises(UserError, match="`a` is 0"):
        number({"a": 0}, "f", "a")
