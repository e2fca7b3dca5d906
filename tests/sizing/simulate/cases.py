"""Small engines and random requests, whose times are easy to reckon."""

import numpy as np
from hypothesis import strategies as st

from sizing.kv_space import KvSpace
from sizing.simulate.engine import Engine
from sizing.simulate.limits import EngineLimits
from sizing.simulate.requests import Requests
from sizing.simulate.steps import StepTable

GRID = np.array([0.5, 8.0, 32.0, 128.0, 1024.0])


def table(sequences: int = 64) -> StepTable:
    """Return times that grow with everything they can grow with, linear between the points of GRID."""
    batch = np.arange(sequences + 1.0)[:, None]
    steps = 0.010 + 0.001 * batch + 1e-5 * batch * GRID
    steps[0] = 0.0
    return StepTable(
        decode_s=steps,
        context_tok=GRID,
        rate_s=1e-4 + 1e-6 * GRID,
        middle_tok=GRID,
        read_s=0.008 + 1e-5 * np.sqrt(GRID),
        fresh_tok=GRID,
        prompt_s=0.002,
    )


def engine(
    *, seqs: int = 8, tokens: int = 64, blocks: int | None = None, block_tok: int = 4, steps=None, **more
) -> Engine:
    limits = EngineLimits(
        max_num_seqs=seqs, max_num_batched_tokens=tokens, block_tok=block_tok, kv_blocks=blocks, **more
    )
    kv = KvSpace(room_bytes=1e9, tok_bytes=1.0)
    return Engine(limits=limits, steps=steps or table(max(seqs, 64)), kv=kv)


@st.composite
def requests(draw, most: int = 25, longest: int = 60, batch: bool = True) -> Requests:
    """Return up to `most` requests of up to `longest` prompt and as many output tokens, bunched or spread out."""
    n = draw(st.integers(1, most))

    def lengths(low: int) -> list[int]:
        return draw(st.lists(st.integers(low, longest), min_size=n, max_size=n))

    gaps = draw(st.lists(st.sampled_from([0.0, 0.0, 0.011, 0.1, 1.7]), min_size=n, max_size=n))
    prompt = np.array(lengths(1))
    cached = np.minimum(np.array(lengths(0)), prompt)
    if not draw(st.booleans()):
        cached = np.zeros_like(prompt)
    kinds = draw(st.lists(st.booleans(), min_size=n, max_size=n)) if batch else [False] * n
    return Requests.of(np.cumsum(gaps), prompt, lengths(0), cached, kinds)
