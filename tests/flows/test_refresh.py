"""Prices of a provider's table: per GPU, by term, as rows that our catalog reads."""

from datetime import date

import pytest

from data.catalog.prices import load_offers, offers_for
from data.errors import UserError
from flows.cli import main
from flows.refresh import read_source, refreshed

HEAD = "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,SpotPrice\n"
TABLE = (
    HEAD + "p5.48xlarge,H100,8,192,2048,55.04,us-east-1,20.0\np5.48xlarge,H100,8,192,2048,60.0,eu-west-1,\n"
    "m7,,,4,16,0.2,us-east-1,\nx,V100,1,4,16,3.0,us-east-1,\n"
)
KNOWN = {"h100": "h100"}


def _offers(tmp_path, **asked):
    found = refreshed(TABLE, provider="aws", source="vms.csv", today=date(2026, 11, 24), gpus=KNOWN, **asked)
    (tmp_path / "o.toml").write_text(found.toml)
    return found, [offer for offer in load_offers([tmp_path / "o.toml"]) if offer.contract]


def test_a_price_is_per_gpu_and_its_range_is_that_of_the_regions(tmp_path):
    """$55.04 an hour for 8 H100 is $6.88 each; $60.00 in Europe is $7.50."""
    found, offers = _offers(tmp_path)

    assert (found.offers, dict(found.unknown)) == (2, {"V100": 1})
    prices = {o.term: (o.usd_per_gpu_hour_low, o.usd_per_gpu_hour_high, o.provider) for o in offers}
    assert prices == {"on-demand": (6.88, 7.5, "aws"), "spot": (2.5, 2.5, "aws")}
    assert offers_for(offers, "h100", "on-demand")[0].checked == date(2026, 11, 24)
    assert [o.usd_per_gpu_hour for o in _offers(tmp_path, region="eu-west-1")[1]] == [7.5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n", "lacks the column InstanceType"),
        (HEAD + "p,H100,0,1,1,3,r,\n", "line 2: Price is '3' for '0' accelerators, which is no price"),
        (HEAD + "p,H100,1,1,1,much,r,\n", "line 2: Price is 'much' for '1' accelerators"),
        (HEAD + "p,V100,1,1,1,1,r,\n", "prices no GPU of our catalog; it names V100"),
    ],
)
def test_a_table_that_prices_nothing_is_refused(text, says):
    with pytest.raises(UserError, match=says):
        refreshed(text, provider="p", source="s", today=date(2026, 11, 24), gpus=KNOWN)


def test_prices_come_over_https_or_from_a_file():
    with pytest.raises(UserError, match="is no https address"):
        read_source("http://example.org/vms.csv")
    with pytest.raises(UserError, match=r"Cannot read none\.csv: No such file"):
        read_source("none.csv")


def test_the_overlay_is_dated_loads_and_is_never_overwritten(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vms.csv").write_text(TABLE.replace("p5.48xlarge", '"p5""]"'))

    assert main(["catalog", "refresh", "vms.csv", "--provider", "aws"]) == 0
    said = capsys.readouterr().out
    assert "2 prices of aws; name it in plan.toml" in said
    assert "V100 (1 rows)" in said
    written = list(tmp_path.glob("prices-aws-*.toml"))
    assert len(written) == 1
    assert {o.instance for o in load_offers(written) if o.contract} == {'p5"]'}
    assert main(["catalog", "refresh", "vms.csv", "--provider", "aws"]) == 2
    assert "is there already" in capsys.readouterr().err
