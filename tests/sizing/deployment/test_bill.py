from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.deployment.bill import bill_of, nodes_for
from sizing.fleet import plan_fleet


def test_bill_by_hand(worlds, profiled):
    demand, traffic = worlds()
    profile = profiled(tp=4, pp=2)
    (horizon,) = plan_fleet(demand, traffic, profile, category="online").horizons
    bill = bill_of(profile, replace(horizon, gpus_p80=24, spare_gpus=8))

    assert (bill.gpus, bill.replicas, bill.gpus_per_replica) == (24, 3, 8)
    assert (bill.tp_groups, bill.tp) == (6, 4)
    assert (bill.spare_replicas, bill.spare_gpus) == (1, 8)
    assert bill.nodes == 3


@pytest.mark.parametrize(("groups", "tp", "nodes"), [(1, 1, 1), (9, 1, 2), (4, 2, 1), (5, 8, 5), (3, 6, 3)])
def test_groups_never_lie_across_nodes(groups, tp, nodes):
    assert nodes_for(groups, tp) == nodes


@given(groups=st.integers(0, 500), tp=st.integers(1, 32))
def test_nodes_hold_all_groups(groups, tp):
    assert nodes_for(groups, tp) * 8 >= groups * tp
