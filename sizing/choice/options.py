"""Every (GPU, TP, precision) that could serve a workload, and what it and its length buckets take there."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from data.catalog.gpus import Gpu
from data.catalog.models import ModelShape, Precision
from data.errors import UserError
from data.units import HOUR_S
from sizing.calibration import DEFAULT_ENGINE, Calibration, load_calibration
from sizing.choice.lengths import LengthBucket
from sizing.layout import Layout
from sizing.memory import MEMORY_UTILISATION, DoesNotFit
from sizing.profile import TENSOR_PARALLEL, ReplicaProfile, Slo, SloCannotBeMet, replica_profile
from sizing.speculation import Speculation

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served and how, whatever the GPU: the arguments of `replica_profile` that options share."""

    model: ModelShape
    kv_precision: str = "bf16"
    slo: Slo = field(default_factory=Slo)
    engine: str = DEFAULT_ENGINE
    memory_utilisation: float = MEMORY_UTILISATION
    pp: int = 1
    ep: int = 1
    dp_attention: bool = False
    speculation: Speculation | None = None
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOption:
    """One (GPU, TP, precision) and what the workload takes on it at its planned peak.

    replicas: unrounded replicas for the whole mix, headroom included, spares not; inf where it cannot serve all
        of it (`held_by_length`). bucket_replicas: (B,) the same
    for all requests of each bucket, each at its own batch within the SLO; inf where it cannot serve the bucket.
    spare_replicas: idle ones for failures, of every pool that is used at all.
    usd_per_gpu_hour: None = unknown, and then it is never chosen. tdp_w: of one GPU, None = unknown.
    """

    profile: ReplicaProfile
    replicas: float
    bucket_replicas: Floats
    spare_replicas: int
    usd_per_gpu_hour: float | None
    tdp_w: float | None

    @property
    def name(self) -> str:
        """GPU, layout and precision as people write them."""
        return f"{self.profile.gpu} {self.profile.layout.text} {self.profile.precision}"

    @property
    def usd_per_replica_hour(self) -> float | None:
        """Dollars an hour of one replica."""
        return None if self.usd_per_gpu_hour is None else self.usd_per_gpu_hour * self.profile.gpus

    def whole_replicas(self, replicas: float) -> int:
        """Return replicas to run for this much work: whole ones and the spare; none for no work.

        replicas: finite; what an option cannot serve has no whole number.
        """
        needed = math.ceil(round(replicas, 9))
        return needed + self.spare_replicas if needed else 0

    def power_kw(self, replicas: int) -> float | None:
        """Return the TDP of so many replicas, None where the GPU's is unknown."""
        return None if self.tdp_w is None else replicas * self.profile.gpus * self.tdp_w / 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A (GPU, TP, precision) that cannot serve the workload, with the reason in one sentence."""

    gpu: str
    tp: int
    precision: str
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What there is to choose from. buckets: (B,) of the workload, in the order of every `bucket_replicas`.

    relaxed_share: share of requests in buckets that meet the SLO by themselves on no option; they are served at
    the batch of the whole mix, which holds the SLO in its mean.
    """

    options: tuple[FleetOption, ...]
    unserved: tuple[Unserved, ...]
    buckets: tuple[LengthBucket, ...]
    relaxed_share: float = 0.0


def fleet_options(
    serving: Serving,
    gpus: Sequence[Gpu],
    precisions: Sequence[Precision],
    mix: LengthBucket,
    buckets: Sequence[LengthBucket],
    *,
    requests_per_s: float,
    usd_per_gpu_hour: Mapping[str, float],
    tensor_parallel: Sequence[int] = TENSOR_PARALLEL,
    spare_replicas: int = 0,
) -> Options:
    """Return every (GPU, TP, precision), each with its ReplicaProfile, and those that cannot serve the mix.

    mix: the mean request of the whole workload. requests_per_s: at the planned peak, headroom included, so that
    `requests_per_s x seconds of a request` are replicas. usd_per_gpu_hour: by GPU; one that is missing is unknown.
    Raises UserError where nothing at all can serve it, with the reasons.
    """
    calibration = serving.calibration or load_calibration()
    served: list[FleetOption] = []
    unserved: list[Unserved] = []
    for gpu, precision, tp in _settings(serving, gpus, precisions, tensor_parallel):
        try:
            profile = _profile(serving, gpu, precision, tp, mix, calibration)
        except (DoesNotFit, SloCannotBeMet) as err:
            unserved.append(Unserved(gpu=gpu.name, tp=tp, precision=precision, why_not=str(err)))
            continue
        work = [_bucket_work_s(serving, gpu, precision, tp, bucket, calibration) for bucket in buckets]
        served.append(
            FleetOption(
                profile=profile,
                replicas=requests_per_s * float(profile.work_s(mix.sums())),
                bucket_replicas=requests_per_s * np.array([b.share for b in buckets]) * np.array(work, float),
                spare_replicas=spare_replicas,
                usd_per_gpu_hour=usd_per_gpu_hour.get(gpu.name),
                tdp_w=gpu.tdp_w,
            )
        )
    if not served:
        raise UserError(_nothing_serves(serving, unserved))
    return _relaxed(served, unserved, buckets, requests_per_s)


