import json

import pytest

from data.formats.registry import AGGREGATE_FORMATS, formats
from flows.cli import main
from flows.cli_formats import card_of


def test_every_format_is_listed_with_what_it_reads(capsys):
    assert main(["formats"]) == 0

    out = capsys.readouterr().out
    for name, fmt in formats().items():
        assert f"{name} ({'sums' if fmt in AGGREGATE_FORMATS else 'requests'})" in out
        assert all(part in " ".join(out.split()) for part in card_of(fmt).columns)


@pytest.mark.parametrize("name", formats())
def test_one_format_is_shown_in_full(name: str, capsys):
    assert main(["formats", name]) == 0
    shown = capsys.readouterr().out

    assert main(["formats", name, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)

    assert card["name"] == name
    assert card["columns"]
    assert card["recognised"]
    for theirs, ours in card["columns"].items():
        assert theirs in shown
        assert ours in shown


def test_where_percentiles_come_from_is_said():
    known = formats()
    assert card_of(known["canonical"]).percentiles == "of every request"
    assert "2.5x off" in card_of(known["prometheus"]).percentiles
    assert card_of(known["openai-usage"]).percentiles.startswith("none")


def test_a_strange_name_is_one_sentence(capsys):
    assert main(["formats", "promethesu"]) == 2
    assert "did you mean prometheus?" in capsys.readouterr().err
