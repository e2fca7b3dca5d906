"""Access logs of nginx (combined, with $request_time at the end), Envoy (JSON) and Ray Serve: requests, no tokens.

nginx and Ray Serve write when a request ended: the time it took is taken off. Envoy writes when it began. Only
POSTs are calls of a model; the rest is skipped. Of the path only what stands before `?` is looked at. Ray Serve
names no zone: UTC.
Source: https://nginx.org/en/docs/http/ngx_http_log_module.html;
https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage;
https://docs.ray.io/en/latest/serve/monitoring.html (checked 2026-11-24).
"""

from collections.abc import Mapping

from data.errors import UserError
from data.formats.contract import Options, RequestSelect, no_label, no_options
from data.formats.pieces import before, columns_of, divided, moment
from data.formats.sample import Sample

name = "access-log"
description = "access log of nginx (with $request_time), Envoy (JSON) or Ray Serve: arrivals and status, no tokens"
recognised = "lines of nginx or Ray Serve; JSON lines with start_time, method, path, response_code and duration"
options_key = no_options
own_label = no_label

_ENVOY = {
    "stamp": "start_time",
    "method": "method",
    "status": "response_code",
    "took_ms": "duration",
    "request_id": "x_request_id",
}
columns: Mapping[str, str] = {
    **columns_of(_ENVOY),
    '[$time_local] "$request" $status ... $request_time': "arrival, method, status, duration (nginx)",
    "INFO time deployment replica request_id -- method route status ms": "the same and team (Ray Serve)",
}

_NGINX = (
    r'^\S+ \S+ [^"]*?\[([^\]]+)\] "(?:([A-Z]+) )?(?:[^"\\]|\\.)*" (\d{3}) \S+(?: "(?:[^"\\]|\\.)*")* ([0-9.]+)\s*$'
)
_NGINX_HEAD = r'^\S+ \S+ [^"]*?\[\d{2}/[A-Z][a-z]{2}/\d{4}:[^\]]+\] "[A-Z]+ [^"]*" \d{3} '
_RAY = r"^INFO (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) (\S+) \S+ (\S+) -- ([A-Z]+) \S+ (\d{3}) ([0-9.]+)ms"
_RAY_STAMP = r"^(?:DEBUG|INFO|WARNING|ERROR) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \S+ \S+ "
_NOT_A_POST = "CASE WHEN stamp IS NOT NULL AND method IS DISTINCT FROM 'POST' THEN 'not a POST' END"
_RAY_SKIP = "CASE WHEN stamp IS NULL THEN 'line of something else' WHEN method <> 'POST' THEN 'not a POST' END"


def sniff(sample: Sample) -> bool:
    """Return whether it is one of the three."""
    envoy = sample.has("start_time", "method", "path", "response_code", "duration")
    return envoy or sample.shows(_NGINX_HEAD) or sample.shows(_RAY_STAMP)


def select(sample: Sample, _: Options) -> RequestSelect:
    """Return a row for each POST; raises UserError where an nginx log does not say how long requests took."""
    if sample.kind != "lines":
        return _select(_ENVOY, None, moment("stamp"), {"duration_s": divided("took_ms", 1e3)})
    if sample.shows(_RAY_STAMP):
        reads = {"stamp": "time", "millis": "ms of it", "deployment": "deployment", "request_id": "request id"}
        reads |= {"method": "method", "status": "status", "took_ms": "ms"}
        ended = moment("concat(stamp, '.', millis)")
        took = divided("took_ms", 1e3)
        return _select(reads, _RAY, before(ended, took), {"duration_s": took, "team": "deployment"}, _RAY_SKIP)
    if not sample.shows(_NGINX):
        raise UserError(
            f"{sample.path} says when requests ended and not how long they took; put $request_time at the end of"
            " nginx's log_format, or name another --format."
        )
    reads = {"stamp": "$time_local", "method": "method", "status": "$status", "took_s": "$request_time"}
    ended = "try_strptime(stamp, '%d/%b/%Y:%H:%M:%S %z')"
    return _select(reads, _NGINX, before(ended, "took_s"), {"duration_s": "took_s"})


def _select(
    reads: dict[str, str], pattern: str | None, arrived: str, more: dict[str, str], skip: str = _NOT_A_POST
) -> RequestSelect:
    ids = {"request_id": "request_id"} if "request_id" in reads else {}
    return RequestSelect(
        reads=reads,
        optional=frozenset({"request_id"} & set(reads)),
        pattern=pattern,
        fields={"arrived_utc": arrived, "status": "status", **ids, **more},
        skip=skip,
    )
