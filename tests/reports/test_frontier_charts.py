"""The charts of the frontier: every GPU that is drawn is named, names are text, same input same bytes."""

from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.frontier_charts import MOST_LINES, bandwidth_chart, cost_chart, speed_chart, spread
from reports.svg import standalone

HOSTILE = "<script>alert(1)</script>"


def table(names=("h100", "b200")):
    rows = [
        {"gpu": name, "tok_per_s_per_user": 100.0 / n, "tok_per_s_per_gpu": 50.0 * n * (i + 1)}
        | {"tpot_s": n / 100, "usd_per_mtok": 9.0 / n / (i + 1), "own": True}
        | {"fastest": i == len(names) - 1, "cheapest": i == len(names) - 1}
        for i, name in enumerate(names)
        for n in (1, 2, 5)
    ]
    return pd.DataFrame(rows)


def rule(names=("h100", "b200")):
    columns = ("bandwidth", "flop", "memory", "one user", "generation", "documents")
    return pd.DataFrame([{"gpu": name, **dict.fromkeys(columns, 1.0 + i)} for i, name in enumerate(names)])


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]


@pytest.mark.parametrize("chart", [speed_chart, cost_chart])
def test_every_line_is_named(chart):
    assert {"h100", "b200"} <= set(texts(chart(table(), "t")))
    assert chart(table(), "t") == chart(table(), "t")


def test_bars_name_every_gpu_and_the_reference():
    said = texts(bandwidth_chart(rule(), "h100", "t"))

    assert {"h100", "b200", "times h100, for one GPU"} <= set(said)


@pytest.mark.parametrize("name", [HOSTILE, "=cmd()", "\u202egnp", "a\nb", "$x_2$"])
def test_a_name_is_text(name):
    for svg in (speed_chart(table((name, "h100")), "t"), bandwidth_chart(rule((name, "h100")), name, "t")):
        whole = standalone(svg)
        assert "<script" not in whole
        ElementTree.fromstring(whole)


def test_so_many_gpus_are_drawn_as_can_be_named_those_on_the_frontier_among_them():
    names = [f"gpu{i}" for i in range(MOST_LINES + 6)]
    said = texts(speed_chart(table(names), "t"))

    assert sum(text in names for text in said) == MOST_LINES
    assert names[-1] in said


def test_a_file_of_its_own_has_colours_and_a_size():
    whole = standalone(speed_chart(table(), "Title"))
    root = ElementTree.fromstring(whole)

    assert "var(--" not in whole
    assert root.get("width") == "900"
    assert root.find("{http://www.w3.org/2000/svg}title").text == "Title"


@given(st.lists(st.floats(-100, 100), max_size=12).map(sorted), st.floats(0.01, 10))
def test_names_are_spread_in_order_and_apart(places, gap):
    spaced = spread(places, gap)

    assert all(b - a >= gap * (1 - 1e-6) - 1e-9 for a, b in pairwise(spaced))


def test_names_that_are_apart_stay():
    assert spread([0.0, 5.0], 1.0) == [0.0, 5.0]
