"""The chart of the track record: what the last plan forecast, and what came."""

import math
from typing import TYPE_CHECKING

from reports import svg
from reports.axes import SMALL, date_axis, end_labels, value_axis
from reports.budget import Scored
from reports.format import day, short, tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_PX = 760
READING = (
    "Requests a day. Solid: what came. Dashed: the median that the last plan had forecast. Band: its 80% interval."
    " A break in the solid line is a day that is not scored."
)


def last_plan(scored: Scored, *, chart_id: str, title: str) -> str:
    """Draw one workload's actual requests over the last plan's median and 80% interval, day by day."""

    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.075, 0.17, 0.79, 0.76))
        x = [d.toordinal() + 0.5 for d in scored.days]
        came = [math.nan if v is None else v for v in scored.actual]
        top = max([*scored.q90, *(v for v in came if not math.isnan(v)), 1.0])
        ax.fill_between(x, scored.q10, scored.q90, color=svg.BAND, linewidth=0)
        ax.plot(x, scored.q50, color=svg.ACCENT, linewidth=1.6, linestyle=(0, (4, 2)))
        ax.plot(x, came, color=svg.INK, linewidth=1.8, marker="o", markersize=2.5)
        value_axis(ax, top * 1.08, tick)
        _days_axis(ax, scored)
        end_labels(ax, x[-1], _labels(scored), top)

    return svg.draw(paint, chart_id=chart_id, title=title, description=READING, width_px=WIDTH_PX, height_px=220)


def _labels(scored: Scored) -> list[tuple[float, str, str]]:
    seen = [v for v in scored.actual if v is not None]
    came = [(seen[-1], f"{short(seen[-1])} came", svg.INK)] if seen else []
    return [
        (scored.q90[-1], f"{short(scored.q90[-1])} (90%)", svg.SOFT),
        (scored.q50[-1], f"{short(scored.q50[-1])} median", svg.ACCENT),
        (scored.q10[-1], f"{short(scored.q10[-1])} (10%)", svg.SOFT),
        *came,
    ]


def _days_axis(ax: "Axes", scored: Scored) -> None:
    """Months where the record spans several, else its first, middle and last day."""
    first, last = scored.days[0], scored.days[-1]
    if len(scored.days) > 70:
        date_axis(ax, first, last)
        return
    shown = [scored.days[i] for i in sorted({0, len(scored.days) // 2, len(scored.days) - 1})]
    ax.set_xlim(first.toordinal(), last.toordinal() + 1)
    ax.set_xticks([d.toordinal() + 0.5 for d in shown], [day(d) for d in shown])
    ax.tick_params(axis="x", labelsize=SMALL)
