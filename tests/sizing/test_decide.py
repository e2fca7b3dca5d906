"""The choice per horizon: cheapest of what may be bought, in a sentence that says how firm it is."""

from datetime import date

import numpy as np
import pytest

from data.catalog.prices import GpuOffer
from forecasting.spread import Spread
from sizing.commitments import ladder
from sizing.compare import PricedLine
from sizing.decide import chance_cheaper, decide
from sizing.money import CostLine


def priced(option, paths, *, gpu="h100", days=30, low=None, high=None, gpus=4):
    paths = None if paths is None else np.asarray(paths, dtype=float)
    api = option.startswith("api")
    line = CostLine(
        workload="chat",
        horizon_days=days,
        option=option,
        label="together/llama" if api else f"{gpu} {option}",
        usd=None if paths is None else Spread.of(paths),
        usd_low=None if paths is None else float(paths.mean()) if low is None else low,
        usd_high=None if paths is None else float(paths.mean()) if high is None else high,
        usd_per_mtok=None,
        gpu=None if api else gpu,
        gpu_hours=None,
        source="",
        checked=None,
        note="" if paths is not None else f"No price of {option}.",
    )
    return PricedLine(line=line, usd_paths=paths, gpus=None if api else gpus)


def around(mean, spread=0.01, n=50):
    return mean * np.linspace(1 - spread, 1 + spread, n)


def options(days, *, api=20_000, hourly=15_000, monthly=10_000, yearly=9_000):
    return [
        priced("api", around(api), days=days),
        priced("on-demand", around(hourly), days=days),
        priced("reserved-30d", around(monthly), days=days),
        priced("reserved-1y", around(yearly), days=days),
    ]


def steps():
    offers = {
        term: GpuOffer(
            gpu="h100",
            term=term,
            usd_per_gpu_hour_low=usd,
            usd_per_gpu_hour_high=usd,
            provider="example",
            source="worked example",
            checked=date(2026, 11, 23),
            price_source="test",
        )
        for term, usd in (("on-demand", 3.0), ("reserved-30d", 2.1), ("reserved-1y", 1.8))
    }
    return ladder(np.full((1, 365, 24), 6.0), offers=offers, start=date(2026, 11, 23))


def test_thirty_days_commit_when_the_reserved_month_is_cheapest():
    choice = decide(options(30), terms=steps())

    assert (choice.action, choice.option, choice.gpu, choice.gpus) == ("commit", "reserved-30d", "h100", 6)
    assert choice.usd == pytest.approx(10_000)
    assert choice.saving_usd == pytest.approx(10_000)
    assert choice.decide_by == date(2026, 11, 23)
    assert not choice.flips
    assert choice.sentence == (
        "Commit to 6 x h100 for 30 days from 2026-11-30, decided by 2026-11-23: $10,000 ($9,920 to $10,080) over"
        " 30 days, $10,000 less than together/llama ($20,000)."
    )


@pytest.mark.parametrize(
    ("cheaper", "action", "gpus"), [({"api": 5_000}, "api", None), ({"hourly": 5_000}, "on-demand", 4)]
)
def test_thirty_days_stay_free_when_that_is_cheaper(cheaper, action, gpus):
    choice = decide(options(30, **cheaper), terms=steps())

    assert (choice.action, choice.gpus, choice.decide_by) == (action, gpus, None)


def test_a_year_is_never_bought_for_a_month():
    assert decide(options(30, yearly=1.0)).option == "reserved-30d"
    assert decide(options(90, yearly=1.0)).option == "reserved-30d"


def test_ninety_days_hedge_with_the_firm_part_named():
    choice = decide(options(90), terms=steps())

    assert (choice.action, choice.decide_by) == ("hedge", date(2026, 12, 23))
    assert "6 x h100, 6 of them firm, in 30-day terms from 2026-12-30" in choice.sentence


def test_a_year_is_watched_and_nothing_signed():
    choice = decide(options(365), terms=steps())

    assert (choice.action, choice.option, choice.decide_by) == ("watch", "reserved-1y", None)
    assert "sign nothing for the year today" in choice.sentence


def test_the_saving_is_against_the_dearest_kind_on_its_best_gpu():
    """A dear GPU that nobody would rent does not make the saving look larger."""
    lines = [*options(30), priced("on-demand", around(900_000), gpu="l40s")]

    assert decide(lines).saving_usd == pytest.approx(10_000)


def test_a_choice_that_turns_on_one_path_in_three_says_so():
    own = np.full(30, 10_000.0)
    api = np.where(np.arange(30) < 10, 9_000.0, 14_000.0)

    choice = decide([priced("api", api), priced("on-demand", own)])

    assert choice.flips
    assert "on 33% of paths together/llama is cheaper" in choice.sentence


def test_spreads_that_overlap_but_move_together_leave_the_choice_firm():
    """Both bills follow the same traffic; on every path the own fleet is cheaper."""
    traffic = np.linspace(5_000, 20_000, 50)

    choice = decide([priced("api", traffic), priced("on-demand", traffic * 0.8)])

    assert not choice.flips


def test_a_price_range_that_reaches_the_rival_is_said():
    choice = decide([priced("api", around(12_000)), priced("on-demand", around(10_000), low=6_000, high=14_000)])

    assert choice.flips
    assert "costs up to $14,000, together/llama as little as $12,000" in choice.sentence


def test_what_has_no_price_is_left_out_and_named():
    choice = decide([priced("api", None), priced("on-demand", around(10_000))])

    assert choice.option == "on-demand"
    assert choice.saving_usd is None
    assert choice.sentence.endswith("Not weighed, for want of a price: together/llama.")


def test_without_any_price_there_is_no_choice_and_no_zero():
    choice = decide([priced("api", None), priced("on-demand", None)])

    assert (choice.action, choice.usd) == ("none", None)
    assert "No price of api." in choice.sentence


def test_reservations_in_force_are_no_option_to_choose():
    choice = decide([priced("committed", around(1.0)), priced("api", around(12_000))])

    assert choice.option == "api"


def test_the_chance_that_another_line_is_cheaper_counts_paths():
    assert chance_cheaper(priced("api", [1, 5, 5, 5]), priced("on-demand", [2, 2, 2, 2])) == 0.25
