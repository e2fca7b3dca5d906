"""Measured serving points as arrays: what each replica was, what it was asked, and what it did."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.catalog.gpus import Gpu, find_gpu
from data.catalog.models import ModelShape, Precision, find_model
from data.errors import UserError
from sizing.calibration import Key
from sizing.memory import MEMORY_UTILISATION, kv_bytes, kv_room_bytes
from sizing.throughput import Work, work_of

Floats = npt.NDArray[np.float64]

NEEDED = ("row_id", "model", "gpu", "n_gpus", "weight_precision", "framework", "load", "isl", "osl", "series")
KNOWN = (
    *("tp", "pp", "ep", "dp", "kv_precision", "concurrency", "len_note", "source", "tput_derived"),
    *("framework_version", "measured_on"),
)
MEASURED = ("output_tok_s", "ttft_ms", "tpot_ms")
"""Columns that may be missing: what a source knows of a point, and what it measured (predicting reads none)."""

DRAWN_SHARE = 0.9
"""Mean length over nominal where lengths are drawn at 80-100% of it (InferenceMAX's random-range-ratio 0.8)."""

BLACKWELL = ("b200", "b300", "gb200")

DRAWN_NOTE = "lengths drawn at 80-100% of the nominal"

ENGINES = {
    "trtllm": "trtllm",
    "nim-trtllm": "trtllm",
    "tensorrt": "trtllm",
    "vllm": "vllm",
    "sglang": "sglang",
    "atom": "atom",
    "vllm-atom": "atom",
}
"""The calibration's engine for each name that benchmarks use."""

SGLANG_SHARE = 0.82
"""Share of the GPU for weights and KV in InferenceX's SGLang recipes (`MEM_FRAC_STATIC` of dsr1_fp8_b200.sh)."""

TIGHT_SHARE = 0.95
"""The same where that leaves no room at all (`MEM_FRAC_STATIC=0.95` in that recipe on four GPUs)."""

VLLM_H100_BATCH = 128.0
"""Most sequences that vLLM ran together on the H100: by Little's law its rows with 512 clients decoded about 95,
and 128 is the default of its scheduler's `max_num_seqs`. Read from the data, not from a recipe."""

ROOMY_BATCH = 64.0
"""Where a source does not say how GPUs were divided: the fewest per replica that hold so many requests."""

MOST_GPUS = 16

STREAMED = ("closed_loop", "mlperf_server")
"""Kinds of load whose clients read tokens as they come."""

CHUNK_TOK = 16_384
"""Prompt tokens that engines prefill in one step where memory is plenty (SGLang's `chunked_prefill_size`)."""

OFFLINE_CLIENTS = 4_096.0
"""Requests queued at once where a benchmark queues them all: more than any memory here holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """N measured points. table: the rows as read; the arrays are (N,) in their order."""

    table: pd.DataFrame
    keys: tuple[Key, ...]
    work: Work
    replicas: Floats
    clients: Floats
    prompt_tok: Floats
    output_tok: Floats
    memory_batch: Floats
    held_steps: Floats
    same_lengths: npt.NDArray[np.bool_]
    loads: npt.NDArray[np.str_]

    @property
    def streamed(self) -> npt.NDArray[np.bool_]:
        """Whether clients got each token as it was made, through the engine's front end.

        Not TensorRT-LLM's: InferenceX's recipes have it send ten or twenty at a time (`stream_interval`).
        """
        one_by_one = np.array([not key.engine.startswith("trtllm") for key in self.keys])
        return np.asarray(np.isin(self.loads, STREAMED) & one_by_one)

    @property
    def fills_chunk(self) -> npt.NDArray[np.bool_]:
        """Whether the prompts of all clients together, who start at once, fill a whole prefill chunk."""
        return np.asarray(self.clients * self.prompt_tok >= CHUNK_TOK)

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.keys)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "Measured":
        """Return the chosen points."""
        arrays = {
            f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name not in ("table", "keys", "work")
        }
        return Measured(
            table=self.table[chosen].reset_index(drop=True),
            keys=tuple(key for key, yes in zip(self.keys, chosen, strict=True) if yes),
            work=Work(**{f.name: getattr(self.work, f.name)[chosen] for f in fields(self.work)}),
            **arrays,
        )


@dataclass(frozen=True, slots=True)
class _Point:
    key: Key
    work: Work
    memory_batch: float
    replicas: float


def read_table(path: Path) -> pd.DataFrame:
    """Return the rows of a CSV of measured points; raises UserError where it cannot be read."""
    try:
        return pd.read_csv(path)
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as err:
        raise UserError(f"Cannot read measured points from {path}: {err}; give a CSV file.") from err


def read_measured(path: Path, models: Mapping[str, ModelShape], gpus: Mapping[str, Gpu]) -> Measured:
    """Return the points of a CSV with the columns of NEEDED and those that docs/sizing.md lists.

    Raises UserError where the file or a column is missing, or a model or GPU is not in the catalog.
    """
    return measured(read_table(path), models, gpus)


def measured(table: pd.DataFrame, models: Mapping[str, ModelShape], gpus: Mapping[str, Gpu]) -> Measured:
    """Return the points of a table of measured rows."""
    if missing := [name for name in NEEDED if name not in table]:
        raise UserError(
            f"The measured points lack the column `{missing[0]}`; they have {', '.join(map(str, table.columns))}."
        )
    rows = table.reset_index(drop=True).assign(
        **{name: np.nan for name in (*KNOWN, *MEASURED) if name not in table}
    )
    drawn = rows["len_note"].astype(str).str.startswith(DRAWN_NOTE[:13]).to_numpy()
    share = np.where(drawn, DRAWN_SHARE, 1.0)
    prompt, output = rows["isl"].to_numpy(float) * share, rows["osl"].to_numpy(float) * share
    points = [
        _point(row, models, gpus, *each)
        for *each, row in zip(prompt, output, rows.to_dict("records"), strict=True)
    ]
    replicas = np.array([point.replicas for point in points])
    return Measured(
        table=rows,
        keys=tuple(point.key for point in points),
        work=Work.stack([point.work for point in points]),
        memory_batch=np.array([point.memory_batch for point in points]),
        replicas=replicas,
        clients=rows["concurrency"].fillna(OFFLINE_CLIENTS).to_numpy(float) / replicas,
        prompt_tok=prompt,
        output_tok=output,
        held_steps=held_steps(rows, np.array([float(point.work.tp) for point in points])),
        same_lengths=~drawn,
        loads=rows["load"].to_numpy(str),
    )


def held_steps(rows: pd.DataFrame, tp: Floats) -> Floats:
    """Return (N,) decode steps for which the recipe of a row holds a prompt back, to batch it with others.

    InferenceX runs Llama 70B on TensorRT-LLM at 1,024 / 1,024 on fewer than 8 GPUs with
    `batch_wait_timeout_iters: 20` (benchmarks/70b_fp4_b200_trt_slurm.sh and its siblings); all others with 0. It
    runs DeepSeek-R1 on SGLang and Blackwell with `--scheduler-recv-interval 30` from 16 clients on, 10 below
    (benchmarks/single_node/dsr1_fp4_b200.sh, dsr1_fp8_b300.sh): the scheduler looks for new requests that seldom,
    and a request comes at half of the interval, on average.
    """
    recipe = (rows["model"] == "llama-3.1-70b") & (rows["framework"] == "trtllm") & (rows["load"] == "closed_loop")
    lengths = (rows["isl"] == 1_024) & (rows["osl"] == 1_024)
    blackwell = (rows["model"] == "deepseek-r1") & (rows["framework"] == "sglang") & rows["gpu"].isin(BLACKWELL)
    looks = np.where(rows["concurrency"].to_numpy(float) >= 16, 30.0, 10.0) / 2
    return np.where(recipe & lengths & (tp < 8), 20.0, np.where(blackwell, looks, 0.0))


def engine_of(framework: str, source: str = "") -> str:
    """Return the calibration's engine of a benchmark's; engines of 2024 are kept apart from today's.

    A name that is not known stands for itself: a fit gives it factors of its own, a prediction those of all.
    """
    name = framework.split()[0].lower()
    if "LLM-Inference-Bench" in source or "v0.11 data" in source:
        return {"tensorrtllm": "trtllm"}.get(name, name) + "-2024"
    return ENGINES.get(name, name)


def release_of(row: Mapping[Any, Any]) -> str:
    """Return the release of a row's engine: its version, else the month of the run, else `unstated`."""
    version, day = row.get("framework_version"), row.get("measured_on")
    if isinstance(version, str) and version.strip():
        return version.strip()
    return day.strip()[:7] if isinstance(day, str) and day.strip() else "unstated"


def kv_precision_of(stated: object, key: Key, mla: bool) -> str:
    """Return the KV precision of a row: as stated, else what InferenceX's recipes set for it.

    With fp8 and fp4 weights TensorRT-LLM keeps KV in fp8, SGLang with MLA on Blackwell, vLLM on the H200 and
    later. All others leave the engine's default, 16 bits.
    """
    if isinstance(stated, str):
        return "fp8" if stated == "fp8" else "bf16"
    narrow = key.precision in ("fp8", "fp4")
    recipes = {
        "trtllm": narrow and key.model != "gpt-oss-120b",
        "sglang": narrow and mla and key.gpu in BLACKWELL,
        "vllm": narrow and key.gpu != "h100",
    }
    return "fp8" if recipes.get(key.engine, narrow) else "bf16"


def _point(
    row: Mapping[Any, Any], models: Mapping[str, ModelShape], gpus: Mapping[str, Gpu], prompt: float, output: float
) -> _Point:
    model, gpu = find_model(models, str(row["model"])), find_gpu(gpus, str(row["gpu"]))
    precision: Precision = {"fp16": "bf16"}.get(row["weight_precision"], row["weight_precision"])
    engine = engine_of(str(row["framework"]), str(row.get("source", "")))
    key = Key(model=model.name, gpu=gpu.name, engine=engine, precision=precision, release=release_of(row))
    kv = kv_precision_of(row.get("kv_precision"), key, model.kv_lora_rank is not None)
    degree = {name: int(row[name]) for name in ("n_gpus", "tp", "pp", "ep", "dp") if pd.notna(row.get(name))}
    pp, n_gpus = degree.get("pp", 1), degree["n_gpus"]
    shared_out = degree.get("dp", 1) > 1

    def batch(tp: int) -> float:
        return engine_batch(
            *(model, gpu),
            tp=tp,
            pp=pp,
            dp_attention=shared_out,
            precision=precision,
            kv=kv,
            engine=engine,
            lengths=(prompt, output),
        )

    if degree.get("tp", 1) > gpu.domain_gpus and degree.get("ep", 1) > 1:
        n_gpus, degree = _counted_once(degree)
    tp = _gpus_of_replica(degree, batch)
    return _Point(
        key=key,
        work=work_of(
            *(model, gpu),
            tp=tp,
            pp=pp,
            ep=math.gcd(degree.get("ep", 1), tp),
            dp_attention=shared_out,
            precision=precision,
            kv_precision=kv,
        ),
        memory_batch=max(1.0, batch(tp)),
        replicas=max(1.0, n_gpus / (tp * pp)),
    )


def _counted_once(degree: Mapping[str, int]) -> tuple[int, dict[str, int]]:
    """Return (GPUs, degrees) of a row whose TP is beyond the scale-up domain beside expert parallelism.

    It counts each GPU once for its attention and once for its experts: such rows (TP 16, EP 4 on machines of
    eight) repeat, to the last digit, rows at TP 4 on four GPUs, so GPUs and TP are both too large by EP.
    """
    mended = {**degree, "tp": degree["tp"] // degree["ep"], "n_gpus": max(1, degree["n_gpus"] // degree["ep"])}
    return mended["n_gpus"], mended


def engine_batch(
    model: ModelShape,
    gpu: Gpu,
    *,
    tp: int,
    pp: int,
    precision: Precision,
    kv: str,
    engine: str,
    dp_attention: bool = False,
    lengths: tuple[float, float],
) -> float:
    """Return how many requests of these (prompt, output) tokens the engine runs at once, as it counts memory.

    TensorRT-LLM keeps 90% of what is free after loading, and admits a request only where its whole length fits
    (`free_gpu_memory_fraction`, GUARANTEED_NO_EVICT: its documented defaults). The others keep 90% of the GPU,
    weights included, and admit on what is held now: half the output on average.
    """
    prompt, output = lengths

    def room(share: float) -> float:
        degrees = {"tp": tp, "pp": pp}
        return kv_room_bytes(
            model, gpu, precision=precision, dp_attention=dp_attention, memory_utilisation=share, **degrees
        )

    if engine.startswith("trtllm"):
        free, held = MEMORY_UTILISATION * room(1.0), prompt + output
    else:
        share = SGLANG_SHARE if engine == "sglang" else MEMORY_UTILISATION
        free, held = room(share), prompt + output / 2
    each = float(kv_bytes(model, held, kv, tp, dp_attention=dp_attention)) / pp
    most = VLLM_H100_BATCH if engine == "vllm" and gpu.name == "h100" else math.inf
    return min(max(free, room(TIGHT_SHARE) if free < each else free) / each, most)


def _gpus_of_replica(degree: Mapping[str, int], batch: Callable[[int], float]) -> int:
    """Return the GPUs that share one replica's weights, mending what the source cannot mean.

    Weights that do not fit were on more GPUs than stated. Where no degree is stated: the fewest GPUs that hold
    ROOMY_BATCH requests.
    """
    n_gpus = degree["n_gpus"]
    if "tp" not in degree:
        return next((n for n in (1, 2, 4) if n <= n_gpus and batch(n) >= ROOMY_BATCH), n_gpus)
    tp = degree["tp"] * degree.get("dp", 1)
    while batch(tp) < 1 and tp < MOST_GPUS:
        tp *= 2
    return tp
