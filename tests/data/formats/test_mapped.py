import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import UserError
from data.ingest import ingest_logs

BASE = '[columns]\narrived_utc = "t"\nprompt_tok = "p"\noutput_tok = "o"\n'


@pytest.fixture
def read(tmp_path: Path, store, now):
    """Ingest one CSV under a mapping and return the rows of the wanted columns."""

    def ingest(mapping: str, csv: str, wanted: str) -> list[tuple]:
        (tmp_path / "map.toml").write_text(mapping, "utf-8")
        (tmp_path / "log.csv").write_text(csv, "utf-8")
        ingest_logs(store, [tmp_path / "log.csv"], now=now, mapping=tmp_path / "map.toml")
        return store.con.execute(f"SELECT {wanted} FROM requests ORDER BY arrived_utc, prompt_tok").fetchall()

    return ingest


def test_exclusive_cached_tokens_are_added_to_the_prompt(read):
    """Anthropic's convention: 816 fresh + 1,024 read + 50 written is a prompt of 1,890."""
    mapping = BASE + 'cached_prompt_tok = "r"\ncache_write_tok = "w"\n[tokens]\ncached = "exclusive"\n'

    rows = read(mapping, "t,p,r,w,o\n2026-11-01T00:00:00Z,816,1024,50,9\n", "prompt_tok, cached_prompt_tok")

    assert rows == [(1890, 1024)]


@pytest.mark.parametrize("part", ["many", "5.5"])
def test_a_part_of_a_prompt_that_is_no_count_rejects_its_row(read, store, part: str):
    mapping = BASE + 'cached_prompt_tok = "r"\n[tokens]\ncached = "exclusive"\n'

    rows = read(mapping, f"t,p,r,o\n2026-11-01,816,1024,9\n2026-11-02,816,{part},9\n", "prompt_tok")

    assert rows == [(1840,)]
    assert "prompt_tok is not a whole number" in str(
        store.con.execute("SELECT reason FROM rejected_rows").fetchall()
    )


def test_inclusive_cached_tokens_are_part_of_the_prompt(read):
    mapping = BASE + 'cached_prompt_tok = "r"\n[tokens]\ncached = "inclusive"\n'

    assert read(mapping, "t,p,r,o\n2026-11-01T00:00:00Z,1840,1024,9\n", "prompt_tok, cached_prompt_tok") == [
        (1840, 1024)
    ]


def test_reasoning_that_stands_beside_the_output_is_added_to_it(read):
    """Gemini's convention: 312 candidates + 88 thoughts is an output of 400."""
    mapping = BASE + 'reasoning_tok = "r"\n[tokens]\nreasoning = "beside"\n'

    rows = read(mapping, "t,p,o,r\n2026-11-01,9,312,88\n2026-11-02,9,5,\n", "output_tok, reasoning_tok")

    assert rows == [(400, 88), (5, None)]


def test_reasoning_above_the_output_shows_that_it_stands_beside_it(read, store):
    mapping = BASE + 'reasoning_tok = "r"\n'

    assert read(mapping, "t,p,o,r\n2026-11-01,9,312,88\n2026-11-02,9,5,88\n", "output_tok") == [(312,)]
    assert "reasoning stated beside the output" in str(
        store.con.execute("SELECT reason FROM rejected_rows").fetchall()
    )


@pytest.mark.parametrize(("zero", "second"), [("counted", (0, 0)), ("unknown", (None, None))])
def test_zeros_that_nobody_counted_are_unknown_where_the_mapping_says_so(read, zero: str, second: tuple):
    csv = "t,p,o\n2026-11-01,7,0\n2026-11-02,0,0\n"

    assert read(BASE + f'[tokens]\nzero = "{zero}"\n', csv, "prompt_tok, output_tok") == [(7, 0), second]


@pytest.mark.parametrize(
    ("unit", "text"),
    [("s", "1793512800.125"), ("ms", "1793512800125"), ("us", "1793512800125000"), ("ns", "1793512800125000000")],
)
def test_numbers_since_1970_are_read_in_their_unit(read, unit: str, text: str):
    rows = read(BASE + f'[time]\nunit = "{unit}"\n', f"t,p,o\n{text},1,1\n", "arrived_utc")

    assert rows == [(datetime(2026, 11, 1, 6, 0, 0, 125_000, tzinfo=UTC),)]


def test_naive_times_are_taken_in_the_zone_that_is_named_and_offsets_win(read):
    csv = (
        "t,p,o\n2025-07-01 12:00:00,1,1\n2025-12-01 12:00:00,2,1\n2025-12-02 12:00:00+00:00,3,1\n2025-12-03,4,1\n"
    )

    rows = read(BASE + '[time]\nzone = "Europe/Berlin"\n', csv, "arrived_utc")

    hours = [(row[0].month, row[0].day, row[0].hour) for row in rows]
    assert hours == [(7, 1, 10), (12, 1, 11), (12, 2, 12), (12, 2, 23)]


