from dataclasses import replace

import numpy as np
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.calibration import Key, load_calibration
from sizing.clients import closed_loop
from sizing.throughput import Work, work_of

MODELS, GPUS = load_models(), load_gpus()
FP8 = {"precision": "fp8", "kv_precision": "fp8"}


def factors():
    return load_calibration().factors([Key(model="llama-3.1-8b", gpu="h100", engine="vllm", precision="fp8")])


def test_clients_beyond_memory_wait_for_a_whole_request():
    work = Work.stack([work_of(MODELS["llama-3.1-8b"], GPUS["h100"], tp=1, precision="fp8", kv_precision="fp8")])
    asked = {"prompt_tok": np.array([1e3]), "output_tok": np.array([500.0]), "held_steps": np.zeros(1)}
    asked |= {"same_lengths": np.array([True]), "memory_batch": np.array([32.0])}
    within = closed_loop(work, factors(), clients=np.array([32.0]), **asked)
    beyond = closed_loop(work, factors(), clients=np.array([64.0]), **asked)

    assert beyond.tpot_s == pytest.approx(within.tpot_s)
    assert beyond.output_tok_per_s == pytest.approx(within.output_tok_per_s, rel=0.01)
    assert beyond.ttft_s > within.ttft_s + 499 * within.tpot_s


def test_front_end_is_a_floor_of_the_step_and_first_tokens_wait_for_what_piles_up():
    work = Work.stack([work_of(MODELS["llama-3.1-8b"], GPUS["h200"], tp=8, **FP8)])
    slow = replace(factors(), stream_s=np.full(1, 1e-4))
    asked = {"clients": np.full(1, 512.0), "prompt_tok": np.full(1, 1e3), "output_tok": np.full(1, 2e3)}
    asked |= {"memory_batch": np.full(1, 4e3), "held_steps": np.zeros(1), "same_lengths": np.ones(1, dtype=bool)}
    free = closed_loop(work, replace(slow, stream_s=np.zeros(1)), **asked)
    bound = closed_loop(work, slow, **asked)

    assert bound.output_tok_per_s[0] < 1 / 1e-4
    assert bound.tpot_s[0] >= 512e-4
    assert bound.ttft_s[0] > free.ttft_s[0] + 0.9 * (512e-4 - free.tpot_s[0]) * 2e3 / 2


def test_cold_kernels_delay_the_first_token_alone():
    work = Work.stack([work_of(MODELS["llama-3.1-8b"], GPUS["h200"], tp=1, **FP8)])
    asked = {"clients": np.full(1, 8.0), "prompt_tok": np.full(1, 1e3), "output_tok": np.full(1, 500.0)}
    asked |= {"memory_batch": np.full(1, 4e3), "held_steps": np.zeros(1), "same_lengths": np.ones(1, dtype=bool)}
    warm, cold = (closed_loop(work, factors(), cold_s=late, **asked) for late in (0.0, 5.0))

    assert cold.ttft_s == pytest.approx(warm.ttft_s + 5.0)
    assert cold.tpot_s == pytest.approx(warm.tpot_s)
