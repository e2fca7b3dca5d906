"""The cheapest plan with the same offers, knowing all of the need and all prices: what no policy can beat."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from sizing.replay.market import ReplayTerm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def clairvoyant_plan(weight: Floats, hours: Floats, prices: Floats, terms: tuple[ReplayTerm, ...]) -> Ints:
    """Return (M, T): units of each term to sign in each month, so that the whole cost is least.

        min  sum_m,t x_mt c_mt + sum_m p_m E_m(R_m),   R_m = units in force,   E_m(R) = sum over k > R of w_mk

    weight: (M, K) busy hours of the k-th GPU in on-demand hours (`market.paid_twice`); E is convex, piecewise linear,
    so this is a linear program. Its matrix has consecutive ones in its columns and is totally unimodular, so the
    program's corners are whole numbers and nothing is lost by solving it as one. c_mt: hours within the data only.
    """
    months, most = weight.shape
    signed = _signed(months, terms)
    # Units in force need one column a distinct slope: GPUs that are equally busy in a month are one segment.
    row, width, slope = [], [], []
    for m in range(months):
        edges = np.flatnonzero(np.diff(weight[m], append=-1.0)) + 1
        row.append(np.full(len(edges), m))
        width.append(np.diff(edges, prepend=0))
        slope.append(weight[m, edges - 1] * prices[m])
    segments, widths, slopes = np.concatenate(row), np.concatenate(width), np.concatenate(slope)
    keep = slopes > 0
    segments, widths, slopes = segments[keep], widths[keep], slopes[keep]
    cost = np.array([prices[m] * (1 - terms[t].discount) * hours[m:end].sum() for m, t, end in signed])
    # Rows by month: held units used - units in force <= 0, differenced so that each column has two entries.
    at_row, at_col, value = [segments], [np.arange(len(segments))], [np.ones(len(segments))]
    nexts = segments + 1 < months
    at_row.append(segments[nexts] + 1)
    at_col.append(np.flatnonzero(nexts))
    value.append(-np.ones(int(nexts.sum())))
    columns = len(segments) + np.arange(len(signed))
    start, end = np.array([s[0] for s in signed]), np.array([s[2] for s in signed])
    at_row.append(start)
    at_col.append(columns)
    value.append(-np.ones(len(signed)))
    ends = end < months
    at_row.append(end[ends])
    at_col.append(columns[ends])
    value.append(np.ones(int(ends.sum())))
    idle = columns[-1] + 1 + np.arange(months)  # slack of each month: units in force that nobody needs
    for m in range(months):
        at_row.append(np.array([m] + ([m + 1] if m + 1 < months else [])))
        at_col.append(np.full(1 + (m + 1 < months), idle[m]))
        value.append(np.array([1.0] + ([-1.0] if m + 1 < months else [])))
    matrix = coo_matrix(
        (np.concatenate(value), (np.concatenate(at_row), np.concatenate(at_col))), shape=(months, int(idle[-1]) + 1)
    ).tocsr()
    found = linprog(
        np.concatenate([-slopes, cost, np.zeros(months)]),
        A_eq=matrix,
        b_eq=np.zeros(months),
        bounds=np.column_stack(
            [np.zeros(matrix.shape[1]), np.concatenate([widths, np.full(len(signed) + months, float(most))])]
        ),
        method="highs-ds",
    )
    units = np.zeros((months, len(terms)), dtype=np.int64)
    for (m, t, _), x in zip(signed, found.x[len(segments) : len(segments) + len(signed)], strict=True):
        units[m, t] = round(x)
    return units


def _signed(months: int, terms: tuple[ReplayTerm, ...]) -> list[tuple[int, int, int]]:
    """(month, term, end) of every purchase that can be made; a term without a discount is never worth one."""
    return [
        (m, t, min(m + term.months, months)) for m in range(months) for t, term in enumerate(terms)
    ]
