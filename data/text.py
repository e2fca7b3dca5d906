"""Names of files that come from outside: without their endings, as tables hold them, as DuckDB takes them."""

import os
from pathlib import Path

from data.errors import printable

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
PACKED = (".gz", ".zst")


def bare_name(path: Path) -> str:
    """Return the file's name without its endings.

    >>> bare_name(Path("logs/chat.2026.csv.gz"))
    'chat.2026'
    """
    found = path.name
    for ending in (*PACKED, *ENDINGS):
        found = found.removesuffix(ending)
    return printable(found or path.name)


def stored_path(path: Path) -> str:
    """Return a path as text that every table can hold; bytes that are no UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def literal_path(path: Path) -> str:
    """Return a path that DuckDB's readers take as it is: they would expand `*`, `?` and `[` even in real names.

    >>> literal_path(Path("a[1]*.csv"))
    'a[[]1][*].csv'
    """
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def is_utf8(path: Path) -> bool:
    """Return whether a path is text; file systems also take bytes that are none."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def toml_text(value: str) -> str:
    """Return a TOML string: every sign that could end it, or that no eye can see, is written as its number.

    >>> print(toml_text('say "hi"'))
    "say \\U00000022hi\\U00000022"
    """
    safe = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value)
    return f'"{safe}"'
