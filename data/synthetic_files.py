"""Synthetic rows as arrays, and how they become Parquet in the columns of the canonical request."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from data.synthetic_lengths import UNKNOWN_TOK

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Tokens = npt.NDArray[np.int32]

REGIONS = ("eu-west-1", "us-east-1")
STATUSES = ("ok", "rate_limited", "server_error")
SERVED, THROTTLED, FAILED = 0, 1, 2
TAGS = ('["prod"]', '["prod", "retry"]')

SERIAL_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Requests of one label, column by column, all (N,); codes index the tuples of words."""

    arrived_us: npt.NDArray[np.int64]
    region: Codes
    team: Codes
    retry: Codes
    status: Codes
    prompt_tok: Tokens
    cached_prompt_tok: Tokens
    output_tok: Tokens
    reasoning_tok: Tokens
    first_token_s: Floats
    duration_s: Floats
    cost_usd: Floats

    def __len__(self) -> int:
        return len(self.arrived_us)

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Rows":
        """Return the rows of a mask or of positions, in that order."""
        return Rows(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def joined(self, other: "Rows") -> "Rows":
        """Return these rows and then the other's."""
        return Rows(
            **{f.name: np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)}
        )


def write_rows(path: Path, rows: Rows, *, label: str, model: str, category: str, teams: tuple[str, ...]) -> None:
    """Write one file of the logs. The same rows give the same bytes: no dates, no names of machines inside."""
    n = len(rows)
    constant = np.zeros(n, dtype=np.int8)
    table = pa.table(
        {
            "request_id": _serials(path.stem, n),
            "arrived_utc": pa.array(rows.arrived_us, type=pa.timestamp("us", tz="UTC")),
            "source_label": _coded(constant, (label,)),
            "model": _coded(constant, (model,)),
            "region": _coded(rows.region, REGIONS),
            "team": _coded(rows.team, teams),
            "tags": _coded(rows.retry, TAGS),
            "category": _coded(constant, (category,)),
            "prompt_tok": _tokens(rows.prompt_tok),
            "cached_prompt_tok": _tokens(rows.cached_prompt_tok),
            "output_tok": _tokens(rows.output_tok),
            "reasoning_tok": _tokens(rows.reasoning_tok),
            "first_token_s": _numbers(rows.first_token_s),
            "duration_s": _numbers(rows.duration_s),
            "status": _coded(rows.status, STATUSES),
            "cost_usd": _numbers(rows.cost_usd),
        }
    )
    coded = ["source_label", "model", "region", "team", "tags", "category", "status"]
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=coded,
        store_schema=False,  # plain text columns for every reader, and no Arrow types inside
        column_encoding={"request_id": "DELTA_BYTE_ARRAY", "arrived_utc": "DELTA_BINARY_PACKED"},
    )


def _serials(stem: str, n: int) -> pa.Array:
    """Return "<stem>-000000000", ... without making a Python string of each."""
    prefix = np.frombuffer(f"{stem}-".encode(), dtype=np.uint8)
    width = len(prefix) + SERIAL_DIGITS
    text = np.empty((n, width), dtype=np.uint8)
    text[:, : len(prefix)] = prefix
    rest = np.arange(n, dtype=np.int32)
    for place in range(width - 1, len(prefix) - 1, -1):
        rest, digit = np.divmod(rest, np.int32(10))
        text[:, place] = digit + ord("0")
    offsets = np.arange(n + 1, dtype=np.int32) * np.int32(width)
    return pa.Array.from_buffers(pa.string(), n, [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def _coded(codes: Codes, words: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(words))


def _tokens(tok: Tokens) -> pa.Array:
    return pa.array(tok, mask=tok == UNKNOWN_TOK)


def _numbers(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
