"""Put a finished plan where people find it: whole or not at all."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where one plan lies. `revision` counts the plans of the same day, from 1; the newest has the plain name."""

    folder: Path
    page: Path
    revision: int


def publish(files: Mapping[str, bytes], *, out: Path, as_of: date) -> Published:
    """Write `files` to `out/<as_of>/` as one step.

    Everything is written and synced under a hidden name first; then the folder of an earlier plan of the same day
    is kept as `<as_of>.r<revision>`, the new one takes its place, and `latest` points at it. Raises UserError when
    the folder cannot be written; what was there before stays as it was.
    """
    target = out / as_of.isoformat()
    staging = out / f".{as_of.isoformat()}.{os.getpid()}"
    try:
        _write_all(files, staging)
        revision = 1 + len(_earlier(out, as_of)) + target.exists()
        if target.exists():
            target.rename(out / f"{as_of.isoformat()}.r{revision - 1}")
        staging.rename(target)
        _point_latest(out, target.name)
    except OSError as error:
        raise UserError(
            f"Cannot publish to {target}: {error.strerror}; choose a writable folder with --out."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Published(folder=target, page=target / "budget.html", revision=revision)


def is_whole(folder: Path, names: tuple[str, ...]) -> bool:
    """Return whether every one of the named files is there."""
    return all((folder / name).is_file() for name in names)


def _earlier(out: Path, as_of: date) -> list[Path]:
    return [p for p in out.glob(f"{as_of.isoformat()}.r*") if p.is_dir()]


def _write_all(files: Mapping[str, bytes], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        with (folder / name).open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())


def _point_latest(out: Path, name: str) -> None:
    link = out / f".latest.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(name, target_is_directory=True)
    link.replace(out / "latest")
