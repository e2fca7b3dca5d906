import math

import numpy as np
import pytest

from sizing.queueing.states import Server, states, stationary


def test_constant_service_is_m_m_c():
    c, rho = 4, 0.8
    n = np.arange(400)
    probability = stationary(c * rho, np.minimum(n, c).astype(float))
    a = c * rho
    top = a**c / math.factorial(c) / (1 - rho)
    erlang_c = top / (sum(a**k / math.factorial(k) for k in range(c)) + top)

    assert probability[c:].sum() == pytest.approx(erlang_c, rel=1e-9)


def server(ceiling=64):
    batch = np.arange(1.0, ceiling + 1)
    step = 0.01 + 0.0002 * batch
    return Server(batch=batch, step_s=step, rate_per_s=batch / (200 * step))


def test_more_replicas_hold_less_and_bursts_hold_more():
    few = states(server(), replicas=4, requests_per_s=40.0)
    many = states(server(), replicas=5, requests_per_s=40.0)
    bursts = states(server(), replicas=5, requests_per_s=40.0, peakedness=5.0)

    assert (many.batch <= few.batch).all()
    assert bursts.batch[-1] > many.batch[-1]
    assert many.weight.sum() == pytest.approx(1.0)


def test_fleet_that_never_catches_up_has_no_states():
    assert states(server(), replicas=1, requests_per_s=1e6) is None
