"""Packed files are measured before they are read: bombs refused, cut-off files known."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from data.errors import UserError
from data.formats import packed
from data.formats.packed import measure
from data.formats.sample import look_at

CONTENT = b"a,b\n" + b"".join(b"%d,%d\n" % (n * n * 7919 % 10_007, n) for n in range(20_000))


def pack(path: Path, packing: str, content: bytes = CONTENT) -> Path:
    with pa.CompressedOutputStream(str(path), packing) as out:
        out.write(content)
    return path


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_whole_file_is_measured_to_the_byte_and_a_cut_one_is_known(tmp_path: Path, packing: str):
    path = pack(tmp_path / "x", packing)
    sample = look_at(path)
    found = measure(sample)
    assert (found.unpacked_bytes, found.whole) == (len(CONTENT), True)

    content = path.read_bytes()
    for cut in (3, len(content) // 2):
        path.write_bytes(content[:-cut])
        assert not measure(sample).whole


def test_several_packed_files_in_one_are_all_measured(tmp_path: Path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(CONTENT) + gzip.compress(CONTENT))
    assert measure(look_at(path)).unpacked_bytes == 2 * len(CONTENT)


def test_a_plain_file_is_as_big_as_it_is(tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_bytes(CONTENT)
    assert measure(look_at(path)).unpacked_bytes == len(CONTENT)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_bomb_is_refused_as_soon_as_it_is_over_and_the_flag_lets_it_in(
    tmp_path: Path, monkeypatch, packing: str
):
    monkeypatch.setattr(packed, "UNPACKED_FREE_BYTES", 1_000_000)
    path = pack(tmp_path / "x", packing, b"a,b\n" + b"1,2\n" * 1_000_000)

    with pytest.raises(UserError, match=r"unpacks to more than .* raise --max-unpack-ratio"):
        measure(look_at(path), max_ratio=200)

    assert measure(look_at(path), max_ratio=1e6).whole


def test_a_small_file_may_unpack_to_what_it_likes(tmp_path: Path):
    path = pack(tmp_path / "x", "zstd", b"a,b\n" + b"1,2\n" * 1_000_000)
    assert measure(look_at(path), max_ratio=1.0).whole
