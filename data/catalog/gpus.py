"""Accelerators at their data-sheet figures, and what the planning table says about six of them, kept apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from data.catalog.models import Evidence, Precision
from data.catalog.rows import find_named, load_named_rows

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Whole = Annotated[int, Field(gt=0, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One accelerator. Rates are dense (no sparsity), for one GPU; None = absent, or the vendor does not say.

    memory_bytes: as the data sheet counts it. usable_bytes: what the driver shows, None where we have not seen it.
    link_bytes_per_s: one way, to the other GPUs of its scale-up domain of `domain_gpus`.
    planning_memory_bytes, planning_memory_bytes_per_s: values of the planning table (`docs/catalog.md`), printed
    beside the data sheet and never used where the two differ.
    """

    name: str
    vendor: str
    full_name: str
    memory_bytes: Whole
    usable_bytes: Whole | None = None
    memory_type: str
    memory_bytes_per_s: Positive
    bf16_flop_per_s: Positive
    fp8_flop_per_s: Positive | None = None
    int8_op_per_s: Positive | None = None
    fp4_flop_per_s: Positive | None = None
    link: str
    link_bytes_per_s: Positive
    domain_gpus: Whole
    tdp_w: Positive | None = None
    planning_memory_bytes: Whole | None = None
    planning_memory_bytes_per_s: Positive | None = None
    evidence: Evidence
    source: str
    checked: date
    note: str = ""

    @property
    def visible_bytes(self) -> int:
        """Memory that a program can see: what the driver shows where that is known, else the data sheet's."""
        return self.usable_bytes or self.memory_bytes

    def flop_per_s(self, precision: Precision) -> float | None:
        """Return the peak rate of the matrix units at that precision, None where they do not have it.

        int4 weights are unpacked and multiplied as bf16.
        """
        return {
            "bf16": self.bf16_flop_per_s,
            "int4": self.bf16_flop_per_s,
            "fp8": self.fp8_flop_per_s,
            "int8": self.int8_op_per_s,
            "fp4": self.fp4_flop_per_s,
        }[precision]


def load_gpus(overlays: Sequence[Path] = ()) -> dict[str, Gpu]:
    """Return every known accelerator by name; a row of a later overlay wins.

    Raises UserError naming file, row, key, value and what is allowed.
    """
    return load_named_rows("gpus.toml", overlays, Gpu)


def find_gpu(gpus: Mapping[str, Gpu], name: str) -> Gpu:
    """Return the accelerator of that name, or raise UserError with the nearest names."""
    return find_named(gpus, name, "GPU")
