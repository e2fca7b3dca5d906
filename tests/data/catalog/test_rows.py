"""Rows of facts: where they come from, how the user's win, and what is said when one is wrong."""

import hashlib
import tomllib
from pathlib import Path

import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.catalog.rows import CATALOG_FILES, catalog_bytes, catalog_digest
from data.errors import UserError

FACTS = 'source = "my bench"\nchecked = 2026-11-01\n'


def overlay(tmp_path: Path, text: str, name: str = "mine.toml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def all_rows():
    for name in CATALOG_FILES:
        for key, value in tomllib.loads(catalog_bytes(name).decode()).items():
            rows = value if isinstance(value, list) else [value]
            yield from (pytest.param(row, id=f"{name}-{key}-{n}") for n, row in enumerate(rows))


@pytest.mark.parametrize("row", list(all_rows()))
def test_every_row_states_its_source_and_the_day_it_was_checked(row):
    assert len(row["source"]) > 10
    assert "2026-01-01" < row["checked"].isoformat() <= "2026-11-24"


@pytest.mark.parametrize("name", ["models.toml", "gpus.toml"])
def test_a_row_from_memory_says_so_in_its_source_too(name):
    for row in tomllib.loads(catalog_bytes(name).decode()).values():
        assert (row["evidence"] == "memory") == ("from memory" in row["source"])


def test_an_overlay_changes_the_keys_it_gives_and_keeps_the_others(tmp_path):
    path = overlay(tmp_path, f"[h100]\nusable_bytes = 84_000_000_000\n{FACTS}")

    ours, theirs = load_gpus()["h100"], load_gpus([path])["h100"]

    assert theirs.usable_bytes == 84_000_000_000
    assert theirs.source == "my bench"
    assert theirs.memory_bytes_per_s == ours.memory_bytes_per_s


def test_the_later_overlay_wins(tmp_path):
    first = overlay(tmp_path, f"[h100]\ntdp_w = 600\n{FACTS}", "first.toml")
    second = overlay(tmp_path, f"[h100]\ntdp_w = 500\n{FACTS}", "second.toml")

    assert load_gpus([first, second])["h100"].tdp_w == 500
    assert load_gpus([second, first])["h100"].tdp_w == 600


def test_an_overlay_may_add_a_row_of_its_own(tmp_path):
    text = catalog_bytes("gpus.toml").decode()
    row = text[text.index('["h200"]') : text.index('["h100"]')].replace('["h200"]', "[my-h200]")

    assert load_gpus([overlay(tmp_path, row)])["my-h200"].memory_bytes == 141_000_000_000


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"[h100]\nmemory_bytes = -1\n{FACTS}",
            "row [h100]: `memory_bytes` is -1; it should be greater than 0.",
        ),
        (
            f'[h100]\nmemory_bytes_per_s = "fast"\n{FACTS}',
            "row [h100]: `memory_bytes_per_s` is 'fast'; it should be a valid number, unable to parse string as a"
            " number.",
        ),
        (
            f"[h100]\nmemory_byte = 1\n{FACTS}",
            "row [h100]: `memory_byte` is not a key of this table; did you mean memory_bytes or memory_type or"
            " memory_bytes_per_s?",
        ),
        (
            "[h100]\ntdp_w = 600\n",
            "row [h100]: `source` is missing; every row states where it is from.",
        ),
        (
            f"[new]\nvendor = 'X'\nevidence = 'file'\n{FACTS}",
            "row [new]: `full_name` is missing; every row must state it.",
        ),
        (
            f"[h100]\nevidence = 'rumour'\n{FACTS}",
            "row [h100]: `evidence` is 'rumour'; it should be 'file', 'data sheet' or 'memory'.",
        ),
        (
            "h100 = 3\n",
            'row [h100]: `(row)` is 3; a table, written ["h100"] on a line of its own.',
        ),
    ],
)
def test_a_wrong_value_is_named_with_file_row_key_and_what_is_allowed(tmp_path, text, sentence):
    path = overlay(tmp_path, text)

    with pytest.raises(UserError) as raised:
        load_gpus([path])

    assert str(raised.value) == f"{path}, {sentence}"


def test_a_missing_overlay_is_named(tmp_path):
    with pytest.raises(UserError, match=r"Cannot read the catalog file .*absent\.toml: No such file or directory"):
        load_models([tmp_path / "absent.toml"])


def test_an_overlay_that_is_not_toml_is_named_with_its_line(tmp_path):
    with pytest.raises(UserError, match=r"mine\.toml is not valid TOML: .*line 1"):
        load_models([overlay(tmp_path, "[h100\n")])


def test_the_digest_changes_with_any_byte_of_the_catalogs(monkeypatch):
    before = catalog_digest()
    assert len(before) == len(hashlib.sha256().hexdigest())
    assert catalog_digest() == before

    monkeypatch.setattr("data.catalog.rows.catalog_bytes", lambda name: catalog_bytes(name) + b"\n")

    assert catalog_digest() != before
