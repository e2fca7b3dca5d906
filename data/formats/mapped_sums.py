"""Any table of counts and sums by window, described by a mapping file with a section [aggregate]."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data.errors import UserError
from data.formats.contract import AggregateFile, Options, Percentiles, alone, no_own_label
from data.formats.mapped import options_key as mapping_key
from data.formats.mapped import sentence_of, zone_that_exists
from data.formats.sample import Sample
from data.formats.sums import UsageSelect, load_table, total_of

name = "mapping-sums"
description = "any CSV, JSON lines or Parquet table of counts or sums by window, described with --mapping map.toml"
recognised = "a mapping file with a section `[aggregate]`"
columns: Mapping[str, str] = {
    "columns.window_utc": "start (or end) of the window",
    "columns.requests, throttled_requests, failed_requests": "requests served, 429s and errors beside them",
    "columns.prompt_tok_sum, cached_prompt_tok_sum, output_tok_sum, total_tok_sum": "tokens",
    "columns.model, region, team, category": "keys",
    "columns.cost_usd": "cost, USD",
}
percentiles: Percentiles = "none"
gathers = False
unit = alone
own_label = no_own_label

Source = Annotated[str, Field(min_length=1)]
SumUnit = Literal["sum", "per_s", "per_request"]

_KEYS = ("model", "region", "team", "category")
_REQUESTS = ("requests", "throttled_requests", "failed_requests")
_TOKENS = ("prompt_tok_sum", "cached_prompt_tok_sum", "cache_write_tok_sum", "output_tok_sum", "total_tok_sum")
_US_PER_UNIT = {"d": 86_400e6, "h": 3_600e6, "min": 60e6, "s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Aggregate(_Table):
    """How the windows lie. window_s: their length; marks: whether the time is their start or their end."""

    window_s: Annotated[int, Field(ge=1, le=2_764_800)]
    marks: Literal["start", "end"] = "start"


class Columns(_Table):
    """Source column, or dotted path into JSON, of each usage field."""

    window_utc: Source
    requests: Source | None = None
    throttled_requests: Source | None = None
    failed_requests: Source | None = None
    prompt_tok_sum: Source | None = None
    cached_prompt_tok_sum: Source | None = None
    cache_write_tok_sum: Source | None = None
    """Prompt tokens written to the cache; only read where cached = "exclusive", to complete the prompt."""
    output_tok_sum: Source | None = None
    total_tok_sum: Source | None = None
    """Prompt and output together, for sources that do not tell them apart."""
    cost_usd: Source | None = None
    model: Source | None = None
    region: Source | None = None
    team: Source | None = None
    category: Source | None = None


class Time(_Table):
    """How times are written. unit: `text` for dates, else a number; since: 1970, or the start (--start)."""

    unit: Literal["text", "d", "h", "min", "s", "ms", "us", "ns"] = "text"
    since: Literal["1970", "start"] = "1970"
    zone: str = "UTC"

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return zone_that_exists(value)


class Units(_Table):
    """What a column's number is: the window's `sum`, a rate (`per_s`), or a mean (`per_request`, tokens only)."""

    requests: Literal["sum", "per_s"] = "sum"
    throttled_requests: Literal["sum", "per_s"] = "sum"
    failed_requests: Literal["sum", "per_s"] = "sum"
    prompt_tok_sum: SumUnit = "sum"
    cached_prompt_tok_sum: SumUnit = "sum"
    cache_write_tok_sum: SumUnit = "sum"
    output_tok_sum: SumUnit = "sum"
    total_tok_sum: SumUnit = "sum"


class Tokens(_Table):
    """Whether prompt_tok_sum includes the cached tokens; no default."""

    cached: Literal["inclusive", "exclusive"] | None = None


class Constants(_Table):
    """What holds for every row."""

    model: str | None = None
    region: str | None = None
    team: str | None = None
    category: Literal["online", "batch", "scheduled"] | None = None


class SumsMapping(_Table):
    """A mapping file of sums, checked (docs/formats.md)."""

    aggregate: Aggregate
    columns: Columns
    time: Time = Time()
    units: Units = Units()
    tokens: Tokens = Tokens()
    constants: Constants = Constants()

    @model_validator(mode="after")
    def _conventions(self) -> "SumsMapping":
        columns = self.columns
        stated = {key for key in (*_REQUESTS, *_TOKENS, "cost_usd") if getattr(columns, key)}
        if not stated:
            raise ValueError("columns names neither requests nor tokens nor a cost; name what the table counts")
        if columns.cached_prompt_tok_sum and self.tokens.cached is None:
            raise ValueError(
                'tokens.cached must say "inclusive" or "exclusive": does prompt_tok_sum count cached tokens?'
            )
        if columns.cache_write_tok_sum and self.tokens.cached != "exclusive":
            raise ValueError('columns.cache_write_tok_sum is for tokens.cached = "exclusive"; leave it out')
        if not columns.requests and any(getattr(self.units, key) == "per_request" for key in _TOKENS):
            raise ValueError('units of "per_request" need columns.requests to become sums')
        if self.time.since == "start" and self.time.unit == "text":
            raise ValueError('time.since = "start" needs time.unit, the unit of the numbers that count from it')
        for key in _KEYS:
            if getattr(columns, key) and getattr(self.constants, key):
                raise ValueError(f"columns.{key} and constants.{key} are both given; keep one")
        return self


def sniff(_: Sample) -> bool:
    """Return False: only a mapping file says so."""
    return False


def options_key(options: Options) -> str:
    """Return the digest of the mapping file's content, and the start where one is given."""
    return mapping_key(options) + (options.start.isoformat() if options.start else "")


