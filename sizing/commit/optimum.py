"""The plan that costs least in one shot: a mixed-integer program over terms, with the tail of the bill (CVaR).

With value v of the k-th unit on path s in period p (`sizing.commit.recourse`), x units of each term and start, and
y in [0, 1] saying whether the k-th unit of a period is held:

    cost_s = base_s + sum x_j price_js - sum_pk v_spk y_pk,    sum_k y_pk <= sum of x_j in force in p
    least  (1 - w) mean_s cost_s + w (t + sum_s u_s / ((1 - a) S)),    u_s >= cost_s - t,  u_s >= 0

The last bracket is the conditional value at risk at level a: the mean of the worst 1 - a of the bills (Rockafellar
and Uryasev 2000, Journal of Risk 2). y needs no order of its own: v falls with k on every path, so the first units
are filled first. Solved by HiGHS through scipy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from data.errors import UserError
from sizing.commit.grid import Start
from sizing.commit.recourse import DAY_HOURS, Case, Recourse

Floats = npt.NDArray[np.float64]
Units = npt.NDArray[np.int64]

GAP = 1e-5
"""How far, as a share of the bill, the units may be from the best whole ones: $10 in a million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """How much the tail of the bill counts: weight 0 = the mean alone, 1 = the mean of the worst bills alone."""

    weight: float = 0.0
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse weights and levels that are none."""
        if not 0 <= self.weight <= 1 or not 0 < self.level < 1:
            raise UserError(
                f"Risk weight {self.weight:g} must lie between 0 and 1, and its level {self.level:g} inside them."
            )

    def of(self, usd: Floats) -> float:
        """Return what bills (S,) count as: mean and tail, weighed."""
        return float((1 - self.weight) * usd.mean() + self.weight * cvar(usd, self.level))


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """What the program buys: units by start, in the order given, and the bill on each path, (S,)."""

    units: tuple[int, ...]
    usd: Floats
    objective_usd: float


def cvar(usd: Floats, level: float) -> float:
    """Return the mean of the worst 1 - level of bills (S,), a part of a path counted by its part.

    >>> cvar(np.array([1.0, 2.0, 3.0, 10.0]), 0.5)
    6.5
    """
    worst = np.sort(usd)[::-1]
    weight = np.clip((1 - level) * len(usd) - np.arange(len(usd)), 0.0, 1.0)
    return float(worst @ weight / weight.sum())


def solve(case: Case, starts: Sequence[Start], worth: Recourse, risk: Risk, *, whole: bool = True) -> Optimum:
    """Return the units of each start that cost least. whole: units are whole; False = the program relaxed.

    Raises UserError where HiGHS finds no solution, which is a fault of ours: buying nothing always is one.
    """
    prices = term_usd(case, starts)
    paths, periods, bands = worth.value_usd.shape
    n, m = len(starts), periods * bands
    tail = 0 if risk.weight == 0 else paths + 1
    mean = np.concatenate([prices.mean(axis=0), -worth.value_usd.mean(axis=0).ravel()])
    cost = np.concatenate([(1 - risk.weight) * mean, np.zeros(tail)])
    rows = [_held_rows(starts, worth, tail), _availability_rows(case, starts, worth, m + tail)]
    if tail:
        cost[n + m] = risk.weight
        cost[n + m + 1 :] = risk.weight / ((1 - risk.level) * paths)
        rows.append(_tail_rows(worth, prices, paths))
    upper = np.concatenate([np.full(n, np.inf), np.ones(m), np.full(tail, np.inf)])
    lower = np.zeros(n + m + tail)
    lower[n + m : n + m + min(tail, 1)] = -np.inf
    found = milp(
        cost,
        integrality=np.concatenate([np.full(n, int(whole)), np.zeros(m + tail)]),
        bounds=Bounds(lower, upper),
        constraints=[row for row in rows if row is not None],
        options={"mip_rel_gap": GAP},
    )
    if found.x is None:
        raise UserError(f"The commitment program found no plan: {found.message}")
    units = np.maximum(found.x[:n], 0.0)
    base = worth.base_usd.sum(axis=1)
    usd = (
        base + prices @ units - np.einsum("spk,pk->s", worth.value_usd, found.x[n : n + m].reshape(periods, bands))
    )
    objective = float((1 - risk.weight) * base.mean() + found.fun)
    if whole:
        units = np.round(units)
        usd = bill_usd(case, starts, worth, units.astype(np.int64))
        objective = risk.of(usd)
    return Optimum(units=tuple(units.tolist()), usd=usd, objective_usd=objective)


def bill_usd(case: Case, starts: Sequence[Start], worth: Recourse, units: Units) -> Floats:
    """Return (S,): what the need costs on each path with these units of each start."""
    held = in_force(starts, worth) @ (units * ratios(starts, worth.unit_gpus))
    return np.asarray(worth.cost_usd(held).sum(axis=1) + term_usd(case, starts) @ units)


def in_force(starts: Sequence[Start], worth: Recourse) -> Units:
    """Return (P, J): 1 where a start's term covers a period."""
    days = np.array(worth.bounds[:-1])[:, None]
    first, end = np.array([s.first for s in starts], dtype=int), np.array([s.end for s in starts], dtype=int)
    return np.asarray((days >= first) & (days < end), dtype=np.int64)


