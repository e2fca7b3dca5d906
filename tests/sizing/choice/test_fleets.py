import pytest

from sizing.choice.fleets import best_single, cheaper, rank_single, second_best
from sizing.choice.limits import Limits


def test_whole_replicas_and_the_spare_are_paid(made_up, of_options):
    """3.2 replicas of 2 GPUs are 4, with a spare 5: 10 GPUs at $3 are $30 an hour and 5 kW."""
    fleet = best_single(of_options(made_up("a", 3.2, usd=3.0, spare=1, tp=2)), Limits())

    assert (fleet.gpus, fleet.usd_per_hour, fleet.power_kw) == ({"a": 10}, 30.0, 5.0)


def test_limits_move_the_choice_and_say_why(made_up, of_options):
    options = of_options(made_up("a", 10, usd=1.0), made_up("b", 4, usd=3.0), made_up("c", 2, usd=9.0))

    assert best_single(options, Limits()).gpus == {"a": 10}
    assert best_single(options, Limits(max_gpus={"a": 9})).gpus == {"b": 4}
    assert best_single(options, Limits(max_power_kw=1.0)).gpus == {"c": 2}
    assert best_single(options, Limits(max_power_kw=0.4)) is None
    refused = rank_single(options, Limits(max_gpus={"a": 9}))[-1]
    assert (refused.fleet.gpus, refused.why_not) == ({"a": 10}, "It takes 10 a, and 9 can be had.")


def test_an_unknown_price_is_never_chosen_and_says_so(made_up, of_options):
    ranked = rank_single(of_options(made_up("a", 1, usd=None), made_up("b", 9, usd=9.0)), Limits())

    assert ranked[0].fleet.gpus == {"b": 9}
    assert ranked[1].why_not == "No price of a is known."
    assert ranked[1].fleet.usd_per_hour is None


def test_second_best_is_the_next_kind_of_gpu(made_up, of_options):
    options = of_options(made_up("a", 3), made_up("a", 4, tp=1), made_up("b", 5), made_up("c", 6))

    assert second_best(rank_single(options, Limits())).fleet.gpus == {"b": 5}
    assert second_best(rank_single(options, Limits(max_gpus={"b": 1, "c": 1}))) is None


def test_cheaper_keeps_the_first_of_equals(made_up, of_options):
    one = best_single(of_options(made_up("a", 3)), Limits())
    other = best_single(of_options(made_up("b", 3)), Limits())

    assert cheaper(one, other) is one
    assert cheaper(None, other) is other
    assert cheaper(one, None) is one


@pytest.mark.parametrize("more", [1.0, 2.5])
def test_more_work_never_costs_less(asked, more):
    from dataclasses import replace

    grown = replace(
        asked.options, options=tuple(replace(o, replicas=o.replicas * (1 + more)) for o in asked.options.options)
    )
    assert best_single(grown, Limits()).usd_per_hour >= best_single(asked.options, Limits()).usd_per_hour
