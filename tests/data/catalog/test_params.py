"""The parameters of a shape, worked by hand from its config.json."""

import pytest

from data.catalog.models import load_models
from data.catalog.params import moe_layers, params_active_of, params_of

MODELS = load_models()


def test_mixtral_passes_two_of_eight_experts():
    mixtral = MODELS["mixtral-8x7b"]

    expert = 3 * 4096 * 14336
    assert params_of(mixtral) - params_active_of(mixtral) == 32 * 6 * expert
    assert params_active_of(mixtral) == pytest.approx(12.9e9, rel=0.01)  # the model card's count


@pytest.mark.parametrize(
    ("name", "card"), [("deepseek-v3", 37e9), ("qwen3-235b-a22b", 22e9), ("llama-4-scout", 17e9)]
)
def test_active_parameters_are_the_cards_within_five_percent(name, card):
    assert params_active_of(MODELS[name]) == pytest.approx(card, rel=0.05)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_token_never_passes_more_than_there_is(name):
    model = MODELS[name]

    assert params_active_of(model) <= params_of(model)
    assert (params_active_of(model) == params_of(model)) == (moe_layers(model) == 0)
