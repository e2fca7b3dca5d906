"""Which keys a JSON text has, also where it is cut off."""

import re
from collections.abc import Iterator

HEAD_CHARS = 256 * 1024
"""How much of a document is looked at."""

_MAX_DEPTH = 32
"""Keys that lie deeper are in no export; a path for each of them would take the square of their number."""

_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]', re.DOTALL)


def key_paths(text: str) -> Iterator[str]:
    """Yield the dotted path of each key; arrays add nothing to a path.

    Walks brackets, commas and strings: a string before a colon is a key of the innermost object.
    """
    stack: list[str | None] = []  # the key under which each open bracket stands; None in an array
    kinds: list[str] = []
    last: str | None = None
    key: str | None = None
    for mark in _MARK.findall(text):
        if mark == ":":
            key = last
            if key is not None and kinds and kinds[-1] == "{" and len(kinds) <= _MAX_DEPTH:
                yield ".".join([*(k for k in stack if k), key])
        elif mark in "{[":
            stack.append(key)
            kinds.append(mark)
            key = None
        elif mark in "}]":
            if stack:
                stack.pop()
                kinds.pop()
            key = None
        elif mark == ",":
            key = None
        else:
            last = mark[1:-1]