def ratios(starts: Sequence[Start], unit_gpus: int) -> Units:
    """Return (J,): bands that one unit of each start's term fills."""
    return np.array([start.term.unit_gpus // unit_gpus for start in starts], dtype=np.int64)


def term_usd(case: Case, starts: Sequence[Start]) -> Floats:
    """Return (S, J): USD of one unit of each start, for its days within the plan, at its first day's price."""
    hours = np.array([min(s.end, case.days) - s.first for s in starts]) * DAY_HOURS
    price = np.array([s.term.usd_per_gpu_hour * s.term.unit_gpus for s in starts])
    return np.asarray(case.index[:, [s.first for s in starts]] * (hours * price))


def _held_rows(starts: Sequence[Start], worth: Recourse, tail: int) -> LinearConstraint:
    """No more units of a period are held than are in force in it."""
    _, periods, bands = worth.value_usd.shape
    covered = -in_force(starts, worth) * ratios(starts, worth.unit_gpus)
    filled = sparse.kron(sparse.eye_array(periods), np.ones((1, bands)))
    rows = sparse.hstack([sparse.csr_array(covered), filled, sparse.csr_array((periods, tail))], format="csr")
    return LinearConstraint(rows, -np.inf, 0.0)


def _availability_rows(
    case: Case, starts: Sequence[Start], worth: Recourse, others: int
) -> LinearConstraint | None:
    """No more GPUs of a term are in force in a period than are to be had."""
    force, rows, most = in_force(starts, worth), [], []
    for term in case.market.terms:
        if term.max_gpus is not None:
            mine = np.array([start.term == term for start in starts])
            rows.append(force * mine * term.unit_gpus)
            most += [term.max_gpus] * len(force)
    if not rows:
        return None
    bought = sparse.csr_array(np.concatenate(rows))
    rows_of_all = sparse.hstack([bought, sparse.csr_array((len(most), others))], format="csr")
    return LinearConstraint(rows_of_all, -np.inf, most)


def _tail_rows(worth: Recourse, prices: Floats, paths: int) -> LinearConstraint:
    """Each path's bill above t is at most u_s."""
    saved = worth.value_usd.reshape(paths, -1)
    rows = sparse.hstack([
        sparse.csr_array(prices), sparse.csr_array(-saved),
        sparse.csr_array(-np.ones((paths, 1))), -sparse.eye_array(paths),
    ], format="csr")  # fmt: skip
    return LinearConstraint(rows, -np.inf, -worth.base_usd.sum(axis=1))