def describes_sums(options: Options) -> bool:
    """Return whether a mapping file has the section [aggregate]; a file that is no TOML has none."""
    try:
        return "aggregate" in tomllib.loads(options.mapping.read_text("utf-8")) if options.mapping else False
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def load(con: duckdb.DuckDBPyConnection, samples: Sequence[Sample], options: Options) -> tuple[AggregateFile, ...]:
    """Return a row of usage_bucket for each window and key."""
    return tuple(load_table(con, sample, select(sample, options)) for sample in samples)


def select(sample: Sample, options: Options) -> UsageSelect:
    """Return the SELECT that the mapping file describes; raises UserError with key, value and what is allowed."""
    mapping = read_sums_mapping(sample, options)
    stated = {key: value for key, value in mapping.columns.model_dump().items() if value is not None}
    parameters: dict[str, Any] = {"step_s": mapping.aggregate.window_s}
    fields = {
        "window_utc": _window(sample, mapping, options, parameters),
        "window_s": "$step_s",
        **{key: key for key in _KEYS if key in stated},
        **{key: _sum(mapping, key) for key in (*_REQUESTS, *_TOKENS) if key in stated},
    }
    if "cost_usd" in stated:
        fields["cost_usd"] = "cost_usd"
    written = fields.pop("cache_write_tok_sum", None)
    if mapping.tokens.cached == "exclusive" and "prompt_tok_sum" in fields:
        parts = [f"({part})" for part in (fields.get("cached_prompt_tok_sum"), written) if part]
        fields["prompt_tok_sum"] = total_of(f"({fields['prompt_tok_sum']})", parts)
    for key, value in mapping.constants.model_dump(exclude_none=True).items():
        fields[key], parameters[f"constant_{key}"] = f"$constant_{key}", value
    return UsageSelect(reads=stated, fields=fields, parameters=parameters)


def read_sums_mapping(sample: Sample, options: Options) -> SumsMapping:
    """Return the checked mapping file of the options."""
    path = options.mapping
    if path is None:
        raise UserError(f"The format {name} needs a mapping file; give --mapping map.toml for {sample.path}.")
    try:
        return SumsMapping.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as err:
        raise UserError(sentence_of(str(path), err, "aggregate.window_s and columns.window_utc")) from err


def _window(sample: Sample, mapping: SumsMapping, options: Options, parameters: dict[str, Any]) -> str:
    """Return the SQL of a window's start in UTC; days of other zones lie on the UTC day nearest to them."""
    time = mapping.time
    if time.unit == "text":
        parameters["zone"] = time.zone
        text = "CAST(window_utc AS VARCHAR)"
        start = f"""CASE WHEN regexp_matches({text}, '(?i):[0-9.]+ *(z|utc|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$')
            THEN TRY_CAST({text} AS TIMESTAMPTZ) ELSE TRY_CAST({text} AS TIMESTAMP) AT TIME ZONE $zone END"""
    else:
        us = f"round(TRY_CAST(window_utc AS DOUBLE) * {_US_PER_UNIT[time.unit]!r})"
        start = f"CASE WHEN {us} BETWEEN 0 AND 8e15 THEN make_timestamptz(CAST({us} AS BIGINT)) END"
        if time.since == "start":
            parameters["start_utc"] = options.start_utc(sample)
            start = f"$start_utc + ({start} - make_timestamptz(0))"
    if mapping.aggregate.marks == "end":
        start = f"({start}) - to_seconds($step_s)"
    if mapping.aggregate.window_s >= 86_400:
        start = f"date_trunc('day', ({start}) + INTERVAL 12 HOUR)"
    return start


def _sum(mapping: SumsMapping, key: str) -> str:
    """Return the SQL of a window's sum."""
    unit_of = getattr(mapping.units, key)
    if unit_of == "sum":
        return key
    times = "$step_s" if unit_of == "per_s" else f"TRY_CAST({_sum(mapping, 'requests')} AS DOUBLE)"
    stated = f"CAST({key} AS VARCHAR)"  # what is no number stays what it is, to be named
    number = f"TRY_CAST({key} AS DOUBLE)"
    return f"CASE WHEN {number} IS NULL THEN {stated} ELSE CAST({number} * {times} AS VARCHAR) END"
