"""Choices of all workloads together, on the planned world's chat workload, twice and without an API."""

from dataclasses import replace

import pytest

from data.errors import UserError
from flows.choosing import choose_all, shared_row
from flows.pricing import price, share_held


@pytest.fixture(scope="module")
def twice(walked):
    """Two workloads like chat, on its GPUs alone: what `choose_all` takes, and a way to change [choice]."""
    plan, facts = walked["plan"], walked["facts"]
    chat = plan.settings.workloads[0].model_copy(update={"api": None})
    workloads = [chat, chat.model_copy(update={"name": "chat-too"})]
    settings = plan.settings.model_copy(update={"workloads": workloads, "commitments": []})
    both = plan.model_copy(update={"settings": settings})
    demand = walked["outlooks"][0].demand
    demands, sized = [demand, demand], [walked["sized"][0]] * 2
    needs = share_held(both, demands, sized)
    one = price(both, chat, demand, sized[0], needs[0])
    traffic = [walked["past"].traffic[0]] * 2

    def choose(**changes):
        choice = settings.choice.model_copy(update=changes)
        asked = both.model_copy(update={"settings": settings.model_copy(update={"choice": choice})})
        return choose_all(asked, facts, traffic, demands, sized, needs, [one, one])

    return choose, settings, one


def test_two_of_one_model_share_and_the_parts_add_up_to_the_cent(twice):
    choose, settings, one = twice
    chosen = choose()
    (sharing,) = chosen.sharing
    days = settings.horizons_days[0]

    assert sharing.adopted
    assert sharing.gpus < sharing.apart_gpus
    assert round(sum(sharing.parts_usd) * 100) == round(sharing.usd * 100)
    assert all(part <= alone for part, alone in zip(sharing.parts_usd, sharing.apart_usd, strict=True))
    assert sharing.usd < 2 * one.choices[days].usd
    assert {p.choices[n].gpu for p in chosen.priced for n in settings.horizons_days} == {sharing.gpu}


def test_terms_see_the_pool(twice):
    """The needs that are reserved for add up to the shared fleet's, in every hour of every path."""
    choose, _, _ = twice
    chosen = choose()
    (sharing,) = chosen.sharing
    needs = sum(need.buy[sharing.gpu] + need.held[sharing.gpu] for need in chosen.needs)

    assert needs == pytest.approx(sharing.shared.hourly_gpus)


def test_sharing_can_be_switched_off(twice):
    choose, _settings, one = twice
    chosen = choose(share=False)

    assert chosen.sharing == ()
    assert chosen.priced == (one, one)


def test_bounds_hold_for_all_together(twice):
    choose, settings, one = twice
    days = settings.horizons_days[0]
    gpu = one.choices[days].gpu
    chosen = choose(share=False, max_gpus={gpu: 0})

    assert gpu not in {p.choices[n].gpu for p in chosen.priced for n in settings.horizons_days}
    assert all(p.choices[days].usd >= one.choices[days].usd for p in chosen.priced)


def test_bounds_that_nothing_keeps_are_refused(twice):
    choose, _, _ = twice
    with pytest.raises(UserError, match="No choice of GPUs keeps to"):
        choose(max_power_kw=0.01)


def test_the_page_says_who_shares_and_who_pays(twice):
    choose, settings, _ = twice
    (sharing,) = choose().sharing
    row = shared_row(settings, sharing)

    assert row.sentence.startswith("chat and chat-too on one fleet of llama-3.1-70b take ")
    assert "it is planned so" in row.sentence
    assert sum(round(part.usd * 100) for part in row.parts) == round(row.usd * 100)
    dearer = shared_row(settings, replace(sharing, adopted=False, apart_usd=(1.0, 1.0)))
    assert "so they stay apart" in dearer.sentence
