from flows.sides import NO_SIDES


def test_what_stands_beside_a_plan_is_on_the_gpu_that_hosts_it(planned):
    _, outcome = planned

    for workload in outcome.report.workloads:
        hosting = workload.horizons[0].chosen_gpu
        assert workload.windowed.gpu == workload.deployment.gpu == hosting


def test_a_page_of_before_has_neither():
    assert NO_SIDES.windowed is NO_SIDES.deployment is None
