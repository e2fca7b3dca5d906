"""The engine settings that a plan assumes, as the command line that starts one replica.

vLLM: https://docs.vllm.ai (`vllm serve`, engine arguments); SGLang: https://docs.sglang.io (server arguments);
both read 2026-11-24. Every word is quoted for a POSIX shell: names of models are foreign text.
"""

import json
import math
import shlex
from dataclasses import dataclass

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape
from sizing.memory import MEMORY_UTILISATION, STEP_TOK, DoesNotFit, memory_batch
from sizing.profile import ReplicaProfile
from sizing.speculation import Speculation

BLOCK_TOK = 16
"""Tokens of one KV block: context lengths are whole blocks."""

DRAFT_MODEL = "YOUR-DRAFT-MODEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCommand:
    """How one replica is started. command: one line for a POSIX shell, empty where the engine's is not known here.

    notes: what the line cannot say by itself.
    """

    engine: str
    command: str
    max_context_tok: int
    notes: tuple[str, ...]


def engine_command(
    profile: ReplicaProfile, model: ModelShape, gpu: Gpu, *, engine: str, speculation: Speculation | None = None
) -> EngineCommand:
    """Return the command of the plan's engine; `vllm` and `sglang` are known."""
    context_tok = longest_context_tok(profile, model, gpu)
    notes = _notes(profile, model, context_tok)
    if model.hf_id.startswith("-"):
        odd = f"The model's name {model.hf_id!r} begins with a dash: engines would take it for an option."
        return EngineCommand(engine=engine, command="", max_context_tok=context_tok, notes=(odd, *notes))
    if engine == "vllm":
        words, more = _vllm(profile, model, context_tok, speculation)
    elif engine == "sglang":
        words, more = _sglang(profile, model, context_tok, speculation)
    else:
        known = f"The command line of {engine} is not known here; these settings are to be made in its own way."
        settings = f"{profile.layout.text}, {profile.batch} sequences at once, {STEP_TOK:,} tokens a step."
        return EngineCommand(
            engine=engine, command="", max_context_tok=context_tok, notes=(known, settings, *notes)
        )
    return EngineCommand(
        engine=engine, command=shlex.join(words), max_context_tok=context_tok, notes=(*notes, *more)
    )


def longest_context_tok(profile: ReplicaProfile, model: ModelShape, gpu: Gpu) -> int:
    """Return the longest request, in whole blocks, whose KV a replica holds: engines do not start with more."""

    def fits(tok: int) -> bool:
        try:
            memory_batch(
                model,
                gpu,
                tp=profile.tp,
                precision=profile.precision,
                kv_precision=profile.kv_precision,
                context_tok=tok,
                pp=profile.layout.pp,
                dp_attention=profile.layout.dp_attention,
            )
        except DoesNotFit:
            return False
        # With data-parallel attention a sequence lies whole on one GPU, which has 1/tp of the replica's room.
        return not profile.layout.dp_attention or _fits_one_rank(profile, model, gpu, tok)

    if fits(model.max_context_tok):
        return model.max_context_tok
    low, high = 0, model.max_context_tok // BLOCK_TOK + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle * BLOCK_TOK) else (low, middle)
    return low * BLOCK_TOK


def _fits_one_rank(profile: ReplicaProfile, model: ModelShape, gpu: Gpu, tok: int) -> bool:
    held = memory_batch(
        model,
        gpu,
        tp=profile.tp,
        precision=profile.precision,
        kv_precision=profile.kv_precision,
        context_tok=tok,
        pp=profile.layout.pp,
        dp_attention=True,
    )
    return held >= profile.tp


