"""The catalog prints every fact whole, with its source, whatever the terminal's width."""

import json
from datetime import date

import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.catalog.prices import load_offers


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """A terminal of 40 columns."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def _rows(text):
    return [line.rstrip() for line in text.splitlines()[2:]]


def test_every_model_stands_in_one_whole_line(fleetcast):
    said = fleetcast("catalog", "models")
    rows = _rows(said.out)

    assert (said.status, said.err) == (0, "")
    assert len(rows) == len(load_models())
    for row, model in zip(rows, load_models().values(), strict=True):
        assert row.split()[0] == model.name
        assert row.endswith(str(model.checked))
        assert f"{model.max_context_tok:,}" in row
        assert "…" not in row


def test_every_gpu_stands_in_one_whole_line(fleetcast):
    rows = _rows(fleetcast("catalog", "gpus").out)

    assert len(rows) == len(load_gpus())
    for row, gpu in zip(rows, load_gpus().values(), strict=True):
        assert row.split()[0] == gpu.name
        assert row.endswith(gpu.full_name)
        assert (gpu.tdp_w is None) <= ("–" in row)


def test_every_price_stands_in_one_whole_line_with_its_source(fleetcast):
    rows = _rows(fleetcast("catalog", "prices").out)
    quoted = load_offers()

    assert len(rows) > len(quoted)
    for row, offer in zip(rows, quoted, strict=False):
        assert row.split()[:2] == [offer.gpu, offer.term]
        assert row.endswith(offer.source.rstrip())
        assert "quoted" in row
    for row in rows[len(quoted) :]:
        assert "derived" in row
        assert "planning-table" in row


def test_a_range_of_prices_shows_both_ends(fleetcast):
    rows = _rows(fleetcast("catalog", "prices", "h100").out)

    planning = [row for row in rows if "planning-table" in row and "on-demand" in row]
    assert len(planning) == 1
    assert "2.00 to 4.00" in planning[0]  # the planning table's H100: $2-4 an hour


def test_a_derived_price_is_on_demand_less_its_discount(fleetcast):
    offers = json.loads(fleetcast("catalog", "prices", "h200", "--json").out)
    planning = {o["term"]: o for o in offers if o["price_source"] == "planning-table"}

    year, spot = planning["reserved-1y"], planning["on-demand"]
    assert year["derived"]
    assert not spot["derived"]
    percent = float(year["note"].split("on-demand less ")[1].split("%")[0])
    assert year["usd_per_gpu_hour_low"] == pytest.approx(spot["usd_per_gpu_hour_low"] * (1 - percent / 100))


@pytest.mark.parametrize("what", ["models", "gpus", "prices"])
def test_json_holds_every_row_with_source_and_date(fleetcast, what):
    rows = json.loads(fleetcast("catalog", what, "--json").out)

    for row in rows.values() if isinstance(rows, dict) else rows:
        assert row["source"]
        assert date.fromisoformat(row["checked"])


def test_one_row_is_shown_whole_and_unknown_stays_unknown(fleetcast):
    text = fleetcast("catalog", "gpus", "A10G").out
    facts = json.loads(fleetcast("catalog", "gpus", "a10g", "--json").out)

    assert facts["source"] in text
    assert f"{facts['memory_bytes']:,}" in text
    for key, value in facts.items():
        line = next(line for line in text.splitlines() if line.split()[:1] == [key])
        assert (value is None) == (line.split()[1:] == ["unknown"])


@pytest.mark.parametrize(
    ("what", "name", "says"),
    [
        ("models", "llama-3.1-80b", "did you mean llama-3.1-8b"),
        ("gpus", "h1000", "did you mean h100"),
        ("prices", "mi355", "did you mean mi355x"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(fleetcast, what, name, says):
    said = fleetcast("catalog", what, name)

    assert repr(name) in said.sentence
    assert says in said.sentence
    assert said.out == ""


def test_a_gpu_without_a_price_says_so_and_how_to_add_one(fleetcast):
    priced = {offer.gpu for offer in load_offers()}
    unpriced = [name for name in load_gpus() if name not in priced]
    assert unpriced

    for name in unpriced:
        sentence = fleetcast("catalog", "prices", name).sentence
        assert f"No price of {name} is known" in sentence
        assert "contract file" in sentence


def test_a_name_with_brackets_is_text_and_not_markup(fleetcast, tmp_path):
    path = tmp_path / "contract.toml"
    path.write_text(
        '[[offer]]\ngpu = "h100"\nterm = "on-demand"\nusd_per_gpu_hour_low = 1.5\nusd_per_gpu_hour_high = 1.5\n'
        'provider = "rent[bold]all"\nsource = "our contract"\nchecked = 2026-11-20\n'
    )

    assert "rent[bold]all" in fleetcast("catalog", "prices", "h100", "--overlay", path).out


def test_an_overlay_wins_over_our_own_row(fleetcast, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[h100]\ntdp_w = 650\nsource = "our rack"\nchecked = 2026-11-20\n')

    ours = json.loads(fleetcast("catalog", "gpus", "h100", "--json").out)
    theirs = json.loads(fleetcast("catalog", "gpus", "h100", "--json", "--overlay", path).out)

    assert (ours["tdp_w"], theirs["tdp_w"]) == (700, 650)
    assert theirs["source"] == "our rack"
    assert theirs["memory_bytes"] == ours["memory_bytes"]
