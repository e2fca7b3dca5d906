import pytest

from sizing.queueing.simulated import Attained, fewest_that_hold


def fleet(needed):
    def attained(replicas):
        return Attained(
            replicas=replicas, holds=replicas >= needed, ttft_s=1.0, tpot_s=0.04, within=0.99, goodput_per_s=1.0,
            requests=1, unfinished=0, preemptions=0, busy=0.5,
        )  # fmt: skip

    return attained


@pytest.mark.parametrize("start", [1, 5, 12, 17, 40])
@pytest.mark.parametrize("needed", [1, 2, 12, 33])
def test_search_ends_at_the_fewest_that_hold_wherever_it_starts(start, needed):
    held, fewer, runs = fewest_that_hold(start, fleet(needed))
    if needed > 4 * start + 2:
        assert not held.holds
    else:
        assert held.replicas == needed
        assert (fewer is None) if needed == 1 else fewer.replicas == needed - 1
    assert runs <= 16
