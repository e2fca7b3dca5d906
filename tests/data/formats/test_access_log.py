import pytest

from data.errors import UserError

HEAD = '10.0.0.8 - - [01/Nov/2026:06:00:03 +0000] "POST /v1/chat/completions HTTP/1.1" 200 5120 "-" "x"'


def test_an_end_without_the_time_it_took_asks_for_it(take):
    with pytest.raises(UserError, match=r"put \$request_time at the end of nginx's log_format"):
        take(HEAD + "\n")


def test_a_line_of_another_layout_is_rejected_and_not_skipped(take):
    file = take(f"{HEAD} 1.000\n{HEAD}\n")

    assert (file.rows_new, [row.line for row in file.rejected]) == (1, [2])


def test_the_arrival_lies_before_the_end(take, stored):
    take(f"{HEAD} 3.250\n")

    assert stored("strftime(arrived_utc, '%H:%M:%S.%g'), duration_s, prompt_tok") == [("05:59:59.750", 3.25, None)]
