import numpy as np
import pytest

from sizing.queueing.first_token import GRID, Prompts, _bursts, _histogram, _queue, _uniform
from sizing.queueing.states import CUTS

CELL_S = 0.01
RANK = (CUTS[1:] + CUTS[:-1]) / 2


def prompts(work_s, weight):
    work_s, weight = np.array(work_s), np.array(weight)
    return Prompts(
        cell_s=CELL_S,
        work=_histogram(work_s, weight, CELL_S),
        alone=_histogram(work_s, weight, CELL_S),
        mean_s=float(weight @ work_s),
        square_s2=float(weight @ work_s**2),
        more_chunks=0.0,
        chunk_s=1.0,
    )


@pytest.mark.parametrize(("work_s", "weight"), [([0.2], [1.0]), ([0.1, 0.5], [0.75, 0.25])])
@pytest.mark.parametrize("load", [0.2, 0.5, 0.8])
def test_prompts_without_decode_steps_wait_as_pollaczek_and_khinchine_say(work_s, weight, load):
    asked = prompts(work_s, weight)

    wait = _queue(asked, load / asked.mean_s, step_s=0.0, burst_s=1.0)

    mean_s = float(wait @ np.arange(GRID)) * CELL_S
    expected = load / (1 - load) * asked.square_s2 / (2 * asked.mean_s)
    # what is left of a prompt under way is counted from the start of its cell: half a cell of each is missing
    assert mean_s == pytest.approx(expected, rel=0.01, abs=CELL_S / 2 * load / (1 - load) + 1e-3)
    assert wait.sum() == pytest.approx(1.0)


def test_wait_grows_with_the_decode_steps_that_prompts_share():
    asked = prompts([0.2], [1.0])
    means = [float(_queue(asked, 2.0, step_s=s, burst_s=1.0) @ np.arange(GRID)) for s in (0.0, 0.1, 0.4)]

    assert means == sorted(means)
    assert means[0] < means[2]


def test_bursts_rise_with_the_fleets_fullness_and_vanish_without_scatter():
    assert (_bursts(RANK, 0.0) == 1).all()
    assert (np.diff(_bursts(RANK, 0.5)) > 0).all()
    # seen by arrivals, a rate of variance v is 1 + v on average
    assert _bursts(RANK, 0.5) @ np.diff(CUTS) == pytest.approx(1.5)


def test_a_histogram_keeps_mean_and_mass():
    cells = _histogram(np.array([0.123, 0.456]), np.array([0.5, 0.5]), CELL_S)

    assert cells.sum() == pytest.approx(1.0)
    assert cells @ np.arange(GRID) * CELL_S == pytest.approx((0.123 + 0.456) / 2)
    assert _uniform(0.05, CELL_S)[:6].tolist() == pytest.approx([0.2] * 5 + [0.0])
