"""What people really have in their logs, through the real command: rows or one sentence, and never a traceback."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import printable
from data.tables import COUNTED_TABLES
from data.warehouse import open_store

HEADER = "request_id,arrived_utc,model,team,prompt_tok,output_tok\n"
GOOD = "r1,2026-11-01T00:00:00Z,m,t,5,7\n"


@pytest.fixture
def ingest(fleetcast, tmp_path):
    """Write a log, read it, and return what was said and which rows were rejected."""

    def run(content: bytes | str, name: str = "log.csv", *options: object):
        log = tmp_path / name
        log.write_bytes(content.encode() if isinstance(content, str) else content)
        store = tmp_path / "store.duckdb"
        said = fleetcast("ingest", log, "--store", store, *options)
        assert "Traceback" not in said.err
        return said, rejected(store)

    return run


def rejected(store: Path) -> list[tuple[int, str]]:
    if not store.exists():
        return []
    with open_store(store) as opened:
        sql = "SELECT line, reason, excerpt FROM rejected_rows ORDER BY line"
        rows = opened.con.execute(sql).fetchall()
    assert all(len(excerpt or "") <= 200 for _, _, excerpt in rows)
    return [(line, reason) for line, reason, _ in rows]


def stored(tmp_path: Path, columns: str) -> list[tuple[object, ...]]:
    with open_store(tmp_path / "store.duckdb") as opened:
        return opened.con.execute(f"SELECT {columns} FROM requests ORDER BY ALL").fetchall()


def a_row(**changes: object) -> str:
    cells = {"request_id": "r", "arrived_utc": "2026-11-01T00:00:00Z", "model": "m", "team": "t"}
    cells |= {"prompt_tok": 5, "output_tok": 7, **changes}
    return ",".join(str(cell) for cell in cells.values()) + "\n"


AGAIN = dict(zip(HEADER.strip().split(","), HEADER.strip().split(","), strict=True))
BAD_ROWS = [
    ({"arrived_utc": "1970-01-01T00:00:00Z"}, "the time lies outside the years 2000 to 2100"),
    ({"arrived_utc": "0"}, "the time is missing or cannot be read"),
    ({"arrived_utc": ""}, "the time is missing or cannot be read"),
    ({"arrived_utc": "2099-01-01T00:00:00Z"}, "the time lies in the future, more than a day from now"),
    ({"prompt_tok": "1e30"}, "prompt_tok is not a whole number"),
    ({"prompt_tok": "9223372036854775808"}, "prompt_tok is not a whole number"),
    ({"prompt_tok": "9223372036854775807"}, "more tokens than any request has"),
    ({"prompt_tok": "NaN"}, "prompt_tok is not a whole number"),
    ({"output_tok": "inf"}, "output_tok is not a whole number"),
    ({"output_tok": "-Infinity"}, "output_tok is not a whole number"),
    ({"output_tok": "-1"}, "output_tok is negative"),
    ({"output_tok": "2.5"}, "output_tok is not a whole number"),
    ({"output_tok": "0x10"}, "output_tok is not a whole number"),
    ({"model": "a\x00b"}, "a name is not UTF-8 text, or has a NUL byte in it"),
    (AGAIN, "the header again"),
    ({"output_tok": "7,8"}, "7 columns instead of 6"),
    ({"team": '"t'}, "a quote is opened and not closed"),
]


def test_rows_that_cannot_be_used_are_named_by_line_and_the_others_stay(ingest, tmp_path):
    content = HEADER + '"r\n2",2026-11-01T00:00:00Z,m,t,5,7\n'  # lines 2 and 3: a line break in quotes
    for n, (changes, _) in enumerate(BAD_ROWS):
        content += a_row(**changes) + a_row(request_id=n)
    said, bad = ingest(content, "log.csv", "--max-rejected-share", "0.5")

    assert bad == [(4 + 2 * n, reason) for n, (_, reason) in enumerate(BAD_ROWS)]
    assert f"  line 4: {BAD_ROWS[0][1]}: {{" in said.out
    assert len(stored(tmp_path, "request_id")) == len(BAD_ROWS) + 1


def test_lines_of_a_packed_file_are_those_of_the_file_inside(ingest):
    content = HEADER + '"r\n2",2026-11-01T00:00:00Z,m,t,5,7\n' * 30 + a_row(prompt_tok=-5) + GOOD
    _, bad = ingest(gzip.compress(content.encode()), "log.csv.gz")
    assert bad == [(62, "prompt_tok is negative")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty; leave it out"),
        (b"\n\n  \n", "is empty; leave it out"),
        ((HEADER + GOOD).encode("utf-16"), "looks like UTF-16; convert it with: iconv -f UTF-16 -t UTF-8"),
        ((HEADER + GOOD).encode("utf-16-le"), "looks like UTF-16; convert it with: iconv"),
        (
            HEADER.replace("team", "caf\xe9").encode("latin-1"),
            "neither Parquet nor UTF-8 text; convert it to UTF-8",
        ),
        (b"\x00" * 5_000, "looks like UTF-16"),
        (b"PAR1" + b"x" * 500, "is a Parquet file that is cut off or damaged; write it again"),
        (b"\x1f\x8b" + b"x" * 500, "cannot be unpacked as gzip; it is cut off or damaged"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 500, "cannot be unpacked as zstd; it is cut off or damaged"),
        (b"model,model,arrived_utc,prompt_tok,output_tok\n", "two columns of the same name, 'model'; rename"),
        (b"[" * 100_000, "is of no format known here"),
        (b'{"a":' * 100_000, "is of no format known here"),
        (b'"' + b"a" * 20_000_000, "is not CSV"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value[:30],
)
def test_a_file_that_cannot_be_read_is_one_sentence_and_leaves_nothing(ingest, tmp_path, content, says):
    said, _ = ingest(content, "log")

    assert says in said.sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log"]


def test_a_log_in_latin_1_is_refused_with_its_first_line(ingest):
    content = (HEADER + a_row(model="caf\xe9") * 20).encode("latin-1")
    said, bad = ingest(content)

    assert "20 of its 20 rows cannot be used" in said.sentence
    assert "--max-rejected-share" not in said.sentence, "no share lets a file without a usable row in"
    assert "first in line 2: a name is not UTF-8 text" in said.sentence
    assert bad == []


def test_one_name_in_another_encoding_costs_one_row(ingest, tmp_path):
    content = (HEADER + GOOD).encode() + a_row(model="caf\xe9").encode("latin-1") + a_row(model="caf\xe9").encode()
    _, bad = ingest(content)

    assert bad == [(3, "a name is not UTF-8 text, or has a NUL byte in it")]
    assert stored(tmp_path, "model") == [("caf\xe9",), ("m",)]


@pytest.mark.parametrize("ends", [("\r\n", "\n"), ("\r", "\r"), ("\n", "\r")])
def test_byte_order_marks_and_mixed_line_ends_are_read(ingest, tmp_path, ends):
    rows = [a_row(request_id=n).strip() for n in range(6)]
    content = "\ufeff" + HEADER.strip() + ends[0] + "".join(row + ends[n % 2] for n, row in enumerate(rows))
    said, bad = ingest(content)

    assert (said.status, bad) == (0, [])
    assert [row[0] for row in stored(tmp_path, "request_id")] == list("012345")


def test_an_empty_file_in_a_folder_holds_nobody_up(fleetcast, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "00.csv").write_text("")
    (folder / "01.csv").write_text(HEADER + GOOD)

    said = fleetcast("ingest", folder, "--store", tmp_path / "s.duckdb")

    assert (said.status, said.out.count("\n")) == (0, 1)
    assert "01.csv: done" in said.out


def test_header_alone_is_a_log_of_nothing(ingest):
    said, bad = ingest(HEADER)
    assert (said.status, bad) == (0, [])
    assert "0 rows read" in said.out


@pytest.mark.parametrize(
    ("name", "half", "reason"),
    [
        ("log.csv", "r9,2026-11-01T0", "2 columns instead of 6"),
        ("log.csv", 'r9,2026-11-01T00:00:00Z,"mod', "a quote is opened and not closed"),
        ("log.jsonl", '{"request_id": "r9", "arri', "not valid JSON"),
    ],
)
def test_a_last_line_that_is_being_written_is_one_row_and_is_there_the_next_time(
    ingest, tmp_path, name, half, reason
):
    names = HEADER.strip().split(",")
    rows = [dict(zip(names, a_row(request_id=n).strip().split(","), strict=True)) for n in range(3)]
    lines = [json.dumps(row) + "\n" for row in rows]
    if name == "log.csv":
        lines = [HEADER, *(a_row(request_id=n) for n in range(3))]

    said, bad = ingest("".join(lines) + half, name)
    assert (said.status, bad) == (0, [(len(lines) + 1, reason)])
    assert len(stored(tmp_path, "request_id")) == 3

    said, bad = ingest("".join([*lines, lines[-1].replace("2", "9", 1)]), name)
    assert (said.status, bad) == (0, [])
    assert len(stored(tmp_path, "request_id")) == 4


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_packed_file_that_is_cut_off_says_so_and_is_whole_the_next_time(ingest, tmp_path, packing):
    content = HEADER + "".join(a_row(request_id=f"r{n * 7919 % 10_007}") for n in range(10_000))
    with pa.CompressedOutputStream(str(tmp_path / "whole"), packing) as out:
        out.write(content.encode())
    packed = (tmp_path / "whole").read_bytes()

    said, bad = ingest(packed[:-5], "log.csv.gz")
    ((line, reason),) = bad
    assert reason.startswith("cannot be read: ")
    rows = len(stored(tmp_path, "request_id"))
    assert 9_000 < rows < 10_000 or rows == line - 2

    said, bad = ingest(packed, "log.csv.gz")
    assert (said.status, bad) == (0, [])
    assert len(stored(tmp_path, "request_id")) == 10_000


@pytest.mark.slow
def test_lines_of_10_mb_are_read_and_longer_ones_are_rejected_within_a_bound_of_memory(ingest, tmp_path):
    def line(mb: int) -> str:
        row = {"arrived_utc": "2026-11-01", "prompt_tok": mb, "output_tok": 1}
        return json.dumps({**row, "prompt": "x" * (mb * 1_000_000)}) + "\n"

    content = line(10) + line(40) + line(0) * 5 + line(10)
    said, bad = ingest(content, "log.jsonl", "--max-rejected-share", "0.5")

    assert (said.status, bad) == (0, [(2, "line longer than 16,777,216 bytes")])
    assert [row[0] for row in stored(tmp_path, "prompt_tok")] == [0] * 5 + [10] * 2


def test_a_bomb_is_refused_and_the_flag_lets_it_in(ingest, tmp_path, monkeypatch):
    monkeypatch.setattr("data.formats.packed.UNPACKED_FREE_BYTES", 100_000)
    bomb = gzip.compress((HEADER + a_row(request_id="") * 50_000).encode())

    said, _ = ingest(bomb, "log.csv.gz")
    assert "unpacks to more than 100,000" in said.sentence or "unpacks to more than" in said.sentence
    assert "raise --max-unpack-ratio" in said.sentence
    assert stored(tmp_path, "model") == []

    said, _ = ingest(bomb, "log.csv.gz", "--max-unpack-ratio", "100000")
    assert said.status == 0
    assert len(stored(tmp_path, "model")) == 50_000


HOSTILE = [
    "it's",
    'say "hi"',
    "'; DROP TABLE file_manifest; --",
    "<script>alert(1)</script>",
    "=cmd|'/C calc'!A0",
    "a\nb",
    "\u202etxt.exe",
    "[red]x[/]",
    "\x1b[31mred",
    "{{7*7}}",
    "100%",
    "../../etc",
    "x*?[1]",
]


def test_hostile_names_are_only_text_from_the_log_to_the_terminal(fleetcast, tmp_path):
    logs = []
    for name in HOSTILE:
        logs.append(tmp_path / (name.replace("/", "_") + ".csv"))
        quoted = '"' + name.replace('"', '""') + '"'
        logs[-1].write_text(
            HEADER + a_row(request_id=quoted, model=quoted, team=quoted) + a_row(prompt_tok=quoted)
        )
    store = tmp_path / "store.duckdb"

    said = fleetcast("ingest", *logs, "--store", store)

    assert (said.status, said.err) == (0, "")
    assert said.out.count("\n") == 2 * len(HOSTILE)
    assert said.out.replace("\n", "").isprintable()
    names = sorted((printable(name.replace("/", "_")), name, name) for name in HOSTILE)
    assert stored(tmp_path, "source_label, model, team") == names
    with open_store(store) as opened:
        sql = "SELECT DISTINCT source_label, model, team FROM rollup_minute ORDER BY ALL"
        assert opened.con.execute(sql).fetchall() == names
    assert fleetcast("store", "verify", "--store", store).out.count("\n") == 1
    status = fleetcast("store", "status", "--store", store)
    assert status.out.replace("\n", "").isprintable()
    assert fleetcast("store", "rebuild", "--store", store).status == 0
    assert stored(tmp_path, "source_label, model, team") == names


def test_a_file_whose_name_is_a_pattern_is_that_file_alone(fleetcast, tmp_path):
    (tmp_path / "other.csv").write_text(HEADER + GOOD * 3)
    (tmp_path / "*.csv").write_text(HEADER + GOOD)

    assert "1 rows read" in fleetcast("ingest", tmp_path / "*.csv", "--store", tmp_path / "s.duckdb").out


JSON_ROW = b'{"arrived_utc":"2026-11-01","prompt_tok":1,"output_tok":2}\n'
ROWS = [GOOD, HEADER, a_row(prompt_tok=-1), a_row(model='"a\nb"')]
BYTES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"\n", b"\r", b"\r\n", b'"', b",", b"\x00", b"\xff\xfe", b"{", b"}", b"\xef\xbb\xbf", b"'"]),
    st.sampled_from([row.encode() for row in ROWS]),
    st.sampled_from([JSON_ROW, b'{"arrived_utc":', b"[1]\n"]),
)


@given(
    start=st.sampled_from([HEADER.encode(), JSON_ROW, b""]),
    rest=st.lists(BYTES, max_size=12),
    packed=st.booleans(),
    cut=st.integers(0, 30),
)
def whatever_it_holds(fleetcast, tmp_path_factory, fuzz_store, start, rest, packed, cut):
    content = start + b"".join(rest)
    if packed:
        content = gzip.compress(content, mtime=0)
        content = content[: max(2, len(content) - cut)]
    log = tmp_path_factory.mktemp("fuzz") / "log"
    log.write_bytes(content)
    before = _tables(fuzz_store)

    said = fleetcast("ingest", log, "--label", "fuzz", "--store", fuzz_store)

    if said.status == 2:
        assert said.sentence
        assert _tables(fuzz_store) == before
    else:
        assert (said.status, said.err) == (0, "")
        assert " rows read, " in said.out


@pytest.mark.parametrize("examples", [10, pytest.param(80, marks=pytest.mark.slow)])
def test_whatever_a_file_holds_it_is_rows_or_one_sentence(fleetcast, tmp_path_factory, fuzz_store, examples):
    settings(max_examples=examples, deadline=None)(whatever_it_holds)(fleetcast, tmp_path_factory, fuzz_store)


@pytest.fixture(scope="module")
def fuzz_store(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("fuzzed") / "s.duckdb"
    with open_store(path, write=True):
        return path


def _tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with open_store(path) as opened:
        con = opened.con
        return {name: con.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in COUNTED_TABLES}
