from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.errors import UserError
from data.trace import read_trace, store_of_files
from data.traffic import Match

CASE = Path(__file__).parent / "sql" / "trace_requests" / "served_and_throttled" / "requests.csv"
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def test_a_log_is_read_as_requests_from_their_first_on():
    with store_of_files([CASE], now=NOW) as store:
        trace = read_trace(store, Match())

    assert trace.begin_utc == datetime(2026, 1, 5, tzinfo=UTC)
    assert trace.arrival_s.tolist() == [0.0, 2.5, 4.0]
    assert trace.prompt_tok.tolist() == [10, 20, 8]
    assert trace.cached_prompt_tok.tolist() == [0, 5, 0]
    assert trace.batch.tolist() == [True, False, False]
    assert trace.left_out == 1


def test_a_part_of_the_time_and_of_the_requests_can_be_asked_for():
    with store_of_files([CASE], now=NOW) as store:
        since = datetime(2026, 1, 5, 0, 0, 1, tzinfo=UTC)
        assert read_trace(store, Match(), since=since).arrival_s.tolist() == [0.0, 1.5]
        assert len(read_trace(store, Match(model="another"))) == 0


def test_a_file_without_a_usable_request_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("request_id,arrived_utc,prompt_tok,output_tok\n")

    with pytest.raises(UserError), store_of_files([path], now=NOW):
        pass
