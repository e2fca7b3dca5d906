import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.warehouse import Store, open_store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb", write=True, now=NOW) as opened:
        yield opened


@pytest.fixture
def shared_traffic() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "traffic"
    if not folder.is_dir():
        pytest.skip(f"the reference traces are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def write_rows() -> Callable[[Path, list[dict[str, object]]], Path]:
    """Write rows as a CSV file of their own keys."""

    def write(path: Path, rows: list[dict[str, object]]) -> Path:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


@pytest.fixture
def write_csv(tmp_path: Path, write_rows) -> Callable[..., Path]:
    """Write rows as a CSV file in the test's folder."""
    return lambda name, rows: write_rows(tmp_path / name, rows)
