"""plan.toml is checked before anything is read, and a mistake is named with its key, value and way out."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from data.errors import UserError
from flows.settings import PlanSettings, load_plan

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "examples" / "plan.toml").read_text()


def _load(tmp_path: Path, text: str):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return load_plan(path)


def test_the_example_is_a_valid_plan():
    plan = load_plan(ROOT / "examples" / "plan.toml")

    assert [w.name for w in plan.settings.workloads] == ["chat", "code-agents", "doc-classification"]
    assert plan.store_path == ROOT / "examples" / "../runs/demo/store/fleetcast.duckdb"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema = 1", "schema = 2", ["schema", "given: 2"]),
        ("schema = 1\n", "", ["schema", "is required and missing"]),
        ("seed = 20261123", "sead = 1\nseed = 1", ["sead", "not a key"]),
        ('"Europe/Berlin"', '"Mars/Olympus"', ["time_zone", "Europe/Berlin"]),
        ('currency = "USD"', 'currency = "EUR"', ["EUR", "[fx]"]),
        ("[30, 90, 365]", "[90, 30]", ["horizons_days", "rise"]),
        ("[30, 90, 365]", "[30, 900]", ["horizons_days", "365", "given: 900"]),
        (
            'category = "batch"',
            'category = "nightly"',
            ["workloads['doc-classification'].category", "online", "given: 'nightly'"],
        ),
        ("deadline_h = 8", "deadline_h = -8", ["deadline_h", "greater than 0", "-8"]),
        ('name = "code-agents"\n', 'name = "chat"\n', ["chat", "twice"]),
        ('workload = "chat"', 'workload = "chap"', ["chap", "chat, code-agents, doc-classification"]),
        ("low = 1.2, likely = 1.5", "low = 1.6, likely = 1.5", ["low <= likely <= high", "1.6"]),
        ('match = { label = "chat" }', "match = {}", ["match", "at least one of label"]),
        ("end = 2026-12-26", "end = 2026-12-01", ["ends 2026-12-01", "before it starts"]),
        ('"2026-12" =', '"2026-13" =', ["budget_usd", "2026-13"]),
        ("mean = 0.70", "mean = 1.7", ["utilisation.mean", "1.7"]),
        ('category = "batch"', 'category = "scheduled"', ["[[jobs]]"]),
        ('precision = "fp8"', 'precision = "fp9"', ["precision", "fp8", "'fp9'"]),
        ('gpus = ["h100", "h200"', 'gpus = ["h100", "h100"', ["chat", "gpus names one twice"]),
    ],
)
def test_a_mistake_names_the_key_the_value_and_what_is_allowed(tmp_path, old, new, says):
    assert old in EXAMPLE

    with pytest.raises(UserError) as error:
        _load(tmp_path, EXAMPLE.replace(old, new, 1))

    for part in says:
        assert part in str(error.value)
    assert str(error.value).count("\n") == 0


def test_a_replicas_layout_and_speculation_are_the_workloads(tmp_path):
    more = 'precision = "fp8"\npp = 2\nep = 1\nspeculation = { tokens = 3, acceptance = 0.7 }'
    first, *_ = _load(tmp_path, EXAMPLE.replace('precision = "fp8"', more, 1)).settings.workloads

    assert (first.engine, first.pp, first.dp_attention) == ("vllm", 2, False)
    assert first.speculation.to_speculation().accepted == pytest.approx(1 + 0.7 + 0.49 + 0.343)
    with pytest.raises(UserError, match=r"speculation\.acceptance: .*less than or equal to 1 \(given: 7\)"):
        _load(tmp_path, EXAMPLE.replace('precision = "fp8"', more.replace("0.7", "7"), 1))


def test_a_deadline_belongs_to_batch_work(tmp_path):
    with pytest.raises(UserError, match="deadline_h is for category batch; chat is online"):
        _load(tmp_path, EXAMPLE.replace('precision = "fp8"', 'precision = "fp8"\ndeadline_h = 3', 1))


def test_broken_toml_and_a_missing_file_are_one_sentence(tmp_path):
    with pytest.raises(UserError, match="not valid TOML"):
        _load(tmp_path, "schema = ")
    with pytest.raises(UserError, match=r"Cannot read the plan .*start from examples/plan.toml"):
        load_plan(tmp_path / "absent.toml")


def test_names_of_the_catalog_may_be_written_in_capitals(tmp_path):
    text = EXAMPLE.replace('["h100", "h200"', '["H100", " h200 "').replace('"llama-3.1-70b"', '"Llama-3.1-70B"')
    plan = _load(tmp_path, text.replace('gpu = "h100"', 'gpu = "H100"'))

    chat = plan.settings.workloads[0]
    assert (chat.model, chat.gpus[:2]) == ("llama-3.1-70b", ["h100", "h200"])
    assert {plan.settings.jobs[0].gpu, plan.settings.commitments[0].gpu} == {"h100"}


def test_paths_are_relative_to_the_plan(tmp_path):
    plan = _load(tmp_path, EXAMPLE.replace("../runs/demo/store/fleetcast.duckdb", "my/store.duckdb"))

    assert plan.store_path == tmp_path / "my" / "store.duckdb"


def _keys(model: type[BaseModel]) -> set[str]:
    """Return every key of a table of plan.toml and of the tables within it."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        for part in (field.annotation, *_parts(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= _keys(part)
    return found


def _parts(kind: object) -> list[object]:
    return [part for each in get_args(kind) for part in (each, *_parts(each))]


def test_the_documentation_names_every_key():
    text = (ROOT / "docs" / "plan-toml.md").read_text()
    keys = _keys(PlanSettings)

    assert {"window_hours", "country", "draft_cost", "likely", "saturation"} <= keys, (
        "tables within are looked into"
    )
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`|\[[\w.]+\]|```.*?```", text, re.DOTALL))))
    assert keys <= named, f"docs/plan-toml.md does not name {sorted(keys - named)}"
