"""What a unit of provisioned throughput carries and costs: the table's own figures, the user's on top."""

import pytest

from data.catalog.provisioned import load_provisioned
from data.errors import UserError

MINE = """
[[price]]
price_group = "azure-ptu-global"
term = "monthly"
usd_per_unit_term = 200.0
provider = "azure"
source = "contract 7"
checked = 2026-11-20

[[capacity]]
provider = "aws"
model = "anthropic.claude-3-5-sonnet"
unit = "model unit"
deployment = "regional"
price_group = "bedrock-claude-3-5-sonnet"
tok_per_minute_per_unit = 60000
output_weight = 5.0
source = "account team, 2026-10"
checked = 2026-10-02
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


def test_a_term_costs_by_the_hour_what_it_costs_in_all():
    """$260 / 730.5 h, $2,652 / 8,760 h: 64% and 70% less than $1."""
    known = load_provisioned()
    prices = {p.term: p.hourly_usd for p in known.prices_of(known.find("azure", "gpt-5"))}

    assert prices == pytest.approx({"hourly": 1.0, "monthly": 0.35592, "yearly": 0.30274}, abs=1e-5)


def test_what_nobody_publishes_stays_unknown():
    known = load_provisioned()

    assert known.find("aws", "anthropic.claude-3-5-sonnet").tok_per_minute_per_unit is None
    assert known.prices_of(known.find("google", "claude-sonnet-4-5")) == ()
    assert known.capacity("together", "llama") is None


def test_the_users_rows_win(mine):
    known = load_provisioned([mine])
    azure, aws = known.find("azure", "gpt-5"), known.find("aws", "anthropic.claude-3-5-sonnet")

    assert {p.term: p.usd_per_unit_term for p in known.prices_of(azure)}["monthly"] == 200
    assert aws.tok_per_minute_per_unit == 60_000


def test_every_row_has_a_source_and_prices_belong_to_a_capacity():
    known = load_provisioned()
    groups = {c.price_group for c in known.capacities}

    assert all(row.source for row in (*known.capacities, *known.prices))
    assert {p.price_group for p in known.prices} <= groups


def test_an_unknown_model_is_refused_with_near_names():
    with pytest.raises(UserError, match=r"did you mean .*azure/gpt-5"):
        load_provisioned().find("azure", "gpt-5.9")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("[[offer]]\n", "is not a table"), (MINE.replace("200.0", "200.0\nusd_per_unit_hour = 1"), "only one")],
)
def test_a_wrong_file_is_refused_in_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "wrong.toml"
    path.write_text(text)

    with pytest.raises(UserError, match=sentence):
        load_provisioned([path])