def test_a_time_of_completion_is_moved_back_to_the_arrival(read):
    mapping = BASE + 'duration_s = "ms"\n[units]\nduration_s = "ms"\n[time]\nmarks = "completion"\n'

    rows = read(mapping, "t,p,o,ms\n2026-11-01T06:00:03.250Z,1,1,3250\n", "arrived_utc, duration_s")

    assert rows == [(datetime(2026, 11, 1, 6, tzinfo=UTC), 3.25)]


def test_constants_tags_and_statuses_are_written_as_the_mapping_says(read):
    mapping = BASE + (
        'status = "s"\n[constants]\ncategory = "batch"\nmodel = "it\'s; DROP TABLE requests"\n'
        '[tags]\n"customer \\"x\\"" = "c"\n[status]\n"fine" = "ok"\n"throttled" = "rate_limited"\n'
    )
    csv = (
        "t,p,o,s,c\n2026-11-01,1,1,fine,acme\n2026-11-02,1,1,throttled,\n"
        "2026-11-03,1,1,503,x\n2026-11-04,1,1,odd,x\n"
    )

    rows = read(mapping, csv, "status, category, model, tags")

    assert [row[0] for row in rows] == ["ok", "rate_limited", "server_error", "unknown"]
    assert rows[0][1:] == ("batch", "it's; DROP TABLE requests", '{"customer \\"x\\"":"acme"}')


def test_rows_without_token_counts_stay_as_demand_unless_they_are_required(read):
    csv = "t,p,o\n2026-11-01,1,1\n2026-11-02,,\n" + "".join(f"2026-11-03 00:00:{i:02},5,5\n" for i in range(40))

    assert len(read(BASE, csv, "prompt_tok")) == 42
    assert len(read(BASE + "[tokens]\nrequired = true\n", csv, "prompt_tok")) == 41


def test_columns_of_any_name_are_only_names(read):
    mapping = '[columns]\narrived_utc = "a \\"; DROP TABLE x; --"\nprompt_tok = "<b>p</b>"\noutput_tok = "o\'o"\n'

    rows = read(mapping, '"a ""; DROP TABLE x; --",<b>p</b>,o\'o\n2026-11-01,7,8\n', "prompt_tok, output_tok")

    assert rows == [(7, 8)]


def test_json_text_inside_a_column_and_structs_of_parquet_are_reached_by_a_dotted_path(read, tmp_path, store, now):
    mapping = '[columns]\narrived_utc = "t"\nprompt_tok = "usage.p"\noutput_tok = "usage.o"\n'
    csv = 't,usage\n2026-11-01,"{""p"": 3, ""o"": 4}"\n2026-11-02,not json\n'
    assert read(mapping, csv, "prompt_tok, output_tok") == [(3, 4), (None, None)]

    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"t": [datetime(2026, 11, 5, tzinfo=UTC)], "usage": [{"p": 30, "o": 40}]}), path)
    ingest_logs(store, [path], now=now, mapping=tmp_path / "map.toml", label="parquet")
    rows = store.con.execute(
        "SELECT prompt_tok, output_tok FROM requests WHERE source_label = 'parquet'"
    ).fetchall()
    assert rows == [(30, 40)]


USAGE = {
    "openai-chat": (
        {
            "prompt_tokens": 1840,
            "completion_tokens": 312,
            "prompt_tokens_details": {"cached_tokens": 1024},
            "completion_tokens_details": {"reasoning_tokens": 100},
        },
        'prompt_tok = "usage.prompt_tokens"\noutput_tok = "usage.completion_tokens"\n'
        'cached_prompt_tok = "usage.prompt_tokens_details.cached_tokens"\n'
        'reasoning_tok = "usage.completion_tokens_details.reasoning_tokens"\n[tokens]\ncached = "inclusive"\n',
    ),
    "openai-responses": (
        {
            "input_tokens": 1840,
            "output_tokens": 312,
            "input_tokens_details": {"cached_tokens": 1024},
            "output_tokens_details": {"reasoning_tokens": 100},
        },
        'prompt_tok = "usage.input_tokens"\noutput_tok = "usage.output_tokens"\n'
        'cached_prompt_tok = "usage.input_tokens_details.cached_tokens"\n'
        'reasoning_tok = "usage.output_tokens_details.reasoning_tokens"\n[tokens]\ncached = "inclusive"\n',
    ),
    "anthropic": (
        {
            "input_tokens": 766,
            "cache_read_input_tokens": 1024,
            "cache_creation_input_tokens": 50,
            "output_tokens": 312,
        },
        'prompt_tok = "usage.input_tokens"\noutput_tok = "usage.output_tokens"\n'
        'cached_prompt_tok = "usage.cache_read_input_tokens"\n'
        'cache_write_tok = "usage.cache_creation_input_tokens"\n[tokens]\ncached = "exclusive"\n',
    ),
    "gemini": (
        {
            "promptTokenCount": 1840,
            "cachedContentTokenCount": 1024,
            "candidatesTokenCount": 212,
            "thoughtsTokenCount": 100,
        },
        'prompt_tok = "usage.promptTokenCount"\noutput_tok = "usage.candidatesTokenCount"\n'
        'cached_prompt_tok = "usage.cachedContentTokenCount"\nreasoning_tok = "usage.thoughtsTokenCount"\n'
        '[tokens]\ncached = "inclusive"\nreasoning = "beside"\n',
    ),
}


