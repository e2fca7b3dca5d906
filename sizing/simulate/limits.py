"""What an engine is set to: how much it may do in one iteration, and which requests go first."""

from dataclasses import dataclass
from typing import Literal

from data.errors import UserError
from sizing.kv_space import BLOCK_TOK
from sizing.memory import STEP_TOK
from sizing.profile import ENGINE_BATCH

Routing = Literal["least-loaded", "round-robin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """Settings of each replica's engine, named as vLLM names them (docs.vllm.ai, engine arguments).

    max_num_seqs: most sequences that run together. max_num_batched_tokens: tokens of one iteration; decoding ones
    count one each, the rest goes to chunks of prompts. block_tok: tokens of a KV block. kv_blocks: blocks for KV;
    None takes what the replica's memory gives. max_model_tok: longest request, prompt and answer together; None
    takes the model's own. prefix_cache: whether cached prompt tokens skip prefill. preempt_batch: whether an
    online request that finds no room takes that of a batch request, which is computed again later.
    routing: which replica a request goes to: that with the fewest requests, or each in turn.
    """

    max_num_seqs: int = ENGINE_BATCH
    max_num_batched_tokens: int = STEP_TOK
    block_tok: int = BLOCK_TOK
    kv_blocks: int | None = None
    max_model_tok: int | None = None
    prefix_cache: bool = True
    preempt_batch: bool = True
    routing: Routing = "least-loaded"

    def __post_init__(self) -> None:
        """Refuse settings that no engine starts with."""
        for name in ("max_num_seqs", "max_num_batched_tokens", "block_tok", "kv_blocks", "max_model_tok"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"{name} is {value}; give 1 or more.")
        if self.max_num_batched_tokens < self.max_num_seqs:
            raise UserError(
                f"max_num_batched_tokens {self.max_num_batched_tokens:,} is below max_num_seqs"
                f" {self.max_num_seqs:,}, so that not every sequence gets its token; raise it or lower the other."
            )
        if self.routing not in ("least-loaded", "round-robin"):
            raise UserError(f"routing {self.routing!r} is not known; use least-loaded or round-robin.")
