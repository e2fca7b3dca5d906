"""Bills: read once, whole or not at all, and every cent of them stays."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from data.errors import UserError
from data.finops.actuals import import_spend, spend_by_month
from data.warehouse import open_store, transaction

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
FOCUS = (
    "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ProviderName,ServiceName,Tags,"
    "ConsumedQuantity,ConsumedUnit\n"
    '0,10.50,USD,2026-10-31T23:00:00Z,2026-11-01T00:00:00Z,aws,P5,"{""team"": ""search""}",3,GPU-Hours\n'
    "31.00,0,USD,2026-10-16T00:00:00Z,2026-11-16T00:00:00Z,aws,Capacity Blocks,,,\n"
)


@pytest.fixture
def store(tmp_path):
    return tmp_path / "s.duckdb"


def _import(store, path):
    with open_store(store, write=True, now=NOW) as opened, transaction(opened):
        return import_spend(opened, path, now=NOW)


def _months(store):
    with open_store(store) as opened:
        return spend_by_month(opened.con)


def _file(tmp_path, text, name="bills.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_focus_file_is_read_by_day_and_a_long_charge_is_spread(store, tmp_path):
    read = _import(store, _file(tmp_path, FOCUS))

    assert (read.shape, read.rows, read.since, read.until) == ("focus", 2, date(2026, 10, 16), date(2026, 11, 16))
    assert (read.billed_usd, read.gpu_hours) == (Decimal(31), 3.0)
    months = {(m.month, m.what): m for m in _months(store)}
    assert months["2026-10", "Capacity Blocks"].billed_usd == 16  # 16 of its 31 days
    assert months["2026-11", "Capacity Blocks"].billed_usd == 15
    assert months["2026-10", "P5"].effective_usd == Decimal("10.50")


def test_a_cent_that_days_cannot_share_is_not_lost(store, tmp_path):
    text = FOCUS.splitlines()[0] + "\n0.01,0.01,USD,2026-10-31T00:00:00Z,2026-11-03T00:00:00Z,aws,x,,,\n"
    _import(store, _file(tmp_path, text))

    assert sum(m.billed_usd for m in _months(store)) == Decimal("0.01")


def test_the_same_file_twice_changes_nothing_and_a_changed_one_takes_its_place(store, tmp_path):
    path = _file(tmp_path, "day,usd,gpu,gpu_hours\n2026-11-01,10,h100,4\n")
    _import(store, path)

    assert _import(store, path).known
    assert [(m.billed_usd, m.gpu_hours) for m in _months(store)] == [(10, 4.0)]
    _import(store, _file(tmp_path, "day,usd,gpu,gpu_hours\n2026-11-01,12,h100,5\n"))
    assert [(m.billed_usd, m.gpu_hours) for m in _months(store)] == [(12, 5.0)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "is no table of bills: it has a, b"),
        ("day,usd\n2026-13-01,1\n", "row 2: day must be a date such as 2026-11-23, not '2026-13-01'"),
        ("day,usd\n2026-11-01,1\n2026-11-02,a lot\n", "row 3: usd must be a number, not 'a lot'"),
        ("day,usd,gpu_hours\n2026-11-01,1,-2\n", "gpu_hours must be a number of 0 or more"),
        ("day,usd\n", "has no rows"),
        (FOCUS.replace("USD", "EUR"), "BillingCurrency must be USD, not 'EUR'"),
        (FOCUS.replace("0,10.50", "0,"), "EffectiveCost must be a number, not 'None'"),
        (FOCUS.replace("2026-11-16T", "2026-09-16T"), "must not lie before ChargePeriodStart"),
        (FOCUS.replace("ConsumedUnit", "ConsumedUnit,x_RecordType").replace("Hours\n", "Hours,forecast\n")
              .replace(",,,\n", ",,,,forecast\n"), "marks a plan of ours, and only bills are actuals"),
    ],
)  # fmt: skip
def test_what_is_no_bill_is_refused_whole_in_one_sentence(store, tmp_path, text, says):
    with pytest.raises(UserError, match=says):
        _import(store, _file(tmp_path, text))

    assert _months(store) == []


def test_hostile_text_is_text(store, tmp_path):
    _import(store, _file(tmp_path, 'day,usd,label\n2026-11-01,1,"\'); DROP TABLE spend_actual; --"\n'))

    assert [m.what for m in _months(store)] == ["'); DROP TABLE spend_actual; --"]