@pytest.mark.parametrize("provider", USAGE)
def test_the_usage_of_every_provider_means_the_same_request(provider: str, tmp_path: Path, store, now):
    usage, columns = USAGE[provider]
    (tmp_path / "map.toml").write_text('[columns]\narrived_utc = "t"\n' + columns)
    (tmp_path / "x.jsonl").write_text(json.dumps({"t": "2026-11-01", "usage": usage}) + "\n")

    ingest_logs(store, [tmp_path / "x.jsonl"], now=now, mapping=tmp_path / "map.toml")

    found = store.con.execute("SELECT prompt_tok, cached_prompt_tok, output_tok, reasoning_tok FROM requests")
    assert found.fetchall() == [(1840, 1024, 312, None if provider == "anthropic" else 100)]


def test_keys_with_dots_in_json_lines_are_reached_with_a_pointer(tmp_path: Path, store, now):
    (tmp_path / "map.toml").write_text(
        '[columns]\narrived_utc = "t"\nprompt_tok = "/a/gen_ai.usage.input_tokens"\noutput_tok = "a.o"\n'
    )
    (tmp_path / "x.jsonl").write_text('{"t": "2026-11-01", "a": {"gen_ai.usage.input_tokens": 5, "o": 6}}\n')

    ingest_logs(store, [tmp_path / "x.jsonl"], now=now, mapping=tmp_path / "map.toml")

    assert store.con.execute("SELECT prompt_tok, output_tok FROM requests").fetchall() == [(5, 6)]


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ('[columns]\narrived_utc = "t"\nprompt_tok = "p"\n', "`columns.output_tok` is missing"),
        (BASE + 'colour = "c"\n', "`columns.colour` is not a key of a mapping"),
        (BASE + 'cached_prompt_tok = "c"\n', 'tokens.cached must say "inclusive" or "exclusive"'),
        (BASE + 'cache_write_tok = "c"\n', "columns.cache_write_tok is for tokens.cached"),
        (BASE + '[tokens]\nreasoning = "beside"\n', "needs columns.reasoning_tok"),
        (BASE + '[time]\nunit = "min"\n', "`time.unit` is 'min'"),
        (BASE + '[time]\nzone = "Mars/Olympus"\n', "name of a time zone"),
        (BASE + '[time]\nmarks = "completion"\n', "needs columns.duration_s"),
        (BASE + '[constants]\ncategory = "nightly"\n', "`constants.category` is 'nightly'"),
        (BASE + '[status]\n"x" = "fine"\n', "`status.x` is 'fine'"),
        (BASE + 'model = "m"\n[constants]\nmodel = "x"\n', "are both given"),
        ("not toml", "is not valid TOML"),
    ],
)
def test_a_wrong_mapping_is_named_with_its_key_and_what_is_allowed(read, mapping: str, sentence: str):
    with pytest.raises(UserError) as refused:
        read(mapping, "t,p,o,c,m\n2026-11-01,1,1,1,x\n", "prompt_tok")

    assert sentence in str(refused.value)
    assert "map.toml" in str(refused.value)


def test_a_column_that_is_not_there_is_named_with_the_nearest(read):
    with pytest.raises(UserError, match="has no column 'prompt_tokns'; did you mean 'prompt_tokens'"):
        read(BASE.replace('"p"', '"prompt_tokns"'), "t,prompt_tokens,o\n2026-11-01,1,1\n", "prompt_tok")


def test_a_missing_mapping_file_is_named(store, now, write_csv, tmp_path: Path):
    log = write_csv("a.csv", [{"t": "2026-11-01", "p": 1, "o": 1}])

    with pytest.raises(UserError, match="Cannot read the mapping file"):
        ingest_logs(store, [log], now=now, mapping=tmp_path / "none.toml")
    with pytest.raises(UserError, match="--mapping"):
        ingest_logs(store, [log], now=now)
