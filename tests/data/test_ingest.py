import hashlib
import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import manifest
from data.errors import UserError
from data.ingest import FileRefusedError, ingest_logs
from data.tables import COUNTED_TABLES
from data.warehouse import Store, open_store

START = datetime(2026, 1, 5, tzinfo=UTC)


def rows_of(day: int, ids: str, tok: int = 10) -> list[dict[str, object]]:
    return [
        {"request_id": i, "arrived_utc": f"2026-11-{day:02}T06:00:0{n}Z", "prompt_tok": tok, "output_tok": 1}
        for n, i in enumerate(ids)
    ]


def contents(store: Store) -> dict[str, str]:
    """Return a digest of every table that the lake gives, and of the lake itself."""
    found = {}
    for table in COUNTED_TABLES:
        columns = "* EXCLUDE (ingested_utc)" if table == "file_manifest" else "*"
        rows = store.con.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()
        found[table] = hashlib.sha256(repr(rows).encode()).hexdigest()
    lake = sorted(p.relative_to(store.lake).as_posix() for p in store.lake.glob("requests/*/*.parquet"))
    return {**found, "lake": ",".join(lake)}


def ids(store: Store) -> str:
    return "".join(row[0] for row in store.con.execute("SELECT request_id FROM requests ORDER BY 1").fetchall())


def test_every_reference_trace_goes_in_with_all_its_rows_and_a_second_time_changes_nothing(
    shared_traffic: Path, store: Store, now
):
    logs = [
        shared_traffic / "llm_azure2023_conv.csv.gz",
        shared_traffic / "llm_mooncake_conversation.jsonl.gz",
        shared_traffic / "llm_servegen_m_large_clients_10min.parquet",
        shared_traffic / "llm_servegen_mm_image_tokens_6h.csv",  # its rates are found beside it
    ]

    first = ingest_logs(store, logs, now=now, start=START)

    read = {file.path.name: file.rows_read for file in first.files}
    assert read == {
        "llm_azure2023_conv.csv.gz": 19_366,
        "llm_mooncake_conversation.jsonl.gz": 12_031,
        "llm_servegen_m_large_clients_10min.parquet": 99_839,
        "llm_servegen_m_large_tokens_6h.csv": 112,
        "llm_servegen_mm_image_clients_10min.parquet": 2_094,
        "llm_servegen_mm_image_tokens_6h.csv": 12,
    }
    assert (first.rows_new, first.rows_rejected) == (sum(read.values()), 0)
    before = contents(store)

    second = ingest_logs(store, logs, now=now, start=START)

    assert {file.status for file in second.files} == {"unchanged"}
    assert (second.rows_read, second.rows_new) == (0, 0)
    assert contents(store) == before


def test_bad_rows_are_named_by_line_and_the_good_ones_stay(tmp_path: Path, store: Store, now):
    good = "2026-11-01 00:00:00,5,5\n"
    path = tmp_path / "log.csv"
    path.write_text(
        "arrived_utc,prompt_tok,output_tok\n"  # line 1
        + good * 200
        + '2026-11-01 00:00:01,"1\n2",5\n'  # lines 202 and 203: a quoted line break
        + "yesterday,5,5\n"  # line 204
        + "1970-01-01 00:00:00,5,5\n"
        + "2126-01-01 00:00:00,5,5\n"
        + "2026-11-01 00:00:00,-5,5\n"
        + "2026-11-01 00:00:00,5,100000001\n"
        + "2026-11-01 00:00:00,5.5,5\n"
        + "2026-11-01 00:00:00,5\n"  # line 210
        + "\n"
        + good
        + "2026-11-01 00:00:00,5,5,7\n"  # line 213
    )

    (file,) = ingest_logs(store, [path], now=now).files

    assert (file.rows_read, file.rows_new, file.rows_rejected) == (210, 201, 9)
    assert [(bad.line, bad.reason) for bad in file.rejected] == [
        (202, "prompt_tok is not a whole number"),
        (204, "the time is missing or cannot be read"),
        (205, "the time lies outside the years 2000 to 2100"),
        (206, "the time lies outside the years 2000 to 2100"),
        (207, "prompt_tok is negative"),
    ]
    assert '"arrived_utc":"yesterday"' in file.rejected[1].excerpt
    rejected = store.con.execute("SELECT line, reason FROM rejected_rows ORDER BY line").fetchall()
    assert rejected[5:] == [
        (208, "more tokens than any request has"),
        (209, "prompt_tok is not a whole number"),
        (210, "2 columns instead of 3"),
        (213, "4 columns instead of 3"),
    ]


