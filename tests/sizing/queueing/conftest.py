import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.profile import ReplicaProfile, Slo, replica_profile

SLO = Slo(ttft_s=2.0, tpot_s=0.05)


@pytest.fixture(scope="session")
def slo() -> Slo:
    return SLO


@pytest.fixture(scope="session")
def small() -> ReplicaProfile:
    """One H100 with an 8B model, at the lengths of `worlds`."""
    return replica_profile(
        load_models()["llama-3.1-8b"],
        load_gpus()["h100"],
        tp=1,
        precision="fp8",
        kv_precision="fp8",
        slo=SLO,
        prompt_tok=1_500,
        cached_prompt_tok=0,
        output_tok=300,
    )
