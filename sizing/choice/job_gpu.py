"""Which GPU for a scheduled job: hours and dollars on each, within its deadline, and the rule of thumb beside."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from data.errors import UserError
from data.units import HOUR_S, TB
from sizing.calibration import DEFAULT_ENGINE, Calibration
from sizing.choice.limits import Limits
from sizing.choice.training import Training, least_gpus, train_flop
from sizing.profile import ReplicaProfile, Slo, candidate_profiles, gpu_s_per_request

PFLOP = 1e15
NODE_GPUS = 8
"""More GPUs than this are taken in whole nodes of them."""

Leans = Literal["decode", "prefill", "training"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInference:
    """A list of requests to be answered by a deadline; means, cached tokens are part of the prompt."""

    requests: float
    prompt_tok: float
    output_tok: float
    cached_prompt_tok: float = 0.0
    precision: Precision
    kv_precision: str = "bf16"
    engine: str = DEFAULT_ENGINE
    utilisation: float = 0.9

    def __post_init__(self) -> None:
        """Refuse a list that cannot be."""
        if not self.requests > 0:
            raise UserError(f"A batch job has {self.requests:g} requests; give a number above 0.")


Work = Training | BatchInference


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOnGpu:
    """One job on one kind of GPU. gpus: that run at once; least_gpus: fewer cannot hold it, and more come in its
    multiples or whole nodes. hours: of a run at `gpus`. usd: on demand, None where the price is unknown.

    late_hours: by which the deadline is missed with all GPUs that can be had, 0 = it is kept. leans: what the work
    is mostly made of. usd_per_tb_per_s, usd_per_pflop_per_s: dollars an hour for bandwidth, and for arithmetic at
    the job's precision. why_not: one sentence why this GPU cannot do it, empty where it can.
    """

    gpu: str
    gpus: int
    least_gpus: int
    hours: float
    usd: float | None
    late_hours: float
    leans: Leans
    usd_per_tb_per_s: float | None
    usd_per_pflop_per_s: float | None
    why_not: str = ""

    @property
    def gpu_hours(self) -> float:
        """GPUs times hours."""
        return self.gpus * self.hours


def job_on_gpus(
    model: ModelShape,
    gpus: Sequence[Gpu],
    work: Work,
    *,
    usd_per_gpu_hour: Mapping[str, float],
    deadline_h: float | None = None,
    limits: Limits | None = None,
    asked_gpus: int | None = None,
    calibration: Calibration | None = None,
) -> tuple[JobOnGpu, ...]:
    """Return the job on each GPU, those that keep the deadline first, each kind cheapest first.

    asked_gpus: run on so many; None: as few as hold it and keep the deadline. Without a price a GPU comes last and
    is not chosen (`chosen_gpu`). Raises UserError on a deadline or a number of GPUs that cannot be.
    """
    if deadline_h is not None and not deadline_h > 0:
        raise UserError(f"The deadline is {deadline_h:g} hours; give a time above 0.")
    if asked_gpus is not None and asked_gpus < 1:
        raise UserError(f"The job asks {asked_gpus} GPUs; give at least 1.")
    found = [
        _on_gpu(model, gpu, work, usd_per_gpu_hour, deadline_h, limits or Limits(), asked_gpus, calibration)
        for gpu in gpus
    ]
    return tuple(sorted(found, key=_order))


def chosen_gpu(jobs: Sequence[JobOnGpu]) -> JobOnGpu | None:
    """Return the cheapest that keeps the deadline, else the least late; None where none can or has a price."""
    able = [job for job in jobs if not job.why_not and job.usd is not None]
    return min(able, key=lambda job: (job.late_hours, job.usd or 0.0, job.gpu), default=None)


def ruled_gpu(jobs: Sequence[JobOnGpu]) -> JobOnGpu | None:
    """Return what the rule of thumb picks: fewest dollars per byte/s where the job decodes, else per FLOP/s."""
    able = [job for job in jobs if not job.why_not and job.usd is not None]
    return min(able, key=rate_by_rule, default=None)


def rate_by_rule(job: JobOnGpu) -> float:
    """Return the dollars an hour that the rule goes by, inf where they are unknown."""
    rate = job.usd_per_tb_per_s if job.leans == "decode" else job.usd_per_pflop_per_s
    return math.inf if rate is None else rate


def deadline_sentence(job: JobOnGpu, deadline_h: float | None) -> str:
    """Return whether the deadline is kept, by how much, or missed."""
    if deadline_h is None:
        return f"It takes {job.hours:,.1f} h; no deadline is stated."
    if job.late_hours > 0:
        return (
            f"The deadline of {deadline_h:g} h is MISSED by {job.late_hours:,.1f} h: {job.gpus} x {job.gpu} take"
            f" {job.hours:,.1f} h, and no more can be had."
        )
    return f"The deadline of {deadline_h:g} h is kept: {job.gpus} x {job.gpu} take {job.hours:,.1f} h."


def _on_gpu(
    model: ModelShape,
    gpu: Gpu,
    work: Work,
    usd_per_gpu_hour: Mapping[str, float],
    deadline_h: float | None,
    limits: Limits,
    asked_gpus: int | None,
    calibration: Calibration | None,
) -> JobOnGpu:
    price = usd_per_gpu_hour.get(gpu.name)
    precision: Precision = "bf16" if isinstance(work, Training) else work.precision
    peak = gpu.flop_per_s(precision) or gpu.bf16_flop_per_s
    rates = (
        None if price is None else price / (gpu.memory_bytes_per_s / TB),
        None if price is None else price / (peak / PFLOP),
    )
    try:
        if isinstance(work, Training):
            least, leans = least_gpus(model, gpu, work), "training"
            gpu_hours = train_flop(model, work) / (gpu.bf16_flop_per_s * work.mfu) / HOUR_S
        else:
            profile = _replica(model, gpu, work, calibration)
            least, leans = profile.gpus, "prefill" if _prefill_share(profile) > 0.5 else "decode"
            gpu_hours = work.requests * gpu_s_per_request(profile) / work.utilisation / HOUR_S
        count = _count(gpu_hours, least, deadline_h, _most(gpu, limits), asked_gpus, gpu.name)
    except UserError as err:
        return _cannot(gpu, str(err), rates)
    hours = gpu_hours / count
    return JobOnGpu(
        gpu=gpu.name,
        gpus=count,
        least_gpus=least,
        hours=hours,
        usd=None if price is None else gpu_hours * price,
        late_hours=0.0 if deadline_h is None else max(0.0, round(hours - deadline_h, 9)),
        leans=leans,  # type: ignore[arg-type]
        usd_per_tb_per_s=rates[0],
        usd_per_pflop_per_s=rates[1],
    )


def _most(gpu: Gpu, limits: Limits) -> float:
    """Return the most GPUs of the kind that can run at once, inf where nothing bounds them."""
    most = float(limits.max_gpus.get(gpu.name, math.inf))
    if limits.max_power_kw is None:
        return most
    if gpu.tdp_w is None:
        raise UserError(f"The power of {gpu.name} is unknown, and {limits.max_power_kw:g} kW are the bound.")
    return min(most, math.floor(limits.max_power_kw * 1_000 / gpu.tdp_w))


def _count(
    gpu_hours: float, least: int, deadline_h: float | None, most: float, asked: int | None, gpu: str
) -> int:
    """Return the GPUs to run on: enough to hold the job and keep the deadline, at most what can be had."""
    if asked is not None and asked < least:
        raise UserError(f"It holds {least} x {gpu} at least, and {asked} are asked for; give it more.")
    if least > most:
        raise UserError(f"It holds {least} x {gpu} at least, and {most:g} can be had.")
    if asked is not None:
        if asked > most:
            raise UserError(f"It asks {asked} x {gpu}, and {most:g} can be had.")
        return asked
    wanted = least
    if deadline_h is not None:
        wanted = max(least, math.ceil(round(gpu_hours / deadline_h, 9)))
    unit = NODE_GPUS if (wanted > NODE_GPUS and NODE_GPUS % least == 0) or least > NODE_GPUS else least
    rounded = math.ceil(wanted / unit) * unit
    return rounded if rounded <= most else max(least, int(most // least) * least)


def _replica(model: ModelShape, gpu: Gpu, work: BatchInference, calibration: Calibration | None) -> ReplicaProfile:
    candidate = candidate_profiles(
        model,
        [gpu],
        precision=work.precision,
        kv_precision=work.kv_precision,
        slo=Slo(),
        prompt_tok=work.prompt_tok,
        cached_prompt_tok=work.cached_prompt_tok,
        output_tok=work.output_tok,
        engine=work.engine,
        calibration=calibration,
    )[0]
    if candidate.profile is None:
        raise UserError(candidate.why_not)
    return candidate.profile


def _prefill_share(profile: ReplicaProfile) -> float:
    p, c = profile.prompt_tok, profile.cached_prompt_tok
    fixed, fresh, square = (profile.work_coefficients[i] for i in (0, 1, 4))
    whole = gpu_s_per_request(profile) / profile.gpus
    return float(fixed + fresh * (p - c) + square * (p * p - c * c)) / whole


def _cannot(gpu: Gpu, why_not: str, rates: tuple[float | None, float | None]) -> JobOnGpu:
    return JobOnGpu(
        gpu=gpu.name,
        gpus=0,
        least_gpus=0,
        hours=math.nan,
        usd=None,
        late_hours=0.0,
        leans="training",
        usd_per_tb_per_s=rates[0],
        usd_per_pflop_per_s=rates[1],
        why_not=why_not,
    )


def _order(job: JobOnGpu) -> tuple[bool, bool, float, float, str]:
    return bool(job.why_not), job.usd is None, job.late_hours, job.usd or 0.0, job.gpu
