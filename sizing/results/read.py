"""Read benchmark results of any known tool, recognised by their content."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import UserError
from sizing.measured import NEEDED
from sizing.results.aiperf import SOURCE as AIPERF
from sizing.results.aiperf import aiperf_csv, is_aiperf, read_aiperf
from sizing.results.inferencemax import SOURCE as INFERENCEMAX
from sizing.results.inferencemax import drafts, is_inferencemax, read_inferencemax
from sizing.results.row import Record, Stated
from sizing.results.vllm_bench import SOURCE as VLLM_BENCH
from sizing.results.vllm_bench import is_vllm_bench, read_vllm_bench

TABLE = "table of measured points"
KNOWN_TOOLS = f"{VLLM_BENCH}, {AIPERF}, {INFERENCEMAX}, or a CSV with the columns of docs/sizing.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Measured rows, how many of each kind, and how many were left out because drafts were used in them."""

    table: pd.DataFrame
    kinds: Counter[str]
    drafted: int

    @property
    def only_tables(self) -> bool:
        """Whether all of it came as tables of measured points, from which the shipped factors are fitted."""
        return set(self.kinds) == {TABLE}


def read_results(paths: Sequence[Path], stated: Stated) -> Results:
    """Return all rows of these files; raises UserError in one sentence that names the file."""
    tables: list[pd.DataFrame] = []
    kinds: Counter[str] = Counter()
    drafted = 0
    for path in paths:
        text = _text(path)
        if (table := _table(path, text)) is not None:
            tables.append(table)
            kinds[TABLE] += len(table)
            continue
        rows = []
        for place, record in _records(path, text):
            if is_inferencemax(record) and drafts(record):
                drafted += 1
            else:
                rows.append(_row(record, stated, place))
        kinds.update(row["source"] for row in rows)
        tables.append(pd.DataFrame(rows))
    found = (
        pd.concat([t for t in tables if len(t)], ignore_index=True) if any(map(len, tables)) else pd.DataFrame()
    )
    if found.empty:
        raise UserError(f"{', '.join(map(str, paths))} hold no run to learn from; give results of {KNOWN_TOOLS}.")
    found["row_id"] = _unique(found["row_id"].astype(str))
    return Results(table=found, kinds=kinds, drafted=drafted)


def _row(record: Record, stated: Stated, place: str) -> dict[str, Any]:
    if is_inferencemax(record):
        return read_inferencemax(record, stated, place)
    if is_vllm_bench(record):
        return read_vllm_bench(record, stated, place)
    if is_aiperf(record):
        return read_aiperf(record, stated, place)
    raise UserError(f"{place} is no result that is known; give one of {KNOWN_TOOLS}.")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UserError(f"Cannot read {path}: {reason}; give results of {KNOWN_TOOLS}.") from error


def _table(path: Path, text: str) -> pd.DataFrame | None:
    """Return the rows of a CSV with our own columns, None where it is something else."""
    header = next(csv.reader(text.splitlines()[:1]), [])
    return pd.read_csv(path) if set(NEEDED) <= {cell.strip() for cell in header} else None


def _records(path: Path, text: str) -> Iterable[tuple[str, Record]]:
    """Return (place, record) of each run in a file: one JSON value, JSON lines, or a CSV."""
    if text.lstrip()[:1] in ("{", "["):
        values = _json_values(path, text)
    else:
        lines = text.splitlines()
        summary = aiperf_csv(lines)
        values = [summary] if summary else list(csv.DictReader(lines))
    if len(values) == 1:
        return [(str(path), values[0])]
    return [(f"{path}:{i}", value) for i, value in enumerate(values, start=1)]


def _json_values(path: Path, text: str) -> list[Record]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except json.JSONDecodeError as error:
            raise UserError(f"{path} is not valid JSON: {error}; give results of {KNOWN_TOOLS}.") from error
    values = found if isinstance(found, list) else [found]
    if not all(isinstance(value, dict) for value in values):
        raise UserError(f"{path} is no result that is known; give one of {KNOWN_TOOLS}.")
    return values


def _unique(names: "pd.Series[str]") -> "pd.Series[str]":
    again = names.groupby(names).cumcount()
    return names.where(again == 0, names + "#" + (again + 1).astype(str))
