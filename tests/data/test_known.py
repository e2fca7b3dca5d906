from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import sources
from data.errors import UserError
from data.formats import canonical
from data.formats.contract import Options
from data.ingest import ingest_logs
from data.sources import find_units
from data.warehouse import Store

WriteCsv = Callable[[str, list[dict[str, object]]], Path]
ROW = {"request_id": "a", "arrived_utc": "2026-11-01T06:00:00Z", "prompt_tok": 10, "output_tok": 1}


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """Return a log whose rows state their label, which only reading them can tell."""
    path = tmp_path / "logs" / "day.parquet"
    path.parent.mkdir()
    pq.write_table(pa.Table.from_pylist([{**ROW, "source_label": "gateway"}]), path)
    return path


def test_of_a_known_log_nothing_is_read_but_its_bytes_for_the_hash(
    parquet: Path, write_csv: WriteCsv, store: Store, now, monkeypatch: pytest.MonkeyPatch
):
    text = write_csv("chat.csv", [ROW])
    first = ingest_logs(store, [parquet, text], now=now)
    for place, name in ((sources, "look_at"), (sources, "recognise"), (canonical, "select")):
        monkeypatch.setattr(place, name, lambda *_: pytest.fail("a known log was looked at"))
    monkeypatch.setattr(canonical, "own_label", lambda _: pytest.fail("the label of a known log was read"))

    again = ingest_logs(store, [parquet, text], now=now)

    assert [(f.status, f.label, f.rows_new) for f in first.files] == [("done", "gateway", 1), ("done", "chat", 1)]
    assert [(f.status, f.label, f.rows_new) for f in again.files] == [
        ("unchanged", "gateway", 1),
        ("unchanged", "chat", 1),
    ]
    assert (again.rows_read, again.rows_new) == (0, 0)


def test_a_byte_that_changed_without_the_size_is_another_content(write_csv: WriteCsv, store: Store, now):
    path = write_csv("chat.csv", [ROW])
    ingest_logs(store, [path], now=now)
    size_bytes = path.stat().st_size
    path = write_csv("chat.csv", [{**ROW, "prompt_tok": 20}])

    (file,) = ingest_logs(store, [path], now=now).files

    assert (path.stat().st_size, file.status) == (size_bytes, "replaced")
    assert store.con.execute("SELECT prompt_tok FROM requests").fetchall() == [(20,)]


def test_a_log_keeps_its_label_unless_another_is_given(write_csv: WriteCsv, store: Store, now):
    path = write_csv("chat.csv", [ROW])
    ingest_logs(store, [path], now=now, label="one")

    for given, status in ((None, "unchanged"), ("one", "unchanged"), ("two", "done"), ("two", "unchanged")):
        (file,) = ingest_logs(store, [path], now=now, label=given).files
        assert (file.status, file.label) == (status, given or "one")


def test_a_log_with_two_labels_and_none_given_is_looked_at_as_ever(write_csv: WriteCsv, store: Store, now):
    path = write_csv("chat.csv", [ROW])
    for label in ("one", "two"):
        ingest_logs(store, [path], now=now, label=label)

    (file,) = ingest_logs(store, [path], now=now).files

    assert (file.status, file.label) == ("done", "chat")


def test_another_format_or_mapping_is_another_reading(write_csv: WriteCsv, store: Store, now, tmp_path: Path):
    path = write_csv("chat.csv", [ROW])
    mapping = tmp_path / "map.toml"
    columns = '[columns]\narrived_utc = "arrived_utc"\nprompt_tok = "prompt_tok"\noutput_tok = "output_tok"\n'
    mapping.write_text(columns)
    ingest_logs(store, [path], now=now)

    statuses = [ingest_logs(store, [path], now=now, mapping=mapping).files[0].status for _ in range(2)]
    mapping.write_text(columns + 'request_id = "request_id"\n')
    statuses += [ingest_logs(store, [path], now=now, mapping=mapping).files[0].status for _ in range(2)]

    assert statuses == ["replaced", "unchanged"] * 2
    with pytest.raises(UserError, match="does not have the columns of burstgpt"):
        ingest_logs(store, [path], now=now, format="burstgpt")


def test_without_a_store_every_log_is_looked_at(parquet: Path, store: Store, now):
    ingest_logs(store, [parquet], now=now)

    (looked_at,) = find_units([parquet], None, None, Options())
    (known,) = find_units([parquet, parquet], None, None, Options(), store=store)

    assert isinstance(looked_at, sources.RequestUnit)
    assert isinstance(known, sources.KnownUnit)
