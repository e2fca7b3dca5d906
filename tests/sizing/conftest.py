from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.catalog.gpus import Gpu, load_gpus
from data.catalog.models import ModelShape, load_models


@pytest.fixture(scope="session")
def models() -> dict[str, ModelShape]:
    return load_models()


@pytest.fixture(scope="session")
def gpus() -> dict[str, Gpu]:
    return load_gpus()


@pytest.fixture(scope="session")
def measured_table() -> pd.DataFrame:
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "measured_serving.csv"
    if not path.exists():
        pytest.skip(f"{path} with the measured serving points is not on this machine")
    return pd.read_csv(path)


@pytest.fixture(scope="session")
def made_up_table() -> pd.DataFrame:
    """Return 96 points of two sweeps a setting, made by a law that the roofline can follow, with 5% noise."""
    rng = np.random.default_rng(20261123)
    rows = []
    for model, gpu, precision in (("llama-3.1-8b", "h100", "bf16"), ("llama-3.1-70b", "h200", "fp8")):
        for tp in (2, 4):
            for isl, osl in ((1024, 1024), (8192, 1024)):
                series = f"{model}-{tp}-{isl}"
                for clients in (1, 4, 8, 16, 32, 64):
                    tpot_ms = (8 + 0.1 * clients * (1 + isl / 4096)) * (2 if "70b" in model else 1) / tp**0.7
                    tpot_ms *= rng.lognormal(0, 0.05)
                    ttft_ms = (40 + isl / 40 / tp) * rng.lognormal(0, 0.05)
                    rate = clients * osl / ((ttft_ms + tpot_ms * (osl - 1)) / 1e3)
                    row = {
                        "model": model,
                        "gpu": gpu,
                        "n_gpus": tp,
                        "tp": tp,
                        "weight_precision": precision,
                        "isl": isl,
                        "osl": osl,
                    }
                    row |= {
                        "row_id": f"m{len(rows)}",
                        "framework": "vllm",
                        "load": "closed_loop",
                        "concurrency": clients,
                    }
                    row |= {
                        "series": series,
                        "ttft_ms": ttft_ms,
                        "tpot_ms": tpot_ms,
                        "output_tok_s": rate,
                        "tput_derived": 1,
                    }
                    rows.append(row | {"len_note": "fixed"})
    return pd.DataFrame(rows)
