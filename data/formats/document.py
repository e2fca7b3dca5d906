"""JSON that is not one record a line: whole documents, arrays of documents, and what keys they hold."""

import json
from collections.abc import Iterator
from typing import Any

from data.errors import UserError
from data.formats.json_paths import HEAD_CHARS, key_paths
from data.formats.sample import Sample, open_text

MAX_DOCUMENT_CHARS = 256 * 1024 * 1024
"""A longer document is refused: it must be held in memory as a whole, and takes several times its length there."""


def head_paths(sample: Sample) -> frozenset[str]:
    """Return the dotted paths of the keys in the first part of a JSON file; arrays add nothing to a path.

    Works on a document that is far longer than what is looked at, and on one that is cut off.
    """
    if sample.kind not in {"json", "jsonl"}:
        return frozenset()
    try:
        with open_text(sample.path, sample.compression) as file:
            return frozenset(key_paths(file.read(HEAD_CHARS)))
    except (EOFError, OSError):
        return frozenset()


def documents(sample: Sample) -> Iterator[tuple[int, str | None, Any]]:
    """Yield (line, what is wrong, document) of each page of a file.

    A page is a line of a JSON lines file (1-based line), else the one document or the elements of the one array
    (counted from 1). Raises UserError where a whole document is too long or no JSON.
    """
    if sample.kind == "jsonl":
        yield from _lines(sample)
        return
    content = _whole(sample)
    yield from ((n, None, page) for n, page in enumerate(content if isinstance(content, list) else [content], 1))


def _lines(sample: Sample) -> Iterator[tuple[int, str | None, Any]]:
    line = 0
    with open_text(sample.path, sample.compression) as file:
        try:
            while text := file.readline(MAX_DOCUMENT_CHARS):
                line += 1
                if len(text) == MAX_DOCUMENT_CHARS and not text.endswith("\n"):
                    raise _too_long(sample)
                if not text.strip():
                    continue
                try:
                    yield line, None, json.loads(text)
                except (ValueError, RecursionError):
                    yield line, "not valid JSON", None
        except (EOFError, OSError) as err:
            yield line + 1, f"cannot be read: {err}", None


def _whole(sample: Sample) -> Any:
    try:
        with open_text(sample.path, sample.compression) as file:
            text = file.read(MAX_DOCUMENT_CHARS + 1)
    except (EOFError, OSError) as err:
        raise UserError(f"{sample.path} cannot be unpacked to its end; it is cut off or damaged.") from err
    if len(text) > MAX_DOCUMENT_CHARS:
        raise _too_long(sample)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as err:
        raise UserError(f"{sample.path} is not valid JSON: {err}; export it again.") from err


def _too_long(sample: Sample) -> UserError:
    return UserError(
        f"{sample.path} holds a JSON document of more than {MAX_DOCUMENT_CHARS // 2**20} MB; split it by time,"
        " or export longer steps."
    )