def test_bad_lines_of_json_are_named_too(tmp_path: Path, store: Store, now):
    good = '{"arrived_utc": "2026-11-01T00:00:00Z", "prompt_tok": 5, "output_tok": 5}\n'
    path = tmp_path / "log.jsonl"
    path.write_text(good * 100 + '{"arrived_utc": "2026\n' + "\n" + good + "[1]\n" + good.rstrip()[:-9])

    (file,) = ingest_logs(store, [path], now=now).files

    assert [(bad.line, bad.reason) for bad in file.rejected] == [
        (101, "not valid JSON"),
        (104, "the time is missing or cannot be read"),
        (105, "not valid JSON"),
    ]
    assert file.rows_new == 101


def test_bad_rows_of_parquet_are_named_by_their_number(tmp_path: Path, store: Store, now):
    path = tmp_path / "log.parquet"
    tokens = [5] * 60
    tokens[41] = -1
    table = pa.table({"arrived_utc": ["2026-11-01"] * 60, "prompt_tok": tokens, "output_tok": [1] * 60})
    pq.write_table(table, path)

    (file,) = ingest_logs(store, [path], now=now).files

    assert [(bad.line, bad.reason) for bad in file.rejected] == [(42, "prompt_tok is negative")]


def test_an_excerpt_is_short_and_holds_only_what_was_read(tmp_path: Path, store: Store, now):
    path = tmp_path / "log.csv"
    path.write_text(
        "arrived_utc,prompt_tok,output_tok,prompt\n"
        + "2026-11-01,1,1,fine\n" * 30
        + f"{'x' * 900},1,1,my secret\n"
    )

    ingest_logs(store, [path], now=now)

    ((excerpt,),) = store.con.execute("SELECT excerpt FROM rejected_rows").fetchall()
    assert len(excerpt) == 200
    assert "secret" not in excerpt


def test_a_file_of_mostly_bad_rows_is_refused_whole_after_the_others_are_stored(write_csv, store: Store, now):
    bad = write_csv("bad.csv", [*rows_of(1, "ab"), *rows_of(1, "cd", tok=-1)])
    good = write_csv("good.csv", rows_of(2, "xy"))

    with pytest.raises(
        FileRefusedError, match=r"bad.csv was refused whole: 2 of its 4 rows .* first in line 4"
    ) as refused:
        ingest_logs(store, [bad, good], now=now)

    assert [file.status for file in refused.value.summary.files] == ["refused", "done"]
    assert ids(store) == "xy"
    assert store.con.execute("SELECT count(*) FROM rejected_rows").fetchall() == [(0,)]
    assert ingest_logs(store, [bad], now=now, max_rejected_share=0.5).files[0].rows_new == 2


@pytest.mark.parametrize(("share", "stored"), [(0.05, True), (0.0, False)])
def test_one_bad_row_of_a_short_file_passes_unless_none_may(
    write_csv, store: Store, now, share: float, stored: bool
):
    path = write_csv("log.csv", [*rows_of(1, "ab"), *rows_of(2, "c", tok=-1)])

    if stored:
        assert ingest_logs(store, [path], now=now, max_rejected_share=share).rows_new == 2
    else:
        with pytest.raises(FileRefusedError):
            ingest_logs(store, [path], now=now, max_rejected_share=share)


