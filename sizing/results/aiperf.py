"""genai-perf and AIPerf: a summary of one run, as JSON or CSV.

JSON: each metric an object with `unit` and `avg` (`profile_export_genai_perf.json`, `profile_export_aiperf.json`;
schema at https://docs.nvidia.com/aiperf/reference/json-export-schema, read 2026-11-24): `time_to_first_token`,
`inter_token_latency`, `request_latency`, `output_token_throughput`, `request_throughput`, `input_sequence_length`,
`output_sequence_length`; `input_config` is how the run was started. CSV: one metric a row, its unit in
brackets, and a second table of metrics that have but one value. `inter_token_latency` is
(latency - TTFT) / (tokens - 1): TPOT.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Any

from data.errors import UserError
from sizing.results.row import Record, Seen, Stated, measured_row, number, optional

SOURCE = "genai-perf or AIPerf"
_PER_S = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "seconds": 1.0, "milliseconds": 1e-3}
_MODEL = (("model_names",), ("model",), ("endpoint", "model_names"), ("endpoint", "model"))
_CLIENTS = (("concurrency",), ("loadgen", "concurrency"), ("perf_analyzer", "stimulus", "concurrency"))


def is_aiperf(record: Record) -> bool:
    """Return whether a record is such a summary."""
    return isinstance(record.get("output_token_throughput"), dict) and "input_sequence_length" in record


def read_aiperf(record: Record, stated: Stated, place: str) -> dict[str, Any]:
    """Return the row of one run."""
    config = record.get("input_config") or {}
    latency, per_s = _seconds(record, "request_latency", place), _average(record, "request_throughput", place)
    clients = _found(config, _CLIENTS)
    if clients is None and latency is not None and per_s is not None:
        clients = latency * per_s  # Little's law: an open load has no stated number of clients
    if clients is None:
        raise UserError(f"{place} says neither its concurrency nor its latency and request rate; export them too.")
    seen = Seen(
        clients=float(clients),
        prompt_tok=stated.prompt_tok or _needed(record, "input_sequence_length", place),
        output_tok=stated.output_tok or _needed(record, "output_sequence_length", place),
        output_tok_per_s=_needed(record, "output_token_throughput", place),
        ttft_s=_seconds(record, "time_to_first_token", place),
        tpot_s=_seconds(record, "inter_token_latency", place),
    )
    model = _found(config, _MODEL)
    first = model[0] if isinstance(model, list) and model else model
    return measured_row(seen, stated.over(model=first), place=place, source=SOURCE)


def aiperf_csv(lines: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return a CSV summary in the shape of the JSON: name -> unit and avg. Empty where it is none."""
    found: dict[str, dict[str, Any]] = {}
    header: Sequence[str] = ()
    for cells in csv.reader(lines):
        if cells and cells[0].strip() == "Metric":
            header = [cell.strip().lower() for cell in cells]
        elif len(cells) >= 2 and header:
            at = header.index("avg") if "avg" in header else 1
            match = re.fullmatch(r"(.*?)\s*(?:\(([^()]*)\))?", cells[0].strip())
            if match and at < len(cells):
                name = match[1].lower().replace(" ", "_")
                found[name] = {"unit": (match[2] or "").strip(), "avg": cells[at].replace(",", "").strip()}
    return found


def _average(record: Record, name: str, place: str) -> float | None:
    metric = record.get(name)
    return optional(metric, "avg", f"{place}, {name}") if isinstance(metric, dict) else None


def _needed(record: Record, name: str, place: str) -> float:
    metric = record.get(name)
    return number(metric if isinstance(metric, dict) else {}, "avg", f"{place}, {name}")


def _seconds(record: Record, name: str, place: str) -> float | None:
    value = _average(record, name, place)
    if value is None:
        return None
    unit = str(record[name].get("unit", "")).lower()
    if unit not in _PER_S:
        raise UserError(f"{place}: {name} is in {unit or 'no unit'}; use one of {', '.join(_PER_S)}.")
    return value * _PER_S[unit]


def _found(config: Any, paths: Sequence[Sequence[str]]) -> Any:
    for path in paths:
        value = config
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value:
            return value
    return None
