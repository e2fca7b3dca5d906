"""Any table of requests, described by a mapping file: which column is what, in which unit, in which convention."""

import hashlib
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data.errors import UserError
from data.formats.contract import Options, RequestSelect, no_label
from data.formats.pieces import counted, total
from data.formats.sample import Sample

name = "mapping"
description = "any CSV, JSON lines or Parquet table of requests, described with --mapping map.toml"
recognised = "never by itself"
own_label = no_label
columns: Mapping[str, str] = {"what the mapping file names": "the field that it names it for"}

Source = Annotated[str, Field(min_length=1)]
Status = Literal["ok", "rate_limited", "client_error", "server_error", "cancelled", "unknown"]

_US_PER_UNIT = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
_S_PER_UNIT = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_HAS_OFFSET = r"(?i):[0-9.]+ *(z|utc|[+-][0-9]{2}(:?[0-9]{2})?)$"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(_Table):
    """Source column, or dotted path into JSON, of each canonical field."""

    arrived_utc: Source
    prompt_tok: Source
    output_tok: Source
    request_id: Source | None = None
    model: Source | None = None
    region: Source | None = None
    team: Source | None = None
    category: Source | None = None
    cached_prompt_tok: Source | None = None
    cache_write_tok: Source | None = None
    """Prompt tokens written to the cache; only read where cached = "exclusive", to complete the prompt."""
    reasoning_tok: Source | None = None
    first_token_s: Source | None = None
    duration_s: Source | None = None
    status: Source | None = None
    cost_usd: Source | None = None


class Time(_Table):
    """How times are written. unit: `text` for dates, else a number since 1970. zone: of dates that name none."""

    unit: Literal["text", "s", "ms", "us", "ns"] = "text"
    zone: str = "UTC"
    marks: Literal["arrival", "completion"] = "arrival"

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return zone_that_exists(value)


class Units(_Table):
    """Units of the spans of time."""

    first_token_s: Literal["s", "ms", "us", "ns"] = "s"  # noqa: S105  # a unit, not a password
    duration_s: Literal["s", "ms", "us", "ns"] = "s"


class Tokens(_Table):
    """Conventions of the counts. cached: whether prompt_tok includes the cached tokens; no default."""

    cached: Literal["inclusive", "exclusive"] | None = None
    reasoning: Literal["inside", "beside"] = "inside"
    """Whether output_tok counts the reasoning tokens; where they stand beside it, they are added."""
    zero: Literal["counted", "unknown"] = "counted"
    """Whether 0 prompt and 0 output tokens mean that nobody counted."""
    required: bool = False
    """Reject rows without prompt or output tokens instead of keeping them as demand of unknown length."""


class Constants(_Table):
    """What holds for every row."""

    model: str | None = None
    region: str | None = None
    team: str | None = None
    category: Literal["online", "batch", "scheduled"] | None = None


class MappingFile(_Table):
    """A mapping file, checked (docs/formats.md)."""

    columns: Columns
    time: Time = Time()
    units: Units = Units()
    tokens: Tokens = Tokens()
    constants: Constants = Constants()
    tags: dict[str, Source] = {}
    status: dict[str, Status] = {}

    @model_validator(mode="after")
    def _conventions(self) -> "MappingFile":
        columns = self.columns
        if columns.cached_prompt_tok and self.tokens.cached is None:
            raise ValueError(
                'tokens.cached must say "inclusive" or "exclusive": does prompt_tok count cached tokens?'
            )
        if columns.cache_write_tok and self.tokens.cached != "exclusive":
            raise ValueError('columns.cache_write_tok is for tokens.cached = "exclusive"; leave it out')
        if self.tokens.reasoning == "beside" and not columns.reasoning_tok:
            raise ValueError('tokens.reasoning = "beside" needs columns.reasoning_tok, to be added to output_tok')
        if self.time.marks == "completion" and not columns.duration_s:
            raise ValueError('time.marks = "completion" needs columns.duration_s to find the arrival')
        for field in ("model", "region", "team", "category"):
            if getattr(columns, field) and getattr(self.constants, field):
                raise ValueError(f"columns.{field} and constants.{field} are both given; keep one")
        return self


def sniff(_: Sample) -> bool:
    """Return False: only a mapping file says so."""
    return False


def options_key(options: Options) -> str:
    """Return the digest of the mapping file's content."""
    return hashlib.sha256(options.mapping.read_bytes()).hexdigest() if options.mapping else ""


