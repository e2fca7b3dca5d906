"""Charts of `fleetcast frontier`: speed against throughput, dollars against TPOT, and what bandwidth predicts.

Files of their own, in the house's notation. GPU names may come from a user's catalog: they are drawn as text.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import pandas as pd

from reports import svg
from reports.axes import SMALL
from reports.format import plain, squeeze, tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_PX = 900
HEIGHT_PX = 560
MOST_LINES = 14
"""GPUs that one chart can name; the CSV has all."""
_NAME_CHARACTERS = 24
_ROW_PX = 26
_MARKS = (
    ("one user", "^", "one user alone"),
    ("generation", "o", "generation, full"),
    ("documents", "s", "documents, full"),
)


def speed_chart(table: pd.DataFrame, title: str) -> str:
    """Draw each GPU's own frontier: tokens a second for a user against tokens a second for a GPU (log scales).

    GPUs on the frontier of all are drawn strong.
    """
    return _lines(
        _shown(table[table["own"]]),
        table[table["fastest"]]["gpu"].unique().tolist(),
        x="tok_per_s_per_user",
        y="tok_per_s_per_gpu",
        labels=("tokens a second for one user", "generated tokens a second for each GPU"),
        side="left",
        title=title,
        description="A line for each GPU: the settings that nothing else of its kind beats. Right is faster for"
        " the user, up is more from each GPU. Strong: on the frontier of all GPUs. Both axes are logarithmic.",
    )


def cost_chart(table: pd.DataFrame, title: str) -> str:
    """Draw dollars for a million generated tokens against TPOT in ms, where a price is known (log scales)."""
    known = table[table["own"] & table["usd_per_mtok"].notna()].assign(tpot_ms=table["tpot_s"] * 1e3)
    return _lines(
        known,
        table[table["cheapest"]]["gpu"].unique().tolist(),
        x="tpot_ms",
        y="usd_per_mtok",
        labels=("time per output token, ms", "dollars for a million generated tokens"),
        side="right",
        title=title,
        description="A line for each GPU whose price is known. Left is faster, down is cheaper. Strong: on the"
        " frontier of all GPUs. Both axes are logarithmic.",
    )


def bandwidth_chart(table: pd.DataFrame, reference: str, title: str) -> str:
    """Draw each GPU's bandwidth over the reference's as a bar, and its modelled speed-ups as marks beside it."""
    rows = table.iloc[::-1].reset_index(drop=True)
    height = 80 + _ROW_PX * len(rows)

    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.16, 46 / height, 0.80, 1 - 80 / height))
        ax.barh(rows.index, rows["bandwidth"], height=0.62, color=svg.BAND, label="bandwidth")
        for column, mark, name in _MARKS:
            ax.plot(rows[column], rows.index, mark, color=svg.INK, markersize=6, fillstyle="none", label=name)
        ax.axvline(1, color=svg.SOFT, linewidth=0.8, linestyle=(0, (1, 2)))
        ax.set_yticks(rows.index, [_name(gpu) for gpu in rows["gpu"]])
        ax.tick_params(labelsize=SMALL, labelcolor=svg.INK)
        ax.set_xlim(0, None)
        ax.grid(axis="x")
        ax.set_xlabel(f"times {_name(reference)}, for one GPU", fontsize=SMALL)
        ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=4, fontsize=SMALL, frameon=False)

    return svg.draw(
        paint,
        chart_id="bandwidth",
        title=title,
        description="Bar: memory bandwidth over the reference GPU's. Marks: modelled speed-ups. Where a mark"
        " leaves the end of its bar, bandwidth does not predict the speed.",
        width_px=WIDTH_PX,
        height_px=height,
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Keep so many GPUs that their names can be read: those on the frontier of all, then those that give most."""
    rank = table.groupby("gpu").agg(on=("fastest", "any"), most=("tok_per_s_per_gpu", "max"))
    kept = rank.sort_values(["on", "most"], ascending=False).head(MOST_LINES).index
    return table[table["gpu"].isin(kept)]


def _lines(
    table: pd.DataFrame,
    strong: list[str],
    *,
    x: str,
    y: str,
    labels: tuple[str, str],
    side: Literal["left", "right"],
    title: str,
    description: str,
) -> str:
    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.07, 0.09, 0.91, 0.85))
        ax.set_xscale("log")
        ax.set_yscale("log")
        ends = []
        for gpu, rows in table.sort_values([x, y]).groupby("gpu", sort=False):
            on = gpu in strong
            colour, width = (svg.ACCENT, 2.2) if on else (svg.SOFT, 0.9)
            ax.plot(rows[x], rows[y], color=colour, linewidth=width)
            at = -1 if side == "right" else 0
            ends.append((float(rows[y].iloc[at]), float(rows[x].iloc[at]), _name(str(gpu)), colour))
        _label_ends(ax, ends, side)
        _log_axis(ax, labels)

    return svg.draw(
        paint,
        chart_id=y.replace("_", "-"),
        title=title,
        description=description,
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
    )


def _label_ends(ax: "Axes", ends: list[tuple[float, float, str, str]], side: Literal["left", "right"]) -> None:
    """Name each line in a column beside all of them, names apart so that each can be read, and lead to its end."""
    low, high = ax.get_ylim()
    ends = sorted(ends)
    heights = spread([math.log(value) for value, *_ in ends], math.log(high / low) * 0.03)
    xs = [x for _, x, *_ in ends]
    column = max(xs) * 1.12 if side == "right" else min(xs) / 1.12
    for height, (value, x, name, colour) in zip(heights, ends, strict=True):
        y = math.exp(height)
        ax.plot([x, column], [value, y], color=svg.RULE, linewidth=0.8)
        ax.text(
            column * (1.02 if side == "right" else 1 / 1.02),
            y,
            name,
            ha="left" if side == "right" else "right",
            va="center",
            fontsize=SMALL,
            color=colour,
        )
    left, right = ax.get_xlim()
    ax.set_xlim(*((left, column * 1.5) if side == "right" else (column / 2, right)))


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Return sorted places moved as little as both ways allow, so that neighbours are at least `gap` apart.

    >>> spread([0.0, 0.0, 10.0], 1.0)
    [-0.5, 0.5, 10.0]
    """
    up, down = list(places), list(places)
    for i in range(1, len(up)):
        up[i] = max(up[i], up[i - 1] + gap)
    for i in range(len(down) - 2, -1, -1):
        down[i] = min(down[i], down[i + 1] - gap)
    return [(a + b) / 2 for a, b in zip(up, down, strict=True)]


def _log_axis(ax: "Axes", labels: tuple[str, str]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    show: Callable[[float, int | None], str] = lambda value, _: tick(value)  # noqa: E731
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(show))
    ax.tick_params(labelsize=SMALL)
    ax.grid(axis="both")
    ax.set_xlabel(labels[0], fontsize=SMALL)
    ax.set_title(labels[1], loc="left", fontsize=SMALL, color=svg.SOFT)


def _name(gpu: str) -> str:
    return squeeze(plain(gpu), _NAME_CHARACTERS)
