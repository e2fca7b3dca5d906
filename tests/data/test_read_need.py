"""NEED.csv: by hour or day, by path and workload, and one sentence where it is wrong."""

from datetime import date

import numpy as np
import pytest

from data.errors import UserError
from data.read_need import read_need


def write(tmp_path, lines):
    path = tmp_path / "NEED.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_days_are_needed_in_each_of_their_hours(tmp_path):
    found = read_need(write(tmp_path, ["ds,y", "2026-11-23,4", "2026-11-24,5.5"]))

    assert found.start == date(2026, 11, 23)
    assert found.total.shape == (1, 2, 24)
    assert (found.total[0, 1] == 5.5).all()
    assert found.past is None


def test_hours_paths_and_workloads_find_their_places(tmp_path):
    lines = ["hour_utc,path,workload,gpus"]
    for path in ("2", "10", "1"):
        for work in ("code", "chat"):
            lines += [
                f"2026-11-23T{h:02}:00Z,{path},{work},{int(path) * (h + (work == 'code'))}" for h in range(24)
            ]

    found = read_need(write(tmp_path, lines))

    assert list(found.need) == ["chat", "code"]
    assert found.need["chat"][:, 0, 5].tolist() == [5, 10, 50]
    assert found.total[:, 0, 0].tolist() == [1, 2, 10]


def test_rows_before_as_of_are_the_past(tmp_path):
    lines = ["ds,path,gpus", *(f"2026-11-{day},,3" for day in (19, 21, 22)), "2026-11-23,a,4", "2026-11-23,b,6"]

    found = read_need(write(tmp_path, lines), as_of=date(2026, 11, 23))

    assert found.total[:, 0, 0].tolist() == [4, 6]
    assert found.past.shape == (2, 24)  # the 20th lacks, so only the unbroken days before count
    assert np.unique(found.past).tolist() == [3]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["ds,y", "2026-11-23,4", "2026-11-25,4"], "lacks 2026-11-24"),
        (["ds,y", "2026-11-23,4", "2026-11-23,4"], "twice"),
        (["ds,y", "2026-11-23,-4"], "is no number of GPUs"),
        (["ds,y", "2026-11-23,"], "is no number of GPUs"),
        (["ds,y", "yesterday,4"], "line 2: 'yesterday' is no day and no full hour"),
        (["ds,y", "2026-11-23T00:30,4"], "no full hour"),
        (["ds,y,z", "2026-11-23,4,1"], "column 'z' is none of"),
        (["ds,y,gpus", "2026-11-23,4,1"], "one column of gpus, y; found 2"),
        (["y", "4"], "one column of ds, hour_utc, day_utc; found 0"),
        (["ds,y"], "has no row"),
        (["ds,y,path", "2026-11-23,4,a", "2026-11-23,4,b", "2026-11-24,4,a"], "path 'b', lacks 2026-11-24"),
        (["ds,y,workload,unique_id", "2026-11-23,4,a,a"], "say the same thing"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(tmp_path, lines, said):
    with pytest.raises(UserError) as caught:
        read_need(write(tmp_path, lines))

    assert said in str(caught.value)


def test_a_need_that_is_all_past_or_starts_late_is_refused(tmp_path):
    path = write(tmp_path, ["ds,y", "2026-11-23,4", "2026-11-25,4"])

    with pytest.raises(UserError, match="no row is on or after 2026-12-01"):
        read_need(path, as_of=date(2026, 12, 1))
    with pytest.raises(UserError, match="starts on 2026-11-25, after --as-of 2026-11-24"):
        read_need(path, as_of=date(2026, 11, 24))


def test_a_past_that_differs_by_path_is_refused(tmp_path):
    path = write(tmp_path, ["ds,path,y", "2026-11-22,a,4", "2026-11-22,b,5", "2026-11-23,a,4", "2026-11-23,b,5"])

    with pytest.raises(UserError, match="the paths differ before 2026-11-23"):
        read_need(path, as_of=date(2026, 11, 23))


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(UserError, match="Cannot read the need"):
        read_need(tmp_path / "none.csv")
