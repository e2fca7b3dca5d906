"""Standard input as a file: laid beside the store, so that it can be looked at and hashed like any other log."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from data.errors import UserError

_BLOCK_BYTES = 1024 * 1024


@contextmanager
def spooled(store: Path, stream: BinaryIO) -> Iterator[Path]:
    """Give a file with what the stream holds, in the store's lake (same disk), and remove it afterwards.

    Memory is bounded by one block. A lake that was only made for this goes again where nothing was stored. Raises
    UserError where the disk is full or the folder cannot be written.
    """
    lake = store.with_name(store.stem + ".lake")
    fresh = not lake.exists()
    folder = lake / f".spool-{os.getpid()}"
    try:
        try:
            _sweep(lake)
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "stdin").open("wb") as file:
                shutil.copyfileobj(stream, file, _BLOCK_BYTES)
        except OSError as err:
            raise UserError(
                f"Cannot lay standard input down in {folder}: {err.strerror or err}; free space, or name another"
                " --store."
            ) from err
        yield folder / "stdin"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if fresh and not store.exists() and lake.is_dir() and not any(lake.iterdir()):
            lake.rmdir()


def _sweep(lake: Path) -> None:
    """Remove what processes left that are gone."""
    for left in lake.glob(".spool-*"):
        pid = left.name.removeprefix(".spool-")
        if pid.isdigit() and not _lives(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
