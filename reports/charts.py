"""The charts of the page, in IBCS notation: what was is solid, what is forecast is hatched, a budget is outlined.

Every function returns one inline SVG. Bars start at zero, labels stand at what they name, the same unit has one
scale within a chart, and no meaning rests on colour alone. No name that came from outside is drawn here: names
stand in the HTML around the chart, where the template escapes them.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports import svg
from reports.axes import SMALL, date_axis, end_labels, plain_x_axis, value_axis
from reports.budget import Breakeven, BudgetMonth, Currency, FleetRow, Horizon, TokenPercentiles
from reports.format import (
    WEEKDAYS,
    count,
    known,
    money_short,
    money_tick,
    month,
    plain,
    qps,
    ratio,
    short,
    squeeze,
    tick,
)
from reports.sentences import is_whole
from reports.tables import LOGICS, Block, Option

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

WIDTH_PX = 760
_LEVELS = 16
READING = {
    "fan": "Requests a day, each point the mean of seven days. Solid: what was seen. Dashed: the forecast median."
    " Inner band: 80% interval. Outer band: 95% interval.",
    "spend": "Hatched bar: expected spend. Upright line: its 80% range, with a stroke at the 95th percentile."
    " Outline: the budget. A month that the plan cuts says how many of its days it holds.",
    "tokens": "Dots: the forecast median of each percentile of the length, in tokens. Bar under a dot: its 80%"
    " range. The axis is logarithmic.",
    "logics": "GPUs that four ways of asking would plan, on one scale. Hatched: the work in windows, which fleets"
    " are planned on. Plain: for comparison.",
    "costs": "Expected dollars per 30 days of each option, so that the horizons share one scale. Line: 80% range.",
    "breakeven": "Cost of a month over its mean rate. Dashed: the API. Solid staircase: own GPUs, in whole"
    " replicas. Dotted uprights: the rate now, and the rate where both cost the same.",
    "week": "Hours of the week in UTC; the fuller a cell, the more traffic. The busiest and the quietest hour are"
    " outlined and labelled with their factor of the mean.",
}
"""How each chart is to be read: printed beside it, and read aloud as its description."""


def request_fan(history: Sequence[Block], forecast: Sequence[Block], *, chart_id: str, title: str) -> str:
    """Draw mean requests a day, by week: what was seen, then the median with its 80% and 95% intervals."""

    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.075, 0.15, 0.79, 0.76))
        seen = [b.value for b in history if b.value is not None]
        top = max([*seen, *(b.q97_5 for b in forecast), 1.0])
        _fan(ax, history, forecast)
        value_axis(ax, top * 1.06, tick)
        start, end = (history or forecast)[0].start, (forecast or history)[-1].end
        date_axis(ax, start, end)
        _fan_labels(ax, forecast, top)
        if history and forecast:
            x = forecast[0].start.toordinal()
            ax.axvline(x, color=svg.SOFT, linewidth=0.8, linestyle=(0, (1, 2)))
            ax.text(x, top * 1.07, "plan starts", color=svg.SOFT, fontsize=SMALL, ha="center", va="bottom")

    return svg.draw(
        paint,
        chart_id=chart_id,
        title=title,
        description=READING["fan"],
        width_px=WIDTH_PX,
        height_px=260,
    )


def monthly_spend(months: Sequence[BudgetMonth], currency: Currency, *, chart_id: str, title: str) -> str:
    """Draw each month's expected spend as a hatched bar with its 80% range and p95, beside the outlined budget."""

    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.085, 0.16, 0.90, 0.80))
        top = max([max(m.usd.mean, m.usd.p95) for m in months] + [m.budget_usd or 0.0 for m in months] + [1.0])
        for x, each in enumerate(months):
            _month_bar(ax, x, each)
            label = money_short(each.usd.mean, currency)
            height = max(each.usd.mean, each.usd.p95, each.budget_usd or 0.0)
            ax.text(x, height + top * 0.02, label, ha="center", va="bottom", fontsize=SMALL)
        value_axis(ax, top * 1.12, lambda v: money_tick(v, currency))
        ax.set_xlim(-0.6, max(len(months), 3) - 0.4)
        ax.set_xticks(range(len(months)), [_month_tick(m, i == 0) for i, m in enumerate(months)])
        ax.tick_params(axis="x", length=0)

    return svg.draw(
        paint,
        chart_id=chart_id,
        title=title,
        description=READING["spend"],
        width_px=WIDTH_PX,
        height_px=300,
    )


