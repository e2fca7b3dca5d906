from dataclasses import replace

import pytest
from example.slo import slo_check_of

from reports.slo import OPTIMISTIC, seconds, slo_bounds, slo_sentence


@pytest.fixture
def missed(report):
    return report.workloads[0].slo_check


@pytest.fixture
def held(report):
    return report.workloads[1].slo_check


def test_promise_reads_as_it_was_made(missed):
    assert slo_bounds(missed) == "TTFT 1 s, TPOT 40 ms at p99"
    assert slo_bounds(replace(missed, ttft_s=None, percentile=0.999)) == "TPOT 40 ms at p99.9"
    assert seconds(None) == "never"


def test_a_fleet_that_misses_is_told_how_many_more_and_that_the_page_stays(missed):
    said = slo_sentence(missed)

    assert f"the simulator asks 2 more ({missed.fewest.gpus} GPUs)" in said
    assert "dollars on this page are as planned" in said
    assert f"With {missed.fewer.replicas} the SLO does not hold." in said


def test_a_fleet_with_room_to_spare_says_what_would_do(held):
    said = slo_sentence(held)

    assert "hold the SLO. So would" in said
    assert f"So would {held.fewest.replicas} replicas, and one fewer would not." in said


def test_what_cannot_be_held_says_why_and_asks_for_no_number_of_replicas(missed):
    out_of_reach = replace(missed, alone=0.9, fewest=None, fewer=None)
    searched = replace(missed, fewest=None, fewer=None, tried=40)

    assert "only 90% of the requests comes in time" in slo_sentence(out_of_reach)
    assert "so do all fleets up to 40 replicas" in slo_sentence(searched)


def test_every_sentence_says_that_the_simulator_is_optimistic(missed, held):
    alone = replace(held, fewest=replace(held.planned, replicas=1), fewer=None)

    for check in (missed, held, alone, replace(missed, alone=0.5, fewest=None)):
        assert slo_sentence(check).endswith(OPTIMISTIC)


def test_example_has_one_of_each(report):
    fleet = report.workloads[0].horizons[0].fleets[0]

    assert not slo_check_of(fleet, holds=False).planned.holds
    assert slo_check_of(fleet, holds=True).planned.holds
