from pathlib import Path

from data.ingest import ingest_logs
from data.manifest import FileRecord, file_id_of, is_current, known_file

RECORD = FileRecord(
    file_id="f", path="/x", source_label="l", format="canonical", size_bytes=1, sha256="s", mapping_sha256=""
)


def test_a_file_is_known_by_content_label_format_and_options_and_not_by_its_path(store, write_csv, now):
    path = write_csv("a.csv", [{"arrived_utc": "2026-11-01", "prompt_tok": 1, "output_tok": 1}])
    ingest_logs(store, [path], now=now, label="l")
    ((sha256, file_id),) = store.con.execute("SELECT sha256, file_id FROM file_manifest").fetchall()

    def known(**changed: str) -> bool:
        values = {"sha256": sha256, "source_label": "l", "format": "canonical", "mapping_sha256": "", **changed}
        record = FileRecord(file_id="other", path="/elsewhere", size_bytes=0, **values)
        return known_file(store, record) is not None

    assert known()
    for changed in ("sha256", "source_label", "format", "mapping_sha256"):
        assert not known(**{changed: "another"})
    assert is_current(store, file_id)
    assert not is_current(store, "f")


def test_the_id_of_a_file_is_its_path_and_label():
    assert file_id_of(Path("a"), "l") == file_id_of(Path("./a").absolute(), "l")
    assert len({file_id_of(Path(p), label) for p in ("a", "b") for label in ("l", "m")}) == 4
    assert RECORD.content == ("s", "l", "canonical", "")


def test_the_manifest_counts_what_was_read(store, write_csv, now):
    rows = [{"arrived_utc": f"2026-11-01T00:00:{n:02}Z", "prompt_tok": n - 1, "output_tok": 1} for n in range(30)]
    ingest_logs(store, [write_csv("a.csv", rows)], now=now)

    found = store.con.execute(
        "SELECT rows_read, rows_new, rows_duplicate, rows_rejected, first_utc, last_utc, ingested_utc, status"
        " FROM file_manifest"
    ).fetchall()

    assert found[0][:4] == (30, 29, 0, 1)
    assert [moment.second for moment in found[0][4:6]] == [1, 29]
    assert found[0][6:] == (now, "done")
