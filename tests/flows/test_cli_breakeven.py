"""Where self-hosting beats the API, as a command: numbers worked by hand, refusals in a sentence."""

import json

import pytest

LLAMA = (
    *("breakeven", "--model", "llama-3.1-8b", "--gpu", "h100"),
    *("--prompt-tokens", "7744", "--output-tokens", "256"),
)


def test_llama_on_an_h100_breaks_even_at_2083_requests_an_hour(fleetcast):
    """8,000 tokens x $0.18 = $0.00144; $3 / 0.00144 = 2,083 an hour; $2 and $4 are 0.386 and 0.772 a second."""
    said = fleetcast(*LLAMA, "--api-usd-per-mtok", "0.18")
    answer = json.loads(fleetcast(*LLAMA, "--api-usd-per-mtok", "0.18", "--json").out)

    assert (said.status, said.err) == (0, "")
    assert "2,083 requests an hour" in said.out
    assert answer["api_usd_per_request"] == pytest.approx(0.00144)
    assert (answer["qps_low"], answer["qps"], answer["qps_high"]) == pytest.approx(
        (0.3858, 0.5787, 0.7716), abs=1e-4
    )
    assert answer["mtok_per_month"] == pytest.approx(12_175, abs=1)
    assert len(answer["tornado"]) == 6


def test_an_api_too_cheap_to_beat_is_said_so(fleetcast):
    said = fleetcast(*LLAMA, "--api-usd-per-mtok", "0.01")

    assert said.status == 0
    assert said.out.startswith("No breakeven exists")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "Give the API's price one way"),
        (("--provider", "together"), "give both"),
        (("--api-usd-per-mtok", "0.18", "--term", "reserved-3y"), "give --usd-per-gpu-hour"),
    ],
)
def test_what_is_not_known_is_refused(fleetcast, options, sentence):
    said = fleetcast(*LLAMA, *options)

    assert said.status == 2
    assert sentence in said.err
