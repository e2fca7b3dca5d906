"""Ten million documents three ways, as a command; any other job by options."""

import json

import pytest


def test_the_example_is_the_default_with_its_arithmetic(fleetcast):
    said = fleetcast("compare")

    assert (said.status, said.err) == (0, "")
    for figure in ("$17,600.00", "$8,800.00", "$400.00", "$2,222.22", "$3,888.89", "44 : 22 : 1", "1,851.85"):
        assert figure in said.out


def test_any_other_job_by_options(fleetcast):
    """500 Mtok x $1 = $500, at 0.4 $200; 500e6 / 1,000 / 3,600 = 138.9 h x $0.21 (0.7 x 1.5 x 0.2)."""
    said = fleetcast(
        *("compare", "--documents", "1000000", "--tokens-per-document", "500", "--api-usd-per-mtok", "1"),
        *("--batch-fraction", "0.4", "--tok-per-gpu-s", "1000", "--kw-per-gpu", "0.7", "--pue", "1.5"),
        *("--usd-per-kwh", "0.2", "--json"),
    )
    answer = json.loads(said.out)

    assert answer["online_usd"] == pytest.approx(500)
    assert answer["batch_usd"] == pytest.approx(200)
    assert answer["scheduled_usd"] == pytest.approx(29.1667, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--discount-low", "0.6", "--discount-high", "0.3"), "exchange them"),
        (("--kw-per-gpu", "0.7"), "give both"),
        (("--pue", "1.5"), "counts only with --kw-per-gpu and --usd-per-kwh"),
    ],
)
def test_what_cannot_be_is_refused(fleetcast, options, sentence):
    said = fleetcast("compare", *options)

    assert said.status == 2
    assert sentence in said.err
