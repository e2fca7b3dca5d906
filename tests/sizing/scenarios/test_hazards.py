from pathlib import Path

import pandas as pd
import pytest

from data.catalog.price_jumps import load_jumps
from data.errors import UserError
from sizing.scenarios.hazards import (
    DATED,
    GPU_SHRINK_YEARS,
    SNAPSHOT,
    Hazard,
    every_size,
    expected_year_on,
    gpu_hazards,
    hazards,
    read_prices,
    year_on,
)


def _table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text("date,provider,model,input_usd_per_mtok,output_usd_per_mtok,kind\n" + "\n".join(rows) + "\n")
    return path


def _row(day: str, model: str, usd: float, kind: str = SNAPSHOT) -> str:
    return f'{day},acme,{model},{usd},{usd},"{kind}"'


def test_one_cut_in_three_price_years_is_a_third_a_year(tmp_path):
    prices = read_prices(
        _table(
            tmp_path,
            *(_row(day, "stands", 1.0) for day in ("2024-01-01", "2024-12-31", "2025-12-31")),
            _row("2025-01-01", "halves", 4.0),
            _row("2026-01-01", "halves", 2.0),
        )
    )

    cut, raised = hazards(prices)

    assert cut.per_year == pytest.approx(1 / 3)
    assert cut.factors == (0.5,)
    assert raised.per_year == 0


def test_rows_noted_for_a_change_give_sizes_and_no_rates(tmp_path):
    prices = read_prices(
        _table(
            tmp_path,
            _row("2024-01-01", "stands", 1.0),
            _row("2025-01-01", "stands", 1.0),
            _row("2025-03-01", "new", 1.0, DATED),
            _row("2025-04-01", "new", 0.2, DATED),
            _row("2025-06-10", "o3 (was 10/40)", 2.0, DATED),
            _row("2026-06-01", "stands", 2.0, "announced future price (doubles)"),
        )
    )

    cut, raised = hazards(prices)

    assert (cut.seen, raised.seen) == (0, 0)
    assert every_size(prices) == pytest.approx([2.0 / 17.5, 0.2, 2.0])  # (3 x 10 + 40) / 4 = 17.5 before


def test_two_spellings_of_a_model_are_one_price_and_0_is_none(tmp_path):
    prices = read_prices(
        _table(
            tmp_path,
            _row("2025-01-01", "claude-3.5-haiku", 1.0),
            _row("2026-01-01", "claude-3-5-haiku-20241022", 1.0),
            _row("2026-02-01", "claude-3-5-haiku-20241022", 0.0),
        )
    )

    assert hazards(prices)[0].price_years == pytest.approx(1.0)


def test_the_interval_is_the_exact_one_of_a_poisson_count():
    # 80% interval of a count of 4: chi2(0.1, 8) / 2 = 1.745, chi2(0.9, 10) / 2 = 7.994 (Garwood 1936)
    assert Hazard(seen=4, price_years=10.0, factors=()).interval() == pytest.approx((0.1745, 0.7994), abs=1e-4)


def test_shrinkage_is_a_mean_of_experiences():
    assert Hazard(seen=1, price_years=5.0, factors=()).shrunk(0.1, 10.0) == pytest.approx(2 / 15)


def test_rates_and_years_add_up():
    assert sum(expected_year_on(0.09, 0.045)) == pytest.approx(1)
    assert expected_year_on(0.0, 0.0) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "said"), [("date,model\n2025-01-01,x\n", "provider"), ("", "Cannot read"), (None, "Cannot read")]
)
def test_a_table_of_something_else_is_refused(tmp_path, text, said):
    path = tmp_path / "other.csv"
    if text is not None:
        path.write_text(text)

    with pytest.raises(UserError, match=said):
        read_prices(path)


def test_a_bad_date_is_refused(tmp_path):
    with pytest.raises(UserError, match="2026-10-21"):
        read_prices(_table(tmp_path, _row("21.10.2026", "x", 1.0)))


def test_prices_seen_once_say_no_rate(tmp_path):
    with pytest.raises(UserError, match="two dates"):
        hazards(read_prices(_table(tmp_path, _row("2026-01-01", "x", 1.0))))


@pytest.fixture
def history() -> pd.DataFrame:
    path = Path(__file__).resolve().parents[4] / "shared" / "data" / "prices" / "price_history.csv"
    if not path.exists():
        pytest.skip(f"{path} with the price history is not on this machine")
    return read_prices(path)


def test_the_catalogs_api_jumps_are_what_the_command_estimates(history):
    cut, raised = hazards(history)
    api = load_jumps()["api"]

    assert (api.cuts_per_year, api.raises_per_year) == pytest.approx((cut.per_year, raised.per_year), abs=5e-5)
    assert api.cut_factors == pytest.approx(cut.factors, abs=5e-4)
    assert api.raise_factors == pytest.approx(raised.factors, abs=5e-4)
    assert (api.cuts, api.raises, api.price_years) == (cut.seen, raised.seen, round(cut.price_years, 1))


def test_the_catalogs_gpu_jumps_are_what_the_command_estimates(history):
    for mine, theirs, rate, factors in zip(
        gpu_hazards(),
        hazards(history),
        (load_jumps()["gpu"].cuts_per_year, load_jumps()["gpu"].raises_per_year),
        (load_jumps()["gpu"].cut_factors, load_jumps()["gpu"].raise_factors),
        strict=True,
    ):
        assert rate == pytest.approx(mine.shrunk(theirs.per_year, GPU_SHRINK_YEARS), abs=1e-4)
        assert factors == pytest.approx(mine.factors)


def test_nine_prices_in_ten_stand_a_year(history):
    found = year_on(history)

    assert found.pairs >= 30
    assert 0.85 <= found.unchanged <= 0.95
    assert found.cut > found.raised
