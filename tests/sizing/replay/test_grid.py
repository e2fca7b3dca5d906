"""OFFERS.toml as a replay reads it."""

import pytest

from data.errors import UserError
from sizing.replay.grid import read_grid
from sizing.replay.market import DISCOUNTS, PRICE_PATHS

LEAST = 'gpu = "h100"\non_demand_usd_per_gpu_hour = 4.0\n'


@pytest.fixture
def read(tmp_path):
    def read(more=""):
        path = tmp_path / "offers.toml"
        path.write_text(LEAST + more)
        return read_grid(path)

    return read


def test_an_on_demand_price_alone_gives_the_default_grid(read):
    markets = read().markets

    assert len(markets) == len(DISCOUNTS) * len(PRICE_PATHS)
    assert {market.on_demand_usd_per_gpu_hour for market in markets} == {4.0}
    assert [term.months for term in markets[-1].terms] == [1, 3, 12]


def test_the_files_own_terms_take_part(read):
    grid = read(
        '[[term]]\nname = "m"\ndays = 30\nusd_per_gpu_hour = 3.4\n'
        '[[term]]\nname = "y"\ndays = 365\ndiscount = 0.35\n'
        '[[term]]\nname = "3 years"\ndays = 1095\ndiscount = 0.5\n'
    )
    own = [m for m in grid.markets if m.one_year_discount == 0.35]

    assert len(own) == len(PRICE_PATHS)
    assert own[0].terms[0].discount == pytest.approx(0.15)
    assert "3 years (1095 days)" in grid.notes[0]


def test_the_grid_can_be_stated(read):
    grid = read(
        "[replay]\none_year_discounts = [0.2]\n"
        '[[price_path]]\nname = "mine"\nmultipliers = [1, 0.9]\n'
        '[[price_path]]\nname = "cut"\njump_month = 3\njump_to = 0.5\n'
    )

    assert [(m.one_year_discount, m.path.name) for m in grid.markets] == [(0.2, "mine"), (0.2, "cut")]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("[replay]\none_year_discounts = [1.2]\n", "one_year_discounts"),
        ("[replay]\nyears = 3\n", "years"),
        ('[[price_path]]\nname = "a"\njump_month = 3\n', "jump_to"),
        ('[[price_path]]\nname = "a"\nmultipliers = [1]\nchange_per_year = -0.1\n', "state one"),
        ('[[price_path]]\nname = "a"\n[[price_path]]\nname = "a"\n', "names must differ"),
        ('[price_path]\nname = "a"\n', r"\[\[price_path\]\]"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(read, more, words):
    with pytest.raises(UserError, match=words):
        read(more)
