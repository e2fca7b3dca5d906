import re
import subprocess
import sys

import pytest

from reports import svg


def _bars(figure):
    ax = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    ax.bar([1, 2], [3, 4], facecolor=svg.PAPER, edgecolor=svg.ACCENT, hatch="////")
    ax.plot([1, 2], [3, 4], marker="o", color=svg.INK)
    ax.text(1, 2, "costs $1 & $2 <now>", color=svg.SOFT)


def _draw(chart_id="c1", title="A title"):
    return svg.draw(_bars, chart_id=chart_id, title=title, description="Bars.", width_px=400, height_px=200)


def test_the_same_drawing_has_the_same_bytes():
    assert _draw() == _draw()


def test_two_charts_on_one_page_share_no_id():
    ids = [set(re.findall(r' id="([^"]+)"', _draw(chart_id))) for chart_id in ("w1-a", "w1-b")]
    assert ids[0]
    assert ids[1]
    assert not ids[0] & ids[1]


def test_every_reference_finds_its_target_in_the_same_chart():
    chart = _draw()
    targets = set(re.findall(r' id="([^"]+)"', chart))
    references = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', chart))
    assert references
    assert {a or b for a, b in references} <= targets


def test_colours_come_from_the_page():
    chart = _draw()
    assert "var(--accent)" in chart
    assert not re.search(r"#[0-9a-f]{6}", chart)


def test_text_stays_text_and_dollars_are_not_mathematics():
    assert ">costs $1 &amp; $2 &lt;now&gt;</text>" in _draw()


def test_the_chart_is_named_for_those_who_do_not_see_it():
    chart = _draw(title='<b>"A" & B</b>')
    assert 'role="img" style="max-width:400px" aria-labelledby="c1-title c1-desc"' in chart
    assert '<title id="c1-title">&lt;b&gt;"A" &amp; B&lt;/b&gt;</title><desc id="c1-desc">Bars.</desc>' in chart


def test_nothing_of_the_document_around_it_is_left():
    chart = _draw()
    for piece in ("<?xml", "<!DOCTYPE", "xmlns", "metadata", "<style", "http"):
        assert piece not in chart


def test_a_users_own_matplotlib_settings_change_nothing():
    import matplotlib

    before = _draw()
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 30, "svg.fonttype": "path"}):
        assert _draw() == before


@pytest.mark.parametrize(
    ("number", "shown"), [("12.3456", "12.3"), ("-0.04", "0"), ("10.0", "10"), ("1.5e-05", "0"), ("-3.25", "-3.2")]
)
def test_coordinates_keep_one_decimal(number, shown):
    assert svg._round_numbers(number, 1) == shown


def test_a_command_without_charts_does_not_pay_for_matplotlib():
    code = "import reports.render, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
