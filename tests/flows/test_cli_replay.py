"""`fleetcast replay --series`: any series, the promised table, one sentence where it cannot."""

import gzip

import numpy as np
import pandas as pd
import pytest

from sizing.replay.policies import POLICIES

OFFERS = (
    'gpu = "h100"\non_demand_usd_per_gpu_hour = 4.0\n[replay]\none_year_discounts = [0.4]\n'
    '[[price_path]]\nname = "flat"\n'
)


def series(name="a", days=460, **changes):
    y = 100 * (1 + 0.3 * (np.arange(days) % 7 < 5))
    table = pd.DataFrame({"unique_id": name, "ds": pd.date_range("2023-01-01", periods=days), "y": y})
    return table.assign(**changes)


@pytest.fixture
def ask(fleetcast, tmp_path):
    def ask(table, *more, offers=OFFERS):
        (tmp_path / "offers.toml").write_text(offers)
        with gzip.open(tmp_path / "s.csv.gz", "wt") as file:
            table.to_csv(file, index=False)
        files = {"--series": "s.csv.gz", "--offers": "offers.toml", "--out": "t.csv"}
        where = [each for option, name in files.items() for each in (option, tmp_path / name)]
        said = fleetcast("replay", *where, "--workers", "1", *more)
        return said, pd.read_csv(tmp_path / "t.csv") if (tmp_path / "t.csv").exists() else None

    return ask


def test_the_table_has_every_policy_on_every_series(ask):
    gaps = series("gaps").drop(index=[20, 400, 401, 402])
    said, table = ask(pd.concat([series(), gaps, series("few", y=np.arange(460) % 3)]))

    assert said.status == 0, said.err
    assert list(table.columns) == [
        "unique_id", "policy", "one_year_discount", "price_path",
        "cost_usd", "clairvoyant_usd", "unserved_gpu_hours",
    ]  # fmt: skip
    assert set(table["policy"]) == set(POLICIES)
    assert table.groupby("unique_id").size().to_dict() == dict.fromkeys(("a", "gaps", "few"), len(POLICIES))
    assert "over clairvoyant" in said.out


def test_the_chart_is_one_svg(ask, tmp_path):
    said, _ = ask(series(), "--chart", tmp_path / "c.svg", "--peak-gpus", 8)

    assert said.status == 0
    assert (tmp_path / "c.svg").read_text().startswith("<svg")


def test_a_series_too_short_is_left_out_and_named(ask):
    said, table = ask(pd.concat([series(), series("short", days=200)]))

    assert set(table["unique_id"]) == {"a"}
    assert "Left out: Series short has 200 days" in said.out


@pytest.mark.parametrize(
    ("table", "offers", "words"),
    [
        (series(days=200), OFFERS, "No series"),
        (series(y=-1.0), OFFERS, "0 or more"),
        (series().rename(columns={"y": "value"}), OFFERS, "lack the column y"),
        (series(), 'gpu = "h100"\n', "on_demand_usd_per_gpu_hour"),
    ],
)
def test_what_cannot_be_replayed_is_one_sentence_and_no_file(ask, table, offers, words):
    said, written = ask(table, offers=offers)

    assert (said.status, written) == (2, None)
    assert words in said.err


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--config", "plan.toml", "--offers", "o.toml"), "--offers is for --series"),
        (("--series", "s.csv"), "--series needs --offers too"),
        ((), "one of the arguments --config --series is required"),
    ],
)
def test_options_of_the_other_way_are_refused(fleetcast, asked, words):
    assert words in fleetcast("replay", *asked).sentence


def test_a_plan_whose_past_is_too_short_says_so_and_writes_nothing(fleetcast, world, tmp_path):
    said = fleetcast("replay", "--config", world / "plan.toml", "--as-of", "2026-11-23", "--out", tmp_path / "out")

    assert said.status == 2
    assert "unknown what the decisions would have been worth" in said.out
    assert not (tmp_path / "out").exists()
