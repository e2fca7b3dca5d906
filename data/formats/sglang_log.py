"""SGLang's request log in JSON (`--log-requests --log-requests-format json`): one event a line.

`request.finished` states the counts; prompt_tokens include cached ones. Its time is that of the end, in the
server's own zone and without saying so: it is taken as UTC, and the latency is taken off. Arrivals
(`request.received`) would count a request twice: they are skipped. The text layout of the same log quotes
whatever the model wrote, so that counts cannot be told from text there: it is not read.
Source: https://github.com/sgl-project/sglang python/sglang/srt/utils/request_logger.py and log_utils.py (checked
2026-11-24).
"""

from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import before, columns_of, counted, moment
from data.formats.sample import Sample

name = "sglang-log"
description = "SGLang request log in JSON (--log-requests-format json: timestamp, event, rid, out.meta_info)"
recognised = "JSON lines with timestamp, event and rid"
options_key = no_options
own_label = no_label

_META = "out.meta_info"
_READS = {
    "rid": "rid",
    "stamp": "timestamp",
    "event": "event",
    "prompt": f"{_META}.prompt_tokens",
    "cached": f"{_META}.cached_tokens",
    "output": f"{_META}.completion_tokens",
    "reasoning": f"{_META}.reasoning_tokens",
    "latency_s": f"{_META}.e2e_latency",
    "finish": f"{_META}.finish_reason.type",
    "finish_status": f"{_META}.finish_reason.status_code",
}
columns = columns_of(_READS)


def sniff(sample: Sample) -> bool:
    """Return whether the lines are events of requests."""
    return sample.has("timestamp", "event", "rid")


def select(_: Sample, __: Options) -> RequestSelect:
    """Return a row for each request that finished."""
    return RequestSelect(
        reads=_READS,
        fields={
            "request_id": "rid",
            "arrived_utc": before(moment("stamp"), "latency_s"),
            "prompt_tok": counted("prompt", "prompt", "output"),
            "cached_prompt_tok": "cached",
            "output_tok": counted("output", "prompt", "output"),
            "reasoning_tok": "reasoning",
            "duration_s": "latency_s",
            "status": """CASE WHEN regexp_full_match(finish_status, '[45][0-9][0-9]') THEN finish_status
                WHEN finish = 'abort' THEN 'cancelled' ELSE 'ok' END""",
        },
        skip="CASE WHEN event <> 'request.finished' THEN 'event before the end of its request' END",
    )
