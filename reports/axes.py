"""Axes and end labels that the charts share: round ticks in the house's own format, dates without a locale."""

import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from reports.format import MONTHS, tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALL = 11
"""Size in px of everything in a chart but its bold labels."""


def value_axis(ax: "Axes", top: float, show: Callable[[float], str]) -> None:
    """Zero-based value axis with at most five round ticks, labelled by the house's own format."""
    from matplotlib.ticker import MaxNLocator

    ax.set_ylim(0, top)
    ticks = [t for t in MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(0, top) if 0 <= t <= top]
    ax.set_yticks(ticks, [show(t) for t in ticks])
    ax.tick_params(axis="y", labelsize=SMALL)
    ax.grid(axis="y")


def plain_x_axis(ax: "Axes", end: float, label: str) -> None:
    """Axis of a rate from zero to `end`, named by `label`."""
    from matplotlib.ticker import MaxNLocator

    ticks = [t for t in MaxNLocator(nbins=6).tick_values(0, end) if 0 <= t <= end]
    ax.set_xticks(ticks, [tick(t) for t in ticks])
    ax.tick_params(axis="x", labelsize=SMALL)
    ax.set_xlabel(label, fontsize=SMALL)


def date_axis(ax: "Axes", start: date, end: date) -> None:
    """Ticks on firsts of months, every k-th so that about eight remain; the year where it changes."""
    first = date(start.year + start.month // 12, start.month % 12 + 1, 1)
    months = [first]
    while months[-1] <= end:
        step = months[-1] + timedelta(days=31)
        months.append(step.replace(day=1))
    every = max(1, math.ceil((len(months) - 1) / 9))
    ticks = [m for m in months[:-1] if (m.month - 1) % every == 0] or [start]
    labels = [
        MONTHS[t.month - 1] + (f"\n{t.year}" if i == 0 or t.year != ticks[i - 1].year else "")
        for i, t in enumerate(ticks)
    ]
    ax.set_xlim(start.toordinal(), end.toordinal() + 1)
    ax.set_xticks([t.toordinal() for t in ticks], labels)
    ax.tick_params(axis="x", labelsize=SMALL)


def end_labels(ax: "Axes", x: float, labels: Sequence[tuple[float, str, str]], top: float) -> None:
    """Write labels at the right end of lines, pushed apart where they would touch."""
    gap = top * 0.075
    placed = math.inf
    for value, text, colour in sorted(labels, reverse=True):
        y = min(value, placed - gap)
        placed = y
        ax.annotate(
            text,
            (x, y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=colour,
            annotation_clip=False,
        )
