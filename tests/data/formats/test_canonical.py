import pytest

from data.ingest import ingest_logs

ROW = {"arrived_utc": "2026-11-01T06:00:00Z", "prompt_tok": 100, "output_tok": 10}


@pytest.mark.parametrize(
    ("stated", "stored"),
    [
        ("ok", "ok"),
        ("success", "ok"),
        ("200", "ok"),
        ("204", "ok"),
        ("429", "rate_limited"),
        ("rate_limited", "rate_limited"),
        ("400", "client_error"),
        ("499", "cancelled"),
        ("canceled", "cancelled"),
        ("503", "server_error"),
        ("-1", "unknown"),
        ("", None),
    ],
)
def test_statuses_are_translated_and_none_is_lost(store, write_csv, now, stated: str, stored: str | None):
    ingest_logs(store, [write_csv("a.csv", [{**ROW, "status": stated}])], now=now)

    assert store.con.execute("SELECT status FROM requests").fetchall() == [(stored,)]


def test_missing_counts_stay_unknown_and_are_never_zero(store, write_csv, now):
    ingest_logs(store, [write_csv("a.csv", [{**ROW, "prompt_tok": "", "output_tok": " "}])], now=now)

    assert store.con.execute("SELECT prompt_tok, output_tok FROM requests").fetchall() == [(None, None)]


def test_durations_and_costs_that_make_no_sense_become_unknown(store, write_csv, now):
    row = {**ROW, "duration_s": "-1", "first_token_s": "soon", "cost_usd": "inf"}

    ingest_logs(store, [write_csv("a.csv", [row])], now=now)

    assert store.con.execute("SELECT duration_s, first_token_s, cost_usd FROM requests").fetchall() == [
        (None,) * 3
    ]


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"cached_prompt_tok": 101}, "cached_prompt_tok is above prompt_tok (cached tokens stated exclusive?)"),
        ({"category": "nightly"}, "category is not online, batch or scheduled"),
        ({"reasoning_tok": "-1"}, "reasoning_tok is negative"),
        ({"cached_prompt_tok": "some"}, "cached_prompt_tok is not a whole number"),
    ],
)
def test_contradictions_are_rejected_with_their_reason(store, write_csv, now, stated: dict, reason: str):
    blank = dict.fromkeys(stated, "")
    (file,) = ingest_logs(store, [write_csv("a.csv", [{**ROW, **blank}, {**ROW, **stated}])], now=now).files

    assert [bad.reason for bad in file.rejected] == [reason]


def test_a_field_that_the_first_lines_of_json_leave_out_is_not_lost(tmp_path, store, now):
    path = tmp_path / "a.jsonl"
    plain = '{"arrived_utc": "2026-11-01T06:00:00Z", "prompt_tok": 1, "output_tok": 1}\n'
    path.write_text(plain * 30 + plain.replace("}", ', "cost_usd": 0.5, "status": "429"}'))

    ingest_logs(store, [path], now=now)

    found = store.con.execute("SELECT status, cost_usd FROM requests WHERE cost_usd IS NOT NULL").fetchall()
    assert found == [("rate_limited", 0.5)]
