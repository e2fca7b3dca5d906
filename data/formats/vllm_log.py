"""vLLM's server log (`--enable-log-requests`): the lines that say that a request was received.

They give its id and, to the second and without year or zone, its arrival; no line gives a finished request's
counts. So lengths stay unknown; vLLM's traces (`--otlp-traces-endpoint`, format otel) and metrics state them.
--start says year and zone: its offset is that of the log, whose first line comes after it. Other lines are
skipped. Older versions write the prompt into the same line, behind what is read.
Source: https://github.com/vllm-project/vllm vllm/entrypoints/logger.py and vllm/logger.py (checked 2026-11-24).
"""

from datetime import timedelta

from data.formats.contract import Options, RequestSelect, no_label, start_key
from data.formats.pieces import columns_of
from data.formats.sample import Sample

name = "vllm-log"
description = "vLLM server log with --enable-log-requests (arrivals only, no token counts); needs --start"
recognised = "lines that begin with a level, month-day and time"
options_key = start_key
own_label = no_label

_READS = {"month": "month", "day": "day", "clock": "time", "request_id": "request id"}
columns = columns_of(_READS)

_PATTERN = (
    r"^(?:\([^)]*\) *)*INFO +(\d\d)-(\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) +\[?[^\]]*\] +Received request ([^ :]+):"
)


_STAMPED = r"^(?:\([^)]*\) *)*(?:DEBUG|INFO|WARNING|ERROR) +\d\d-\d\d \d\d:\d\d:\d\d"


def sniff(sample: Sample) -> bool:
    """Return whether lines begin like vLLM's. The first requests may come long after its start."""
    return sample.shows(_STAMPED)


def select(sample: Sample, options: Options) -> RequestSelect:
    """Return a row for each request received; raises UserError where `options.start` is missing."""
    start = options.start_utc(sample)
    offset = (options.start.utcoffset() if options.start else None) or timedelta()
    return RequestSelect(
        reads=_READS,
        pattern=_PATTERN,
        fields={
            "request_id": "request_id",
            "arrived_utc": f"""(CASE WHEN {_local(0)} < $earliest THEN {_local(1)} ELSE {_local(0)} END - $offset)
                AT TIME ZONE 'UTC'""",
        },
        parameters={
            "year": (start + offset).year,
            "earliest": (start + offset - timedelta(days=1)).replace(tzinfo=None),
            "offset": offset,
        },
        skip="CASE WHEN request_id IS NULL THEN 'line that says nothing of an arrival' END",
    )


def _local(years: int) -> str:
    return f"TRY_CAST(concat($year + {years}, '-', month, '-', day, ' ', clock) AS TIMESTAMP)"
