import numpy as np
import pytest

from sizing.profile import Slo
from sizing.queueing.curve import Correction, SloCurve, out_of_reach, slo_curve


class Queue:
    """A queue that asks two replicas and one and a quarter for each unit of load."""

    slo = Slo(ttft_s=1.0, tpot_s=0.04)

    class profile:  # noqa: N801
        model, gpus, gpu = "m", 2, "h100"

    def fewest(self, requests_per_s, near=None):
        return 2.0 + 1.25 * requests_per_s


class Hopeless(Queue):
    def fewest(self, requests_per_s, near=None):
        return float("inf")


CURVE = slo_curve(Queue(), np.array([0.0, 1.0, 100.0]), request_s=1.0)


def test_curve_is_exact_where_it_was_worked_out_and_near_between():
    assert CURVE.replicas(CURVE.loads) == pytest.approx(2.0 + 1.25 * CURVE.loads)
    between = np.array([3.0, 17.0, 60.0])
    assert CURVE.replicas(between) == pytest.approx(2.0 + 1.25 * between, rel=0.15)


def test_no_work_takes_no_replicas_and_more_work_never_fewer():
    assert CURVE.replicas(np.zeros(2)).tolist() == [0.0, 0.0]
    assert (np.diff(CURVE.replicas(np.geomspace(0.01, 1e4, 200))) > 0).all()


def test_corrections_move_the_curve_and_stay_beyond_their_ends():
    moved = CURVE.corrected([Correction(load=100.0, factor=1.5), Correction(load=1.0, factor=0.5)])
    at = np.array([0.5, 1.0, 10.0, 100.0, 500.0])

    assert moved.replicas(at) / CURVE.replicas(at) == pytest.approx([0.5, 0.5, 1.0, 1.5, 1.5])


def test_slo_out_of_reach_has_no_curve_and_says_why():
    assert slo_curve(Hopeless(), np.array([1.0]), request_s=1.0) is None
    assert "of only 80.0% of the requests in time" in out_of_reach(Queue(), 0.8)
    assert "with any number of replicas" in out_of_reach(Queue(), 1.0)
    assert isinstance(CURVE, SloCurve)
