from pathlib import Path

import pytest

from data.errors import UserError
from data.ingest import ingest_logs

MAP = """
[aggregate]
window_s = {window_s}
{aggregate}
[time]
{time}
[columns]
window_utc = "at"
requests = "n"
{columns}
"""


def taken(
    store, now, folder: Path, at: str, *, window_s: int = 3600, aggregate="", time="", columns="", n: str = "5"
):
    log, mapping = folder / "log.csv", folder / "map.toml"
    log.write_text(f"at,n,p\n{at},{n},7\n")
    mapping.write_text(MAP.format(window_s=window_s, aggregate=aggregate, time=time, columns=columns))
    (file,) = ingest_logs(store, [log], now=now, mapping=mapping, max_rejected_share=1).files
    rows = store.con.execute("SELECT CAST(bucket_utc AS VARCHAR), bucket_s, requests FROM usage_bucket").fetchall()
    return rows, [bad.reason for bad in file.rejected]


@pytest.mark.parametrize(
    ("at", "settings", "begins"),
    [
        ("2026-11-01 06:00:00", {}, "2026-11-01 06:00:00+00"),
        ("2026-11-01 06:00:00", {"time": 'zone = "Europe/Berlin"'}, "2026-11-01 05:00:00+00"),
        ("2026-11-01T06:00:00+09:00", {"time": 'zone = "Europe/Berlin"'}, "2026-10-31 21:00:00+00"),
        ("2026-11-01 06:00:00", {"aggregate": 'marks = "end"'}, "2026-11-01 05:00:00+00"),
        ("1793512800", {"time": 'unit = "s"'}, "2026-11-01 06:00:00+00"),
        ("1793512800000", {"time": 'unit = "ms"'}, "2026-11-01 06:00:00+00"),
        # Days of another zone lie on the UTC day that is nearest, whatever summer time does.
        ("2026-11-02", {"window_s": 86_400, "time": 'zone = "Europe/Berlin"'}, "2026-11-02 00:00:00+00"),
        ("2026-07-02", {"window_s": 86_400, "time": 'zone = "Asia/Tokyo"'}, "2026-07-02 00:00:00+00"),
        ("2026-07-02", {"window_s": 86_400, "time": 'zone = "America/Los_Angeles"'}, "2026-07-02 00:00:00+00"),
    ],
)
def test_times_become_the_start_of_the_window_in_utc(at, settings, begins, store, now, tmp_path: Path):
    rows, rejected = taken(store, now, tmp_path, at, **settings)

    assert rejected == []
    assert rows == [(begins, settings.get("window_s", 3600), 5.0)]


@pytest.mark.parametrize(
    ("at", "n", "columns", "reason"),
    [
        ("yesterday", "5", "", "the time is missing or cannot be read"),
        ("1969-01-01 00:00:00", "5", "", "the time lies outside the years 2000 to 2100"),
        ("2026-11-01 06:00:00", "-5", "", "a count of requests is negative"),
        ("2026-11-01 06:00:00", "many", "", "requests is not a number"),
        ("2026-11-01 06:00:00", "nan", "", "requests is not a number"),
        ("2026-11-01 06:00:00", "", "", "neither requests nor tokens nor a cost are stated"),
        ("2026-11-01 06:00:00", "5", 'category = "p"', "category is not online, batch or scheduled"),
    ],
)
def test_rows_that_cannot_be_used_are_named(at, n, columns, reason, store, now, tmp_path: Path):
    log, mapping = tmp_path / "log.csv", tmp_path / "map.toml"
    log.write_text(f"at,n,p\n{at},{n},7\n" + "2026-11-02 06:00:00,1,online\n" * 40)
    mapping.write_text(MAP.format(window_s=3600, aggregate="", time="", columns=columns))

    (file,) = ingest_logs(store, [log], now=now, mapping=mapping).files

    assert [(bad.line, bad.reason) for bad in file.rejected] == [(2, reason)]
    assert store.con.execute("SELECT sum(requests) FROM usage_bucket").fetchall() == [(40,)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[aggregate]\n[columns]\nwindow_utc = "at"', "`aggregate.window_s` is missing"),
        ('[aggregate]\nwindow_s = 0\n[columns]\nwindow_utc = "at"', "`aggregate.window_s` is 0"),
        ('[aggregate]\nwindow_s = 60\n[columns]\nwindow_utc = "at"', "names neither requests nor tokens"),
        (
            '[aggregate]\nwindow_s = 60\n[columns]\nwindow_utc = "at"\ncached_prompt_tok_sum = "p"',
            "tokens.cached must say",
        ),
        (
            '[aggregate]\nwindow_s = 60\n[columns]\nwindow_utc = "at"\nprompt_tok_sum = "p"\n'
            '[units]\nprompt_tok_sum = "per_request"',
            'units of "per_request" need columns.requests',
        ),
        (
            '[aggregate]\nwindow_s = 60\n[columns]\nwindow_utc = "at"\nrequests = "n"\n[time]\nsince = "start"',
            "needs time.unit",
        ),
        (
            '[aggregate]\nwindow_s = 60\n[columns]\nwindow_utc = "at"\nrequests = "n"\n[time]\nzone = "Mars"',
            "it should be the name of a time zone",
        ),
        ('[aggregate]\nwindow_s = 60\n[columns]\nwindow_utc = "at"\nrequests = "m"', "has no column 'm'"),
        ('[aggregate]\nwindow_s = 60\nwidth = 1\n[columns]\nwindow_utc = "at"', "is not a key of a mapping"),
    ],
)
def test_a_mapping_file_that_is_wrong_is_named_with_what_is_allowed(text, sentence, store, now, tmp_path: Path):
    log, mapping = tmp_path / "log.csv", tmp_path / "map.toml"
    log.write_text("at,n,p\n2026-11-01,5,7\n")
    mapping.write_text(text + "\n")

    with pytest.raises(UserError, match=sentence.replace("[", r"\[")):
        ingest_logs(store, [log], now=now, mapping=mapping)


def test_time_that_counts_from_a_start_asks_for_it(store, now, tmp_path: Path):
    with pytest.raises(UserError, match="--start"):
        taken(store, now, tmp_path, "5", time='unit = "min"\nsince = "start"')


def test_windows_of_one_key_that_overlap_are_refused(store, now, tmp_path: Path):
    log, mapping = tmp_path / "log.csv", tmp_path / "map.toml"
    log.write_text("at,n,p\n2026-11-01 00:00:00,5,7\n2026-11-01 00:30:00,5,7\n")
    mapping.write_text(MAP.format(window_s=3600, aggregate="", time="", columns=""))

    with pytest.raises(UserError, match="windows that overlap"):
        ingest_logs(store, [log], now=now, mapping=mapping)