def select(sample: Sample, options: Options) -> RequestSelect:
    """Return the SELECT that the mapping file describes; raises UserError with key, value and what is allowed."""
    if options.mapping is None:
        raise UserError(f"The format mapping needs a mapping file; give --mapping map.toml for {sample.path}.")
    mapping = read_mapping(options)
    columns = {key: source for key, source in mapping.columns.model_dump().items() if source is not None}
    tags = {f"tag_{i}": source for i, source in enumerate(mapping.tags.values())}
    fields: dict[str, str] = {key: key for key in columns if key != "cache_write_tok"}
    parameters: dict[str, Any] = {}
    fields["arrived_utc"] = _arrival(mapping, parameters)
    for key in ("first_token_s", "duration_s"):
        if key in columns:
            fields[key] = f"TRY_CAST({key} AS DOUBLE) * {_S_PER_UNIT[getattr(mapping.units, key)]!r}"
    if mapping.tokens.cached == "exclusive":
        parts = [key for key in ("cached_prompt_tok", "cache_write_tok") if key in columns]
        fields["prompt_tok"] = total("prompt_tok", *parts)
    if mapping.tokens.reasoning == "beside":
        fields["output_tok"] = total("output_tok", "reasoning_tok")
    if mapping.tokens.zero == "unknown":
        counts = [
            key for key in ("prompt_tok", "cached_prompt_tok", "cache_write_tok", "output_tok") if key in columns
        ]
        fields |= {key: counted(fields[key], *counts) for key in ("prompt_tok", "output_tok")}
    _add_texts(mapping, fields, parameters)
    required = frozenset({"prompt_tok", "output_tok"}) if mapping.tokens.required else frozenset()
    return RequestSelect(reads={**columns, **tags}, fields=fields, required=required, parameters=parameters)


def read_mapping(options: Options) -> MappingFile:
    """Return the checked mapping file of the options."""
    path = options.mapping
    if path is None:
        raise UserError("No mapping file was given; say --mapping map.toml.")
    try:
        return MappingFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as err:
        raise UserError(f"Cannot read the mapping file {path}: {err.strerror or err}; check its path.") from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise UserError(f"The mapping file {path} is not valid TOML: {err}; mend that line.") from err
    except ValidationError as err:
        raise UserError(sentence_of(str(path), err)) from err


def zone_that_exists(value: str) -> str:
    """Return the name of a time zone, or raise ValueError."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as err:
        raise ValueError("it should be the name of a time zone, such as Europe/Berlin") from err
    return value


def sentence_of(path: str, err: ValidationError, least: str = "arrived_utc, prompt_tok and output_tok") -> str:
    """Return what is wrong with a mapping file, in one sentence; least: what it must name."""
    first = err.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{path}: `{key}` is missing; a mapping names at least {least}."
    if first["type"] == "extra_forbidden":
        return f"{path}: `{key}` is not a key of a mapping; docs/formats.md lists them."
    if not key:
        return f"{path}: {first['msg'].removeprefix('Value error, ')}."
    message = first["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    return f"{path}: `{key}` is {first['input']!r}; {message}."


def _arrival(mapping: MappingFile, parameters: dict[str, Any]) -> str:
    """Return the SQL of the arrival in UTC."""
    time = mapping.time
    if time.unit != "text":
        us = f"round(TRY_CAST(arrived_utc AS DOUBLE) * {_US_PER_UNIT[time.unit]!r})"
        stamp = f"CASE WHEN {us} BETWEEN 0 AND 8e15 THEN make_timestamptz(CAST({us} AS BIGINT)) END"
    elif time.zone == "UTC":
        stamp = "TRY_CAST(arrived_utc AS TIMESTAMPTZ)"
    else:
        parameters["zone"], parameters["has_offset"] = time.zone, _HAS_OFFSET
        text = "CAST(arrived_utc AS VARCHAR)"
        stamp = f"""CASE WHEN regexp_matches({text}, $has_offset) THEN TRY_CAST({text} AS TIMESTAMPTZ)
            ELSE TRY_CAST({text} AS TIMESTAMP) AT TIME ZONE $zone END"""
    if time.marks == "completion":
        seconds = f"TRY_CAST(duration_s AS DOUBLE) * {_S_PER_UNIT[mapping.units.duration_s]!r}"
        stamp = f"{stamp} - to_microseconds(CAST(round({seconds} * 1e6) AS BIGINT))"
    return stamp


def _add_texts(mapping: MappingFile, fields: dict[str, str], parameters: dict[str, Any]) -> None:
    """Add constants, tags and the renaming of statuses."""
    for key, value in mapping.constants.model_dump(exclude_none=True).items():
        fields[key], parameters[f"constant_{key}"] = f"$constant_{key}", value
    if mapping.tags:
        parameters |= {f"tag_name_{i}": tag for i, tag in enumerate(mapping.tags)}
        pairs = ", ".join(f"$tag_name_{i}, tag_{i}" for i in range(len(mapping.tags)))
        fields["tags"] = f"CAST(json_object({pairs}) AS VARCHAR)"
    if mapping.status and mapping.columns.status:
        cases = []
        for i, (theirs, ours) in enumerate(mapping.status.items()):
            parameters[f"status_{i}"], parameters[f"status_as_{i}"] = theirs, ours
            cases.append(f"WHEN $status_{i} THEN $status_as_{i}")
        fields["status"] = f"CASE CAST(status AS VARCHAR) {' '.join(cases)} ELSE CAST(status AS VARCHAR) END"
