"""`vllm bench serve --save-result` (and `benchmark_serving.py`): one JSON object a run, appended ones one a line.

Fields as in vllm/benchmarks/serve.py (read 2026-11-24): `model_id`, `num_prompts`, `completed`, `duration` (s),
`request_rate` (a number or "inf"), `max_concurrency` (or null), `total_input_tokens`, `total_output_tokens`,
`output_throughput` (tok/s), `mean_ttft_ms`, `mean_tpot_ms`, `date` (YYYYMMDD-HHMMSS); `--metadata KEY=VALUE` stand
beside them. `backend` is the protocol of the client, not the engine, so it counts only where it names one.
"""

from typing import Any

from data.errors import UserError
from sizing.results.row import Record, Seen, Stated, measured_row, number, optional

SOURCE = "vllm bench serve"
_ENGINES = {"vllm": "vllm", "sglang": "sglang", "tensorrt-llm": "trtllm"}


def is_vllm_bench(record: Record) -> bool:
    """Return whether a record is such a run."""
    return {"model_id", "output_throughput", "total_input_tokens", "completed"} <= set(record)


def read_vllm_bench(record: Record, stated: Stated, place: str) -> dict[str, Any]:
    """Return the row of one run."""
    done, duration = number(record, "completed", place), number(record, "duration", place)
    if not done > 0:
        raise UserError(f"{place}: none of the requests was answered; measure it again.")
    if not duration > 0:
        raise UserError(f"{place}: `duration` is {duration:g} s, which no run takes; measure it again.")
    output = number(record, "total_output_tokens", place) / done
    ttft, tpot = (optional(record, f"mean_{name}_ms", place) for name in ("ttft", "tpot"))
    day = str(record.get("date") or "")[:8]
    seen = Seen(
        clients=_clients(record, done / duration, ttft, tpot, output, place),
        prompt_tok=number(record, "total_input_tokens", place) / done,
        output_tok=output,
        output_tok_per_s=number(record, "output_throughput", place),
        ttft_s=None if ttft is None else ttft / 1e3,
        tpot_s=None if not tpot else tpot / 1e3,
        date=f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 and day.isdigit() else "",
    )
    tp = optional(record, "tp", place)
    facts = stated.over(
        model=record["model_id"],
        gpu=record.get("gpu"),
        tp=None if tp is None else int(tp),
        precision=record.get("precision"),
        engine=record.get("engine") or _ENGINES.get(str(record.get("backend"))),
    )
    return measured_row(seen, facts, place=place, source=SOURCE)


def _clients(
    record: Record, per_s: float, ttft_ms: float | None, tpot_ms: float | None, output_tok: float, place: str
) -> float:
    """Return requests in flight: the stated limit, all at once where nothing limits them, else Little's law."""
    limit, rate = optional(record, "max_concurrency", place), str(record.get("request_rate", "inf"))
    if rate == "inf":
        return limit or number(record, "num_prompts", place)
    if ttft_ms is None or tpot_ms is None:
        raise UserError(
            f"{place} was driven at {rate} requests a second and has no latencies; give --save-result all."
        )
    in_flight = per_s * (ttft_ms + tpot_ms * max(output_tok - 1, 0)) / 1e3
    return min(in_flight, limit) if limit else max(in_flight, 1.0)
