"""The part of plan.toml about which fleet: bounds, sharing, and jobs whose GPU is to be chosen."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from data.catalog.models import Precision
from data.errors import UserError
from flows.event_settings import Name, Positive, Section
from sizing.calibration import DEFAULT_ENGINE
from sizing.choice.disaggregated import INTERCONNECT_GBIT_PER_S
from sizing.choice.job_gpu import BatchInference, JobOnGpu, Work
from sizing.choice.limits import Limits
from sizing.choice.training import MFU, Method, Recompute, Training
from sizing.jobs import ScheduledJob

CatalogName = Annotated[str, AfterValidator(lambda name: name.strip().lower())]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class ChoiceSettings(Section):
    """What all workloads together must keep to, and what other ways of serving are looked at."""

    max_gpus: dict[CatalogName, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """GPUs of a kind that can be had at once."""
    max_power_kw: Positive | None = None
    """TDP of all GPUs at once."""
    share: bool = True
    """Whether workloads of one model share a fleet where that costs less."""
    interconnect_gbit_per_s: Positive = INTERCONNECT_GBIT_PER_S
    """Of one GPU, for sending KV from a prefill to a decode pool."""

    def to_limits(self) -> Limits:
        """Return the same as the sizing room reads it."""
        return Limits(max_gpus=dict(self.max_gpus), max_power_kw=self.max_power_kw)


class TrainSettings(Section):
    """A training run: tokens of all epochs; sizing/choice/training.py says what each key does."""

    tokens: Positive
    method: Method = "full"
    lora_rank: Annotated[int, Field(ge=1, le=4_096)] = 16
    frozen_precision: Precision = "bf16"
    sequence_tok: Positive = 4_096
    micro_batch: Annotated[int, Field(ge=1)] = 1
    recompute: Recompute = "full"
    mfu: Annotated[float, Field(gt=0, le=1)] = MFU

    def to_work(self) -> Training:
        """Return the same as the sizing room reads it."""
        return Training(**self.model_dump())


class InferSettings(Section):
    """A batch of requests: how many, and their mean lengths."""

    requests: Positive
    prompt_tok: Positive
    output_tok: Positive
    cached_prompt_tok: Annotated[float, Field(ge=0)] = 0.0
    precision: Precision
    kv_precision: Literal["bf16", "fp8", "int8"] = "bf16"
    engine: CatalogName = DEFAULT_ENGINE
    utilisation: Annotated[float, Field(gt=0, le=1)] = 0.9

    def to_work(self) -> BatchInference:
        """Return the same as the sizing room reads it."""
        return BatchInference(**self.model_dump())


class JobSettings(Section):
    """A scheduled job on these weekdays at this UTC hour: so many GPUs for so many hours, or work to be sized.

    Either `gpu`, `gpus` and `hours`, or `model` with `candidates` and one of `train`, `infer`.
    """

    name: Name
    weekdays: Annotated[list[Weekday], Field(min_length=1)]
    start_hour_utc: Annotated[float, Field(ge=0, lt=24)] = 0.0
    window_hours: Positive | None = None
    """Time from its start within which a run may be done in pieces; left out: it runs through."""
    gpu: CatalogName | None = None
    gpus: Annotated[int, Field(gt=0)] | None = None
    hours: Positive | None = None
    model: CatalogName | None = None
    candidates: list[CatalogName] = Field(default_factory=list)
    deadline_hours: Positive | None = None
    train: TrainSettings | None = None
    infer: InferSettings | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        sized = [key for key in ("model", "candidates", "deadline_hours", "train", "infer") if getattr(self, key)]
        if not sized:
            if self.gpu is None or self.gpus is None or self.hours is None:
                raise ValueError(f"{self.name}: needs gpu, gpus and hours, or a model with train or infer")
            return self
        if self.model is None or not self.candidates or (self.train is None) == (self.infer is None):
            raise ValueError(f"{self.name}: work to be sized needs model, candidates, and one of train and infer")
        if self.gpu is not None or self.hours is not None or self.window_hours is not None:
            raise ValueError(
                f"{self.name}: gpu, hours and window_hours are worked out from {sized[0]}; state candidates and"
                " deadline_hours"
            )
        return self

    @property
    def gpu_names(self) -> list[str]:
        """The kinds of GPU that it names."""
        return self.candidates if self.gpu is None else [self.gpu]

    @property
    def work(self) -> Work | None:
        """What is to be sized, None where GPUs and hours are stated."""
        stated = self.train or self.infer
        return None if stated is None else stated.to_work()

    def to_job(self, on: JobOnGpu | None = None) -> ScheduledJob:
        """Return the job as the sizing room places it; raises UserError where it cannot run as declared.

        on: the GPU that work to be sized would run on. It may run in pieces until its deadline, on no fewer GPUs
        at once than hold it.
        """
        if on is None:
            if self.gpu is None or self.gpus is None or self.hours is None:
                raise UserError(f"Job {self.name!r} states no GPUs and hours; size its work first.")
            gpu, gpus, hours, least = self.gpu, self.gpus, self.hours, 1
        else:
            gpu, gpus, hours, least = on.gpu, on.gpus, on.hours, on.least_gpus
        window = self.window_hours if on is None else self.deadline_hours
        return ScheduledJob(
            name=self.name,
            gpu=gpu,
            gpus=gpus,
            hours=hours,
            weekdays=tuple(self.weekdays),
            start_hour_utc=self.start_hour_utc,
            window_hours=window if on is None or window is None else max(window, hours),
            least_gpus=least,
        )