def _nothing_serves(serving: Serving, unserved: Sequence[Unserved]) -> str:
    """Return one reason for all: a page of them, one a GPU and TP, is read by nobody."""
    reasons = list(dict.fromkeys(each.why_not for each in unserved))
    if not reasons:
        return f"No GPU and tensor parallelism that was named fits {serving.model.name}; name others to try."
    return (
        f"None of {len(reasons)} settings serves it, the last of them as follows. " if reasons[1:] else ""
    ) + reasons[-1]


def held_by_length(options: Options) -> Options:
    """Return the same options where the SLO must hold in the mean of every bucket, not only of the whole mix.

    A single fleet then takes the sum over the buckets, each at its own batch, and cannot serve at all where one of
    them is too slow on it. (`relaxed_share` stays: what no option serves is in the mix as before.)
    """
    held = [replace(option, replicas=float(option.bucket_replicas.sum())) for option in options.options]
    return replace(options, options=tuple(held)) if options.buckets else options


def usd_per_request(option: FleetOption, mix: LengthBucket) -> float | None:
    """Return dollars of one mean request at full use, None where the price is unknown."""
    rate = option.usd_per_replica_hour
    return None if rate is None else rate / HOUR_S * float(option.profile.work_s(mix.sums()))


def _settings(
    serving: Serving, gpus: Sequence[Gpu], precisions: Sequence[Precision], tensor_parallel: Sequence[int]
) -> Iterator[tuple[Gpu, Precision, int]]:
    least = max(serving.ep, 2 if serving.dp_attention else 1)
    for gpu in gpus:
        for precision in precisions:
            for tp in tensor_parallel:
                layout = Layout(tp=tp, dp_attention=serving.dp_attention)
                if least <= tp <= gpu.domain_gpus and tp % serving.ep == 0 and layout.splits_heads(serving.model):
                    yield gpu, precision, tp


def _profile(
    serving: Serving, gpu: Gpu, precision: Precision, tp: int, lengths: LengthBucket, calibration: Calibration
) -> ReplicaProfile:
    return replica_profile(
        serving.model,
        gpu,
        tp=tp,
        precision=precision,
        kv_precision=serving.kv_precision,
        slo=serving.slo,
        prompt_tok=lengths.prompt_tok,
        cached_prompt_tok=lengths.cached_prompt_tok,
        output_tok=lengths.output_tok,
        moments=lengths.moments,
        engine=serving.engine,
        memory_utilisation=serving.memory_utilisation,
        calibration=calibration,
        pp=serving.pp,
        ep=serving.ep,
        dp_attention=serving.dp_attention,
        speculation=serving.speculation,
    )


def _bucket_work_s(
    serving: Serving, gpu: Gpu, precision: Precision, tp: int, bucket: LengthBucket, calibration: Calibration
) -> float:
    """Return replica-seconds of a request of the bucket at the bucket's own batch, inf where it is not served."""
    try:
        profile = _profile(serving, gpu, precision, tp, bucket, calibration)
    except UserError:  # it does not fit, is too slow, or is longer than the model's context
        return math.inf
    return float(profile.work_s(bucket.sums()))


def _relaxed(
    served: Sequence[FleetOption],
    unserved: Sequence[Unserved],
    buckets: Sequence[LengthBucket],
    requests_per_s: float,
) -> Options:
    """Let a bucket that no option serves by itself run in the whole mix: at that profile's coefficients."""
    if not buckets:
        return Options(options=tuple(served), unserved=tuple(unserved), buckets=())
    nowhere = np.isinf(np.min([option.bucket_replicas for option in served], axis=0))
    options = []
    for option in served:
        mixed = np.array([b.share * float(option.profile.work_s(b.sums())) for b in buckets]) * requests_per_s
        options.append(replace(option, bucket_replicas=np.where(nowhere, mixed, option.bucket_replicas)))
    share = float(np.array([b.share for b in buckets]) @ nowhere)
    return Options(options=tuple(options), unserved=tuple(unserved), buckets=tuple(buckets), relaxed_share=share)
