from dataclasses import replace

import pytest

from data.errors import UserError
from sizing.choice.training import (
    Training,
    activation_bytes,
    attention_flop,
    gpu_bytes,
    layer_activation_bytes,
    least_gpus,
    lora_params,
    six_nd,
    state_bytes,
    train_flop,
)
from sizing.memory import MEMORY_UTILISATION

RUN = Training(tokens=1e9)


def test_six_nd_by_hand_with_the_active_parameters_of_a_mixture(models):
    """6 x 37e9 x 1e9 = 2.2e20 FLOP for DeepSeek-V3, not 6 x 671e9 x 1e9."""
    deepseek = models["deepseek-v3"]

    assert six_nd(deepseek, RUN) == 6 * deepseek.params_active * 1e9
    assert 2.1e20 < six_nd(deepseek, RUN) < 2.4e20


def test_lora_leaves_the_gradients_of_frozen_weights_out(models):
    """Forward 2 N D, back to the inputs 2 N D: two thirds of a full run, and 6 N_lora D for the adapters."""
    llama = models["llama-3.1-8b"]
    lora = six_nd(llama, replace(RUN, method="lora"))

    assert lora == (4 * llama.params_active + 6 * lora_params(llama, 16)) * 1e9
    assert lora / six_nd(llama, RUN) == pytest.approx(2 / 3, rel=0.01)


def test_attention_grows_with_the_sequence_and_is_what_kaplan_counts(models):
    """Kaplan: 6 n_layer n_ctx d_attn FLOP a token, counting every pair; causal, half of it and twice for k and v.

    Llama-3.1-8B at 4,096: 3 x 2 x 32 heads x 32 layers x (128 + 128) x 2,048 = 3.2e9 FLOP a token, 7% of 6 N.
    """
    llama = models["llama-3.1-8b"]

    assert attention_flop(llama, RUN) == pytest.approx(3 * 2 * 32 * 32 * 256 * 2_048 * 1e9)
    assert attention_flop(llama, replace(RUN, sequence_tok=8_192)) == 2 * attention_flop(llama, RUN)
    assert train_flop(llama, RUN) == six_nd(llama, RUN) + attention_flop(llama, RUN)
    assert 0.05 < attention_flop(llama, RUN) / six_nd(llama, RUN) < 0.08


def test_states_are_sixteen_bytes_a_trained_parameter(models):
    """ZeRO: a 7.5e9 model takes 120 GB; ours of 8.03e9 takes 128.5 GB. LoRA: 16 GB frozen and 0.2 GB."""
    llama = models["llama-3.1-8b"]

    assert state_bytes(llama, RUN) == 16 * llama.params_total
    lora = state_bytes(llama, replace(RUN, method="lora"))
    assert lora == pytest.approx(2 * llama.params_total + 16 * 13_631_488, rel=1e-3)
    assert state_bytes(llama, replace(RUN, method="lora", frozen_precision="int4")) < lora / 2.5


def test_a_gpt_layer_keeps_korthikantis_thirty_four_bytes(models):
    """Two matrices of width 4 h, so 34 s b h a layer, and 5 a s^2 b for the softmax."""
    h, a, s = 4_096, 32, 2_048
    gpt = replace(
        models["llama-3.1-8b"], hidden=h, heads=a, intermediate=4 * h, ffn_matrices=2, vocab=1, params_active=1
    )
    run = replace(RUN, sequence_tok=s, micro_batch=2)

    assert layer_activation_bytes(gpt) == 34 * h
    assert activation_bytes(gpt, replace(run, recompute="selective")) == 34 * s * 2 * h * 32 + 6 * s * 2
    every = activation_bytes(gpt, replace(run, recompute="none"))
    assert every == s * 2 * h * 32 * (34 + 5 * a * s / h) + 6 * s * 2
    full = activation_bytes(gpt, replace(run, recompute="full"))
    assert full == 2 * s * 2 * h * 32 + 34 * s * 2 * h + 6 * s * 2


@pytest.mark.parametrize("name", ["llama-3.1-8b", "llama-3.1-70b", "deepseek-v3"])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_fewest_gpus_hold_it_and_one_fewer_does_not(models, gpus, name, method):
    run, gpu = replace(RUN, method=method), gpus["h100"]
    n, usable = least_gpus(models[name], gpu, run), gpu.visible_bytes * MEMORY_UTILISATION

    assert gpu_bytes(models[name], run, n) <= usable
    assert n == 1 or gpu_bytes(models[name], run, n - 1) > usable


def test_more_to_hold_never_takes_fewer_gpus(models, gpus):
    before = least_gpus(models["llama-3.1-70b"], gpus["h100"], RUN)
    for more in ({"sequence_tok": 8_192}, {"micro_batch": 2}, {"recompute": "selective", "sequence_tok": 2_048}):
        assert least_gpus(models["llama-3.1-70b"], gpus["h100"], replace(RUN, **more)) >= before


def test_activations_larger_than_a_gpu_are_refused(models, gpus):
    with pytest.raises(UserError, match="shorter sequences"):
        least_gpus(models["llama-3.1-70b"], gpus["a10g"], replace(RUN, recompute="none", sequence_tok=16_384))


@pytest.mark.parametrize("bad", [{"tokens": 0}, {"mfu": 0}, {"mfu": 1.2}, {"lora_rank": 0}, {"micro_batch": 0}])
def test_runs_that_cannot_be_are_refused(bad):
    with pytest.raises(UserError):
        replace(RUN, **bad)
