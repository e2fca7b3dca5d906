"""What the page rests on: assumptions, versions, hashes."""

from dataclasses import dataclass
from datetime import datetime

from data.catalog.prices import GpuOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What is assumed rather than known, and what it does to the answer."""

    name: str
    value: str
    source: str
    sensitivity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What this page was made from; `generated_utc` and `run_id` are the run stamp, the rest repeats."""

    run_id: str
    generated_utc: datetime
    version: str
    input_digest: str
    config_sha256: str
    store_sha256: str
    catalog_sha256: str
    calibration: str
    seed: int
    paths: int
    libraries: dict[str, str]
    prices: list[GpuOffer]
    files: list[str]
