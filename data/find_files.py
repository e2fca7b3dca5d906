"""From what was typed to files: names as they are, folders searched for logs, and patterns in quotes."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import UserError, printable
from data.text import ENDINGS, PACKED, bare_name, is_utf8

STDIN = Path("-")
"""Stands for standard input on the command line; a file of that name is given by its whole path."""

STDIN_LABEL = "stdin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file to read. label: its name where nobody gives one; folder: the one that was given, "" for a file."""

    path: Path
    label: str
    folder: str = ""


def find_files(paths: Sequence[Path], stdin: Path | None = None) -> Iterator[Found]:
    """Yield each file that the paths name, in the order given, those of a folder or pattern by name.

    A path that exists is that file or folder, whatever its name; one that does not and has `*`, `?` or `[` is a
    pattern, `**` any number of folders. Folders, and patterns that end in `**`, are searched for logs by their
    endings. stdin: where what came on standard input lies. Raises UserError where nothing is there.
    """
    for path in paths:
        if path == STDIN and stdin is not None:
            yield Found(path=stdin, label=STDIN_LABEL)
        elif path.is_dir():
            yield from _in_folder(path)
        elif path.exists():
            yield Found(path=path, label=bare_name(path))
        elif glob.has_magic(str(path)):
            yield from _matching(path)
        else:
            raise UserError(f"There is no file {path}; check its path.")


def find_readable(paths: Sequence[Path], stdin: Path | None = None) -> Iterator[Found]:
    """Yield what `find_files` does; raises UserError where a name is not UTF-8, which no reader takes."""
    for found in find_files(paths, stdin):
        if not is_utf8(found.path):
            raise UserError(
                f"The name of {found.path} is not UTF-8; rename the file, or give it on standard input (fleetcast"
                " ingest - < FILE)."
            )
        yield found


def is_log(path: Path) -> bool:
    """Return whether a file's name ends like a log's, packed or not, and is not hidden."""
    found = path.name.lower()
    for packed in PACKED:
        found = found.removesuffix(packed)
    return found.endswith(ENDINGS) and not path.name.startswith((".", "_"))


def _in_folder(folder: Path) -> Iterator[Found]:
    """Yield the logs in a folder; a file of no bytes, as a quiet hour leaves behind, is no log."""
    label = printable(folder.resolve().name)
    for file in sorted(folder.rglob("*")):
        if file.is_file() and is_log(file) and file.stat().st_size:
            yield Found(path=file, label=label, folder=str(folder))


def _matching(pattern: Path) -> Iterator[Found]:
    found = [Path(name) for name in sorted(glob.glob(str(pattern), recursive=True))]  # whole pattern
    everywhere = pattern.name == "**"
    files = 0
    for path in found:
        if path.is_dir() and "**" not in pattern.parts:
            for file in _in_folder(path):
                files += 1
                yield file
        elif path.is_file() and (is_log(path) or not everywhere):
            files += 1
            yield Found(path=path, label=bare_name(path))
    if not files:
        raise UserError(f"No log matches {pattern}; check the pattern, or name the folder.")
