import io
import os
from pathlib import Path

import pytest

from data.errors import UserError
from data.spool import spooled


def test_what_comes_in_lies_beside_the_store_and_goes_again(tmp_path: Path):
    store = tmp_path / "s.duckdb"

    with spooled(store, io.BytesIO(b"x" * 3_000_000)) as path:
        assert path.parent.parent == tmp_path / "s.lake"
        assert path.stat().st_size == 3_000_000

    assert list(tmp_path.iterdir()) == []


def test_a_lake_that_was_there_stays(tmp_path: Path):
    (tmp_path / "s.lake").mkdir()

    with spooled(tmp_path / "s.duckdb", io.BytesIO(b"")):
        pass

    assert (tmp_path / "s.lake").is_dir()


def test_what_a_dead_process_left_is_swept_and_a_living_one_keeps_its_own(tmp_path: Path):
    dead, living = tmp_path / "s.lake" / ".spool-4194999", tmp_path / "s.lake" / f".spool-{os.getppid()}"
    for folder in (dead, living):
        folder.mkdir(parents=True)

    with spooled(tmp_path / "s.duckdb", io.BytesIO(b"")):
        assert not dead.exists()
        assert living.exists()


def test_a_disk_that_fails_is_said_in_a_sentence(tmp_path: Path):
    class Failing(io.RawIOBase):
        def read(self, _size: int = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with (
        pytest.raises(UserError, match="No space left on device; free space"),
        spooled(tmp_path / "s.duckdb", Failing()),  # type: ignore[arg-type]
    ):
        pass
    assert list(tmp_path.iterdir()) == []
