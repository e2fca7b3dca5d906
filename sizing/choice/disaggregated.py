"""Prefill and decode in pools of their own, each sized on its own work; KV is sent from one to the other."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from data.errors import UserError
from sizing.choice.fleets import Fleet, Pool, cheaper
from sizing.choice.lengths import LengthBucket
from sizing.choice.limits import Limits
from sizing.choice.options import FleetOption, Serving, fleet_options
from sizing.memory import kv_bytes
from sizing.profile import Slo

INTERCONNECT_GBIT_PER_S = 400.0
"""Gbit/s of one GPU to the other pool: one 400 Gbit/s port each (NVIDIA DGX H100 user guide, 8 ConnectX-7)."""

LINK_SHARE = 0.7
"""Most of the interconnect that KV may fill at the planned peak, so that transfers do not queue long."""

FIRST_TOK = 1.0
"""Tokens that the prefill pool generates: the first one comes with the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disaggregated:
    """A prefill pool and a decode pool.

    kv_bytes_per_request: what is sent for the mean prompt. transfer_s: of one request over the GPUs of a prefill
    replica; it is taken off the TTFT that the prefill pool must hold. link_share: of the prefill pool's
    interconnect at the planned peak.
    """

    prefill: Pool
    decode: Pool
    kv_bytes_per_request: float
    transfer_s: float
    link_share: float

    @property
    def fleet(self) -> Fleet:
        """Both pools as one fleet."""
        return Fleet(pools=(self.prefill, self.decode))


def prompt_kv_bytes(model: ModelShape, prompt_tok: float, kv_precision: str) -> float:
    """Return the bytes of a prompt's KV cache, each head once, whatever the tensor parallelism.

    Llama-3.1-70B in bf16: 2 x 80 layers x 8 heads x 128 x 2 bytes = 327,680 bytes a token.

    >>> from data.catalog.models import load_models
    >>> prompt_kv_bytes(load_models()["llama-3.1-70b"], 1.0, "bf16")
    327680.0
    """
    return float(kv_bytes(model, prompt_tok, kv_precision, 1))


def best_disaggregated(
    serving: Serving,
    gpus: Sequence[Gpu],
    precisions: Sequence[Precision],
    mix: LengthBucket,
    limits: Limits,
    *,
    requests_per_s: float,
    usd_per_gpu_hour: Mapping[str, float],
    interconnect_gbit_per_s: float = INTERCONNECT_GBIT_PER_S,
    tensor_parallel: Sequence[int] = (1, 2, 4, 8),
    spare_replicas: int = 0,
) -> Disaggregated | None:
    """Return the cheapest pair of pools under the limits, None where no pair can serve.

    Both pools come from the one capacity function. Prefill: requests of one output token under the TTFT less the
    KV's transfer. Decode: requests whose prompt is in the cache already (it was sent), under the TPOT; no prompt
    interrupts it, so its batch is larger. Each pool has its own spares; kinds of GPU may differ.
    """
    if not interconnect_gbit_per_s > 0:
        raise UserError(
            f"The interconnect is {interconnect_gbit_per_s:g} Gbit/s; give what one GPU can send, above 0."
        )
    sent_bytes = prompt_kv_bytes(serving.model, mix.prompt_tok, serving.kv_precision)
    link_bytes_per_s = interconnect_gbit_per_s * 1e9 / 8
    pools: dict[str, list[Pool]] = {"prefill": [], "decode": []}
    for gpu in gpus:
        for tp in tensor_parallel:
            transfer_s = sent_bytes / (link_bytes_per_s * tp * serving.pp)
            for kind, served, lengths in _halves(serving, mix, transfer_s):
                found = _options(
                    served, gpu, precisions, lengths, tp, requests_per_s, usd_per_gpu_hour, spare_replicas
                )
                sent = requests_per_s * sent_bytes
                pools[kind] += [_pool(option, sent, link_bytes_per_s, kind) for option in found]
    return _best_pair(pools["prefill"], pools["decode"], limits, sent_bytes, link_bytes_per_s, requests_per_s)


def _halves(serving: Serving, mix: LengthBucket, transfer_s: float) -> Iterator[tuple[str, Serving, LengthBucket]]:
    slo = serving.slo
    left_s = None if slo.ttft_s is None else slo.ttft_s - transfer_s
    if left_s is None or left_s > 0:
        first = replace(mix, output_tok=FIRST_TOK, moments=replace(mix.moments, prompt_output=1.0, output_sq=1.0))
        # What waits for a first token alone has no time between tokens, and no draft to check.
        yield "prefill", replace(serving, slo=Slo(ttft_s=left_s), speculation=None), first
    m = mix.moments
    sent = replace(m, cached_sq=m.prompt_sq, prompt_cached=m.prompt_sq)
    decode = replace(mix, cached_prompt_tok=mix.prompt_tok, moments=sent)
    yield "decode", replace(serving, slo=Slo(tpot_s=slo.tpot_s)), decode


def _options(
    serving: Serving,
    gpu: Gpu,
    precisions: Sequence[Precision],
    lengths: LengthBucket,
    tp: int,
    requests_per_s: float,
    usd_per_gpu_hour: Mapping[str, float],
    spare_replicas: int,
) -> tuple[FleetOption, ...]:
    try:
        return fleet_options(
            serving,
            [gpu],
            precisions,
            lengths,
            (),
            requests_per_s=requests_per_s,
            usd_per_gpu_hour=usd_per_gpu_hour,
            tensor_parallel=(tp,),
            spare_replicas=spare_replicas,
        ).options
    except UserError:
        return ()


def _pool(option: FleetOption, sent_bytes_per_s: float, link_bytes_per_s: float, kind: str) -> Pool:
    """Return the pool for its work; a prefill pool has at least the GPUs whose ports carry the KV."""
    work = option.replicas
    if kind == "prefill":
        work = max(work, sent_bytes_per_s / (LINK_SHARE * link_bytes_per_s * option.profile.gpus))
    return Pool(option=option, work=work, replicas=option.whole_replicas(work), serves=(kind,))


def _best_pair(
    prefills: Sequence[Pool],
    decodes: Sequence[Pool],
    limits: Limits,
    sent_bytes: float,
    link_bytes_per_s: float,
    requests_per_s: float,
) -> Disaggregated | None:
    """Try every pair: limits couple the pools, and the pairs are few."""
    best: tuple[Fleet, Pool, Pool] | None = None
    for prefill in prefills:
        for decode in decodes:
            fleet = Fleet(pools=(prefill, decode))
            if fleet.usd_per_hour is None or limits.why_not(fleet.gpus, fleet.power_kw):
                continue
            if best is None or cheaper(best[0], fleet) is fleet:
                best = (fleet, prefill, decode)
    if best is None:
        return None
    _, prefill, decode = best
    per_replica = link_bytes_per_s * prefill.option.profile.gpus
    working = math.ceil(round(prefill.work, 9))
    return Disaggregated(
        prefill=prefill,
        decode=decode,
        kv_bytes_per_request=sent_bytes,
        transfer_s=sent_bytes / per_replica,
        link_share=requests_per_s * sent_bytes / (per_replica * working) if working else 0.0,
    )
