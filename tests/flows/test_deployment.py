import pytest

from flows.deployment import deployment_of
from flows.settings import PowerSettings


def made(walked, n=0, gpu=None, **power):
    plan = walked["plan"]
    settings = plan.settings.model_copy(update={"power": PowerSettings(**power)})
    plan = plan.model_copy(update={"settings": settings})
    sized = walked["sized"][n]
    gpu = gpu or next(each.gpu for each in sized if each.fleet is not None)
    return deployment_of(
        plan, walked["facts"], settings.workloads[n], walked["outlooks"][n].demand, sized, gpu, chosen=True
    )


def test_the_bill_is_the_fleet_that_is_planned(walked):
    found = made(walked)
    fleet = next(each.fleet for each in walked["sized"][0] if each.gpu == found.gpu)

    assert [h.bill.gpus for h in found.horizons] == [h.gpus_p80 for h in fleet.horizons]
    assert found.engine.command.startswith("vllm serve meta-llama/")
    assert max(found.bounds.maximum) * fleet.profile.gpus <= fleet.need_gpus[:, :30].max()


def test_carbon_follows_what_the_plan_states(walked):
    bare, stated = made(walked), made(walked, host_w_per_gpu=100, pue=1.25, carbon_g_per_kwh=400)
    energy = stated.horizons[0].energy

    assert bare.horizons[0].energy.carbon_kg is None
    assert energy.carbon_kg == pytest.approx(energy.it_kwh * 1.25 * 0.4)


def test_a_gpu_that_cannot_serve_has_no_deployment(walked):
    assert made(walked, gpu="no such gpu") is None


def test_every_hosted_workload_of_the_page_has_a_deployment(planned):
    _, outcome = planned

    for workload in outcome.report.workloads:
        assert workload.deployment is not None
        assert workload.deployment.gpu == workload.horizons[0].chosen_gpu
        assert workload.deployment.chosen == (workload.horizons[0].decision.gpu is not None)
