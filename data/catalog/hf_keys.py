"""Look keys of a config.json up: the first that is there, as a whole number, or one sentence."""

from collections.abc import Mapping
from typing import Any

from data.errors import UserError

Config = Mapping[str, Any]


def number(config: Config, where: str, *keys: str) -> int:
    """Return the whole number above 0 of the first key that is there; raises UserError where none is."""
    found = optional(config, where, *keys)
    if found is None:
        raise UserError(f"{where}: `{keys[0]}` is missing, which every model of this kind states; check the file.")
    if found <= 0:
        raise UserError(f"{where}: `{keys[0]}` is {found}; it should be above 0.")
    return found


def optional(config: Config, where: str, *keys: str) -> int | None:
    """Return the whole number of the first key that is there and not null, None where none is."""
    for key in keys:
        value = config.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise UserError(f"{where}: `{key}` is {value!r}; it should be a whole number.")
        return value
    return None