def test_a_file_of_nothing_but_bad_rows_is_refused(write_csv, store: Store, now):
    with pytest.raises(FileRefusedError):
        ingest_logs(store, [write_csv("log.csv", rows_of(1, "a", tok=-1))], now=now)


def test_a_changed_file_replaces_what_it_was_and_its_days(write_csv, store: Store, now):
    ingest_logs(store, [write_csv("log.csv", [*rows_of(1, "ab"), *rows_of(2, "c")])], now=now)

    (file,) = ingest_logs(store, [write_csv("log.csv", [*rows_of(2, "de"), *rows_of(3, "f")])], now=now).files

    assert (file.status, file.rows_new) == ("replaced", 3)
    assert ids(store) == "def"
    days = store.con.execute(
        "SELECT CAST(minute_utc AS DATE), sum(requests) FROM rollup_minute GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [(day.day, count) for day, count in days] == [(2, 2), (3, 1)]
    assert len(list(store.lake.glob("requests/*/*.parquet"))) == 2
    statuses = store.con.execute("SELECT status FROM file_manifest ORDER BY 1").fetchall()
    assert statuses == [("done",), ("replaced",)]


def test_a_copy_of_a_known_file_counts_nothing_twice(write_csv, store: Store, now, tmp_path: Path):
    path = write_csv("log.csv", [{"arrived_utc": "2026-11-01", "prompt_tok": 1, "output_tok": 1}])
    copy = Path(shutil.copy(path, tmp_path / "copy.csv"))

    summary = ingest_logs(store, [path, copy], now=now, label="one")

    assert [file.status for file in summary.files] == ["done", "unchanged"]
    assert ingest_logs(store, [copy], now=now, label="one").files[0].status == "unchanged"
    assert ingest_logs(store, [copy], now=now, label="two").files[0].status == "done"


def test_another_start_is_another_content(tmp_path: Path, store: Store, now):
    path = tmp_path / "m.jsonl"
    path.write_text('{"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": []}\n')
    ingest_logs(store, [path], now=now, start=START)

    (file,) = ingest_logs(store, [path], now=now, start=datetime(2026, 2, 2, tzinfo=UTC)).files

    assert file.status == "replaced"
    assert store.con.execute("SELECT arrived_utc FROM requests").fetchall() == [
        (datetime(2026, 2, 2, tzinfo=UTC),)
    ]


def test_requests_that_two_files_hold_count_once_and_are_reported(write_csv, store: Store, now):
    first = write_csv("a.csv", rows_of(1, "abc"))
    second = write_csv("b.csv", [*rows_of(1, "bcd", tok=99), *rows_of(2, "a")])

    summary = ingest_logs(store, [first, second], now=now, label="one")

    assert [(f.rows_new, f.rows_duplicate) for f in summary.files] == [(3, 0), (2, 2)]
    assert ids(store) == "aabcd"  # the same id on another day is another request
    assert store.con.execute("SELECT sum(requests) FROM rollup_minute").fetchall() == [(5,)]


def test_a_row_hidden_by_a_file_comes_back_when_that_file_changes(write_csv, store: Store, now):
    ingest_logs(store, [write_csv("a.csv", rows_of(1, "abc"))], now=now, label="one")
    ingest_logs(store, [write_csv("b.csv", rows_of(1, "cd"))], now=now, label="one")
    assert ids(store) == "abcd"

    ingest_logs(store, [write_csv("a.csv", rows_of(1, "ab"))], now=now, label="one")

    assert ids(store) == "abcd"
    counts = store.con.execute(
        "SELECT rows_new, rows_duplicate FROM file_manifest WHERE path LIKE '%b.csv'"
    ).fetchall()
    assert counts == [(2, 0)]


def test_the_same_ids_of_different_sources_are_different_requests(write_csv, store: Store, now):
    ingest_logs(store, [write_csv("a.csv", rows_of(1, "ab")), write_csv("b.csv", rows_of(1, "ab"))], now=now)

    assert ids(store) == "aabb"


def test_files_read_at_once_or_one_by_one_in_any_order_give_the_same_rollups(write_csv, tmp_path: Path, now):
    rng = random.Random(5)
    files = [write_csv(f"{n}.csv", rows_of(1 + n % 3, "".join(rng.sample("abcdefgh", 4)))) for n in range(6)]
    found = set()
    for trial in range(3):
        order = rng.sample(files, len(files))
        with open_store(tmp_path / f"{trial}.duckdb", write=True, now=now) as store:
            for batch in [order] if trial == 0 else [[one] for one in order]:
                ingest_logs(store, batch, now=now, label="one")
            parts = contents(store)
            found.add((parts["rollup_minute"], parts["rollup_10s"], parts["token_histogram_daily"]))
    assert len(found) == 1


def test_a_fault_between_the_lake_and_the_commit_leaves_the_store_as_it_was(
    write_csv, tmp_path: Path, now, monkeypatch
):
    path = tmp_path / "s.duckdb"
    with open_store(path, write=True, now=now) as store:
        ingest_logs(store, [write_csv("a.csv", rows_of(1, "ab"))], now=now)
        before = contents(store)
    changed = [write_csv("a.csv", rows_of(1, "xyz")), write_csv("b.csv", rows_of(1, "q"))]

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(manifest, "roll_up", die)
        with pytest.raises(KeyboardInterrupt), open_store(path, write=True, now=now) as store:
            ingest_logs(store, changed, now=now)

    with open_store(path) as store:
        after = contents(store)
        assert ids(store) == "ab"
    assert {**after, "lake": ""} == {**before, "lake": ""}
    assert set(before["lake"].split(",")) < set(after["lake"].split(","))  # left behind, and named by nobody

    with open_store(path, write=True, now=now) as store:
        ingest_logs(store, changed, now=now)
        assert ids(store) == "qxyz"
        assert len(list(store.lake.glob("requests/*/*.parquet"))) == 2


@pytest.mark.parametrize(
    "hostile",
    [
        "it's",
        'say "hi"',
        "'; DROP TABLE file_manifest; --",
        "<script>alert(1)</script>",
        "=cmd()",
        "a\nb",
        "\u202edlo",
    ],
)
def test_hostile_labels_and_names_are_only_text(write_csv, store: Store, now, tmp_path: Path, hostile: str):
    plain = write_csv("log.csv", rows_of(1, "ab"))
    named = plain.rename(tmp_path / (hostile.replace("/", "_") + ".csv"))

    (file,) = ingest_logs(store, [named], now=now, label=hostile).files

    assert (file.label, file.rows_new) == (hostile, 2)
    assert store.con.execute("SELECT DISTINCT source_label FROM rollup_minute").fetchall() == [(hostile,)]


def test_a_folder_is_searched_for_logs_and_lends_them_its_name(write_csv, store: Store, now, tmp_path: Path):
    folder = tmp_path / "chat logs"
    (folder / "2026").mkdir(parents=True)
    write_csv("a.csv", rows_of(1, "a")).rename(folder / "a.csv")
    write_csv("b.csv", rows_of(2, "b")).rename(folder / "2026" / "b.CSV")
    (folder / "notes.txt").write_text("not a log")

    summary = ingest_logs(store, [folder, folder / "a.csv"], now=now)

    assert [(file.path.name, file.label) for file in summary.files] == [
        ("b.CSV", "chat logs"),
        ("a.csv", "chat logs"),
    ]


def test_nothing_is_written_when_a_file_is_missing_or_of_no_known_format(
    write_csv, store: Store, now, tmp_path: Path
):
    good = write_csv("good.csv", rows_of(1, "a"))
    odd = write_csv("odd.csv", [{"when": 1, "what": 2}])

    with pytest.raises(UserError, match="There is no file"):
        ingest_logs(store, [good, tmp_path / "none.csv"], now=now)
    with pytest.raises(UserError, match=r"\(csv: when, what\) is of no format known here"):
        ingest_logs(store, [good, odd], now=now)
    with pytest.raises(UserError, match="No log format is called 'mooncak'; did you mean mooncake"):
        ingest_logs(store, [good], now=now, format="mooncak")
    with pytest.raises(UserError, match="does not have the columns of azure-llm"):
        ingest_logs(store, [good], now=now, format="azure-llm")
    with pytest.raises(UserError, match="does not have the columns of servegen"):
        ingest_logs(store, [good], now=now, format="servegen")
    with pytest.raises(UserError, match="There is no log in"):
        ingest_logs(store, [], now=now)

    assert store.con.execute("SELECT count(*) FROM file_manifest").fetchall() == [(0,)]


def test_a_header_without_rows_is_a_log_of_nothing(tmp_path: Path, store: Store, now):
    path = tmp_path / "log.csv"
    path.write_text("arrived_utc,prompt_tok,output_tok\n")

    (file,) = ingest_logs(store, [path], now=now).files

    assert (file.status, file.rows_read, file.first_utc) == ("done", 0, None)


def test_progress_is_told_and_ends_at_one(write_csv, store: Store, now):
    said: list[tuple[str, float]] = []

    ingest_logs(store, [write_csv("a.csv", rows_of(1, "a"))], now=now, progress=lambda *step: said.append(step))

    assert "a.csv" in said[0][0]
    assert said[-1][1] == 1.0
    assert [share for _, share in said] == sorted(share for _, share in said)


def span(span_id: str, kind: str, tok: object = 1) -> str:
    pairs = {"gen_ai.operation.name": kind, "gen_ai.usage.input_tokens": tok}
    whole = {
        "traceId": "t",
        "spanId": span_id,
        "startTimeUnixNano": "1793512800000000000",
        "attributes": [{"key": key, "value": {"stringValue": str(value)}} for key, value in pairs.items()],
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [whole]}]}]}) + "\n"


