from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from sizing.memory import (
    DoesNotFit,
    dense_params,
    expert_params,
    kv_bytes,
    kv_bytes_per_tok,
    kv_room_bytes,
    memory_batch,
    tp_share,
    weight_bytes,
)

MODELS, GPUS = load_models(), load_gpus()


def test_llama_8b_in_bf16_weighs_what_its_files_weigh():
    # Sum of the four safetensors files of meta-llama/Llama-3.1-8B-Instruct: 16.06 GB.
    assert weight_bytes(MODELS["llama-3.1-8b"], "bf16").total == pytest.approx(16.06e9, rel=2e-3)


def test_gpt_oss_120b_in_mxfp4_weighs_about_its_published_checkpoint():
    # openai/gpt-oss-120b model card: "60.8 GiB checkpoint".
    assert weight_bytes(MODELS["gpt-oss-120b"], "fp4").total == pytest.approx(60.8 * 2**30, rel=0.01)


def test_deepseek_in_fp8_weighs_about_its_published_checkpoint():
    # deepseek-ai/DeepSeek-V3: 671 GB of main model weights in fp8 (685 GB with the MTP module).
    assert weight_bytes(MODELS["deepseek-v3"], "fp8").total == pytest.approx(671e9, rel=0.01)


def test_parts_add_up_to_the_published_parameters():
    for model in MODELS.values():
        tables = model.vocab * model.hidden * (1 if model.tied_embeddings else 2)
        assert dense_params(model) + expert_params(model) + tables == pytest.approx(model.params_total)
        assert dense_params(model) > 0


def test_tied_embedding_is_held_once():
    tied = MODELS["qwen3-1.7b"]
    weights = weight_bytes(tied, "bf16")

    assert weights.total == pytest.approx(2 * tied.params_total)


def test_llama_8b_caches_128_kib_a_token():
    # 2 x 32 layers x 8 heads x 128 x 2 bytes = 131,072.
    assert kv_bytes_per_tok(MODELS["llama-3.1-8b"], "bf16") == (131_072, 0)


def test_deepseek_caches_70_kb_a_token_on_every_rank():
    # 61 layers x (512 + 64) x 2 bytes = 70,272, as in the DeepSeek-V3 report; MLA is copied, not split.
    model = MODELS["deepseek-v3"]

    assert kv_bytes_per_tok(model, "bf16", tp=1) == kv_bytes_per_tok(model, "bf16", tp=8) == (70_272, 0)


def test_sliding_layers_stop_growing_at_their_window():
    model = MODELS["gpt-oss-120b"]
    full, windowed = kv_bytes_per_tok(model, "bf16")
    short, long, longer = kv_bytes(model, np.array([100.0, 10_000.0, 20_000.0]), "bf16")

    assert short == pytest.approx(100 * (full + windowed))
    assert long == pytest.approx(10_000 * full + 128 * windowed)
    assert longer - long == pytest.approx(10_000 * full)


def test_linear_layers_hold_a_state_whatever_the_context():
    model = MODELS["qwen3.5-397b-a17b"]

    assert kv_bytes(model, 0.0, "bf16") == model.linear_state_bytes


def test_kv_heads_are_split_then_copied():
    assert [tp_share(8, tp) for tp in (1, 2, 8, 16)] == [1, 0.5, 0.125, 0.125]


def test_vllm_reports_about_as_many_kv_tokens_as_we_count():
    # vLLM on one H100 80GB with Llama-3.1-8B in bf16 at 0.9 leaves some 430-460 thousand tokens of KV cache:
    # 0.9 x 85.5 GB - 16.1 GB - 1.5 to 3.5 GB, over 131,072 bytes.
    room = kv_room_bytes(MODELS["llama-3.1-8b"], GPUS["h100"], tp=1, precision="bf16")

    assert 430_000 < room / 131_072 < 460_000


def test_model_that_does_not_fit_says_the_numbers_and_the_way_out():
    with pytest.raises(DoesNotFit) as caught:
        memory_batch(
            MODELS["llama-3.1-70b"], GPUS["l40s"], tp=1, precision="fp8", kv_precision="fp8", context_tok=2_000
        )

    assert str(caught.value) == (
        "llama-3.1-70b at fp8 needs 72.7 GB of weights plus 0.33 GB per request of 2,000 tokens, and 3.9 GB for"
        " the engine; 1 x l40s offers 43.5 GB. Use more GPUs per replica, fewer bytes per weight, or a shorter"
        " context."
    )


@pytest.mark.parametrize("wrong", [{"precision": "fp7"}, {"kv_precision": "fp3"}])
def test_unknown_precision_is_the_users_to_mend(wrong):
    asked = {"precision": "fp8", "kv_precision": "fp8"} | wrong

    with pytest.raises(UserError, match=next(iter(wrong.values()))):
        memory_batch(MODELS["llama-3.1-8b"], GPUS["h100"], tp=1, context_tok=100, **asked)


@given(
    name=st.sampled_from(sorted(MODELS)),
    context=st.floats(1, 100_000),
    more=st.floats(1, 100_000),
    tp=st.sampled_from((1, 2, 4, 8)),
)
def test_longer_contexts_never_take_less_memory_and_tp_never_more(name, context, more, tp):
    model = MODELS[name]

    assert kv_bytes(model, context + more, "bf16") >= kv_bytes(model, context, "bf16")
    assert kv_bytes(model, context, "bf16", tp) <= kv_bytes(model, context, "bf16", 1)
    assert kv_bytes(model, context, "fp8") <= kv_bytes(model, context, "bf16")


@given(share=st.floats(1.0, 4.0), context=st.floats(100, 100_000))
def test_more_memory_never_holds_fewer_requests(share, context):
    model, gpu = MODELS["llama-3.1-8b"], GPUS["h100"]
    larger = replace(gpu, usable_bytes=int(gpu.visible_bytes * share))
    asked = {"tp": 1, "precision": "bf16", "kv_precision": "bf16", "context_tok": context}

    assert memory_batch(model, larger, **asked) >= memory_batch(model, gpu, **asked)
