"""OFFERS.toml: what it may say, and one sentence where it is wrong."""

from datetime import date

import pytest

from data.catalog.commit_offers import HeldOffer, Offers, TermOffer, read_commit_offers
from data.errors import UserError

WHOLE = """
gpu = "h100"
on_demand_usd_per_gpu_hour = 3.0
spot_usd_per_gpu_hour = 1.2
spot_overhead_fraction = 0.25
api_usd_per_gpu_hour = 4.0
lead_days = 7

[[term]]
name = "30 days"
days = 30
discount = 0.1

[[term]]
name = "1 year"
days = 365
usd_per_gpu_hour = 1.8
max_gpus = 64
upfront_fraction = 0.5

[[held]]
gpus = 4
usd_per_gpu_hour = 2.0
start = 2026-06-01
end = 2026-12-31

[[batch]]
name = "embeddings"
gpu_hours = 48
weekdays = ["saturday", "sunday"]
deadline_h = 12
"""


def read(tmp_path, text, **options):
    path = tmp_path / "OFFERS.toml"
    path.write_text(text)
    return read_commit_offers(path, **options)


def test_a_file_says_terms_held_and_batch(tmp_path):
    offers = read(tmp_path, WHOLE)

    assert [offers.term_price(t) for t in offers.terms] == pytest.approx([2.7, 1.8])
    assert offers.held == (
        HeldOffer(gpus=4, usd_per_gpu_hour=2.0, start=date(2026, 6, 1), end=date(2026, 12, 31)),
    )
    assert (offers.batch[0].weekdays, offers.batch[0].deadline_h) == (("saturday", "sunday"), 12)
    assert offers.lead_days == 7


def test_spot_costs_what_it_must_do_again_and_unserved_three_times_on_demand(tmp_path):
    offers = read(tmp_path, WHOLE)

    assert offers.spot_usd == pytest.approx(1.5)
    assert offers.unserved_usd == pytest.approx(9.0)


def test_what_is_not_sold_has_no_price():
    assert Offers(gpu="x", on_demand_usd_per_gpu_hour=1.0).spot_usd is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("discount = 0.1\n", "", "row [term 1]: states neither of `discount` and `usd_per_gpu_hour`"),
        ("discount = 0.1", "discount = 0.1\nusd_per_gpu_hour = 2.0", "states both"),
        ("discount = 0.1", "discount = 10", "`discount` is 10"),
        ("days = 30", "days = 0", "`days` is 0"),
        ("days = 30", "dais = 30", "`dais` is not a key of this table; did you mean days"),
        ("end = 2026-12-31", "end = 2026-01-31", "`end` is 2026-01-31, before `start`, 2026-06-01"),
        ('name = "1 year"', 'name = "30 days"', "two terms are called '30 days'"),
        ('gpu = "h100"', "", "`gpu` is missing"),
        ("lead_days = 7", "lead_days = -1", "`lead_days` is -1"),
        ("lead_days = 7", "price_paths = 3", "`price_paths` is not a key"),
        ('weekdays = ["saturday", "sunday"]', 'weekdays = ["caturday"]', "row [batch 1]"),
        ("gpu_hour = 3.0", "gpu_hour = nan", "`on_demand_usd_per_gpu_hour` is nan"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path, old, new, said):
    with pytest.raises(UserError) as caught:
        read(tmp_path, WHOLE.replace(old, new, 1))

    assert said in str(caught.value)
    assert "OFFERS.toml" in str(caught.value)


def test_another_commands_tables_are_left_to_it(tmp_path):
    text = WHOLE + '\n[[price_path]]\nname = "falls"\n'

    assert read(tmp_path, text).gpu == "h100"
    with pytest.raises(UserError, match="`price_path` is not a key"):
        read(tmp_path, text, others=())


def test_a_term_in_one_word_is_told_how_to_write_it(tmp_path):
    with pytest.raises(UserError, match=r"write \[\[term\]\] above each"):
        read(tmp_path, WHOLE.replace("[[term]]", "[term]", 1).replace("[[term]]", "[other]", 1))


def test_a_term_has_one_price():
    assert TermOffer(name="m", days=30, usd_per_gpu_hour=2.0).price(9.0) == 2.0