def _vllm(
    profile: ReplicaProfile, model: ModelShape, context_tok: int, speculation: Speculation | None
) -> tuple[list[str], list[str]]:
    layout, notes = profile.layout, []
    sequences = profile.batch
    words = ["vllm", "serve", model.hf_id]
    if layout.dp_attention:
        sequences = math.ceil(profile.batch / layout.tp)
        words += ["--tensor-parallel-size", "1", "--data-parallel-size", str(layout.tp)]
        notes.append(f"--max-num-seqs is that of each of {layout.tp} data-parallel ranks.")
    else:
        words += ["--tensor-parallel-size", str(layout.tp)]
    if layout.pp > 1:
        words += ["--pipeline-parallel-size", str(layout.pp)]
    if layout.ep > 1:
        words.append("--enable-expert-parallel")
        if layout.ep != layout.tp:
            notes.append(
                f"vLLM shares experts out over all {layout.tp} GPUs of a stage; the plan said {layout.ep}."
            )
    words += ["--max-num-seqs", str(sequences), "--max-num-batched-tokens", str(STEP_TOK)]
    words += ["--max-model-len", str(context_tok), "--gpu-memory-utilization", f"{MEMORY_UTILISATION:g}"]
    words += _quantisation(profile, model)
    if profile.kv_precision == "fp8":
        words += ["--kv-cache-dtype", "fp8"]
    elif profile.kv_precision == "int8":
        notes.append("vLLM has no int8 KV cache; fp8 takes the same room.")
    if profile.cached_prompt_tok > 0:
        words.append("--enable-prefix-caching")
    if speculation is not None:
        config: dict[str, str | int] = {"num_speculative_tokens": speculation.tokens}
        if speculation.draft_cost == 0:
            config |= {"method": "ngram", "prompt_lookup_max": 4}
        else:
            config["model"] = DRAFT_MODEL
            notes.append(f"Name the draft model in the place of {DRAFT_MODEL}.")
        words += ["--speculative-config", json.dumps(config)]
    return words, notes


def _sglang(
    profile: ReplicaProfile, model: ModelShape, context_tok: int, speculation: Speculation | None
) -> tuple[list[str], list[str]]:
    layout, notes = profile.layout, []
    words = ["python", "-m", "sglang.launch_server", "--model-path", model.hf_id, "--tp-size", str(layout.tp)]
    if layout.dp_attention:
        words += ["--dp-size", str(layout.tp), "--enable-dp-attention"]
    if layout.pp > 1:
        words += ["--pp-size", str(layout.pp)]
    if layout.ep > 1:
        words += ["--ep-size", str(layout.ep)]
    words += ["--max-running-requests", str(profile.batch), "--chunked-prefill-size", str(STEP_TOK)]
    words += ["--context-length", str(context_tok), "--mem-fraction-static", f"{MEMORY_UTILISATION:g}"]
    words += _quantisation(profile, model)
    if profile.kv_precision == "fp8":
        words += ["--kv-cache-dtype", "fp8_e4m3"]
    elif profile.kv_precision == "int8":
        notes.append("SGLang has no int8 KV cache; fp8 takes the same room.")
    if speculation is not None:
        words += ["--speculative-num-draft-tokens", str(speculation.tokens + 1)]
        if speculation.draft_cost == 0:
            words += ["--speculative-algorithm", "NGRAM"]
        else:
            words += ["--speculative-algorithm", "EAGLE", "--speculative-draft-model-path", DRAFT_MODEL]
            notes.append(f"Name the draft model in the place of {DRAFT_MODEL}.")
    return words, notes


def _quantisation(profile: ReplicaProfile, model: ModelShape) -> list[str]:
    """Return the flag that quantises while loading; checkpoints of other precisions say what they are."""
    return ["--quantization", "fp8"] if profile.precision == "fp8" and model.native_precision == "bf16" else []


def _notes(profile: ReplicaProfile, model: ModelShape, context_tok: int) -> list[str]:
    notes = []
    if profile.precision not in ("bf16", "fp8", model.native_precision):
        notes.append(
            f"Serve a checkpoint of {model.hf_id} in {profile.precision}: engines read the scheme from it, and the"
            " published one has another."
        )
    elif profile.precision == "fp8" and model.native_precision not in ("bf16", "fp8"):
        notes.append(f"Serve a checkpoint of {model.hf_id} in fp8.")
    if context_tok < model.max_context_tok:
        notes.append(
            f"A replica's memory holds {context_tok:,} of the model's {model.max_context_tok:,} tokens of context;"
            " longer requests are refused."
        )
    if profile.batch < profile.memory_batch:
        notes.append(
            f"{profile.batch} sequences at once are what the SLO allows; memory would hold {profile.memory_batch}."
        )
    return notes
