"""What fitted the constants is written down, and what is written down is what the code uses."""

import importlib
import tomllib
from datetime import date
from pathlib import Path

import pytest

import forecasting

FITTED = tomllib.loads((Path(forecasting.__file__).parent / "fitted.toml").read_text())
CONSTANTS = [(key, value) for source in FITTED.values() for key, value in source["constants"].items()]


def as_lists(value):
    return [as_lists(v) for v in value] if isinstance(value, tuple | list) else value


@pytest.mark.parametrize(("key", "value"), CONSTANTS, ids=[key for key, _ in CONSTANTS])
def test_the_code_uses_the_value_that_was_fitted(key, value):
    module, name = key.split(".")

    assert as_lists(getattr(importlib.import_module(f"forecasting.{module}"), name)) == value


@pytest.mark.parametrize("source", FITTED.values(), ids=FITTED)
def test_each_source_says_what_it_is_when_it_was_used_and_how_to_run_it_again(source):
    assert len(source["description"]) > 40
    assert isinstance(source["date"], date)
    assert source["command"]
