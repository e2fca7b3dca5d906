"""`fleetcast commit` at the prompt: the decision as text and JSON, and one sentence where it cannot be made."""

import json
from datetime import date, timedelta

import pytest

from flows.cli import main

OFFERS = """
gpu = "h100"
on_demand_usd_per_gpu_hour = 3.0
lead_days = 7

[[term]]
name = "30 days"
days = 30
discount = 0.10

[[term]]
name = "1 year"
days = 365
discount = 0.45
"""


@pytest.fixture
def files(tmp_path):
    """Seven GPUs always, an eighth on the first 63 of every hundred days."""
    need, offers = tmp_path / "NEED.csv", tmp_path / "OFFERS.toml"
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    rows = [f"{day},{8 if n % 100 < 63 else 7}" for n, day in enumerate(days)]
    need.write_text("ds,gpus\n" + "\n".join(rows) + "\n")
    offers.write_text(OFFERS)
    return ["--need", str(need), "--offers", str(offers)]


def test_the_decision_stands_first_with_its_day(files, capsys):
    assert main(["commit", *files]) == 0

    out = capsys.readouterr().out
    assert out.startswith("Sign 8 x h100 for 1 year by 2026-01-06, from 2026-01-13:")
    assert "h100 #8 is busy 68% of hours, needs 55%: commit." in out  # 240 of the 353 days from January 13
    assert "one path: the need is taken as known" in out
    for policy in ("on demand", "rolling 30 days", "rolling 1 year", "ladder", "mix", "look-back"):
        assert f" {policy} " in out
    assert "Staying free on the ladder costs $" in out


def test_json_says_the_same(files, capsys):
    assert main(["commit", *files, "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    (row,) = found["sign"]
    assert (found["schema"], found["decide_by"], found["follows"]) == (1, "2026-01-06", "rolling 1 year")
    assert (row["gpus"], row["start"], row["end"]) == (8, "2026-01-13", "2027-01-12")
    assert row["usd_total"] == pytest.approx(8 * 1.65 * 8_760)
    assert row["bands"][7]["sentence"].endswith("needs 55%: commit.")
    assert {"name", "usd", "tail_usd", "saving_usd", "sign_gpus", "sentence"} == set(found["policies"][0])


def test_the_ladder_can_be_asked_for(files, capsys):
    main(["commit", *files, "--policy", "ladder", "--yearly-price-fall", "0.5", "--risk-weight", "0.2"])

    assert "ladder <- followed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--risk-level", "1"], "--risk-level 1 leaves no bill to look at"),
        (["--yearly-price-fall", "1"], "--yearly-price-fall 1 leaves no price"),
        (["--as-of", "2027-06-01"], "no row is on or after 2027-06-01"),
        (["--decision-days", "365"], "the need covers 365 days; give a longer need"),
    ],
)
def test_what_cannot_be_decided_is_said_in_one_sentence(files, capsys, more, said):
    assert main(["commit", *files, *more]) == 2

    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
