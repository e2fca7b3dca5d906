import itertools
from datetime import date

import pytest
from matplotlib.figure import Figure

from reports import axes
from reports.format import tick


def _axes():
    return Figure().add_axes((0, 0, 1, 1))


@pytest.mark.parametrize("top", [1e-9, 0.7, 12.0, 99_000.0, 3.1e9])
def test_a_value_axis_starts_at_zero_with_few_round_ticks(top):
    ax = _axes()
    axes.value_axis(ax, top, tick)

    assert ax.get_ylim()[0] == 0
    assert ax.get_yticks()[0] == 0
    assert 2 <= len(ax.get_yticks()) <= 6
    assert max(ax.get_yticks()) <= top


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        (date(2025, 10, 1), date(2026, 11, 20), ["Nov\n2025", "Jan\n2026", "Mar", "May", "Jul", "Sep", "Nov"]),
        (date(2026, 11, 20), date(2026, 11, 25), ["Nov\n2026"]),
        (date(2026, 12, 5), date(2027, 2, 10), ["Jan\n2027", "Feb"]),
    ],
)
def test_a_date_axis_names_months_and_each_new_year_once(start, end, shown):
    ax = _axes()
    axes.date_axis(ax, start, end)

    assert [t.get_text() for t in ax.get_xticklabels()] == shown
    assert ax.get_xlim() == (start.toordinal(), end.toordinal() + 1)


def test_labels_at_the_end_of_lines_never_touch():
    ax = _axes()
    axes.end_labels(ax, 1.0, [(50.0, "a", "k"), (51.0, "b", "k"), (49.5, "c", "k"), (5.0, "d", "k")], 100.0)
    heights = sorted(t.xy[1] for t in ax.texts)

    assert all(above - below >= 7.5 - 1e-9 for below, above in itertools.pairwise(heights))
    assert [t.get_text() for t in sorted(ax.texts, key=lambda t: -t.xy[1])] == ["b", "a", "c", "d"]


def test_a_rate_axis_is_named():
    ax = _axes()
    axes.plain_x_axis(ax, 25.0, "requests a second")
    assert ax.get_xlabel() == "requests a second"
    assert max(ax.get_xticks()) <= 25
