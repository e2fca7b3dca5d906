"""The chart of GPUs day by day: the fleet that hosts one workload, at p50, p80 and p95 of the sample paths."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports import svg
from reports.axes import date_axis, end_labels, value_axis
from reports.format import count, tick
from reports.values.changes import DailyGpus

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_PX = 760
READING = (
    "GPUs of each week's largest day, whole replicas and spares included. Solid: at 80% of the sample paths. Band:"
    " from the median to 95%. A horizon's fleet is the largest day of each path within it, so it lies above."
)


def daily_gpus(each: DailyGpus, *, chart_id: str, title: str) -> str:
    """Draw each week's largest day as a staircase at p80 within the band from p50 to p95."""

    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.075, 0.17, 0.79, 0.76))
        steps = weeks(each)
        x = [each.days[n].toordinal() for n, *_ in steps] + [each.days[-1].toordinal() + 1]
        low, middle, high = ([*row, row[-1]] for row in list(zip(*steps, strict=True))[1:])
        top = max(*high, 1)
        ax.fill_between(x, low, high, step="post", color=svg.BAND, linewidth=0)
        ax.step(x, middle, where="post", color=svg.ACCENT, linewidth=1.6)
        value_axis(ax, top * 1.08, tick)
        date_axis(ax, each.days[0], each.days[-1])
        labels = [
            (float(high[-1]), f"{count(high[-1])} (95%)", svg.SOFT),
            (float(middle[-1]), f"{count(middle[-1])} (80%)", svg.ACCENT),
            (float(low[-1]), f"{count(low[-1])} median", svg.SOFT),
        ]
        end_labels(ax, x[-1], labels, top)

    return svg.draw(paint, chart_id=chart_id, title=title, description=READING, width_px=WIDTH_PX, height_px=220)


def heading(each: DailyGpus) -> str:
    """Return what the chart shows in one sentence."""
    first, last, most = each.p80[0], each.p80[-1], max(each.p80)
    peak = each.days[each.p80.index(most)]
    moved = f"from {count(first)} to {count(last)}" if first != last else f"at {count(first)} on both ends"
    return f"GPUs day by day on {each.gpu}: {moved}, {count(most)} at most, first on {peak:%Y-%m-%d}"


def weeks(each: DailyGpus) -> list[tuple[int, int, int, int]]:
    """Return for each week its first day's index and the largest p50, p80 and p95 of its days."""
    return _largest(each, range(0, len(each.days), 7))


def months(each: DailyGpus) -> list[tuple[int, int, int, int]]:
    """Return the same for each calendar month that the days touch."""
    days = each.days
    return _largest(each, [n for n, day in enumerate(days) if n == 0 or day.month != days[n - 1].month])


def _largest(each: DailyGpus, starts: Sequence[int]) -> list[tuple[int, int, int, int]]:
    ends = [*starts[1:], len(each.days)]
    rows = (each.p50, each.p80, each.p95)
    return [
        (first, *(max(row[first:end]) for row in rows))  # type: ignore[misc]  # four ints
        for first, end in zip(starts, ends, strict=True)
    ]
