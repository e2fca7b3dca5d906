"""Training and fine-tuning: arithmetic of a run, bytes that it holds, the fewest GPUs that hold them.

Data-parallel with everything sharded (ZeRO stage 3, FSDP): each GPU holds 1/n of the states and the activations of
its own sequences.
"""

import math
from dataclasses import dataclass
from typing import Literal

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from data.errors import UserError
from data.units import GB
from sizing.memory import MEMORY_UTILISATION, RUNTIME_BYTES, expert_params, weight_bytes

Method = Literal["full", "lora"]
Recompute = Literal["full", "selective", "none"]

STATE_BYTES = 16.0
"""Bytes of a trained parameter in mixed-precision Adam: 2 weight + 2 gradient + 12 (fp32 weight, two moments).

Source: ZeRO, Rajbhandari et al. 2020, https://arxiv.org/abs/1910.02054, section 3.1.
"""

MFU = 0.40
"""Share of the bf16 peak that a tuned run reaches in useful arithmetic: an assumption, to be stated.

Llama 3 reports 38-43% on 8,192 to 16,384 H100s (https://arxiv.org/abs/2407.21783, table 4), PaLM 46.2%
(https://arxiv.org/abs/2204.02311).
"""

LOGIT_BYTES = 6.0
"""Bytes of one logit: 4 in fp32 for the loss, 2 for its gradient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One run over `tokens` tokens. sequence_tok, micro_batch: what one GPU holds at once.

    lora_rank: of adapters on the attention projections. frozen_precision: of the weights that LoRA leaves alone
    (int4 as in QLoRA). recompute: activations that are thrown away and computed again, as Korthikanti et al. 2022
    name them; mfu counts useful arithmetic alone, so recomputation is in it.
    """

    tokens: float
    method: Method = "full"
    lora_rank: int = 16
    frozen_precision: Precision = "bf16"
    sequence_tok: float = 4_096
    micro_batch: int = 1
    recompute: Recompute = "full"
    mfu: float = MFU

    def __post_init__(self) -> None:
        """Refuse a run that cannot be."""
        if not (self.tokens > 0 and self.sequence_tok > 0 and self.micro_batch > 0 and self.lora_rank > 0):
            raise UserError(
                "A training run needs tokens, sequence_tok, micro_batch and lora_rank above 0, not"
                f" {self.tokens:g}, {self.sequence_tok:g}, {self.micro_batch} and {self.lora_rank}."
            )
        if not 0 < self.mfu <= 1:
            raise UserError(
                f"mfu is {self.mfu:g}; give the share of the peak that a run reaches, above 0 up to 1."
            )


def train_flop(model: ModelShape, run: Training) -> float:
    """Return the floating-point operations of a run, recomputation left out.

        full:  6 N D                     2 N D forward, 2 N D for inputs' and 2 N D for weights' gradients
        LoRA:  4 N D + 6 N_lora D        frozen weights need no gradient of their own
        plus   3 x attention             causal: each token sees half of the sequence; it has no weights

    N: active parameters (of a mixture, what a token passes), embedding included as model cards count. Sources:
    Kaplan et al. 2020, https://arxiv.org/abs/2001.08361 (6 N D); Hoffmann et al. 2022,
    https://arxiv.org/abs/2203.15556; Hu et al. 2021 (LoRA), https://arxiv.org/abs/2106.09685.

    8.03e9 parameters over 1e9 tokens are 4.82e19 FLOP, before attention:

    >>> from data.catalog.models import load_models
    >>> llama = load_models()["llama-3.1-8b"]
    >>> f"{six_nd(llama, Training(tokens=1e9)):.3g}"
    '4.82e+19'
    """
    return six_nd(model, run) + attention_flop(model, run)


def six_nd(model: ModelShape, run: Training) -> float:
    """Return the FLOP of the weights alone: 6 N D, or 4 N D + 6 N_lora D."""
    if run.method == "full":
        return 6.0 * model.params_active * run.tokens
    return (4.0 * model.params_active + 6.0 * lora_params(model, run.lora_rank)) * run.tokens


