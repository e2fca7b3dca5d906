import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.profile import ReplicaProfile, Slo, replica_profile


@pytest.fixture(scope="session")
def profile() -> ReplicaProfile:
    """Llama-3.1-70B in fp8 on two H100s, at 1,500 + 300 tokens."""
    return replica_profile(
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
