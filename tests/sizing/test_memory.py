from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from sizing.layout import attention_params
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


def test_h100_of_80_gb_shows_85_52e9_bytes_and_80_gb_are_74_5_gib():
    # nvidia-smi: 81,559 MiB; the data sheet's 80 GB are 74.5 GiB.
    assert GPUS["h100"].usable_bytes == 81_559 * 2**20 == 85_520_809_984
    assert GPUS["h100"].memory_bytes / 2**30 == pytest.approx(74.5, abs=0.01)


def test_llama_70b_in_int8_weighs_what_vllm_loaded():
    # "Loading model weights took 67.7229 GB" (GiB): Meta-Llama-3.1-70B-Instruct-quantized.w8a8 on one GPU,
    # https://github.com/vllm-project/vllm/pull/12569, 2025-01-30. 0.1%: scales of the channels are not counted.
    assert weight_bytes(MODELS["llama-3.1-70b"], "int8").total == pytest.approx(67.7229 * 2**30, rel=1e-3)


def test_vllm_reports_the_blocks_that_we_count_for_llama_70b():
    # The same log, at gpu_memory_utilization 0.98: 1,381 blocks of 16 tokens, 22,096 tokens of 327,680 bytes; one
    # GPU of 80 GB, taken as an H100. 1%: activations and graphs are an assumption here, and all of the rest.
    room = kv_room_bytes(MODELS["llama-3.1-70b"], GPUS["h100"], tp=1, precision="int8", memory_utilisation=0.98)
    each = kv_bytes_per_tok(MODELS["llama-3.1-70b"], "bf16")[0]

    assert room / each == pytest.approx(22_096, rel=0.01)


def test_vllm_reports_the_bytes_of_a_token_of_qwen3_235b_on_one_of_four_ranks():
    # "Available KV cache memory: 8.11 GiB", "GPU KV cache size: 178,880 tokens" on 4 x H100, TP 4:
    # https://github.com/vllm-project/vllm/issues/21348, 2025-07-22. 94 layers x 2 x 1 head x 128 x 2 bytes.
    # 2%: what is left over of whole blocks.
    each = kv_bytes_per_tok(MODELS["qwen3-235b-a22b"], "bf16", tp=4)[0]

    assert each == 48_128
    assert 8.11 * 2**30 / each == pytest.approx(178_880, rel=0.02)


def test_vllm_reports_the_bytes_of_a_token_where_kv_heads_are_split_over_two():
    # "Available KV cache memory: 52.36 GiB", "GPU KV cache size: 686,320 tokens": 40 layers of 8 KV heads,
    # TP 2 (Ministral 3 14B in a public serving script, 2025-12-11). The same shape by hand; 0.01%: whole blocks.
    model = replace(MODELS["llama-3.1-8b"], layers=40, full_layers=40, dense_layers=40)
    each = kv_bytes_per_tok(model, "bf16", tp=2)[0]

    assert 52.36 * 2**30 / each == pytest.approx(686_320, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "precision", "published", "within"),
    [
        # total_size of model.safetensors.index.json, from the models' own repositories
        ("llama-3.1-8b", "bf16", 16_060_522_496, 1e-3),
        ("llama-3.1-70b", "bf16", 141_107_412_992, 1e-3),
        # gpt-oss model card: MXFP4 experts, the rest in bf16; checkpoints of 12.8 and 60.8 GiB
        ("gpt-oss-20b", "fp4", 12.8 * 2**30, 0.01),
        ("gpt-oss-120b", "fp4", 60.8 * 2**30, 0.01),
    ],
)
def test_weights_are_the_published_files(name, precision, published, within):
    assert weight_bytes(MODELS[name], precision).total == pytest.approx(published, rel=within)


@pytest.mark.parametrize(
    ("precision", "bytes_each"),
    [("bf16", 2.0), ("fp8", 1.0), ("int8", 1.0), ("int4", 0.5 + 2 / 128), ("fp4", 0.5 + 1 / 16)],
)
def test_scales_are_counted_and_tables_stay_in_16_bits(precision, bytes_each):
    weights = weight_bytes(MODELS["llama-3.1-8b"], precision)
    tables = 2 * 128_256 * 4_096

    assert weights.embedding == weights.head == tables
    assert weights.total == pytest.approx((MODELS["llama-3.1-8b"].params_total - tables) * bytes_each + 2 * tables)


def test_kv_of_mla_is_copied_per_rank_and_data_parallel_attention_ends_that():
    model = MODELS["deepseek-r1"]
    copied = kv_bytes(model, 8_000, "bf16", 8)
    shared_out = kv_bytes(model, 8_000, "bf16", 8, dp_attention=True)

    assert shared_out == pytest.approx(copied / 8)


def test_data_parallel_attention_holds_its_attention_on_every_gpu():
    model, gpu = MODELS["deepseek-r1"], GPUS["h200"]
    split = kv_room_bytes(model, gpu, tp=8, precision="fp8")
    copied = kv_room_bytes(model, gpu, tp=8, precision="fp8", dp_attention=True)

    assert split - copied == pytest.approx(attention_params(model) * 7 / 8)


def test_stages_hold_an_equal_share_of_layers_and_of_each_requests_cache():
    model, gpu = MODELS["llama-3.1-70b"], GPUS["h100"]
    asked = {"precision": "bf16", "kv_precision": "bf16", "context_tok": 4_000}
    two, four = (memory_batch(model, gpu, tp=2, pp=pp, **asked) for pp in (1, 2))

    assert kv_room_bytes(model, gpu, tp=2, precision="bf16", pp=2) - kv_room_bytes(
        model, gpu, tp=2, precision="bf16"
    ) == pytest.approx(weight_bytes(model, "bf16").total / 4)
    assert four > 2 * two


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
