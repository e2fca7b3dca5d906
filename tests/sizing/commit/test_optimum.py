"""The optimum: equal to the program over every hour, and to the closed form where nothing but the mean counts."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from data.catalog.commit_offers import BatchOffer, HeldOffer, TermOffer
from data.errors import UserError
from sizing.commit.grid import bounds_of, starts_of
from sizing.commit.optimum import GAP, Risk, bill_usd, cvar, solve
from sizing.commit.recourse import batch_runs, recourse
from sizing.commit.term import units_that_pay

NO_RISK = Risk()


def optimum(case, *, first=0, risk=NO_RISK, whole=True):
    starts = starts_of(case, first)
    worth = recourse(case, bounds_of(case, starts))
    return solve(case, starts, worth, risk, whole=whole), starts, worth


def whole_program(case, starts, bounds, risk):
    """The same decision written out: a variable for every hour, path, tier and run, and nothing reduced.

    Minimise over units x, hourly purchases o by tier and batch work z done in held hours:
        need + sum z <= held + in force x + sum o      in every hour of every path.
    """
    market, paths, hours = case.market, len(case.need), case.days * 24
    runs = [
        (bounds[p] * 24 + ready, bounds[p] * 24 + due, work, most)
        for p in range(len(bounds) - 1)
        for ready, due, work, most in batch_runs(
            market.batch,
            date.fromordinal(case.start.toordinal() + bounds[p]),
            (bounds[p + 1] - bounds[p]) * 24,
        )
    ]
    places = [(r, h) for r, run in enumerate(runs) for h in range(run[0], run[1])]
    n, tiers = len(starts), len(market.tiers)
    per_path = tiers * hours + len(places)
    total = n + paths * per_path + 1 + paths
    t_at = total - paths - 1
    price = np.array([
        s.term.usd_per_gpu_hour * s.term.unit_gpus * 24 * (min(s.end, case.days) - s.first) for s in starts
    ])  # fmt: skip
    rows, low, high = [], [], []

    def add(entries, lower, upper):
        row = np.zeros(total)
        for at, value in entries:
            row[at] += value
        rows.append(row)
        low.append(lower)
        high.append(upper)

    held = np.repeat(case.held(), 24)
    bills = []
    for s in range(paths):
        base = n + s * per_path
        work = sum(run[2] for run in runs) * market.batch_usd_per_gpu_hour
        bill = [(j, price[j]) for j in range(n)]
        bill += [
            (base + i * hours + h, market.tiers[i].usd_per_gpu_hour) for i in range(tiers) for h in range(hours)
        ]
        bill += [(base + tiers * hours + q, -market.batch_usd_per_gpu_hour) for q in range(len(places))]
        bills.append((bill, work))
        for h in range(hours):
            entries = [(base + i * hours + h, 1.0) for i in range(tiers)]
            entries += [(j, t.term.unit_gpus) for j, t in enumerate(starts) if t.first * 24 <= h < t.end * 24]
            entries += [(base + tiers * hours + q, -1.0) for q, (_, at) in enumerate(places) if at == h]
            add(entries, case.need[s].ravel()[h] - held[h], np.inf)
        for r, run in enumerate(runs):
            add([(base + tiers * hours + q, 1.0) for q, (k, _) in enumerate(places) if k == r], -np.inf, run[2])
        add([(at, value) for at, value in bill] + [(t_at, -1.0), (t_at + 1 + s, -1.0)], -np.inf, -work)
    for term in market.terms:
        if term.max_gpus is not None:
            for day in range(case.days):
                mine = [j for j, t in enumerate(starts) if t.term == term and t.first <= day < t.end]
                add([(j, term.unit_gpus) for j in mine], -np.inf, term.max_gpus)
    cost, constant = np.zeros(total), 0.0
    for bill, work in bills:
        constant += (1 - risk.weight) * work / paths
        for at, value in bill:
            cost[at] += (1 - risk.weight) * value / paths
    cost[t_at] = risk.weight
    cost[t_at + 1 :] = risk.weight / ((1 - risk.level) * paths)
    upper = np.full(total, np.inf)
    lower = np.zeros(total)
    lower[t_at] = -np.inf
    for s in range(paths):
        base = n + s * per_path
        for i, tier in enumerate(market.tiers):
            upper[base + i * hours : base + (i + 1) * hours] = np.inf if tier.max_gpus is None else tier.max_gpus
        for q, (r, _) in enumerate(places):
            upper[base + tiers * hours + q] = np.inf if runs[r][3] is None else runs[r][3]
    found = milp(
        cost,
        integrality=np.concatenate([np.ones(n), np.zeros(total - n)]),
        bounds=Bounds(lower, upper),
        constraints=LinearConstraint(sparse.csr_array(np.array(rows)), low, high),
        options={"mip_rel_gap": 1e-9},
    )
    assert found.success, found.message
    return found.fun + constant


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000), weight=st.sampled_from([0.0, 0.4, 1.0]), capped=st.booleans(), held=st.booleans()
)
def test_bands_by_period_cost_what_the_program_over_every_hour_costs(cases, seed, weight, capped, held):
    rng = np.random.default_rng(seed)
    need = np.ceil(rng.gamma(4.0, 0.7, (3, 4, 1)) + 2 * np.sin(np.arange(24) / 24 * 2 * np.pi)).clip(0)
    last = date(2026, 11, 24)
    in_force = HeldOffer(gpus=1, usd_per_gpu_hour=1.0, start=date(2026, 1, 1), end=last)
    case = cases(
        need,
        terms=(
            TermOffer(name="two", days=2, discount=0.15),
            TermOffer(name="four", days=4, discount=0.35, unit_gpus=2, max_gpus=2 if capped else None),
        ),
        on_demand_max_gpus=2,
        api_usd_per_gpu_hour=4.5,
        spot_usd_per_gpu_hour=1.1,
        spot_max_gpus=0 if capped else 1,
        held=(in_force,) if held else (),
        batch=(
            BatchOffer(
                name="night", gpu_hours=7, start_hour_utc=22, deadline_h=6, max_gpus=2 if capped else None
            ),
            BatchOffer(name="day", gpu_hours=5, start_hour_utc=6, deadline_h=16 if capped else 30),
        ),
    )  # fmt: skip
    risk = Risk(weight=weight, level=0.6)

    found, starts, worth = optimum(case, risk=risk)

    assert found.objective_usd == pytest.approx(whole_program(case, starts, worth.bounds, risk), rel=GAP)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), discount=st.floats(0.02, 0.8), unit=st.sampled_from([1, 3]))
def test_without_risk_the_optimum_is_the_closed_form(cases, random_needs, seed, discount, unit):
    need = random_needs(20, seed=seed, paths=7)
    case = cases(need, terms=(TermOffer(name="all", days=20, discount=discount, unit_gpus=unit),))

    for whole in (True, False):
        found, starts, worth = optimum(case, whole=whole)
        closed = units_that_pay(case, worth, case.market.terms[0], 0)
        assert found.objective_usd == pytest.approx(bill_usd(case, starts, worth, np.array([closed])).mean())
        assert found.units[0] == pytest.approx(closed, abs=1e-6)


def test_the_relaxed_program_is_never_dearer(cases, random_needs):
    case = cases(random_needs(30), terms=((10, 0.1), (30, 0.4)))
    for weight in (0.0, 0.5):
        relaxed = optimum(case, whole=False, risk=Risk(weight=weight))[0].objective_usd
        assert relaxed <= optimum(case, risk=Risk(weight=weight))[0].objective_usd + 1e-6


def test_two_terms_part_the_bands_between_them(cases):
    """Four GPUs always, four more in the first ten days of thirty: the month serves the base."""
    need = np.full((1, 30, 24), 4.0)
    need[:, :10] = 8.0

    found, starts, _ = optimum(cases(need, terms=((10, 0.1), (30, 0.3))))

    bought = {(s.term.days, s.first): units for s, units in zip(starts, found.units, strict=True) if units}
    assert bought == {(10, 0): 4, (30, 0): 4}


def test_no_more_than_is_to_be_had(cases):
    found, *_ = optimum(cases(8, terms=(TermOffer(name="m", days=60, discount=0.5, max_gpus=5),)))

    assert found.units == (5,)


def test_what_ends_is_renewed_the_day_after(cases):
    held = HeldOffer(gpus=3, usd_per_gpu_hour=2.0, start=date(2026, 1, 1), end=date(2026, 12, 12))

    found, starts, _ = optimum(cases(3, terms=((40, 0.2),), held=(held,)))

    bought = {s.first: units for s, units in zip(starts, found.units, strict=True) if units}
    assert bought[20] == 3
    assert 0 not in bought


def test_who_fears_the_tail_holds_more(cases):
    """Nine paths need one GPU, the tenth ten: the second is busy 10% of hours, in the worst tenth always."""
    need = np.ones((10, 30, 24))
    need[9] = 10.0

    case = cases(need, terms=((30, 0.5),))

    assert optimum(case)[0].units == (1,)
    assert optimum(case, risk=Risk(weight=1.0, level=0.9))[0].units == (10,)


def test_the_tail_is_the_mean_of_the_worst():
    assert cvar(np.arange(1.0, 101.0), 0.95) == pytest.approx(np.mean([96, 97, 98, 99, 100]))
    assert cvar(np.array([4.0, 2.0]), 0.75) == 4.0
    assert Risk(weight=0.5, level=0.5).of(np.array([1.0, 3.0])) == pytest.approx(2.5)


@pytest.mark.parametrize("wrong", [{"weight": -0.1}, {"weight": 1.1}, {"level": 1.0}, {"level": 0.0}])
def test_a_risk_that_is_none_is_refused(wrong):
    with pytest.raises(UserError, match="Risk weight"):
        Risk(**wrong)
