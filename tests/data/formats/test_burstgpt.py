import pytest

from data.errors import UserError

HEAD = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"


def test_seconds_count_from_the_start_and_a_call_without_an_answer_failed(take, stored):
    take(HEAD + "0,GPT-4,5,0,5,API log\n86400.5,GPT-4,5,1,6,API log\n")

    assert stored("epoch(arrived_utc) - epoch(TIMESTAMPTZ '2026-01-05 00:00:00+00'), status") == [
        (0.0, "server_error"),
        (86400.5, "ok"),
    ]


def test_a_start_is_asked_for(take):
    with pytest.raises(UserError, match="--start"):
        take(HEAD + "0,GPT-4,5,0,5,API log\n", start=None)
