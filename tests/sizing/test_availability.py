import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizing.availability import N_PLUS_1, Availability


def spares(needed, *, replica_gpus=2, gpus_per_node=8, **what):
    found = Availability(**what).spares(np.array(needed), replica_gpus=replica_gpus, gpus_per_node=gpus_per_node)
    return found.tolist()


def test_n_plus_1_is_one_replica_and_nothing_where_nothing_is_needed():
    assert spares([0, 1, 10]) == [0, 1, 1]


def test_a_node_fails_with_all_its_replicas():
    assert spares([1, 3, 10], node_failures=1) == [1, 3, 4]
    assert spares([10], node_failures=1, maintenance_nodes=1) == [8]
    assert spares([10], replica_gpus=16, node_failures=1) == [1]


def test_spares_bear_failures_for_the_stated_share_of_time():
    # Each node, one replica, is down 1% of the time: P(one or none of 11) = 0.995, two or fewer of 12: 0.9998.
    found = spares([10], replica_gpus=8, node_mtbf_h=99, node_repair_h=1, available_share=0.999)

    assert found == [2]


@settings(max_examples=50, deadline=None)
@given(needed=st.integers(1, 60), nodes=st.integers(0, 3), more=st.integers(1, 3))
def test_failures_never_take_capacity_away(needed, nodes, more):
    assert spares([needed], node_failures=nodes + more) >= spares([needed], node_failures=nodes)
    assert spares([needed], node_failures=nodes, maintenance_nodes=more) > spares([needed], node_failures=nodes)


def test_late_replicas_are_asked_for_on_the_way_up_only():
    need = np.array([[2.0, 4.0, 4.0, 1.0]])
    late = Availability(scaling_lag_s=600, cold_start_s=1_200)

    assert late.ahead(need)[0].tolist() == pytest.approx([3.0, 4.0, 4.0, 1.0])
    assert Availability(cold_start_s=3_600).ahead(need)[0].tolist() == pytest.approx([4.0, 4.0, 4.0, 1.0])
    assert (N_PLUS_1.ahead(need) == need).all()
