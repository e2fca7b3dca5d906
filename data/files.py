"""Files that survive a power cut: written aside, synced, renamed, and their folder synced."""

import hashlib
import os
from pathlib import Path

from data.errors import UserError


def write_durably(path: Path, text: str) -> None:
    """Write a small file under a temporary name, sync it, rename it, and sync its folder."""
    publish_file(prepare_file(path, text), path)


def prepare_file(path: Path, text: str) -> Path:
    """Write a small file beside `path` and sync it; return its temporary path."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def publish_file(temporary: Path, path: Path) -> None:
    """Give a synced file its name, for good."""
    temporary.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make a file's content survive a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest_of(path: Path) -> str:
    """Return the sha256 of a file's content; raises UserError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as err:
        raise UserError(f"Cannot read {path}: {err.strerror or err}; check its path.") from err


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 where there is none."""
    if path.is_dir():
        return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.exists() else 0
