from flows.sides import NO_SIDES, weigh
from flows.windowed import read_requests


def test_what_stands_beside_a_plan_is_on_the_gpu_that_hosts_it(planned, walked):
    plan, n = walked["plan"], 1
    requests = read_requests(plan, walked["outlooks"][n].demand.as_of)
    args = (walked["facts"], plan.settings.workloads[n], walked["past"].traffic[n], requests[n])
    sides = weigh(plan, *args, walked["outlooks"][n].demand, walked["sized"][n], walked["priced"][n])

    assert sides.windowed.gpu == sides.deployment.gpu
    assert sides.windowed == planned[1].report.workloads[n].windowed
    assert sides.deployment == planned[1].report.workloads[n].deployment
    assert NO_SIDES.windowed is NO_SIDES.deployment is None
