from collections.abc import Callable

import pytest

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.profile import ReplicaProfile, Slo, replica_profile


@pytest.fixture(scope="session")
def profiled() -> Callable[..., ReplicaProfile]:
    """Return a maker of replicas: Llama-3.1-70B in fp8 on two H100s where nothing else is said."""

    def make(model: str = "llama-3.1-70b", gpu: str = "h100", **changes: object) -> ReplicaProfile:
        asked = {
            "tp": 2,
            "precision": "fp8",
            "kv_precision": "fp8",
            "slo": Slo(),
            "prompt_tok": 1_500,
            "cached_prompt_tok": 0,
            "output_tok": 300,
        }
        return replica_profile(load_models()[model], load_gpus()[gpu], **(asked | changes))

    return make
