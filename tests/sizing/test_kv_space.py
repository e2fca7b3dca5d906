import pytest

from sizing.kv_space import kv_space
from sizing.memory import kv_bytes, memory_batch


@pytest.mark.parametrize("context_tok", [500.0, 4_000.0, 60_000.0])
@pytest.mark.parametrize(
    ("model", "gpu", "tp", "pp"),
    [("llama-3.1-70b", "h100", 4, 1), ("gpt-oss-120b", "h100", 2, 1), ("llama-3.1-70b", "h100", 2, 2)],
)
def test_as_many_requests_fit_as_the_ceiling_of_fleets_says(models, gpus, model, gpu, tp, pp, context_tok):
    shape, card = models[model], gpus[gpu]
    degrees = {"tp": tp, "pp": pp, "precision": "fp8", "kv_precision": "fp8"}

    space = kv_space(shape, card, **degrees)
    held = space.tok_bytes * context_tok + space.window_tok_bytes * min(context_tok, space.window_tok)

    assert held + space.state_bytes == pytest.approx(float(kv_bytes(shape, context_tok, "fp8", tp)) / pp)
    assert int(space.room_bytes / held) == memory_batch(shape, card, context_tok=context_tok, **degrees)


def test_vllm_reports_as_many_blocks_as_are_counted(models, gpus):
    """vLLM's log of Qwen3-235B at TP 4: 48,128 bytes a token on each rank (docs/sizing.md, `Memory`)."""
    space = kv_space(models["qwen3-235b-a22b"], gpus["h200"], tp=4, precision="fp8", kv_precision="bf16")

    assert space.tok_bytes == 48_128
    assert space.blocks() == int(space.room_bytes / (16 * 48_128))