def attention_flop(model: ModelShape, run: Training) -> float:
    """Return the FLOP of queries against keys and values: 3 x 2 H (d_qk + d_v) layers x pairs.

    A token of a sequence of s sees s/2 before it; of sliding layers at most their window.
    """
    pairs = run.sequence_tok / 2
    full = 2.0 * model.heads * model.full_layers * (model.full_head_dim + model.v_head_dim) * pairs
    window = min(pairs, model.window_tok or pairs)
    sliding = 2.0 * model.heads * model.sliding_layers * (model.head_dim + model.v_head_dim) * window
    return 3.0 * (full + sliding) * run.tokens


def lora_params(model: ModelShape, rank: int) -> float:
    """Return the weights of adapters on all attention projections: r (in + out) of each.

    Llama-3.1-8B at rank 16: 32 layers x 16 x (2 x (4,096 + 4,096) + 2 x (4,096 + 1,024)) = 13.6 million.

    >>> from data.catalog.models import load_models
    >>> lora_params(load_models()["llama-3.1-8b"], 16)
    13631488.0
    """
    queries, keys = model.heads * model.head_dim, model.kv_heads * model.head_dim
    each = 2 * (model.hidden + queries) + 2 * (model.hidden + keys)
    return float(rank * model.layers * each)


def state_bytes(model: ModelShape, run: Training) -> float:
    """Return bytes of weights, gradients and optimizer, over all GPUs together.

    full: 16 a parameter, of all experts. LoRA: the frozen weights once, and 16 a parameter of the adapters.
    """
    if run.method == "full":
        return STATE_BYTES * model.params_total
    return weight_bytes(model, run.frozen_precision).total + STATE_BYTES * lora_params(model, run.lora_rank)


def activation_bytes(model: ModelShape, run: Training) -> float:
    """Return bytes of activations that one GPU keeps for its micro-batch, logits included.

    A layer keeps for each token  11 h + 4 h (attention, norms) + 3 h + 2 m i (MLP)  bytes, and 5 a s more for the
    softmax where nothing is recomputed; with m = 2 matrices and i = 4 h that is Korthikanti's 34 h + 5 a s
    (https://arxiv.org/abs/2205.05198, equations 1 and 2). Everything recomputed: 2 h a layer (its input), and one
    layer whole while it is worked on.
    """
    tokens = run.micro_batch * run.sequence_tok
    layer = tokens * layer_activation_bytes(model)
    softmax = 5.0 * model.heads * run.sequence_tok * tokens
    logits = LOGIT_BYTES * model.vocab * tokens
    if run.recompute == "full":
        return 2.0 * model.hidden * tokens * model.layers + layer + logits
    whole = layer + (softmax if run.recompute == "none" else 0.0)
    return whole * model.layers + logits


def layer_activation_bytes(model: ModelShape) -> float:
    """Return bytes that one layer keeps of one token, the softmax left out; of a mixture, those of its experts."""
    sparse = model.moe_intermediate * model.experts_per_token + model.shared_intermediate
    inner = max(model.intermediate, sparse) if model.dense_layers else sparse
    return 18.0 * model.hidden + 2.0 * model.ffn_matrices * inner


def gpu_bytes(model: ModelShape, run: Training, gpus: int) -> float:
    """Return bytes on each of `gpus` GPUs: its share of the states, activations, a gathered layer, the runtime.

    The layer being worked on is gathered whole in 16 bits; experts stay where they are.
    """
    gathered = 2.0 * (model.params_total - expert_params(model)) / model.layers
    return state_bytes(model, run) / gpus + activation_bytes(model, run) + gathered + RUNTIME_BYTES


def least_gpus(model: ModelShape, gpu: Gpu, run: Training) -> int:
    """Return the fewest GPUs that hold a run; raises UserError where activations alone are too large for one."""
    usable = gpu.visible_bytes * MEMORY_UTILISATION
    own = gpu_bytes(model, run, 1) - state_bytes(model, run)
    if own >= usable:
        raise UserError(
            f"{model.name} at {run.micro_batch} x {run.sequence_tok:,.0f} tokens keeps {own / GB:.0f} GB of"
            f" activations on each GPU, and {gpu.name} offers {usable / GB:.0f} GB; use shorter sequences, a"
            " smaller micro-batch, or recompute more."
        )
    return max(1, math.ceil(round(state_bytes(model, run) / (usable - own), 9)))
