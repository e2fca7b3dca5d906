"""The requests that a simulation serves, as arrays in the order of their arrival."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.errors import UserError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOST_TOK = 2**31 - 1
"""Longest request in tokens: lengths are held in 32 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """N requests. arrival_s: (N,) seconds from the start, never falling. prompt_tok: (N,) tokens, cached ones
    included. output_tok: (N,) tokens generated. cached_prompt_tok: (N,) of the prompt, whose KV is there already.
    batch: (N,) requests that wait until no online request does.

    Raises UserError on arrays that do not fit each other or lengths that cannot be.
    """

    arrival_s: Floats
    prompt_tok: Ints
    output_tok: Ints
    cached_prompt_tok: Ints
    batch: Bools

    @classmethod
    def of(
        cls,
        arrival_s: npt.ArrayLike,
        prompt_tok: npt.ArrayLike,
        output_tok: npt.ArrayLike,
        cached_prompt_tok: npt.ArrayLike = 0,
        batch: npt.ArrayLike = False,
    ) -> "Requests":
        """Return requests from any arrays that broadcast, lengths rounded to whole tokens, sorted by arrival."""
        columns = np.broadcast_arrays(
            np.atleast_1d(np.asarray(arrival_s, dtype=np.float64)),
            *(np.rint(np.asarray(x, dtype=np.float64)) for x in (prompt_tok, output_tok, cached_prompt_tok)),
            np.asarray(batch, dtype=np.bool_),
        )
        for name, column in zip(("arrival", "prompt", "output", "cached prompt"), columns, strict=False):
            if not np.isfinite(column).all():
                raise UserError(f"A request has an unknown {name}; give every request's times and lengths.")
        order = np.argsort(columns[0], kind="stable")
        arrival, prompt, output, cached, waits = (column[order] for column in columns)
        return cls(
            arrival_s=arrival,
            prompt_tok=prompt.astype(np.int64),
            output_tok=output.astype(np.int64),
            cached_prompt_tok=cached.astype(np.int64),
            batch=waits,
        )

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated."""
        shapes = {getattr(self, name).shape for name in self.__slots__}
        if len(shapes) > 1 or len(self.arrival_s.shape) != 1:
            raise UserError(f"The arrays of requests have the shapes {sorted(shapes)}; give one value a request.")
        if not len(self):
            return
        if not (np.isfinite(self.arrival_s).all() and (np.diff(self.arrival_s) >= 0).all()):
            raise UserError("The arrivals of requests must be finite and never fall; sort them by time.")
        if self.arrival_s[0] < 0:
            raise UserError(f"A request arrives at {self.arrival_s[0]:g} s, before the start; begin at 0.")
        for name in ("prompt_tok", "output_tok", "cached_prompt_tok"):
            lengths = getattr(self, name)
            if lengths.min() < 0 or lengths.max() > MOST_TOK:
                raise UserError(f"A request has {name} {lengths.min():,}..{lengths.max():,}; give lengths from 0.")
        if (self.cached_prompt_tok > self.prompt_tok).any():
            raise UserError("A request has more cached tokens than its prompt has; cache at most all of it.")

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.arrival_s)

    @property
    def longest_tok(self) -> int:
        """Tokens of the longest request, prompt and answer together."""
        return int((self.prompt_tok + self.output_tok).max()) if len(self) else 1

    @property
    def span_s(self) -> float:
        """Seconds from the first arrival to the last."""
        return float(self.arrival_s[-1] - self.arrival_s[0]) if len(self) else 0.0

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> "Requests":
        """Return the chosen requests, which must stay in order of arrival."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in self.__slots__})


def merged(*parts: Requests) -> Requests:
    """Return all requests of several streams, in order of arrival."""
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Requests.__slots__]
    order = np.argsort(columns[0], kind="stable")
    return Requests(**{name: column[order] for name, column in zip(Requests.__slots__, columns, strict=True)})
