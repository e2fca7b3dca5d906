import json
import shlex
from dataclasses import replace

import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.deployment.engine import engine_command, longest_context_tok
from sizing.memory import kv_bytes, kv_room_bytes, memory_batch
from sizing.profile import Slo
from sizing.speculation import Speculation

LLAMA, H100 = load_models()["llama-3.1-70b"], load_gpus()["h100"]


def words(profile, model=LLAMA, gpu=H100, engine="vllm", **more):
    return shlex.split(engine_command(profile, model, gpu, engine=engine, **more).command)


def value(line, flag):
    return line[line.index(flag) + 1]


def test_vllm_line_by_hand(profiled):
    profile = profiled(slo=Slo(tpot_s=0.03))
    line = words(profile)

    assert line[:3] == ["vllm", "serve", "meta-llama/Llama-3.1-70B-Instruct"]
    assert line[3:] == [
        "--tensor-parallel-size", "2", "--max-num-seqs", str(profile.batch), "--max-num-batched-tokens", "8192",
        "--max-model-len", "131072", "--gpu-memory-utilization", "0.9", "--quantization", "fp8",
        "--kv-cache-dtype", "fp8",
    ]  # fmt: skip


def test_sglang_line_by_hand(profiled):
    profile = profiled()
    line = words(profile, engine="sglang")

    assert line[:5] == ["python", "-m", "sglang.launch_server", "--model-path", LLAMA.hf_id]
    assert value(line, "--tp-size") == "2"
    assert value(line, "--max-running-requests") == str(profile.batch)
    assert value(line, "--chunked-prefill-size") == "8192"
    assert value(line, "--context-length") == "131072"
    assert value(line, "--kv-cache-dtype") == "fp8_e4m3"


def test_prefix_caching_and_pipeline_stages_are_said_where_the_plan_has_them(profiled):
    plain = words(profiled())
    cached = words(profiled(cached_prompt_tok=500, pp=2))

    assert "--enable-prefix-caching" not in plain
    assert "--pipeline-parallel-size" not in plain
    assert "--enable-prefix-caching" in cached
    assert value(cached, "--pipeline-parallel-size") == "2"


def test_data_parallel_attention_and_experts(profiled):
    deepseek, h200 = load_models()["deepseek-r1"], load_gpus()["h200"]
    profile = profiled("deepseek-r1", "h200", tp=8, ep=8, dp_attention=True)
    vllm = words(profile, deepseek, h200)
    sglang = words(profile, deepseek, h200, engine="sglang")

    assert (value(vllm, "--tensor-parallel-size"), value(vllm, "--data-parallel-size")) == ("1", "8")
    assert "--enable-expert-parallel" in vllm
    assert int(value(vllm, "--max-num-seqs")) == -(-profile.batch // 8)
    assert (value(sglang, "--tp-size"), value(sglang, "--dp-size"), value(sglang, "--ep-size")) == ("8", "8", "8")
    assert "--enable-dp-attention" in sglang
    assert "--quantization" not in vllm  # it is published in fp8


def test_speculation_is_json_in_one_word(profiled):
    guessed = words(profiled(), speculation=Speculation(tokens=3, acceptance=0.6, draft_cost=0.0))
    drafted = engine_command(
        profiled(), LLAMA, H100, engine="vllm", speculation=Speculation(tokens=4, acceptance=0.6)
    )

    assert json.loads(value(guessed, "--speculative-config")) == {
        "num_speculative_tokens": 3,
        "method": "ngram",
        "prompt_lookup_max": 4,
    }
    assert json.loads(value(shlex.split(drafted.command), "--speculative-config"))["num_speculative_tokens"] == 4
    assert any("draft model" in note for note in drafted.notes)


@pytest.mark.parametrize("name", ["a b/c", "x; rm -rf ~", "$(id)", "it's`id`", '"; id #', "new\nline"])
@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_a_models_name_is_one_word_whatever_it_holds(profiled, name, engine):
    line = words(profiled(), replace(LLAMA, hf_id=name), engine=engine)

    assert name in line


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_a_models_name_that_would_be_an_option_gives_no_line(profiled, engine):
    told = engine_command(profiled(), replace(LLAMA, hf_id="--trust-remote-code"), H100, engine=engine)

    assert told.command == ""
    assert "begins with a dash" in told.notes[0]


def test_context_is_the_longest_that_one_replica_holds(profiled):
    model, gpu = load_models()["llama-3.1-70b"], H100
    profile = profiled(precision="fp8", kv_precision="bf16")
    tok = longest_context_tok(profile, model, gpu)
    room = kv_room_bytes(model, gpu, tp=2, precision="fp8")
    layout = {"tp": 2, "precision": "fp8", "kv_precision": "bf16"}

    assert tok % 16 == 0 or tok == model.max_context_tok
    assert kv_bytes(model, tok, "bf16", 2) <= room
    assert memory_batch(model, gpu, context_tok=tok, **layout) >= 1
    if tok < model.max_context_tok:
        assert kv_bytes(model, tok + 16, "bf16", 2) > room


def test_a_context_that_memory_cuts_is_said(profiled):
    short = replace(H100, usable_bytes=52_000_000_000)
    told = engine_command(profiled(), LLAMA, short, engine="vllm")

    assert told.max_context_tok < LLAMA.max_context_tok
    assert value(shlex.split(told.command), "--max-model-len") == str(told.max_context_tok)
    assert any("longer requests are refused" in note for note in told.notes)


def test_other_engines_get_their_settings_in_words(profiled):
    told = engine_command(profiled(), LLAMA, H100, engine="trtllm")

    assert told.command == ""
    assert "trtllm is not known here" in told.notes[0]
    assert "TP 2" in told.notes[1]
