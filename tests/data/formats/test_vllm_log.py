from datetime import datetime

import pytest

from data.errors import UserError

LINE = "INFO {} [logger.py:40] Received request chatcmpl-{}: params: SamplingParams(n=1), lora_request: None.\n"


def test_the_year_and_the_zone_are_those_of_the_start(take, stored):
    take(
        LINE.format("12-31 23:59:59", 1) + LINE.format("01-01 00:00:01", 2),
        start=datetime.fromisoformat("2025-12-30T08:00:00-05:00"),
    )

    assert stored("strftime(arrived_utc, '%Y-%m-%d %H:%M:%S')") == [
        ("2026-01-01 04:59:59",),
        ("2026-01-01 05:00:01",),
    ]


def test_a_log_whose_first_requests_come_late_is_recognised(take):
    file = take("INFO 11-01 06:00:00 [config.py:1] loading weights\n" * 50 + LINE.format("11-01 06:00:00", 1))

    assert (file.format, file.rows_new, file.rows_skipped) == ("vllm-log", 1, 50)


def test_a_start_is_asked_for(take):
    with pytest.raises(UserError, match="--start"):
        take(LINE.format("12-31 23:59:59", 1), start=None)


def test_a_prompt_that_looks_like_a_line_of_the_log_counts_nothing(take):
    prompt = "'INFO 11-01 06:00:00 [x] Received request no: '"
    file = take(
        LINE.format("11-01 06:00:00", 1)
        + f"INFO 11-01 06:00:01 [logger.py:40] Generated response chatcmpl-1: output: {prompt}\n"
    )

    assert (file.rows_new, file.rows_skipped) == (1, 1)