def token_percentiles(horizons: Sequence[Horizon], *, chart_id: str, title: str) -> str:
    """Draw p50, p90, p95 and p99 of each known length field, one row per horizon, with 80% ranges (log axis)."""
    rows = [
        (h, t) for name in ("prompt", "cached", "output") for h in horizons for t in h.tokens if t.field == name
    ]
    rows = [(h, t) for h, t in rows if t.known and any(_points(t))]
    height = 50 + 20 * len(rows) + 18 * len({t.field for _, t in rows})

    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.17, 40 / height, 0.80, 1 - 44 / height))
        before, y = "", -1.0
        for horizon, tokens in rows:
            y += 1.0 if tokens.field == before else 1.9
            _token_row(ax, y, tokens, named=tokens.field != before)
            before = tokens.field
            ax.text(
                -0.012,
                y,
                f"{tokens.field}, {horizon.days} days",
                transform=ax.get_yaxis_transform(),
                ha="right",
                va="center",
                fontsize=SMALL,
                color=svg.SOFT,
            )
        ax.set_ylim(y + 0.6, 0)
        _token_axis(ax, rows)

    return svg.draw(
        paint,
        chart_id=chart_id,
        title=title,
        description=READING["tokens"],
        width_px=WIDTH_PX,
        height_px=height,
    )


def gpu_logics(rows: Sequence[tuple[int, FleetRow]], *, chart_id: str, title: str) -> str:
    """Draw the GPUs of one candidate over each horizon (days, row) by the four logics, as bars on one scale."""

    def paint(figure: "Figure") -> None:
        values = [getattr(row, key) or 0 for _, row in rows for key, _ in LOGICS]
        top = max([*values, 1])
        step = 0.825 / max(len(rows), 3)
        for i, (days, row) in enumerate(rows):
            ax = figure.add_axes((0.17 + step * i, 0.05, step - 0.02, 0.80))
            for y, (key, _) in enumerate(LOGICS):
                _logic_bar(ax, y, getattr(row, key), top, planned=key.startswith("windowed"))
            ax.set_xlim(0, top * 1.25)
            ax.set_ylim(3.6, -0.6)
            ax.set_xticks([])
            ax.tick_params(axis="y", labelsize=SMALL)
            ax.set_yticks(range(4), [label for _, label in LOGICS] if i == 0 else [""] * 4)
            ax.spines["left"].set_visible(True)
            ax.spines["bottom"].set_visible(False)
            ax.set_title(f"{days} days, {plain(row.gpu, 16)}", fontsize=SMALL, color=svg.SOFT, loc="left")

    return svg.draw(
        paint,
        chart_id=chart_id,
        title=title,
        description=READING["logics"],
        width_px=WIDTH_PX,
        height_px=150,
    )


def cost_options(options: Sequence[Option], currency: Currency, *, chart_id: str, title: str) -> str:
    """Draw USD per 30 days of each option over each horizon, with the 80% range, on one scale."""
    days = sorted({d for option in options for d in option.lines})

    def paint(figure: "Figure") -> None:
        top = max([_per_30(o, d, "p90") or 0.0 for o in options for d in days] + [1.0])
        step, rows_px = 0.675 / max(len(days), 3), 22 * len(options)
        for i, each in enumerate(days):
            ax = figure.add_axes((0.33 + step * i, 0.02, step - 0.01, rows_px / (rows_px + 28)))
            for y, option in enumerate(options):
                _cost_bar(ax, y, option, each, top, currency)
            ax.set_xlim(0, top * 1.5)
            ax.set_ylim(len(options) - 0.4, -0.6)
            ax.set_xticks([])
            ax.set_yticks(
                range(len(options)), [squeeze(o.name, 34) for o in options] if i == 0 else [""] * len(options)
            )
            ax.tick_params(axis="y", labelsize=SMALL)
            ax.spines["left"].set_visible(True)
            ax.spines["bottom"].set_visible(False)
            ax.set_title(f"over {each} days", fontsize=SMALL, color=svg.SOFT, loc="left")

    return svg.draw(
        paint,
        chart_id=chart_id,
        title=title,
        description=READING["costs"],
        width_px=WIDTH_PX,
        height_px=28 + 22 * max(len(options), 1),
    )


def breakeven_curve(each: Breakeven, currency: Currency, *, chart_id: str, title: str) -> str:
    """Draw dollars a month over QPS: the API's straight line against the staircase of whole replicas."""

    def paint(figure: "Figure") -> None:
        ax = figure.add_axes((0.085, 0.17, 0.80, 0.74))
        x, api, own = each.curve_qps, each.curve_api_usd_per_month, each.curve_gpu_usd_per_month
        top = max([*api, *own, 1.0])
        ax.plot(x, api, color=svg.ACCENT, linewidth=1.6, linestyle=(0, (5, 2)))
        ax.plot(x, own, color=svg.INK, linewidth=1.6, drawstyle="steps-post")
        end_labels(ax, x[-1], [(api[-1], "API", svg.ACCENT), (own[-1], "own GPUs", svg.INK)], top)
        value_axis(ax, top * 1.08, lambda v: money_tick(v, currency))
        ax.set_xlim(0, x[-1])
        plain_x_axis(ax, x[-1], "requests a second, mean over the month")
        _breakeven_marks(ax, each, top)

    return svg.draw(
        paint,
        chart_id=chart_id,
        title=title,
        description=READING["breakeven"],
        width_px=WIDTH_PX,
        height_px=240,
    )