def test_rows_that_are_no_requests_are_counted_and_remembered_but_neither_stored_nor_bad(
    tmp_path: Path, store: Store, now
):
    path = tmp_path / "spans.jsonl"
    path.write_text(span("a", "chat") + span("b", "execute_tool") + span("c", "chat", "many") + span("d", "chat"))

    (first,) = ingest_logs(store, [path], now=now, max_rejected_share=0.5).files
    (again,) = ingest_logs(store, [path], now=now).files

    assert (first.rows_read, first.rows_new, first.rows_rejected, first.rows_skipped) == (4, 2, 1, 1)
    assert [(part.reason, part.rows) for part in first.skipped] == [
        ("span of an agent, a tool or a chain, not of a model call", 1)
    ]
    assert (again.status, again.rows_skipped) == ("unchanged", 1)
    assert store.con.execute("SELECT rows_skipped, rows_new FROM file_manifest").fetchall() == [(1, 2)]


def test_rows_that_are_no_requests_do_not_dilute_the_share_of_bad_ones(tmp_path: Path, store: Store, now):
    path = tmp_path / "spans.jsonl"
    tools = "".join(span(f"t{n}", "execute_tool") for n in range(98))
    path.write_text(tools + span("a", "chat", "many") + span("b", "chat", "more") + span("c", "chat"))

    with pytest.raises(FileRefusedError, match="2 of its 3 rows cannot be used"):
        ingest_logs(store, [path], now=now)


def test_a_log_of_nothing_but_other_rows_is_read_and_holds_no_request(tmp_path: Path, store: Store, now):
    path = tmp_path / "spans.jsonl"
    path.write_text(span("a", "execute_tool"))

    (file,) = ingest_logs(store, [path], now=now).files

    assert (file.status, file.rows_new, file.rows_skipped, file.first_utc) == ("done", 0, 1, None)
