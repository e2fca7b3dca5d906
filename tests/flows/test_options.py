"""The types of options: what they take, and one sentence on what they do not."""

import argparse
from datetime import UTC, date, datetime

import pytest

from flows.options import day, moment, not_negative, positive, share, share_or_none, whole


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (day, "2026-11-23", date(2026, 11, 23)),
        (moment, "2026-11-01T02:00:00+02:00", datetime.fromisoformat("2026-11-01T02:00:00+02:00")),
        (moment, "2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        (positive, "1e-9", 1e-9),
        (not_negative, "0", 0.0),
        (share, "1", 1.0),
        (share_or_none, "0", 0.0),
        (whole(1, 8), "8", 8),
    ],
)
def test_what_is_meant_is_taken(kind, text, value):
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (day, ["", "2026-13-01", "1999-12-31", "2200-01-01"]),
        (moment, ["noon", "0001-01-01"]),
        (positive, ["0", "-1", "nan", "inf", "1,5"]),
        (not_negative, ["-0.1", "nan", "inf"]),
        (share, ["0", "1.01", "nan"]),
        (share_or_none, ["-0.1", "1.01", "nan"]),
        (whole(1, 8), ["0", "9", "1.0", "x"]),
    ],
)
def test_anything_else_is_refused_with_the_text_in_it(kind, texts):
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError) as raised:
            kind(text)
        assert text in str(raised.value)
