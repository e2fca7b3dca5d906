"""Prometheus range queries of vLLM, SGLang and TGI: counters of requests and tokens, histograms of lengths.

The answer of /api/v1/query_range (resultType matrix) for the counters themselves, one or more metrics a file, any
number of files: they are read together. Source: https://prometheus.io/docs/prometheus/latest/querying/api/
(checked 2026-11-24).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.formats.contract import AggregateFile, Options, Percentiles, Rejected, alone, no_options, no_own_label
from data.formats.counters import in_windows, step_of, window_length_s
from data.formats.document import documents, head_paths
from data.formats.prometheus_metrics import COPIES, MODELS, TEAM, Metric, find_metric
from data.formats.sample import Sample
from data.formats.sums import span_of

Floats = npt.NDArray[np.float64]
Key = tuple[str | None, str | None]

name = "prometheus"
description = "Prometheus range queries (JSON matrix) of vLLM, SGLang or TGI counters and histograms"
recognised = "series of `metric` and `values`"
columns: Mapping[str, str] = {
    "vllm:request_success_total, sglang:num_requests_total, tgi_request_success": "requests",
    "vllm:prompt_tokens_total, sglang:prompt_tokens_total, tgi_request_input_length_sum": "prompt tokens",
    "vllm:prompt_tokens_cached_total, vllm:prefix_cache_hits_total, sglang:cached_tokens_total": "cached tokens",
    "vllm:generation_tokens_total, sglang:generation_tokens_total, tgi_request_generated_tokens_sum": "output"
    " tokens",
    "vllm:request_prompt_tokens_bucket, tgi_request_input_length_bucket": "histogram of prompt lengths",
    "vllm:request_generation_tokens_bucket, tgi_request_generated_tokens_bucket": "histogram of output lengths",
    "vllm:time_to_first_token_seconds_bucket, vllm:e2e_request_latency_seconds_bucket": "histograms of latency",
    "model_name": "model",
    "namespace": "team",
}
percentiles: Percentiles = "histogram"
gathers = True
options_key = no_options
unit = alone
own_label = no_own_label

_USAGE = {"requests": "requests", "failed": "failed_requests", "prompt": "prompt_tok_sum",
          "cached": "cached_prompt_tok_sum", "output": "output_tok_sum"}  # fmt: skip
_HOUR_S = 3_600
_ROOTS = ("", "data.result.", "result.")


@dataclass(slots=True)
class _Series:
    """Readings of one counter, gathered from all files; labels without those that repeat the same traffic."""

    metric: Metric
    key: Key
    labels: tuple[tuple[str, str], ...]
    copy: tuple[tuple[str, str], ...]
    upto: float
    times: list[Floats] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)

    def readings(self) -> tuple[Floats, Floats]:
        """Return times and values in order, each time once (files may overlap)."""
        times, values = np.concatenate(self.times), np.concatenate(self.values)
        order = np.lexsort((values, times))
        times, values = times[order], values[order]
        last = np.append(np.diff(times) > 0, True)
        return times[last], values[last]


def sniff(sample: Sample) -> bool:
    """Return whether the file holds an answer of Prometheus."""
    paths = head_paths(sample)
    return any({f"{root}metric", f"{root}{values}"} <= paths for root in _ROOTS for values in ("values", "value"))


def load(con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], _: Options) -> tuple[AggregateFile, ...]:
    """Return a row of usage_bucket for each window, model and team, and the histograms by the hour.

    All of it stands in the first file's entry. Raises UserError where the files hold no counter of a server that
    is known here, or readings of one moment.
    """
    del con
    found: dict[tuple[object, ...], _Series] = {}
    read = [_gather(sample, found) for sample in samples]
    series = [one for one in found.values() if one.times]
    step_s = step_of([one.readings()[0] for one in series])
    if not np.isfinite(step_s):
        raise UserError(_nothing_known(samples, read))
    buckets = _buckets(series, step_s)
    histograms = _histograms(series, step_s)
    first, last = span_of(buckets)
    return tuple(
        AggregateFile(
            sample=sample,
            rows_read=counted.rows,
            rejected=tuple(counted.rejected),
            buckets=buckets if n == 0 else buckets.iloc[:0],
            histograms=histograms if n == 0 else histograms.iloc[:0],
            first_utc=first,
            last_utc=last,
        )
        for n, (sample, counted) in enumerate(zip(samples, read, strict=True))
    )


@dataclass(slots=True)
class _Read:
    """What one file held. rows: readings; names: of the series that were passed over."""

    rows: int = 0
    nameless: int = 0
    names: set[str] = field(default_factory=set)
    rejected: list[Rejected] = field(default_factory=list)


def _gather(sample: Sample, found: dict[tuple[object, ...], _Series]) -> _Read:
    read = _Read()
    for line, wrong, page in documents(sample):
        results = None if wrong else _results(sample, page)
        if results is None:
            reason = wrong or "not an answer to a range query"
            read.rejected.append(Rejected(line=line, reason=reason, excerpt=""))
            read.rows += 1
            continue
        for result in results:
            _take(result, line, found, read)
    return read


def _results(sample: Sample, page: Any) -> list[Any] | None:
    """Return the series of one answer; raises UserError where it is of one moment."""
    if not isinstance(page, Mapping):
        return None
    data = page.get("data", page)
    if not isinstance(data, Mapping):
        return None
    if data.get("resultType") in {"vector", "scalar"} or "value" in data:
        raise UserError(
            f"{sample.path} holds readings of one moment, and a counter read once gives no rate; ask for a range"
            " (/api/v1/query_range with start, end and step)."
        )
    results = data.get("result", [data] if "values" in data else None)
    return results if isinstance(results, list) else None


def _take(result: Any, line: int, found: dict[tuple[object, ...], _Series], read: _Read) -> None:
    """Add the readings of one series to what was found, or say why not."""
    labels = result.get("metric") if isinstance(result, Mapping) else None
    pairs = result.get("values") if isinstance(result, Mapping) else None
    if not isinstance(labels, Mapping) or not isinstance(pairs, list):
        read.rows += 1
        read.rejected.append(Rejected(line=line, reason="a series without metric and values", excerpt=""))
        return
    read.rows += len(pairs)
    texts = {str(key): str(value) for key, value in labels.items()}
    metric_name = texts.pop("__name__", "")
    metric = find_metric(metric_name, texts)
    upto = _upto(texts.pop("le", None))
    if not metric_name:
        read.nameless += 1
    elif metric is None or (metric.is_histogram and upto is None):
        read.names.add(metric_name)
    else:
        readings = _readings(pairs)
        if readings is None:
            read.rejected.append(
                Rejected(line=line, reason="readings that are no numbers", excerpt=metric_name[:200])
            )
            return
        copy = tuple(sorted((k, v) for k, v in texts.items() if k in COPIES))
        kept = tuple(sorted((k, v) for k, v in texts.items() if k not in COPIES))
        key: Key = (next((texts[m] for m in MODELS if texts.get(m)), None), texts.get(TEAM))
        identity = (metric_name, kept, copy, upto)
        fallback = _Series(metric, key, kept, copy, np.inf if upto is None else upto)
        one = found.setdefault(identity, fallback)
        one.times.append(readings[0])
        one.values.append(readings[1])


def _readings(pairs: list[Any]) -> tuple[Floats, Floats] | None:
    """Return times and values; readings that are no finite number (stale) are left out. None: not readings."""
    try:
        table = np.array([(float(pair[0]), float(pair[1])) for pair in pairs], dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError, IndexError, KeyError):
        return None
    table = table[np.isfinite(table).all(axis=1) & (table[:, 1] >= 0) & (table[:, 0] > 946_684_800)]
    return table[:, 0], table[:, 1]


def _upto(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _nothing_known(samples: Sequence[Sample], read: Sequence[_Read]) -> str:
    first = samples[0].path
    if any(one.nameless for one in read):
        return (
            f"{first} holds series without a name, as after rate(), increase() or sum(); export the counters"
            " themselves, such as vllm:prompt_tokens_total."
        )
    names = sorted(set().union(*(one.names for one in read)))
    return (
        f"{first} has no two readings of a counter that is known here{f' (it has {names[0]})' if names else ''};"
        " export vllm:request_success_total, vllm:prompt_tokens_total and vllm:generation_tokens_total over some"
        " time."
    )


def _best(series: Sequence[_Series]) -> list[_Series]:
    """Return the counters that count: of each role and key, those of the metric that says it best."""
    ranks: dict[tuple[str, Key], int] = {}
    for one in series:
        place = (one.metric.role, one.key)
        ranks[place] = min(one.metric.rank, ranks.get(place, one.metric.rank))
    return [one for one in series if one.metric.rank == ranks[one.metric.role, one.key]]


def _edges(series: Sequence[_Series], length_s: int) -> Floats:
    """Return the borders of the windows that readings cover from end to end."""
    first = min(one.readings()[0].min() for one in series)
    last = max(one.readings()[0].max() for one in series)
    begin, end = np.ceil(first / length_s), np.floor(last / length_s)
    return np.arange(begin, end + 1) * float(length_s)


def _summed(series: Sequence[_Series], edges: Floats, step_s: float) -> Floats:
    """Return what counters rose by together in each window; the copies of one count once. NaN: none was read."""
    copies: dict[tuple[object, ...], list[Floats]] = defaultdict(list)
    for one in series:
        times, values = one.readings()
        copies[one.metric.role, one.labels, one.upto].append(in_windows(times, values, edges, step_s))
    parts = np.array([np.fmax.reduce(same) for same in copies.values()])
    known = ~np.isnan(parts).all(axis=0)
    return np.where(known, np.nansum(parts, axis=0), np.nan)


def _by_key(series: Sequence[_Series]) -> Iterator[tuple[Key, str, list[_Series]]]:
    groups: dict[tuple[Key, str], list[_Series]] = defaultdict(list)
    for one in series:
        groups[one.key, one.metric.role].append(one)
    for (key, role), members in sorted(groups.items(), key=lambda item: repr(item[0])):
        yield key, role, members


def _buckets(series: Sequence[_Series], step_s: float) -> pd.DataFrame:
    """Return rows of usage_bucket: every window in which something of the key was read, zeros included."""
    counters = _best([one for one in series if not one.metric.is_histogram])
    length_s = window_length_s(step_s)
    if not counters:
        return pd.DataFrame()
    edges = _edges(counters, length_s)
    sums: dict[Key, dict[str, Floats]] = defaultdict(dict)
    for key, role, members in _by_key(counters):
        sums[key][_USAGE[role]] = _summed(members, edges, step_s)
    rows = []
    for (model, team), columns in sums.items():
        table = pd.DataFrame(columns)
        table.insert(0, "bucket_utc", pd.to_datetime(edges[:-1], unit="s").astype("datetime64[ns]"))
        table = table.assign(bucket_s=length_s, model=model, team=team)
        rows.append(table[table[list(columns)].notna().any(axis=1)])
    return pd.concat(rows, ignore_index=True)


def _histograms(series: Sequence[_Series], step_s: float) -> pd.DataFrame:
    """Return rows of usage_histogram by the hour (or by the step, where that is longer), empty steps left out."""
    found = [one for one in series if one.metric.is_histogram]
    length_s = max(_HOUR_S, window_length_s(step_s))
    tables = [pd.DataFrame()]
    for (model, team), role, members in _by_key(_best(found)):
        times = [one.readings()[0] for one in members]
        first, last = min(t.min() for t in times), max(t.max() for t in times)
        edges = np.arange(np.floor(first / length_s), np.ceil(last / length_s) + 1) * float(length_s)
        bounds = sorted({one.upto for one in members})
        cumulative = [_summed([o for o in members if o.upto == bound], edges, step_s) for bound in bounds]
        counts = np.diff(np.vstack([np.zeros(len(edges) - 1), *cumulative]), axis=0)  # (B, W)
        at, window = np.nonzero(np.nan_to_num(counts) > 1e-9)
        tables.append(
            pd.DataFrame(
                {
                    "window_utc": pd.to_datetime(edges[:-1][window], unit="s").astype("datetime64[ns]"),
                    "window_s": length_s,
                    "model": model,
                    "team": team,
                    "field": role,
                    "above": np.array([0.0, *bounds[:-1]])[at],
                    "upto": np.array(bounds)[at],
                    "requests": counts[at, window],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
