"""One measured point in the columns that calibration reads, and what the user states where a file does not."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from data.errors import UserError
from sizing.measured import DRAWN_NOTE

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a result file may leave out; None = not stated. Options of the command line, or a file's own fields.

    gpus: of the whole instance; left out it is `tp`. prompt_tok, output_tok: mean tokens of a request.
    """

    model: str | None = None
    gpu: str | None = None
    gpus: int | None = None
    tp: int | None = None
    precision: str | None = None
    kv_precision: str | None = None
    engine: str | None = None
    prompt_tok: float | None = None
    output_tok: float | None = None

    def over(self, **found: Any) -> Self:
        """Return these with what a file says where nothing was stated: the user's word wins."""
        return replace(self, **{k: v for k, v in found.items() if v is not None and getattr(self, k) is None})

    def need(self, name: str, place: str, what: str) -> Any:
        """Return a fact, or raise UserError that names the file, what is missing and the option that gives it."""
        value = getattr(self, name)
        if value is None:
            raise UserError(f"{place} does not say {what}; give --{_OPTION.get(name, name)}.")
        return value


_OPTION = {
    "kv_precision": "kv-precision",
    "prompt_tok": "prompt-tokens",
    "output_tok": "output-tokens",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one run measured, in SI units. clients: requests in flight, the mean where the load was open.

    ttft_s, tpot_s: means, None where the run did not stream. output_tok_per_s: of the whole instance.
    drawn: lengths were drawn at 80-100% of those stated.
    """

    clients: float
    prompt_tok: float
    output_tok: float
    output_tok_per_s: float
    ttft_s: float | None
    tpot_s: float | None
    ep: int = 1
    dp_attention: bool = False
    drawn: bool = False
    date: str = ""


def measured_row(seen: Seen, stated: Stated, *, place: str, source: str) -> dict[str, Any]:
    """Return the row of one run; raises UserError where a fact is missing or a number cannot be."""
    tp = int(stated.need("tp", place, "how many GPUs split a layer"))
    gpus = stated.gpus or tp
    for name in ("clients", "prompt_tok", "output_tok", "output_tok_per_s"):
        if not 0 < getattr(seen, name) < float("inf"):
            raise UserError(f"{place}: {name} is {getattr(seen, name):g}, which no run can be; measure it again.")
    row: dict[str, Any] = {
        "model": stated.need("model", place, "which model was served"),
        "gpu": stated.need("gpu", place, "on which GPU it ran"),
        "n_gpus": gpus,
        "tp": 1 if seen.dp_attention else tp,
        "pp": 1,
        "ep": seen.ep,
        "dp": tp if seen.dp_attention else 1,
        "weight_precision": stated.need("precision", place, "in which precision the weights were"),
        "kv_precision": stated.kv_precision or "bf16",
        "framework": stated.need("engine", place, "which engine served it"),
        "load": "closed_loop",
        "concurrency": seen.clients,
        "isl": seen.prompt_tok,
        "osl": seen.output_tok,
        "len_note": DRAWN_NOTE if seen.drawn else "fixed",
        "ttft_ms": None if seen.ttft_s is None else seen.ttft_s * 1e3,
        "tpot_ms": None if seen.tpot_s is None else seen.tpot_s * 1e3,
        "output_tok_s": seen.output_tok_per_s,
        "tput_derived": 0,
        "measured_on": seen.date,
        "source": source,
    }
    return {"row_id": Path(place).name, **row, "series": sweep_of(row)}


def sweep_of(row: Record) -> str:
    """Return the name of a row's sweep: the runs that differ in the number of clients alone."""
    same = ("model", "gpu", "n_gpus", "tp", "ep", "dp", "weight_precision", "kv_precision", "framework")
    lengths = [round(row["isl"], -1), round(row["osl"], -1)]
    text = json.dumps([*(str(row[name]) for name in same), *lengths])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def number(record: Record, name: str, place: str) -> float:
    """Return a number that must be there."""
    value = optional(record, name, place)
    if value is None:
        raise UserError(f"{place} has no `{name}`; it is not a complete result of that tool.")
    return value


def optional(record: Record, name: str, place: str) -> float | None:
    """Return a number that may be missing, or raise UserError where it is none."""
    value = record.get(name)
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UserError(f"{place}: `{name}` is {value!r}, which is no number; correct it.") from None
