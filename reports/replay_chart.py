"""The chart of a replay: what each policy paid over what hindsight would have, cell by cell."""

from typing import TYPE_CHECKING

import pandas as pd

from reports import svg
from reports.axes import SMALL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_PX = 760
OURS = "fleetcast"
MOST_RATIO = 2.0
"""Ratios above it are drawn at the edge; the table has them."""
READING = (
    "A row for each policy, a mark for each cell of the grid (one-year discount x price path): what the policy"
    " cost over the cheapest plan that knows the future, summed over the series. 1 is hindsight. Bars: the middle."
)


def replay_chart(verdict: pd.DataFrame, series: int, *, chart_id: str = "replay") -> str:
    """Draw `sizing.replay.table.verdict_table` as one strip a policy."""
    names = list(dict.fromkeys(verdict["policy"]))[::-1]
    ratio = verdict["pooled_vs_clairvoyant"].clip(upper=MOST_RATIO)
    height = 70 + 28 * len(names)

    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.16, 44 / height, 0.80, 1 - 62 / height))
        for y, name in enumerate(names):
            x = ratio[verdict["policy"] == name]
            ink = svg.ACCENT if name == OURS else svg.SOFT
            ax.plot(x, [y] * len(x), "o", color=ink, markersize=4.5, fillstyle="none", markeredgewidth=1.0)
            ax.plot([x.median()] * 2, [y - 0.36, y + 0.36], color=ink, linewidth=2.4)
        ax.axvline(1, color=svg.INK, linewidth=1.0)
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(-0.6, len(names) - 0.4)
        ax.set_xlim(0.99, max(1.1, float(ratio.max()) + 0.03))
        ax.tick_params(labelsize=SMALL, labelcolor=svg.INK)
        ax.grid(axis="x")
        ax.set_xlabel("cost over the clairvoyant's", fontsize=SMALL)

    of = "one need" if series == 1 else f"{series} series"
    return svg.draw(
        paint,
        chart_id=chart_id,
        title=f"Past months decided again: cost over hindsight, {of}",
        description=READING,
        width_px=WIDTH_PX,
        height_px=height,
    )
