"""What stands beside the example's workloads: quality, assumptions, provenance."""

from datetime import UTC, date, datetime

from data.catalog.prices import GpuOffer
from data.traffic import DataQuality
from example.common import GPUS
from reports.budget import (
    Assumption,
    Provenance,
)


def data_quality() -> DataQuality:
    return DataQuality(
        since=date(2026, 5, 27),
        until=date(2026, 11, 22),
        files=182,
        rows_read=214_300_118,
        rows_duplicate=1_204,
        rows_rejected=318_207,
        requests=213_980_707.0,
        failed_requests=1_048_332.0,
        missing_tok_requests=90_412.0,
        throttled_requests=534_950.0,
        gap_days=1,
        rejected_by_reason={"prompt_tok is not a number": 318_112, "time lies before 2000": 95},
    )


def assumption_rows() -> list[Assumption]:
    return [
        Assumption(
            name="utilisation",
            value="0.7 of a replica's steady throughput",
            source="plan.toml",
            sensitivity="At 0.6 the fleets grow by 17%; at 0.8 they shrink by 12%.",
        ),
        Assumption(
            name="token_ratio of code-agents",
            value="1.0",
            source="unknown tokenizer",
            sensitivity="A ratio of 1.15 adds 15% to tokens, work and API cost.",
        ),
        Assumption(
            name="nightly-classification demand",
            value="410,000 requests a day",
            source="plan.toml",
            sensitivity="Cost moves in proportion.",
        ),
    ]


def provenance_of() -> Provenance:
    return Provenance(
        run_id="20261123T060000-1f2e3d4c",
        generated_utc=datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
        version="0.1.0",
        input_digest="5b1d" * 16,
        config_sha256="a0c4" * 16,
        store_sha256="77e2" * 16,
        catalog_sha256="09fd" * 16,
        calibration="1,574 measured points, median error 14%",
        seed=20261123,
        paths=400,
        libraries={"duckdb": "2.0.0", "numpy": "2.4.6", "statsmodels": "0.15.0"},
        prices=[
            GpuOffer(gpu=gpu, term="on-demand", usd_per_gpu_hour_low=rate * 0.75, usd_per_gpu_hour_high=rate * 1.3,
                     provider="several", source="https://example.org/gpu-prices", checked=date(2026, 11, 20),
                     price_source="planning-table")
            for gpu, (_, _, rate) in GPUS.items()
        ],
        files=["2026-11-22.jsonl", "2026-11-21.jsonl", "…and 180 more"],
    )  # fmt: skip
