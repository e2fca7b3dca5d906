import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from sizing.simulate.engine import run_engine
from sizing.simulate.requests import Requests
from sizing.simulate.schedule import DRAIN, UP, always, changing
from sizing.simulate.steps import StepTable
from tests.sizing.simulate.cases import engine, requests

ON = engine(seqs=1, steps=StepTable.constant(1.0))
"""One request at a time; an answer of n tokens takes n seconds."""


def test_a_fleet_that_grows_is_cold_and_one_that_shrinks_is_drained():
    schedule = changing([(0.0, 1), (10.0, 3), (20.0, 2)], cold_start_s=5.0)

    assert list(zip(schedule.time_s, schedule.replica, schedule.what, strict=True)) == [
        (0.0, 0, UP),
        (15.0, 1, UP),
        (15.0, 2, UP),
        (20.0, 2, DRAIN),
    ]


def test_a_replica_given_back_before_it_was_warm_never_comes():
    schedule = changing([(0.0, 1), (10.0, 2), (12.0, 1)], cold_start_s=60.0)

    assert UP not in schedule.what[schedule.replica == 1]


def test_new_replicas_take_requests_once_they_are_warm():
    asked = Requests.of([0.0, 1.0, 6.0], 1, 10)

    found = run_engine(asked, ON, replicas=changing([(0.0, 1), (1.0, 2)], cold_start_s=4.0))

    assert found.replica.tolist() == [0, 0, 1]
    assert found.done_s.tolist() == [10.0, 20.0, 16.0]


def test_a_drained_replica_ends_what_it_has_and_takes_no_more():
    asked = Requests.of([0.0, 0.0, 3.0], 1, 10)

    found = run_engine(asked, ON, replicas=changing([(0.0, 2), (2.0, 1)]))

    assert found.done_s.tolist() == [10.0, 10.0, 20.0]
    assert found.replicas.up_s.tolist() == [20.0, 10.0]


def test_what_a_failed_replica_had_begins_again_elsewhere():
    asked = Requests.of([0.0, 0.0], 1, 10)

    found = run_engine(asked, ON, replicas=always(2).failing(4.0, 1))

    assert found.replica.tolist() == [0, 0]
    assert found.retried.tolist() == [0, 1]
    assert found.first_s.tolist() == [1.0, 11.0]
    assert found.done_s.tolist() == [10.0, 20.0]


def test_requests_wait_at_the_door_while_nobody_is_up():
    asked = Requests.of([0.0, 5.0], 1, 10)

    found = run_engine(asked, ON, replicas=always(1).failing(4.0, 0, back_s=8.0))

    assert found.done_s.tolist() == [22.0, 32.0]
    assert found.finished.all()


def test_a_node_that_fails_takes_all_its_replicas():
    asked = Requests.of(np.zeros(6), 1, 10)

    found = run_engine(asked, ON, replicas=always(3).failing_together(5.0, [1, 2]))

    assert found.retried.tolist() == [0, 1, 1, 0, 1, 1]
    assert found.replicas.up_s[1] == pytest.approx(5.0)


@pytest.mark.parametrize("steps", [[], [(0.0, -1)], [(5.0, 1), (5.0, 2)]])
def test_a_schedule_that_is_none_is_refused(steps):
    with pytest.raises(UserError):
        changing(steps)


@settings(max_examples=60, deadline=None)
@given(
    asked=requests(),
    fails=st.lists(st.tuples(st.sampled_from([0.02, 0.3, 1.0, 4.0]), st.integers(1, 2)), max_size=4),
    back=st.sampled_from([None, 0.5]),
)
def test_no_request_is_lost_while_one_replica_stays(asked, fails, back):
    schedule = always(3)
    for time_s, replica in fails:
        schedule = schedule.failing(time_s, replica, back_s=back)

    found = run_engine(asked, engine(blocks=40), replicas=schedule)

    assert found.finished.all()
    assert found.replicas.in_system_s.sum() == pytest.approx((found.done_s - asked.arrival_s).sum(), abs=1e-6)
    assert (found.replicas.kv_share_most <= 1).all()
