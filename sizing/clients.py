"""What a fixed number of clients see of one replica: how benchmarks load an engine."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sizing.throughput import Factors, Work, decode_step_s, prefill_latency_s, prefill_work_s

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What clients of one replica see: mean time to first token, mean time per output token, tokens a second."""

    ttft_s: Floats
    tpot_s: Floats
    output_tok_per_s: Floats
    batch: Floats


def closed_loop(
    work: Work,
    factors: Factors,
    *,
    clients: Floats,
    prompt_tok: Floats,
    output_tok: Floats,
    memory_batch: Floats,
    held_steps: Floats,
    same_lengths: npt.NDArray[np.bool_],
    cold_s: Floats | float = 0.0,
) -> Served:
    """Return what a fixed number of clients see, each sending again when answered.

    In the time of one request each of the B - 1 others has one prompt prefilled. Clients in step wait for half of
    these prompts before their first token and for half after it; clients out of step meet them all while they
    decode. Requests of one length stay in step from the common start on; drawn lengths fall out of it, by a share
    `in_step` that is left:

        TTFT = alone + in_step (B - 1) t_prompt / 2 + steps until the engine looks
        TPOT = t_step(B, P + G/2) + (1 - in_step / 2) (B - 1) t_prompt / G

    Clients beyond the memory ceiling queue for a whole request (Little's law). Where the front end is slower than
    the engine it falls behind by the difference with every token of an answer; a first token waits for what is
    piled up, half of that on average. cold_s: mean wait for kernels that the engine compiles when first asked.
    """
    batch = np.minimum(clients, memory_batch)
    none = np.zeros_like(prompt_tok)
    context = prompt_tok + output_tok / 2
    step = decode_step_s(work, factors, batch, context)
    engine = decode_step_s(work, replace(factors, stream_s=np.zeros(1)), batch, context)
    behind = np.maximum(factors.stream_s * batch - engine, 0.0)
    others = (batch - 1) * prefill_work_s(work, factors, prompt_tok, none)
    before = np.where(same_lengths, factors.in_step_same, factors.in_step_drawn) / 2
    tpot = step + (1 - before) * others / output_tok
    looked = (factors.look_steps + held_steps) * step
    first = factors.wait * (prefill_latency_s(work, factors, prompt_tok, none) + looked + before * others)
    queue = np.maximum(clients - batch, 0.0) / batch * (first + tpot * output_tok)
    ttft = first + queue + behind * output_tok / 2 + cold_s
    rate = clients * output_tok / (ttft + tpot * (output_tok - 1))
    return Served(ttft_s=ttft, tpot_s=tpot, output_tok_per_s=rate, batch=batch)