def hour_of_week(profile: Sequence[float], *, chart_id: str, title: str) -> str:
    """Draw the week as seven rows of 24 cells, fuller where there is more traffic; label peak and trough."""

    def paint(figure: "Figure") -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        ax = figure.add_axes((0.075, 0.14, 0.80, 0.82))
        top = max([v for v in profile if known(v)] + [1e-9])
        for level in range(_LEVELS + 1):
            slots = [i for i, v in enumerate(profile) if known(v) and round(max(v, 0.0) / top * _LEVELS) == level]
            if slots:
                cells = Path.make_compound_path(*(_cell(slot) for slot in slots))
                ax.add_patch(
                    PathPatch(cells, facecolor=svg.ACCENT, linewidth=0, alpha=(level + 0.5) / (_LEVELS + 0.5))
                )
        ax.set_xlim(0, 24)
        ax.set_ylim(7, 0)
        ax.set_yticks([d + 0.44 for d in range(7)], [w[:3] for w in WEEKDAYS])
        ax.set_xticks([h + 0.47 for h in range(0, 24, 3)], [f"{h:02d}:00" for h in range(0, 24, 3)])
        ax.tick_params(axis="x", length=0, labelsize=SMALL)
        ax.tick_params(axis="y", labelsize=SMALL)
        ax.spines["bottom"].set_visible(False)
        _heat_labels(ax, profile)

    return svg.draw(
        paint,
        chart_id=chart_id,
        title=title,
        description=READING["week"],
        width_px=WIDTH_PX,
        height_px=150,
    )


def _fan(ax: "Axes", history: Sequence[Block], forecast: Sequence[Block]) -> None:
    from matplotlib.patches import Polygon

    x = [b.middle for b in forecast]
    for low, high, colour in (("q2_5", "q97_5", svg.BAND_WIDE), ("q10", "q90", svg.BAND)):
        upper = [(p, getattr(b, high)) for p, b in zip(x, forecast, strict=True)]
        lower = [(p, getattr(b, low)) for p, b in zip(x, forecast, strict=True)]
        if upper:
            ax.add_patch(Polygon(upper + lower[::-1], facecolor=colour, edgecolor=svg.ACCENT, linewidth=0.5))
    ax.plot(x, [b.q50 for b in forecast], color=svg.ACCENT, linewidth=1.6, linestyle=(0, (4, 2)))
    seen = [math.nan if b.value is None else b.value for b in history]
    few = len(history) < 10
    ax.plot(
        [b.middle for b in history], seen, color=svg.INK, linewidth=1.6, marker="o" if few else "", markersize=3
    )


def _fan_labels(ax: "Axes", forecast: Sequence[Block], top: float) -> None:
    if not forecast:
        return
    last = forecast[-1]
    values = [
        (last.q97_5, f"{short(last.q97_5)} (97.5%)", svg.SOFT),
        (last.q90, f"{short(last.q90)} (90%)", svg.SOFT),
        (last.q50, f"{short(last.q50)} median", svg.ACCENT),
        (last.q10, f"{short(last.q10)} (10%)", svg.SOFT),
        (last.q2_5, f"{short(last.q2_5)} (2.5%)", svg.SOFT),
    ]
    end_labels(ax, last.middle, values, top)


def _month_bar(ax: "Axes", x: int, each: BudgetMonth) -> None:
    if each.budget_usd is not None:
        ax.bar(x + 0.08, each.budget_usd, width=0.62, facecolor="none", edgecolor=svg.BUDGET, linewidth=1.4)
    ax.bar(x - 0.08, each.usd.mean, width=0.62, facecolor=svg.PAPER, edgecolor=svg.ACCENT, hatch="////")
    ax.plot([x - 0.08] * 2, [each.usd.p10, each.usd.p90], color=svg.INK, linewidth=2.2, solid_capstyle="butt")
    ax.plot([x - 0.18, x + 0.02], [each.usd.p95] * 2, color=svg.INK, linewidth=1.2)


def _month_tick(each: BudgetMonth, first: bool) -> str:
    name, _, year = month(each.month).partition(" ")
    lines = [name, year] if first or name == "Jan" else [name]
    return "\n".join([*lines, *([] if is_whole(each) else [f"{each.days} days"])])


def _points(tokens: TokenPercentiles) -> list[tuple[float, float, float]]:
    return [p for p in (tokens.p50, tokens.p90, tokens.p95, tokens.p99) if p is not None]


