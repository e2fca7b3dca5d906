import numpy as np
import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.choice.pools import part_of, planned_replicas
from sizing.fleet import plan_fleet
from sizing.profile import Slo, replica_profile

PROFILE = replica_profile(
    load_models()["llama-3.1-70b"],
    load_gpus()["h100"],
    tp=2,
    precision="fp8",
    kv_precision="fp8",
    slo=Slo(tpot_s=0.06),
    prompt_tok=1_500,
    cached_prompt_tok=0,
    output_tok=300,
)


@pytest.mark.parametrize("category", ["online", "batch"])
def test_the_whole_as_a_part_is_the_fleet_itself(worlds, category):
    demand, traffic = worlds()
    fleet = plan_fleet(demand, traffic, PROFILE, category=category)
    part = part_of(fleet, PROFILE, 1.0)

    assert (part.need_gpus == fleet.need_gpus).all()
    assert (part.hourly_gpus() == fleet.hourly_gpus()).all()


def test_parts_together_never_take_less_than_the_whole(worlds):
    """Bursts of a part are relatively larger, and each part has its spare."""
    demand, traffic = worlds()
    fleet = plan_fleet(demand, traffic, PROFILE, category="online")
    parts = [part_of(fleet, PROFILE, share) for share in (0.3, 0.7)]

    assert (sum(p.need_gpus for p in parts) >= fleet.need_gpus).all()
    assert (sum(p.hourly_gpus() for p in parts) >= fleet.hourly_gpus()).all()


@pytest.mark.parametrize("category", ["online", "batch"])
def test_planned_replicas_round_up_to_the_planned_gpus(worlds, category):
    demand, traffic = worlds()
    fleet = plan_fleet(demand, traffic, PROFILE, category=category)
    replicas = planned_replicas(fleet, 30)

    assert np.ceil(round(replicas, 9)) * 2 + fleet.spare_gpus == fleet.horizons[0].gpus_p80
