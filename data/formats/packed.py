"""Packed files before they are read: how much they unpack to, and whether they end where they should.

DuckDB takes a zstd file that is cut off for a shorter one, without a word; a few megabytes may unpack to a disk.
"""

from dataclasses import dataclass

import pyarrow as pa

from data.errors import UserError
from data.formats.sample import Sample

MAX_UNPACK_RATIO = 200.0
"""Logs pack 5 to 50 times; more than this is refused, beyond the first UNPACKED_FREE_BYTES."""

UNPACKED_FREE_BYTES = 1_000_000_000
"""What any packed file may unpack to."""

_CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What a file comes to. whole: False where it is cut off or damaged; unpacked_bytes: up to there."""

    unpacked_bytes: int
    whole: bool


def measure(sample: Sample, max_ratio: float = MAX_UNPACK_RATIO) -> Unpacked:
    """Unpack a file chunk by chunk and count; nothing is kept. Raises UserError above the ratio."""
    packed_bytes = sample.path.stat().st_size
    if sample.compression == "none":
        return Unpacked(unpacked_bytes=packed_bytes, whole=True)
    most = max(float(UNPACKED_FREE_BYTES), max_ratio * packed_bytes)
    unpacked_bytes = 0
    try:
        with pa.input_stream(str(sample.path), compression=sample.compression) as stream:
            while chunk := len(stream.read(_CHUNK_BYTES)):
                unpacked_bytes += chunk
                if unpacked_bytes > most:
                    raise UserError(_sentence(sample, packed_bytes, most, max_ratio))
    except (OSError, EOFError, pa.ArrowException):
        return Unpacked(unpacked_bytes=unpacked_bytes, whole=False)
    return Unpacked(unpacked_bytes=unpacked_bytes, whole=True)


def _sentence(sample: Sample, packed_bytes: int, most: float, max_ratio: float) -> str:
    return (
        f"{sample.path} has {packed_bytes:,} bytes and unpacks to more than {most:,.0f},"
        f" over {max_ratio:g} times as many, as no log does; if it is one, raise --max-unpack-ratio."
    )
