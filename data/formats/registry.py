"""Every log dialect that `ingest` knows, and which of them a file is."""

import re
from difflib import get_close_matches

from data.errors import UserError
from data.formats import (
    access_log,
    aiperf,
    anthropic_usage,
    azure_llm,
    azure_monitor,
    bedrock,
    burstgpt,
    canonical,
    genai_perf,
    helicone,
    langfuse,
    litellm,
    litellm_daily,
    mapped,
    mapped_sums,
    mooncake,
    openai_costs,
    openai_usage,
    openrouter,
    openrouter_activity,
    otel,
    prometheus,
    servegen,
    sglang_log,
    vllm_log,
)
from data.formats.contract import AggregateFormat, Options, RequestFormat
from data.formats.sample import Sample

REQUEST_FORMATS: tuple[RequestFormat, ...] = (
    canonical,
    litellm,
    otel,
    bedrock,
    langfuse,
    helicone,
    openrouter,
    sglang_log,
    vllm_log,
    access_log,
    aiperf,
    genai_perf,
    azure_llm,
    burstgpt,
    mooncake,
    mapped,
)
AGGREGATE_FORMATS: tuple[AggregateFormat, ...] = (
    openai_usage,
    openai_costs,
    anthropic_usage,
    litellm_daily,
    openrouter_activity,
    azure_monitor,
    prometheus,
    servegen,
    mapped_sums,
)

AUTO = "auto"
"""What `--format` is called where the content decides."""

SHOWN_CHARS = 40
"""How much of a column's name a message repeats: the first line of a file that has no header may be any text."""

BY_MAPPING = frozenset({mapped.name, mapped_sums.name})
"""Formats that a mapping file describes and no content shows."""

Format = RequestFormat | AggregateFormat


def formats() -> dict[str, Format]:
    """Return every format by its name."""
    every: list[Format] = [*REQUEST_FORMATS, *AGGREGATE_FORMATS]
    return {fmt.name: fmt for fmt in every}


def find_format(name: str) -> Format:
    """Return the format of that name, or raise UserError with the names there are."""
    known = formats()
    if (fmt := known.get(name)) is not None:
        return fmt
    close = get_close_matches(name, [*known, AUTO], n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
    raise UserError(f"No log format is called {name!r}; {hint}")


def recognise(sample: Sample, options: Options) -> Format:
    """Return the format of a file from its content; a mapping file settles it.

    Raises UserError where no format or more than one fits.
    """
    if options.mapping is not None:
        return described(mapped, options)
    fits = [fmt for fmt in formats().values() if fmt.sniff(sample)]
    if len(fits) == 1:
        return fits[0]
    if not fits:
        _refuse_known(sample)
        raise UserError(_unknown(sample))
    names = " or ".join(f"--format {fmt.name}" for fmt in fits)
    raise UserError(f"{sample.path} could be of {len(fits)} formats; say which with {names}.")


def _unknown(sample: Sample) -> str:
    """Return that a file is of no known format, which ones come near it, and the way out."""
    seen = ", ".join(column[:SHOWN_CHARS] for column in sample.columns[:12]) or "no columns"
    near = " or ".join(f"--format {name}" for name in _nearest(sample))
    known = f"its columns come near {near}" if near else f"`fleetcast formats` lists them: {', '.join(formats())}"
    inside = " write its records one a line (jq -c '.data[]'), or" if "data" in sample.columns else ""
    return (
        f"{sample.path} ({sample.kind}: {seen}) is of no format known here ({known});{inside}"
        " describe it with --mapping map.toml (docs/formats.md)."
    )


def _nearest(sample: Sample) -> list[str]:
    """Return at most two formats of whose columns the file has at least three and a third."""
    present = {*sample.columns, *sample.paths}
    shared = {fmt.name: len(present & set(fmt.columns)) for fmt in formats().values()}
    close = [fmt for fmt in formats().values() if shared[fmt.name] >= max(3, len(fmt.columns) / 3)]
    return sorted((fmt.name for fmt in close), key=lambda name: -shared[name])[:2]


def described(fmt: Format, options: Options) -> Format:
    """Return the format of sums instead of `mapping` where the mapping file describes sums."""
    if fmt.name in BY_MAPPING and options.mapping is not None:
        return mapped_sums if mapped_sums.describes_sums(options) else mapped
    return fmt


def _refuse_known(sample: Sample) -> None:
    """Say what is wrong with files that people take for logs."""
    if _EXPOSITION.match((sample.columns or ("",))[0]):
        raise UserError(
            f"{sample.path} is one reading of metrics, and a counter read once gives no rate; ask Prometheus for a"
            " range instead (/api/v1/query_range?query=vllm:prompt_tokens_total&step=60), see docs/formats.md."
        )
    named = {column.lower() for column in sample.columns}
    if named & {"hour_of_day", "hour_of_week", "day_of_week"} and not named & _TIMES:
        raise UserError(
            f"{sample.path} is an average day or week without dates ({', '.join(sample.columns[:3])}), no record"
            " of what happened; ingest the log or the dated counts that it was made from."
        )


_EXPOSITION = re.compile(r"# (HELP|TYPE) |(ray_)?(vllm|sglang|tgi)[:_]\w+[{ ]")
_TIMES = frozenset({"date", "day", "ds", "time", "timestamp", "window", "window_utc", "arrived_utc", "start_time"})