def _token_row(ax: "Axes", y: float, tokens: TokenPercentiles, *, named: bool) -> None:
    for name, point in (("p50", tokens.p50), ("p90", tokens.p90), ("p95", tokens.p95), ("p99", tokens.p99)):
        if point is None:
            continue
        low, middle, high = (max(v, 1.0) for v in point)
        ax.plot([low, high], [y, y], color=svg.BAND, linewidth=7, solid_capstyle="butt")
        ax.plot([middle], [y], marker="o", linestyle="", color=svg.INK, markersize=4)
        if named:
            ax.text(middle, y - 0.36, name, ha="center", va="bottom", fontsize=10, color=svg.SOFT)


def _token_axis(ax: "Axes", rows: Sequence[tuple[Horizon, TokenPercentiles]]) -> None:
    values = [max(v, 1.0) for _, t in rows for p in _points(t) for v in p] or [1.0, 10.0]
    low, high = min(values) / 1.4, max(values) * 1.4
    ticks = [m * 10**e for e in range(8) for m in (1, 3) if low <= m * 10**e <= high]
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_xticks(ticks, [tick(t) for t in ticks])
    ax.set_xticks([], minor=True)
    ax.grid(axis="x")
    ax.set_yticks([])
    ax.set_xlabel("tokens (logarithmic)", fontsize=SMALL)


def _logic_bar(ax: "Axes", y: int, gpus: int | None, top: float, *, planned: bool) -> None:
    if gpus is None:
        ax.text(top * 0.03, y, "unknown", va="center", fontsize=SMALL, color=svg.SOFT)
        return
    ax.barh(
        y,
        gpus,
        height=0.62,
        facecolor=svg.PAPER if planned else svg.BAND,
        edgecolor=svg.ACCENT,
        hatch="////" if planned else None,
    )
    ax.text(
        gpus + top * 0.03, y, count(gpus), va="center", fontsize=12, fontweight="bold" if planned else "normal"
    )


def _per_30(option: Option, days: int, key: str) -> float | None:
    line = option.lines.get(days)
    return None if line is None or line.usd is None else getattr(line.usd, key) * 30 / days


def _cost_bar(ax: "Axes", y: int, option: Option, days: int, top: float, currency: Currency) -> None:
    mean, low, high = (_per_30(option, days, key) for key in ("mean", "p10", "p90"))
    if mean is None or low is None or high is None:
        ax.text(top * 0.03, y, "unknown", va="center", fontsize=SMALL, color=svg.SOFT)
        return
    ax.barh(y, mean, height=0.6, facecolor=svg.PAPER, edgecolor=svg.ACCENT, hatch="////")
    ax.plot([low, high], [y, y], color=svg.INK, linewidth=2)
    ax.text(max(mean, high) + top * 0.03, y, money_short(mean, currency), va="center", fontsize=SMALL)


def _breakeven_marks(ax: "Axes", each: Breakeven, top: float) -> None:
    end = each.curve_qps[-1]
    marks = [(each.now_qps, f"now {qps(each.now_qps)}"), (each.qps, f"breakeven {qps(each.qps)}")]
    drawn = [(x, text) for x, text in marks if x is not None and known(x) and x <= end]
    for i, (x, text) in enumerate(sorted(drawn)):
        ax.axvline(x, color=svg.SOFT, linewidth=0.9, linestyle=(0, (1, 2)))
        left = x > end * 0.8 or (i == 0 and len(drawn) == 2 and x > end * 0.2)
        ax.text(
            x + (-0.006 if left else 0.006) * end,
            top * (1.07 if i else 1.0),
            text,
            va="top",
            ha="right" if left else "left",
            fontsize=SMALL,
            color=svg.SOFT,
        )


def _heat_labels(ax: "Axes", profile: Sequence[float]) -> None:
    from matplotlib.patches import PathPatch

    numbers = [(v, -i) for i, v in enumerate(profile) if known(v)]
    if not numbers or max(numbers)[0] - min(numbers)[0] < 0.005:
        return
    for (value, first), word in ((max(numbers), "busiest"), (min(numbers), "quietest")):
        slot = -first
        text = f"{word}: {ratio(value)} ×"
        ax.annotate(text, (24.2, slot // 24 + 0.44), va="center", fontsize=SMALL, annotation_clip=False)
        ax.add_patch(PathPatch(_cell(slot), facecolor="none", edgecolor=svg.INK, linewidth=1.5))


def _cell(slot: int) -> "Path":
    """Return the outline of one hour's cell, in hours from midnight and days from Monday."""
    from matplotlib.path import Path

    x, y = slot % 24, slot // 24
    return Path([(x, y), (x + 0.94, y), (x + 0.94, y + 0.88), (x, y + 0.88), (x, y)], closed=True)
