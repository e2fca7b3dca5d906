"""One decorator: functions that numba compiles, once for a machine, and that NUMBA_DISABLE_JIT=1 leaves plain."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Return the function compiled to machine code, which is kept beside its file for later runs."""
    return cast(Function, numba.njit(cache=True)(function))
