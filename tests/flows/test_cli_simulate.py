"""`fleetcast simulate`: figures of a fleet worked by hand where they can be, refusals in a sentence."""

import json

import pytest

from flows import demo

FLEET = ("simulate", "--model", "llama-3.1-8b", "--gpu", "h100", "--tp", "1", "--replicas", "2")
ALIKE = ("--qps", "2", "--prompt-tokens", "500", "--output-tokens", "100", "--hours", "0.1")
LOG = "request_id,arrived_utc,prompt_tok,output_tok,category\n" + "".join(
    f"r{i},2026-01-05T00:00:{i:02d}Z,{400 + 10 * i},{50 + i},{'batch' if i % 7 == 0 else 'online'}\n"
    for i in range(60)
)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    return path


def test_requests_by_chance_are_served_and_said(fleetcast):
    said = fleetcast(*FLEET, *ALIKE, "--ttft-s", "1", "--tpot-s", "0.05")

    assert (said.status, said.err) == (0, "")
    for word in (
        "TTFT",
        "TPOT",
        "E2E",
        "p50",
        "p95",
        "p99",
        "goodput",
        "KV",
        "preemptions",
        "unfinished",
        "holds",
    ):
        assert word in said.out


def test_the_same_seed_gives_the_same_figures(fleetcast):
    one, same, other = (fleetcast(*FLEET, *ALIKE, "--json", "--seed", seed).out for seed in ("1", "1", "2"))

    assert one == same
    assert one != other


def test_a_log_is_replayed_as_it_was_and_at_another_rate(fleetcast, log):
    once = json.loads(fleetcast(*FLEET, "--trace", str(log), "--json").out)
    thrice = json.loads(fleetcast(*FLEET, "--trace", str(log), "--rate-multiplier", "3", "--json").out)

    assert (once["requests"], thrice["requests"]) == (60, 180)
    assert once["requests_per_s"] == pytest.approx(60 / 59)
    assert once["unfinished"] == once["preemptions"] == 0
    assert once["gpus"] == 2


@pytest.mark.parametrize(
    "arrivals", [("rollup",), ("poisson",), ("gamma", "--cv", "2"), ("gamma", "--dispersion", "4")]
)
def test_a_log_gives_lengths_and_rate_to_other_arrivals(fleetcast, log, arrivals):
    said = fleetcast(*FLEET, "--trace", str(log), "--arrivals", *arrivals, "--json")

    assert said.status == 0
    assert 20 < json.loads(said.out)["requests"] < 140


def test_what_is_not_done_in_time_counts_against_the_slo(fleetcast):
    late = (*FLEET, *ALIKE, "--until-s", "180", "--ttft-s", "10", "--json")

    figures = json.loads(fleetcast(*late).out)

    assert figures["unfinished"] > 0.4 * figures["requests"]
    assert figures["slo_holds"] is False
    assert figures["ttft"]["p99_s"] is None


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "nothing to serve"),
        (("--trace", "nowhere.csv"), "nowhere.csv"),
        ((*ALIKE, "--arrivals", "trace"), "needs the log"),
        ((*ALIKE, "--arrivals", "gamma"), "needs a spread"),
        ((*ALIKE, "--cached-tokens", "100000"), "more than the"),
        ((*ALIKE, "--cv", "2"), "describe Gamma arrivals"),
        ((*ALIKE, "--arrivals", "gamma", "--cv", "2", "--dispersion", "4"), "the same thing"),
        ((*ALIKE, "--trace", "x.csv"), "its own rate and lengths"),
        ((*ALIKE, "--config", "plan.toml"), "give one of them"),
        ((*ALIKE, "--max-num-batched-tokens", "100"), "below max_num_seqs"),
        ((*ALIKE, "--model", "llama-9"), "llama-9"),
        ((*ALIKE, "--model", "llama-3.1-70b"), "Use more GPUs per replica"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_one_sentence(fleetcast, more, said):
    found = fleetcast(*FLEET, *more)

    assert found.status == 2
    assert said in found.err
    assert len(found.err.strip().splitlines()) == 1
    assert found.out == ""


def test_a_fleet_must_be_named(fleetcast):
    found = fleetcast("simulate", *ALIKE)

    assert found.status == 2
    assert "--model is missing" in found.err


@pytest.mark.slow
def test_each_online_workload_of_a_plan_is_served_by_its_planned_fleet(fleetcast, copied):
    plan = copied() / "plan.toml"

    said = fleetcast("simulate", "--config", str(plan), "--as-of", str(demo.AS_OF), "--hours", "1", "--json")

    assert said.err == ""
    found = json.loads(said.out)
    assert [each["name"] for each in found] == ["chat", "code-agents"]
    assert all(each["requests"] > 0 and each["gpus"] > 0 for each in found)
    assert all(0 < each["attainment"] <= 1 and each["slo"]["ttft_s"] > 0 for each in found)
