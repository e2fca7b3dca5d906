"""Time the roofline, and measure the error of each step from the textbook to the calibrated core.

    python -m benchmarks.sizing speed                              points a second on one core
    python -m benchmarks.sizing errors --measured MEASURED.csv     error of each step added, out of fold
    python -m benchmarks.sizing bounds                             fitted factors that sit on a bound of physics
    python -m benchmarks.sizing answers                            a known question on three GPUs
    python -m benchmarks.sizing [--measured MEASURED.csv]          speed, and errors where points are given

(As a module, since a script of this name would hide the room.)
"""

import argparse
import sys
import time
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path = [p for p in sys.path if Path(p).resolve() != Path(__file__).resolve().parent]  # this file is no package

from data.catalog.gpus import load_gpus  # noqa: E402 - after the line above
from data.catalog.models import load_models  # noqa: E402
from sizing.calibration import Key, load_calibration  # noqa: E402
from sizing.fit import on_a_bound  # noqa: E402
from sizing.folds import out_of_fold  # noqa: E402
from sizing.measured import Measured, read_measured  # noqa: E402
from sizing.profile import Slo  # noqa: E402
from sizing.question import size_question  # noqa: E402
from sizing.throughput import Factors, Work, decode_step_s, prefill_work_s, work_of  # noqa: E402

Floats = npt.NDArray[np.float64]
TEXTBOOK_STEP_S = 0.018


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["speed", "errors", "bounds", "answers"])
    parser.add_argument("--measured", type=Path)
    arguments = parser.parse_args()
    if arguments.what == "errors" and arguments.measured is None:
        parser.error("errors are those of measured points; give --measured MEASURED.csv")
    if arguments.what in (None, "speed"):
        points, seconds = time_roofline()
        print(
            f"roofline: {points:,} (model, GPU, TP, batch, length) points in {seconds:.2f} s of one core,", end=" "
        )
        print(f"{points / seconds / 1e6:.1f} million a second")
    if arguments.what == "bounds":
        print("\n".join(on_a_bound(load_calibration())))
    if arguments.what == "answers":
        print_answers()
    if arguments.what in (None, "errors") and arguments.measured:
        print_errors(read_measured(arguments.measured, load_models(), load_gpus()))


def time_roofline(batches: int = 64, lengths: int = 64) -> tuple[int, float]:
    """Return (points, seconds) for the work of a request at every batch and length of every model, GPU and TP."""
    models, gpus = load_models(), load_gpus()
    settings = list(product(models, gpus, (1, 2, 4, 8)))
    works, keys = [], []
    for model, gpu, tp in settings:
        works.append(work_of(models[model], gpus[gpu], tp=tp, precision="fp8", kv_precision="fp8"))
        keys.append(Key(model=model, gpu=gpu, engine="vllm", precision="fp8"))
    stacked, factors = Work.stack(works), load_calibration().factors(keys)
    batch = np.geomspace(1, 512, batches)[None, :, None]
    prompt = np.geomspace(128, 100_000, lengths)[None, None, :]
    started = time.process_time()
    for i in range(0, len(settings), 64):  # blocks that stay in cache
        work, some = _block(stacked, i), _block(factors, i)
        step = decode_step_s(work, some, batch, prompt + 128)
        np.add(256 * step / batch, prefill_work_s(work, some, prompt, np.zeros_like(prompt)))
    return len(settings) * batches * lengths, time.process_time() - started


def print_answers() -> None:
    """Print the GPUs for Llama-3.1-70B in fp8, 2,000 in and 300 out at 20 QPS, without an SLO and within one."""
    model, gpus = load_models()["llama-3.1-70b"], load_gpus()
    asked = {"qps": 20.0, "prompt_tok": 2_000.0, "output_tok": 300.0, "precision": "fp8", "kv_precision": "fp8"}
    print(
        f"{'GPU':6s} {'without SLO, all used':>22s} {'measured':>9s}   within mean TTFT 1 s, TPOT 40 ms, 70% used"
    )
    for name, measured in (("h100", 10), ("h200", 7), ("b200", 3)):
        floor = size_question(model, gpus[name], utilisation=1.0, **asked).plan
        held = size_question(model, gpus[name], slo=Slo(ttft_s=1.0, tpot_s=0.040), **asked).plan
        whole = f"{floor.gpus} ({floor.gpus_low}-{floor.gpus_high}), {floor.binds}"
        print(f"{name:6s} {whole:>22s} {measured:9d}   {held.gpus} ({held.gpus_low}-{held.gpus_high}),", end=" ")
        print(
            f"{held.layout.text}, batch {held.batch}, {held.binds} binds: TTFT {held.ttft_s * 1e3:.0f} ms,",
            end=" ",
        )
        print(f"TPOT {held.tpot_s * 1e3:.1f} ms, whole answer {held.e2e_s:.1f} s")


def print_errors(points: Measured) -> None:
    """Print the error of output tokens a second, one step of the derivation added at a time."""
    measured = points.table["output_tok_s"].to_numpy(float)
    fitted = out_of_fold(points, "series", multipliers=False)
    steps = {
        "textbook: batch / 18 ms": textbook(points),
        "+ bandwidth floor": floor(points, prefill=False),
        "+ prefill at 75% of peak": floor(points, prefill=True),
        "+ efficiencies and overheads, out of fold": fitted.tok_per_s,
        "+ multipliers, out of fold": out_of_fold(points, "series").tok_per_s,
        "the same, whole pairs left out": out_of_fold(points, "pair").tok_per_s,
    }
    print(f"\n{'step':42s} {'median error':>13s} {'mean error':>11s} {'within 25%':>11s} {'over 25%':>9s}")
    for name, predicted in steps.items():
        ratio = predicted / measured
        error = np.abs(ratio - 1)
        within, over = np.mean((ratio > 0.8) & (ratio < 1.25)), np.mean(ratio > 1.25)
        print(f"{name:42s} {np.median(error):13.1%} {error.mean():11.1%} {within:11.1%} {over:9.1%}")


def textbook(points: Measured) -> Floats:
    """Return tokens a second of every replica at the textbook's step, as many sequences as memory holds."""
    return np.minimum(points.clients, points.memory_batch) / TEXTBOOK_STEP_S * points.replicas


def floor(points: Measured, *, prefill: bool) -> Floats:
    """Return tokens a second if bytes (and FLOP, with prefill) move at the data sheet's rates, nothing else."""
    names = ("memory_efficiency", "compute_efficiency", "prefill_efficiency", "link_efficiency")
    sheet = Factors(**{f.name: np.ones(1) if f.name in names else np.zeros(1) for f in fields(Factors)})
    sheet = replace(sheet, norm=np.full(1, 8.0), slow=np.ones(1), wait=np.ones(1))
    batch = np.minimum(points.clients, points.memory_batch)
    work = points.work
    if not prefill:  # the textbook's floor reads all weights and reckons no arithmetic
        work = replace(work, flop_per_s=np.full(1, np.inf), attention_flop_per_s=np.full(1, np.inf))
    step = decode_step_s(work, sheet, batch, points.prompt_tok + points.output_tok / 2)
    prompt = prefill_work_s(points.work, sheet, points.prompt_tok, np.zeros(len(points))) if prefill else 0.0
    return batch * points.output_tok / (batch * prompt + points.output_tok * step) * points.replicas


def _block(values: Work | Factors, i: int) -> Work | Factors:
    return replace(values, **{f.name: getattr(values, f.name)[i : i + 64, None, None] for f in fields(values)})


if __name__ == "__main__":
    main()
