"""A plan appears whole or not at all, and an earlier one of the same day is kept."""

import os
from datetime import date

import pytest

from data.errors import UserError
from flows.publish import is_whole, publish

DAY = date(2026, 11, 23)


def test_a_second_plan_of_the_day_keeps_the_first(tmp_path):
    first = publish({"budget.html": b"one"}, out=tmp_path, as_of=DAY)
    second = publish({"budget.html": b"two"}, out=tmp_path, as_of=DAY)
    third = publish({"budget.html": b"three"}, out=tmp_path, as_of=DAY)

    assert (first.revision, second.revision, third.revision) == (1, 2, 3)
    assert (tmp_path / "2026-11-23" / "budget.html").read_bytes() == b"three"
    assert (tmp_path / "2026-11-23.r1" / "budget.html").read_bytes() == b"one"
    assert (tmp_path / "2026-11-23.r2" / "budget.html").read_bytes() == b"two"
    assert (tmp_path / "latest" / "budget.html").read_bytes() == b"three"


def test_a_failure_while_writing_leaves_the_last_plan(tmp_path, monkeypatch):
    publish({"budget.html": b"good"}, out=tmp_path, as_of=DAY)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device; choose a writable folder"):
        publish({"budget.html": b"half"}, out=tmp_path, as_of=DAY)

    assert (tmp_path / "latest" / "budget.html").read_bytes() == b"good"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2026-11-23", "latest"]


def test_a_folder_is_whole_with_all_its_files(tmp_path):
    published = publish({"a": b"", "b": b""}, out=tmp_path, as_of=DAY)

    assert is_whole(published.folder, ("a", "b"))
    assert not is_whole(published.folder, ("a", "c"))
