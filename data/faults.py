"""What the machine may do to a store, in one sentence: a full, read-only or broken disk, too little memory."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from data.errors import UserError

_SAID = {
    errno.ENOSPC: "No space left on device",
    errno.EDQUOT: "Disk quota exceeded",
    errno.EFBIG: "File too large",
    errno.EROFS: "Read-only file system",
    errno.EACCES: "Permission denied",
    errno.EPERM: "Operation not permitted",
    errno.EIO: "Input/output error",
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def machine_faults(store: Path) -> Iterator[None]:
    """Turn what the disk of a store says into a UserError; other errors pass as they are."""
    try:
        yield
    except (OSError, duckdb.Error) as err:
        sentence = fault_sentence(store, err)
        if sentence is None:
            raise
        raise UserError(sentence) from err


def fault_sentence(store: Path, err: Exception) -> str | None:
    """Return what to tell the user of an error of the machine, None where it is none."""
    if isinstance(err, duckdb.OutOfMemoryException):
        said = str(err).splitlines()[0].rstrip(".")
        return f"There is too little memory or disk to work on {store} ({said}); free some and run it again."
    code = fault_code(err)
    if code is None:
        return None
    before = "what was stored before is as it was"
    if code in _FULL:
        return (
            f"The disk of {store} is full ({_SAID[code]}): {before}; free some space there, or name a --store on"
            " another disk, and run the same command again."
        )
    return (
        f"{store} cannot be written ({_SAID[code]}): {before}; make its folder writable, or name another --store."
    )


def is_full(err: Exception) -> bool:
    """Return whether an error says that the disk is full."""
    return fault_code(err) in _FULL


def fault_code(err: Exception) -> int | None:
    """Return the error number that an error of the machine stands for; DuckDB only passes its text on."""
    if isinstance(err, OSError):
        return err.errno if err.errno in _SAID else None
    text = str(err)
    return next((code for code, said in _SAID.items() if said in text), None)
