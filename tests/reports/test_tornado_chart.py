"""The tornado: one bar an input, and the same bytes for the same rows."""

from reports.tornado_chart import tornado_bars
from reports.values.selfhost import TornadoRow

ROWS = [
    TornadoRow(
        factor=factor, low_text="x 0.5", high_text="x 1.5", base=0.3, low=low, high=0.2, low_qps=None, high_qps=4.0
    )
    for factor, low in (("API price", 0.6), ("GPU price", 0.4))
]


def test_every_input_has_a_bar_and_the_reached_utilisation_is_named():
    svg = tornado_bars(ROWS, 0.52, chart_id="t", title="What moves it")

    assert "API price" in svg
    assert "GPU price" in svg
    assert "reached 52%" in svg
    assert svg == tornado_bars(ROWS, 0.52, chart_id="t", title="What moves it")
