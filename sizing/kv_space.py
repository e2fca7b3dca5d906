"""What a replica's memory holds of KV, as engines keep it: in blocks of so many tokens."""

import math
from dataclasses import dataclass

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape
from sizing.memory import MEMORY_UTILISATION, kv_room_bytes, layout_kv_bytes_per_tok

BLOCK_TOK = 16
"""Tokens of one block of KV: vLLM's default `block_size` on GPUs (docs.vllm.ai, engine arguments)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KvSpace:
    """Bytes for KV on each GPU of a replica, and what one sequence takes of them.

    room_bytes: left beside weights, runtime and activations. tok_bytes: of one token in full-attention layers.
    window_tok_bytes: in sliding or chunked layers, which keep at most window_tok tokens. state_bytes: of a
    sequence in linear layers, whatever its length. max_context_tok: longest sequence that the model takes.
    """

    room_bytes: float
    tok_bytes: float
    window_tok_bytes: float = 0.0
    window_tok: int = 0
    state_bytes: float = 0.0
    max_context_tok: int | None = None

    def blocks(self, block_tok: int = BLOCK_TOK) -> int:
        """Return how many whole blocks of full attention fit, where nothing else is kept.

        >>> KvSpace(room_bytes=1e6, tok_bytes=100.0).blocks()
        625
        """
        each = block_tok * (self.tok_bytes or self.window_tok_bytes)
        return math.floor(self.room_bytes / each) if each else 0


def kv_space(
    model: ModelShape,
    gpu: Gpu,
    *,
    tp: int,
    precision: str,
    kv_precision: str,
    pp: int = 1,
    dp_attention: bool = False,
    memory_utilisation: float = MEMORY_UTILISATION,
) -> KvSpace:
    """Return the room for KV of one replica and a sequence's share of it; `memory_batch` counts by the same."""
    room = kv_room_bytes(
        model,
        gpu,
        tp=tp,
        precision=precision,
        pp=pp,
        dp_attention=dp_attention,
        memory_utilisation=memory_utilisation,
    )
    full, windowed = layout_kv_bytes_per_tok(model, kv_precision, tp=tp, dp_attention=dp_attention)
    return KvSpace(
        room_bytes=room,
        tok_bytes=full / pp,
        window_tok_bytes=windowed / pp,
        window_tok=model.window_tok or 0,
        state_bytes=model.linear_state_bytes / tp / pp,
        max_context_tok=model.max_context_tok,
    )
