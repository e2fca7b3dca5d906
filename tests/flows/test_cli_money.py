"""Questions of money on the command line: numbers worked by hand, refusals in a sentence."""

import json
from decimal import Decimal

import pytest

SONNET = ("api-cost", "--provider", "anthropic", "--model", "claude-sonnet-4-5", "--output-tokens", "1000")


@pytest.mark.parametrize(("prompt", "usd"), [("200000", "$0.6150"), ("200001", "$1.2225")])
def test_one_token_more_doubles_the_bill(fleetcast, prompt, usd):
    said = fleetcast(*SONNET, "--prompt-tokens", prompt)

    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"{usd} for one request")


def test_the_lines_of_the_json_add_up_to_its_total(fleetcast):
    said = fleetcast(
        *SONNET,
        "--prompt-tokens",
        "9000",
        "--cached",
        "5000",
        "--cache-write",
        "3000",
        "--requests",
        "1000",
        "--json",
    )
    answer = json.loads(said.out)

    assert sum(Decimal(line["usd"]) for line in answer["lines"]) == Decimal(answer["usd"])
    assert Decimal(answer["usd_all"]) == 1_000 * Decimal(answer["usd"])


def test_flex_and_time_of_day_have_prices_of_their_own(fleetcast):
    ask = ("api-cost", "--prompt-tokens", "1000000", "--output-tokens", "0", "--json")
    night = ("--provider", "deepseek", "--model", "deepseek-v4-pro", "--at")
    flex = ("--provider", "openai", "--model", "gpt-5", "--processing")

    def usd(*options):
        return Decimal(json.loads(fleetcast(*ask, *options).out)["usd"])

    assert usd(*night, "2026-11-24T02:00") == 2 * usd(*night, "2026-11-24T12:00")
    assert usd(*flex, "flex") < usd(*flex, "standard") < usd(*flex, "priority")


def test_an_unlisted_batch_price_is_refused_with_the_way_out(fleetcast):
    said = fleetcast(
        *("api-cost", "--provider", "together", "--model", "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"),
        *("--prompt-tokens", "1000", "--output-tokens", "10", "--processing", "batch"),
    )

    assert said.status == 2
    assert "give --batch-fraction if your contract has one" in said.err
