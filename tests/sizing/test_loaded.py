"""A GPU bill in full: by hand, exact to the cent, and what an owned GPU costs."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import UserError
from sizing.cents import to_cents
from sizing.loaded import Overheads, OwnedGpu, loaded_cost, loaded_factor


def test_a_thousand_dollars_by_hand():
    """600 work, 400 idle, 5% spares = 50; on 1,050: 10% networking = 105, 20% staff = 210; in all 1,365."""
    cost = loaded_cost(1_000.0, work_share=0.6, overheads=Overheads(spares=0.05, networking=0.1, staff=0.2))

    assert (cost.work_usd, cost.idle_usd) == (600, 400)
    assert (cost.spares_usd, cost.networking_usd, cost.staff_usd) == (50, 105, 210)
    assert cost.total_usd == 1_365


shares = st.floats(0, 3)


@given(st.floats(0, 1e8), st.floats(0, 1), shares, shares, shares)
def test_the_parts_add_up_to_the_rounded_total_to_the_cent(usd, work, spares, networking, staff):
    overheads = Overheads(spares=spares, networking=networking, staff=staff)
    cost = loaded_cost(usd, work_share=work, overheads=overheads)
    parts = (cost.work_usd, cost.idle_usd, cost.spares_usd, cost.networking_usd, cost.staff_usd)

    assert sum(parts) == cost.total_usd
    assert all(part == part.quantize(Decimal("0.01")) for part in parts)
    assert abs(cost.total_usd - to_cents(usd * loaded_factor(overheads))) <= Decimal("0.01")


def test_an_owned_gpu_by_hand():
    """$35,040 over 4 years is $1 an hour; 5% upkeep $0.20; 0.2 kW idle x 1.25 x $0.1 = $0.025; work $0.125."""
    gpu = OwnedGpu(
        gpu="h100", capex_usd=35_040, life_years=4, kw=1.2, idle_kw=0.2, usd_per_kwh=0.1, pue=1.25,
        upkeep_per_year=0.05, source="invoice", checked=date(2026, 11, 24),
    )  # fmt: skip

    assert gpu.standing_usd_per_hour == pytest.approx(1.0 + 0.2 + 0.025)
    assert gpu.work_usd_per_hour == pytest.approx(0.125)


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match="must be 0 or more"):
        Overheads(staff=-0.1)
    with pytest.raises(UserError, match="between 0 and 1"):
        loaded_cost(1.0, work_share=1.5, overheads=Overheads())
