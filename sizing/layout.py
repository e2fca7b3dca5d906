"""How the GPUs of one replica share a model: tensor, pipeline and expert parallelism, data-parallel attention."""

import math
from dataclasses import dataclass

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape
from data.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The degrees of one replica of `tp x pp` GPUs.

    tp: GPUs that split every layer. pp: stages that split the layers. ep: of the `tp` GPUs of a stage, how many
    share the experts out whole (1: every expert is cut over all of them). dp_attention: each of the `tp` GPUs
    holds the whole attention and the whole KV of its own 1/tp of the sequences; experts and MLPs stay split.
    """

    tp: int = 1
    pp: int = 1
    ep: int = 1
    dp_attention: bool = False

    @property
    def gpus(self) -> int:
        """GPUs of one replica."""
        return self.tp * self.pp

    @property
    def text(self) -> str:
        """Return the degrees as people write them: `TP 4`, `TP 2, PP 2`, `TP 8, EP 8, DP attention`."""
        parts = [f"TP {self.tp}"]
        parts += [f"PP {self.pp}"] if self.pp > 1 else []
        parts += [f"EP {self.ep}"] if self.ep > 1 else []
        parts += ["DP attention"] if self.dp_attention else []
        return ", ".join(parts)

    def splits_heads(self, model: ModelShape) -> bool:
        """Return whether each GPU of a stage gets whole heads, as engines ask; DP attention splits none."""
        return self.dp_attention or model.heads % self.tp == 0

    def check(self, model: ModelShape, gpu: Gpu) -> None:
        """Raise UserError on degrees that this model on this GPU cannot have."""
        if min(self.tp, self.pp, self.ep) < 1:
            raise UserError(
                f"{self.text} has a degree below 1; give 1 for a kind of parallelism that is not used."
            )
        if self.pp > model.layers:
            raise UserError(
                f"PP {self.pp} has more stages than the {model.layers} layers of {model.name}; use fewer."
            )
        if self.ep > 1 and model.experts == 0:
            raise UserError(
                f"EP {self.ep} shares out experts, and {model.name} has none; leave expert parallelism out."
            )
        if self.tp % self.ep or (self.ep > 1 and model.experts % self.ep):
            raise UserError(
                f"EP {self.ep} must divide TP {self.tp} and the {model.experts} experts of {model.name}; choose a"
                " divisor of both."
            )
        if self.dp_attention and self.tp == 1:
            raise UserError(
                "DP attention shares sequences out over the GPUs of a stage, and TP is 1; use TP 2 or more."
            )
        if not self.splits_heads(model):
            raise UserError(
                f"TP {self.tp} does not divide the {model.heads} attention heads of {model.name}; use a divisor."
            )
        if self.tp > gpu.domain_gpus:
            raise UserError(
                f"TP {self.tp} is beyond the scale-up domain of {gpu.name}, {gpu.domain_gpus} GPUs; split the"
                " layers over more stages (PP) instead."
            )


def attention_params(model: ModelShape) -> float:
    """Return the parameters of the full and sliding attention layers: what data-parallel attention copies.

    GQA: q, k, v and o projections. MLA: the low-rank query and KV paths (DeepSeek-V2,
    https://arxiv.org/abs/2405.04434). Linear layers are left out: engines keep them split.
    """
    h, heads = model.hidden, model.heads
    out = heads * model.v_head_dim * h
    if model.kv_lora_rank:
        rope = model.qk_rope_head_dim or 0
        query_in = model.q_lora_rank or h
        query = (h * query_in if model.q_lora_rank else 0) + query_in * heads * model.head_dim
        latent = h * (model.kv_lora_rank + rope)
        raised = model.kv_lora_rank * heads * (model.head_dim - rope + model.v_head_dim)
        return float(model.layers * (query + latent + raised + out))
    gate = 2 if model.attention_gate else 1
    full = h * model.full_head_dim * (heads * (1 + gate) + 2 * model.full_kv_heads)
    sliding = h * model.head_dim * (heads * 2 + 2 * model.kv_heads)
    return float(model.full_layers * full + model.sliding_layers * sliding)


def busiest(mean: float, bins: int) -> float:
    """Return the expected load of the fullest of `bins` bins over their mean, loads being drawn at random.

        max ~ m + sqrt(2 m ln n),  at most n m  (all in one)

    Source: Raab & Steger 1998, "Balls into Bins", https://doi.org/10.1007/3-540-49543-6_13.

    >>> round(busiest(64, 8), 2), busiest(64, 1)
    (1.25, 1.0)
    """
    if bins == 1 or mean <= 0:
        return 1.0
    return min(float(bins), 1 + math.sqrt(2 * math.log(bins) / mean))
