"""InferenceMAX and InferenceX: the aggregated result of one run as JSON, or many of them as a list or a CSV.

Fields as in utils/process_result.py of SemiAnalysisAI/InferenceX (read 2026-11-24): `hw`, `tp`, `ep`,
`dp_attention`, `conc`, `model`, `framework`, `precision`, `output_tput_per_gpu` (tok/s over TP), `mean_ttft` and
`mean_tpot` in *seconds*, `mtp` where drafts were used. `isl` and `osl` stand in newer ones; lengths are drawn at
80-100% of them.
"""

from typing import Any

from data.errors import UserError
from sizing.results.row import Record, Seen, Stated, measured_row, number, optional

SOURCE = "InferenceMAX"
_ENGINES = {"trt": "trtllm", "trtllm": "trtllm", "dynamo-trt": "trtllm", "dynamo-trtllm": "trtllm"}


def is_inferencemax(record: Record) -> bool:
    """Return whether a record is such a result."""
    return {"hw", "tp", "conc", "framework", "output_tput_per_gpu"} <= set(record)


def drafts(record: Record) -> bool:
    """Return whether a run decoded speculatively, which no factor here may learn from."""
    return str(record.get("mtp") or "off").strip().lower() not in ("off", "none", "false", "0", "nan")


def read_inferencemax(record: Record, stated: Stated, place: str) -> dict[str, Any]:
    """Return the row of one run. `hw` is the runner's name; what follows its first dash names the site."""
    tp = int(number(record, "tp", place))
    facts = stated.over(
        model=record.get("model"),
        gpu=str(record["hw"]).split("-")[0].split("_")[0].lower(),
        tp=tp,
        precision=str(record.get("precision") or "").lower() or None,
        engine=_ENGINES.get(str(record["framework"]).lower(), str(record["framework"]).lower()),
        prompt_tok=optional(record, "isl", place),
        output_tok=optional(record, "osl", place),
    )
    nominal = [facts.need(f"{n}_tok", place, f"how many {n} tokens a request has") for n in ("prompt", "output")]
    seen = Seen(
        clients=number(record, "conc", place),
        prompt_tok=nominal[0],
        output_tok=nominal[1],
        output_tok_per_s=number(record, "output_tput_per_gpu", place) * tp,
        ttft_s=_seconds(record, "mean_ttft", place),
        tpot_s=_seconds(record, "mean_tpot", place),
        ep=int(optional(record, "ep", place) or 1),
        drawn=True,
        dp_attention=str(record.get("dp_attention")).strip().lower() == "true",
    )
    return measured_row(seen, facts, place=place, source=SOURCE)


def _seconds(record: Record, name: str, place: str) -> float | None:
    value = optional(record, name, place)
    if value is not None and value > 3_600:
        raise UserError(f"{place}: `{name}` is {value:g} s, more than an hour; it must be in seconds.")
    return value
