from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.ingest import FileResult, ingest_logs
from data.warehouse import Store

START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def take(tmp_path: Path, store: Store, now: datetime) -> Callable[..., FileResult]:
    """Ingest a log of this content, with every option that a format may need."""

    def ingest(content: str, **options: object) -> FileResult:
        path = tmp_path / "log"
        path.write_text(content, "utf-8")
        return ingest_logs(store, [path], now=now, **{"start": START, "max_rejected_share": 0.9, **options}).files[
            0
        ]

    return ingest


@pytest.fixture
def stored(store: Store) -> Callable[[str], list[tuple]]:
    """Return some columns of what the store holds, in the order of arrival."""
    return lambda columns: store.con.execute(f"SELECT {columns} FROM requests ORDER BY arrived_utc").fetchall()
