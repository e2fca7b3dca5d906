"""Decorators: functions that numba compiles, once for a machine, and that NUMBA_DISABLE_JIT=1 leaves plain."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Return the function compiled into each of its callers; the machine code is kept beside its file.

    Inlined, an iteration takes half the time: otherwise each call passes all arrays of the state and counts
    references to them.
    """
    return cast(Function, numba.njit(cache=True, forceinline=True, error_model="numpy")(function))


def compiled_apart(function: Function) -> Function:
    """Return the function compiled once: what is called seldom would only take longer to compile."""
    return cast(Function, numba.njit(cache=True, error_model="numpy")(function))
