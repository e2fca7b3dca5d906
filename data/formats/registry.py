"""Every log dialect that `ingest` knows, and which of them a file is."""

from difflib import get_close_matches

from data.errors import UserError
from data.formats import (
    access_log,
    aiperf,
    azure_llm,
    bedrock,
    burstgpt,
    canonical,
    genai_perf,
    helicone,
    langfuse,
    litellm,
    mapped,
    mooncake,
    openrouter,
    otel,
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
AGGREGATE_FORMATS: tuple[AggregateFormat, ...] = (servegen,)

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
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
    raise UserError(f"No log format is called {name!r}; {hint}")


def recognise(sample: Sample, options: Options) -> Format:
    """Return the format of a file from its content; a mapping file settles it.

    Raises UserError where no format or more than one fits.
    """
    if options.mapping is not None:
        return mapped
    fits = [fmt for fmt in formats().values() if fmt.sniff(sample)]
    if len(fits) == 1:
        return fits[0]
    seen = ", ".join(sample.columns[:12]) or "no columns"
    if fits:
        names = " and ".join(fmt.name for fmt in fits)
        raise UserError(f"{sample.path} could be {names}; say which with --format.")
    raise UserError(
        f"{sample.path} ({sample.kind}: {seen}) is of no format known here ({', '.join(formats())});"
        " describe it with --mapping map.toml (docs/formats.md)."
    )
