"""The cheapest plan with the same offers, knowing all of the need and all prices: what no policy can beat."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix

from data.errors import UserError
from sizing.replay.market import ReplayTerm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Signing = tuple[int, int, int]
"""Month, term, and the month before which it ends."""


def clairvoyant_plan(weight: Floats, hours: Floats, prices: Floats, terms: Sequence[ReplayTerm]) -> Ints:
    """Return (M, T): units of each term to sign in each month, so that the whole cost is least.

        min  sum_m,t x_mt c_mt + sum_m p_m E_m(R_m),   R_m = units in force,   E_m(R) = sum over k > R of w_mk

    weight: (M, K) busy hours of the k-th GPU in on-demand hours (`market.paid_twice`); E is convex and piecewise
    linear, so this is a linear program. Its columns hold consecutive ones, so the matrix is totally unimodular and
    the program's corners are whole numbers: nothing is lost by solving it as one. c_mt: hours within the data.
    """
    months, most = weight.shape
    signings = [(m, t, min(m + term.months, months)) for m in range(months) for t, term in enumerate(terms)]
    month, width, saving = _segments(weight, prices)
    paid = np.array([prices[m] * (1 - terms[t].discount) * hours[m:end].sum() for m, t, end in signings])
    matrix = _balance(month, signings, months)
    upper = np.concatenate([width, np.full(len(signings) + months, float(most))])
    found = milp(
        np.concatenate([-saving, paid, np.zeros(months)]),
        bounds=Bounds(0.0, upper),
        constraints=[LinearConstraint(matrix.tocsc(), 0.0, 0.0)],
    )
    if found.x is None:
        raise UserError(f"The clairvoyant's program found no plan: {found.message}")
    units = np.zeros((months, len(terms)), dtype=np.int64)
    for (m, t, _), x in zip(signings, found.x[len(month) : len(month) + len(signings)], strict=True):
        units[m, t] = round(float(x))
    return units


def _segments(weight: Floats, prices: Floats) -> tuple[Ints, Floats, Floats]:
    """(month, width, saving) of each group of GPUs that are equally busy in a month: one column each."""
    month, width, saving = [], [], []
    for m, row in enumerate(weight):
        ends = np.flatnonzero(np.diff(row, append=-1.0)) + 1
        month.append(np.full(len(ends), m, dtype=np.int64))
        width.append(np.diff(ends, prepend=0).astype(np.float64))
        saving.append(row[ends - 1] * prices[m])
    found = np.concatenate(saving)
    keep = found > 0
    return np.concatenate(month)[keep], np.concatenate(width)[keep], found[keep]


def _balance(month: Ints, signings: Sequence[Signing], months: int) -> coo_matrix:
    """Units used + units idle = units in force, each month's row less the one before it.

    A column then has at most two entries: where what it stands for begins, and where it ends.
    """
    start, end = np.array([s[0] for s in signings]), np.array([s[2] for s in signings])
    every = np.arange(months)
    begins = np.concatenate([month, start, every])
    ends = np.concatenate([month + 1, end, every + 1])
    sign = np.concatenate([np.ones(len(month)), -np.ones(len(signings)), np.ones(months)])
    column = np.arange(len(begins))
    inside = ends < months
    return coo_matrix(
        (
            np.concatenate([sign, -sign[inside]]),
            (np.concatenate([begins, ends[inside]]), np.concatenate([column, column[inside]])),
        ),
        shape=(months, len(begins)),
    )
