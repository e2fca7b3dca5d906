"""The textbook derivation in four steps, kept as a reference line beside the real answer."""

import math
from dataclasses import dataclass

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape
from sizing.memory import BYTES_PER_WEIGHT, kv_bytes

LEFT_OUT = (
    "It leaves out prefill: the prompt's own compute, which is most of the work when prompts are long;"
    " and it takes the step time and the batch as given, where the memory floor says otherwise."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Textbook:
    """Every step of the derivation, with the numbers that went in, for printing.

    kv_bytes_per_request: step 1, `2 L H_kv d_head T b`. ceiling: step 2, `floor((M_gpu - M_weights) / KV)`.
    requests_per_s: step 3, `B / (G t_step)`, one replica. gpus: step 4, `ceil(QPS / (u rate))`, times tp.
    floor_step_s: the least the assumed step can take: weights and the batch's KV read once at data-sheet
        bandwidth. catalog_ceiling: the ceiling from the catalog's weights and the bytes that the driver shows.
    """

    params: float
    bytes_per_weight: float
    gpu_bytes: float
    tp: int
    context_tok: float
    output_tok: float
    batch: int
    step_s: float
    qps: float
    utilisation: float
    kv_bytes_per_request: float
    ceiling: int
    requests_per_s: float
    gpus: int
    floor_step_s: float
    catalog_ceiling: int

    @property
    def sentence(self) -> str:
        """Say what the four steps give, what they assume, and what the memory floor says to it."""
        kv_gb, rate = self.kv_bytes_per_request / 1e9, self.requests_per_s
        return (
            f"Textbook: {kv_gb:.2f} GB of KV per request, at most {self.ceiling} at once, {rate:.2f} requests/s"
            f" per replica (assumed: batch {self.batch}, {self.step_s * 1e3:g} ms a step, utilisation"
            f" {self.utilisation:g}), so {self.gpus} GPUs for {self.qps:g} QPS. Reading weights and KV once"
            f" takes {self.floor_step_s * 1e3:.1f} ms at data-sheet bandwidth."
        )


def textbook_plan(
    model: ModelShape,
    gpu: Gpu,
    *,
    precision: str,
    qps: float,
    prompt_tok: float,
    output_tok: float,
    batch: int = 48,
    step_s: float = 0.018,
    utilisation: float = 0.7,
    tp: int = 1,
    params: float | None = None,
    gpu_bytes: float | None = None,
) -> Textbook:
    """Return the four steps for one model on one GPU; KV is kept in 16 bits, as the derivation has it.

        KV = 2 L H_kv d_head T b,  ceiling = floor((M_gpu - M_weights) / KV),
        rate = B / (G t_step),     fleet = ceil(QPS / (u rate))

    params and gpu_bytes default to the catalog's; the worked example (Llama-3.1-8B, bf16, T = 8,000, G = 256,
    50 QPS) passes 8.0e9 and 80e9 and gives a ceiling of 61 and 7 GPUs. (65 comes of dividing GB by GiB.)
    """
    context_tok = prompt_tok + output_tok
    weight = BYTES_PER_WEIGHT[precision]
    n_params, room = params or model.params_total, gpu_bytes or gpu.memory_bytes
    kv = float(kv_bytes(model, context_tok, "bf16"))
    rate = batch / (output_tok * step_s)
    read_bytes = n_params * weight / tp + batch * kv / tp
    return Textbook(
        params=n_params,
        bytes_per_weight=weight,
        gpu_bytes=room,
        tp=tp,
        context_tok=context_tok,
        output_tok=output_tok,
        batch=batch,
        step_s=step_s,
        qps=qps,
        utilisation=utilisation,
        kv_bytes_per_request=kv,
        ceiling=max(0, math.floor((tp * room - n_params * weight) / kv)),
        requests_per_s=rate,
        gpus=tp * math.ceil(round(qps / (utilisation * rate), 9)),
        floor_step_s=read_bytes / gpu.memory_bytes_per_s,
        catalog_ceiling=max(0, math.floor((tp * gpu.visible_bytes - model.params_total * weight) / kv)),
    )
