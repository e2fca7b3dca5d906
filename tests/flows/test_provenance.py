"""What is assumed is printed with its source and what it does; what was used is printed with its hash."""

from importlib.metadata import version
from types import SimpleNamespace

import pytest

from flows.provenance import LIBRARIES, assumptions

API = {"provider": "together", "model": "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"}


def _named(plan, part):
    return [row for row in assumptions(plan) if part in row.name]


def test_every_assumption_has_a_value_a_source_and_a_sensitivity(plan_of):
    plan = plan_of({"api": API}, {"name": "code", "token_ratio": 1.1}, {"name": "docs", "kv_precision": "fp8"})

    rows = assumptions(plan)

    assert all(row.name and row.value and row.source for row in rows)
    assert all(row.sensitivity.endswith(".") for row in rows)
    assert len({row.name for row in rows}) == len(rows)


def test_each_workload_says_whose_tokens_were_counted(plan_of):
    plan = plan_of(
        {"api": API}, {"name": "code", "token_ratio": 1.25, "api": {**API, "token_ratio": 0.8}}, {"name": "docs"}
    )

    rows = {row.name: row for row in _named(plan, "for each logged token")}

    planned, api = (
        "Tokens of the planned model for each logged token, ",
        "Tokens of the API for each logged token, ",
    )
    assert set(rows) == {planned + "chat", api + "chat", planned + "code", api + "code", planned + "docs"}
    assert (rows[planned + "chat"].value, rows[planned + "chat"].source) == ("1", "assumed: no ratio is given")
    assert (rows[planned + "code"].value, rows[planned + "code"].source) == ("1.25", "plan.toml, token_ratio")
    assert rows[api + "code"].value == "0.8"


@pytest.mark.parametrize(("ratio", "tenth_more"), [(1.0, "at 1.1,"), (1.2, "at 1.32,"), (0.5, "at 0.55,")])
def test_the_sensitivity_of_a_token_ratio_starts_from_its_own_value(plan_of, ratio, tenth_more):
    (row,) = _named(plan_of({"token_ratio": ratio}), "planned model")

    assert tenth_more in row.sensitivity
    assert "+10%" in row.sensitivity


def test_utilisation_is_worked_by_hand(plan_of):
    mean, window = _named(plan_of(utilisation={"mean": 0.75, "window": 0.9}), "tilisation")

    assert (mean.value, window.value) == ("75%", "90%")
    assert "+25%" in mean.sensitivity  # 0.75 / 0.6
    assert "-10%" in window.sensitivity  # at 100% the fleet is 0.9 of this one


def test_the_kv_cache_is_an_assumption_only_where_nobody_chose(plan_of):
    plan = plan_of({}, {"name": "code", "kv_precision": "bf16"}, {"name": "docs", "kv_precision": "fp8"})

    assert [row.name for row in _named(plan, "KV cache")] == ["KV cache of chat"]


def test_the_plans_time_zone_is_named(plan_of):
    (row,) = _named(plan_of(time_zone="Europe/Berlin"), "Calendar months")

    assert "Europe/Berlin" in row.value


def test_provenance_holds_the_stamp_hashes_versions_and_files(walked, planned):
    _, outcome = planned
    found, plan = outcome.report.provenance, walked["plan"]

    assert (found.run_id, found.input_digest) == (walked["run"].run_id, walked["run"].input_digest)
    assert found.generated_utc == walked["now"]
    assert found.config_sha256 == plan.sha256
    assert found.store_sha256 == walked["past"].store_sha256
    assert found.catalog_sha256 == walked["facts"].sha256
    assert (found.seed, found.paths) == (plan.settings.seed, plan.settings.paths)
    assert found.libraries == {name: version(name) for name in LIBRARIES}
    assert found.version == version("fleetcast")
    assert found.calibration
    assert found.files == sorted(set(found.files))
    assert len(found.files) == len({file for traffic in walked["past"].traffic for file in traffic.files})


def test_speculation_and_layout_are_assumptions_that_are_printed(plan_of):
    plan = plan_of({"pp": 2, "speculation": {"tokens": 3, "acceptance": 0.5}})
    (layout,) = [row for row in assumptions(plan) if "shares the model" in row.name]
    (drafts,) = [row for row in assumptions(plan) if "Speculative" in row.name]

    assert layout.value == "PP 2"
    assert drafts.value == "3 draft tokens, 50% accepted, each 5% of a step"
    assert "yields 1.88 tokens; at 40% accepted it would yield 1.62" in drafts.sensitivity
    assert not [row for row in assumptions(plan_of()) if "Speculative" in row.name or "shares" in row.name]


def test_lengths_that_a_source_leaves_open_are_assumptions(plan_of):
    plan = plan_of(
        {"assume": {"prompt_tok": 1500}}, {"name": "code", "assume": {"prompt_cv": 0.5}}, {"name": "docs"}
    )
    traffic = [
        SimpleNamespace(workload=name, percentile_basis=basis)
        for name, basis in (("chat", "none"), ("code", "none"), ("docs", "requests"))
    ]

    rows = {row.name: row for row in assumptions(plan, traffic) if "engths" in row.name}  # type: ignore[arg-type]

    assert set(rows) == {
        "Spread of lengths, chat",
        "Spread of lengths, code",
        "Lengths of a request where the source does not state them, chat",
    }
    assert rows["Spread of lengths, chat"].source == "assumed: the source states no percentiles"
    assert rows["Spread of lengths, code"].value == "0.5 x the mean prompt, 1 x the mean output"
    assert rows["Spread of lengths, code"].source == "plan.toml, assume"
    assert not [row for row in assumptions(plan) if "engths" in row.name]
