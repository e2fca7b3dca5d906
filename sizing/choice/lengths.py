"""A workload's requests by length: buckets of (prompt, output) that a router could send apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import UserError
from data.lognormal import LogNormal
from data.units import MTOK
from forecasting.demand import Moments

Floats = npt.NDArray[np.float64]

PARTS = 3
"""Buckets of each length field: nine buckets of (prompt, output) tell short, middling and long apart."""

QUANTILES = 40
"""Points of each field where only mean and variation are stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBucket:
    """Requests whose prompt and output lie within bounds: (above, upto], in tokens; inf = no upper bound.

    share: of all requests (0..1). The means and moments are those of the bucket's own requests.
    """

    prompt_above_tok: float
    prompt_upto_tok: float
    output_above_tok: float
    output_upto_tok: float
    share: float
    prompt_tok: float
    cached_prompt_tok: float
    output_tok: float
    moments: Moments

    def sums(self) -> Floats:
        """Return (9,): the SUMS of one mean request of the bucket."""
        p, c, o, m = self.prompt_tok, self.cached_prompt_tok, self.output_tok, self.moments
        squares = (m.prompt_sq * p * p, m.cached_sq * c * c, m.prompt_cached * p * c, m.prompt_output * p * o)
        return np.array([1.0, p, c, o, *squares, m.output_sq * o * o])

    @property
    def name(self) -> str:
        """The bounds as a person reads them."""
        return (
            f"prompt {_bounds(self.prompt_above_tok, self.prompt_upto_tok)},"
            f" output {_bounds(self.output_above_tok, self.output_upto_tok)}"
        )


def length_buckets(
    joint: pd.DataFrame, *, prompt_parts: int = PARTS, output_parts: int = PARTS
) -> tuple[LengthBucket, ...]:
    """Return the buckets of a joint table (`data.traffic.Traffic.joint`) that hold a request, shares adding to 1.

    Edges cut each field into parts of about equal *tokens*, so that the few long requests, which make most of the
    work, get buckets of their own. Raises UserError where the table holds no request.
    """
    table = joint[joint["weight"] > 0]
    if table.empty:
        raise UserError("No lengths of requests are known, so none can be told apart; ingest a log with tokens.")
    prompt, output = table["prompt_tok"].to_numpy(float), table["output_tok"].to_numpy(float)
    weight = table["weight"].to_numpy(float) / float(table["weight"].sum())
    cached = prompt * np.clip(np.nan_to_num(table["cached_share"].to_numpy(float)), 0.0, 1.0)
    p_edges, o_edges = _edges(prompt, weight, prompt_parts), _edges(output, weight, output_parts)
    p_at, o_at = np.searchsorted(p_edges, prompt), np.searchsorted(o_edges, output)
    found = []
    for i, j in sorted(set(zip(p_at.tolist(), o_at.tolist(), strict=True))):
        rows = (p_at == i) & (o_at == j)
        found.append(
            _bucket(
                _around(p_edges, i), _around(o_edges, j), weight[rows], prompt[rows], cached[rows], output[rows]
            )
        )
    return tuple(found)


def lognormal_lengths(
    *, prompt_tok: float, output_tok: float, cached_prompt_tok: float = 0.0, prompt_cv: float, output_cv: float
) -> pd.DataFrame:
    """Return a joint table of independent lognormal lengths with these means and coefficients of variation.

    What stands in where no log is at hand. Each field is cut into QUANTILES parts of equal probability, each at
    its mean, so that the mean of all is the stated one.
    """
    prompts, outputs = _points(prompt_tok, prompt_cv), _points(output_tok, output_cv)
    p, o = np.repeat(prompts, len(outputs)), np.tile(outputs, len(prompts))
    share = cached_prompt_tok / prompt_tok if prompt_tok > 0 else 0.0
    return pd.DataFrame(
        {"prompt_tok": p, "output_tok": o, "cached_share": np.full(len(p), share), "weight": 1 / len(p)}
    )


def whole(buckets: Sequence[LengthBucket]) -> LengthBucket:
    """Return all buckets as one: the mean request with the moments of all of them."""
    share = np.array([b.share for b in buckets]) / sum(b.share for b in buckets)
    sums = share @ np.array([b.sums() for b in buckets])
    return _of_sums(sums, (0.0, np.inf), (0.0, np.inf), float(sum(b.share for b in buckets)))


def _points(mean: float, cv: float) -> Floats:
    """Return (n,) lengths of equal weight with this mean; sigma^2 = ln(1 + cv^2)."""
    if cv <= 0 or mean <= 0:
        return np.array([mean])
    sigma_sq = float(np.log1p(cv * cv))
    lengths = LogNormal(float(np.log(mean) - sigma_sq / 2), sigma_sq**0.5)
    return lengths.slices(np.linspace(0.0, 1.0, QUANTILES + 1).tolist())[0]


def _edges(tok: Floats, weight: Floats, parts: int) -> Floats:
    """Return the inner edges: at equal shares of the tokens, rounded to two digits, each once."""
    order = np.argsort(tok)
    risen = np.cumsum((tok * weight)[order])
    if not risen[-1] > 0 or parts < 2:
        return np.zeros(0)
    at = np.searchsorted(risen, risen[-1] * np.arange(1, parts) / parts)
    rounded = {float(f"{tok[order][i]:.2g}") for i in at}
    return np.array(sorted(edge for edge in rounded if tok.min() <= edge < tok.max()))


def _around(edges: Floats, i: int) -> tuple[float, float]:
    return (float(edges[i - 1]) if i else 0.0), (float(edges[i]) if i < len(edges) else np.inf)


def _bucket(
    prompts: tuple[float, float],
    outputs: tuple[float, float],
    weight: Floats,
    p: Floats,
    c: Floats,
    o: Floats,
) -> LengthBucket:
    total = float(weight.sum())
    sums = weight @ np.stack([np.ones_like(p), p, c, o, p * p, c * c, p * c, p * o, o * o], axis=-1) / total
    return _of_sums(sums, prompts, outputs, total)


def _of_sums(
    sums: Floats, prompts: tuple[float, float], outputs: tuple[float, float], share: float
) -> LengthBucket:
    _, p, c, o, pp, cc, pc, po, oo = (float(x) for x in sums)

    def ratio(square: float, mean: float) -> float:
        return square / mean if mean > 0 else 1.0

    return LengthBucket(
        prompt_above_tok=prompts[0],
        prompt_upto_tok=prompts[1],
        output_above_tok=outputs[0],
        output_upto_tok=outputs[1],
        share=share,
        prompt_tok=p,
        cached_prompt_tok=c,
        output_tok=o,
        moments=Moments(
            prompt_sq=ratio(pp, p * p),
            cached_sq=ratio(cc, c * c),
            prompt_cached=ratio(pc, p * c),
            prompt_output=ratio(po, p * o),
            output_sq=ratio(oo, o * o),
        ),
    )


def _bounds(above: float, upto: float) -> str:
    if np.isinf(upto):
        return f"above {_short(above)}" if above > 0 else "any"
    return f"{_short(above)} to {_short(upto)}" if above > 0 else f"up to {_short(upto)}"


def _short(tok: float) -> str:
    return f"{tok / MTOK:g}M" if tok >= MTOK else f"{tok / 1_000:g}K" if tok >= 1_000 else f"{tok:g}"
