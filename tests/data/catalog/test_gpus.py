"""Accelerators: data-sheet values, the planning table beside them, and names that do not exist."""

import csv
from pathlib import Path

import pytest

from data.catalog.gpus import find_gpu, load_gpus
from data.errors import UserError

GPUS = load_gpus()
SHARED = Path(__file__).parents[3].parent / "shared" / "data"


@pytest.mark.parametrize(
    ("name", "memory_gb", "tb_per_s"),
    [
        ("b200", 192, 8.0),
        ("h200", 141, 4.8),
        ("h100", 80, 3.3),
        ("a100-80gb", 80, 2.0),
        ("l40s", 48, 0.86),
        ("mi355x", 288, 6.0),
    ],
)
def test_the_planning_table_is_kept_as_it_was_printed(name, memory_gb, tb_per_s):
    gpu = GPUS[name]

    assert gpu.planning_memory_bytes == memory_gb * 10**9
    assert gpu.planning_memory_bytes_per_s == pytest.approx(tb_per_s * 1e12)


def test_only_the_six_of_the_planning_table_have_planning_values():
    assert sum(gpu.planning_memory_bytes is not None for gpu in GPUS.values()) == 6


@pytest.mark.parametrize(
    ("name", "bytes_per_s"),
    [("h100", 3.35e12), ("mi355x", 8e12), ("b200", 7.7e12), ("a100-80gb", 2.039e12), ("l40s", 0.864e12)],
)
def test_the_data_sheet_stands_where_the_planning_table_differs(name, bytes_per_s):
    gpu = GPUS[name]

    assert gpu.memory_bytes_per_s == bytes_per_s
    assert gpu.memory_bytes_per_s != gpu.planning_memory_bytes_per_s


def test_the_visible_memory_is_what_the_driver_shows_where_that_is_known():
    assert GPUS["h100"].visible_bytes == 81_559 * 1024**2
    assert GPUS["mi355x"].usable_bytes is None
    assert GPUS["mi355x"].visible_bytes == 288 * 10**9


@pytest.mark.parametrize("name", sorted(GPUS))
def test_the_driver_never_shows_much_more_or_less_than_the_data_sheet(name):
    gpu = GPUS[name]

    assert 0.95 < gpu.visible_bytes / gpu.memory_bytes < 1.08


def test_a_rate_that_the_chip_lacks_is_none_and_int4_runs_as_bf16():
    a100, h100 = GPUS["a100-80gb"], GPUS["h100"]

    assert a100.flop_per_s("fp8") is None
    assert h100.flop_per_s("fp4") is None
    assert h100.flop_per_s("fp8") == 1.979e15
    assert h100.flop_per_s("int8") == 1.979e15
    assert h100.flop_per_s("int4") == h100.flop_per_s("bf16") == 9.89e14
    assert GPUS["b200"].flop_per_s("fp4") == 9e15


def test_an_unknown_gpu_is_answered_with_the_nearest_names():
    with pytest.raises(UserError, match=r"No GPU is called 'h10'; did you mean h100 or"):
        find_gpu(GPUS, "h10")
    with pytest.raises(
        UserError, match=r"No GPU is called 'quantum'; known are a100-40gb, a100-80gb, a10g, b200,"
    ):
        find_gpu(GPUS, "quantum")
    assert find_gpu(GPUS, " H100 ").name == "h100"


@pytest.mark.parametrize("file", ["measured_serving.csv", "gpu_catalog.csv"])
def test_every_gpu_of_the_reference_data_is_here(file):
    path = SHARED / file
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    with path.open(newline="") as lines:
        names = {row.get("gpu") or row["id"] for row in csv.DictReader(lines)}

    assert names - set(GPUS) == set()
