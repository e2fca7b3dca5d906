"""The chart of what moves a breakeven: a bar for each input, from its low to its high end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports import svg
from reports.axes import SMALL
from reports.format import percent
from reports.values.selfhost import TornadoRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_PX = 760
READING = (
    "Busy share of paid GPU time at which self-hosting costs what the API does, with one input at a time at its"
    " low (hatched) and at its high end (solid). Dotted: with nothing moved. Dashed: what the planned fleet"
    " reaches; an end to the right of it has no breakeven."
)


def tornado_bars(rows: Sequence[TornadoRow], reached: float | None, *, chart_id: str, title: str) -> str:
    """Draw the bars, widest first, on one scale of utilisation."""
    height = 46 + 24 * len(rows)

    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.19, 30 / height, 0.78, 1 - 44 / height))
        top = max([*(v for r in rows for v in (r.base, r.low, r.high)), reached or 0.0]) * 1.08
        for y, row in enumerate(rows):
            ax.barh(y, row.low - row.base, left=row.base, height=0.6, facecolor=svg.PAPER, edgecolor=svg.ACCENT,
                    hatch="////")  # fmt: skip
            ax.barh(y, row.high - row.base, left=row.base, height=0.6, color=svg.ACCENT)
        base = rows[0].base if rows else 0.0
        ax.axvline(base, color=svg.SOFT, linewidth=0.9, linestyle=(0, (1, 2)))
        if reached is not None:
            ax.axvline(reached, color=svg.INK, linewidth=1.2, linestyle=(0, (5, 2)))
            ax.text(reached, -0.75, f"reached {percent(reached)}", fontsize=SMALL, ha="center", va="bottom")
        ax.set_xlim(0, top)
        ax.set_ylim(len(rows) - 0.4, -0.7)
        ax.set_yticks(range(len(rows)), [row.factor for row in rows])
        ticks = [top * k / 4 for k in range(5)]
        ax.set_xticks(ticks, [percent(v) for v in ticks])
        ax.tick_params(axis="both", labelsize=SMALL)

    return svg.draw(
        paint, chart_id=chart_id, title=title, description=READING, width_px=WIDTH_PX, height_px=height
    )
