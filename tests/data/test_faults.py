"""What the disk says becomes one sentence with the way out; every other error stays what it is."""

import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from data.errors import UserError
from data.faults import fault_code, is_full, machine_faults, require_room

STORE = Path("s.duckdb")


def sentence_of(work: Callable[[], None]) -> str:
    with pytest.raises(UserError) as said, machine_faults(STORE):
        work()
    return str(said.value)


def sentence(err: Exception) -> str:
    def fail() -> None:
        raise err

    return sentence_of(fail)


@pytest.mark.parametrize(
    "err",
    [
        OSError(errno.ENOSPC, "No space left on device", "x"),
        OSError(errno.EDQUOT, "Disk quota exceeded", "x"),
        duckdb.IOException('Could not write file "x": No space left on device'),
        duckdb.FatalException("Failed to commit: IO Error: could not fsync: No space left on device"),
    ],
)
def test_a_full_disk_is_said_with_the_way_out(err: Exception):
    said = sentence(err)

    assert said.startswith("The disk of s.duckdb is full (")
    assert "free some space there, or name a --store on another disk, and run the same command again" in said
    assert is_full(err)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO])
def test_a_disk_that_cannot_be_written_is_said(code: int):
    assert "s.duckdb cannot be written (" in sentence(OSError(code, "whatever", "x"))
    assert not is_full(OSError(code, "whatever", "x"))


def test_too_little_memory_is_said():
    err = duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block\nmore")
    assert "There is too little memory or disk to work on s.duckdb (Out of Memory Error: could" in sentence(err)


def test_room_is_asked_for_before_a_commit(tmp_path: Path, monkeypatch):
    store = tmp_path / "s.duckdb"
    store.write_bytes(bytes(1_000))
    require_room(store)

    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=8_000_999))
    assert "is full" in sentence_of(lambda: require_room(store))


OURS = [FileNotFoundError(errno.ENOENT, "x"), duckdb.BinderException("x"), ZeroDivisionError()]


@pytest.mark.parametrize("err", OURS)
def test_our_own_mistakes_keep_their_traceback(err: Exception):
    with pytest.raises(type(err)), machine_faults(STORE):
        raise err
    assert fault_code(err) is None
