"""The sentences that head the charts and name the risks: what each picture proves, in words and numbers."""

import calendar
import math
from collections.abc import Iterator, Sequence

from data.traffic import PercentileBasis
from forecasting.spread import Spread
from reports.budget import (
    Breakeven,
    BudgetMonth,
    BudgetReport,
    Currency,
    Horizon,
    OpinionRow,
    SecondOpinion,
    Series,
    TokenPercentiles,
    Workload,
)
from reports.format import (
    count,
    day,
    hour_of_week,
    known,
    money_short,
    month,
    percent,
    plain,
    qps,
    ratio,
    short,
)
from reports.tables import cheapest, forecast_blocks, history_blocks, may_choose, planned_rows


def spend(months: Sequence[BudgetMonth], currency: Currency) -> str:
    """Say what the whole calendar months are expected to cost, against their budget where there is one."""
    whole = [m for m in months if is_whole(m)] or list(months)
    if not whole:
        return "No spend is planned."
    budgeted = [(m, m.budget_usd) for m in whole if m.budget_usd is not None]
    if not budgeted:
        first, last = whole[0], whole[-1]
        return (
            f"Spend goes from {money_short(first.usd.mean, currency)} in {month(first.month)} to"
            f" {money_short(last.usd.mean, currency)} in {month(last.month)}; no budget is set"
        )
    expected, budget = sum(m.usd.mean for m, _ in budgeted), sum(usd for _, usd in budgeted)
    side = "over" if expected > budget else "under"
    gap = abs(expected - budget)
    return (
        f"{_span([m for m, _ in budgeted])} should cost {money_short(expected, currency)},"
        f" {money_short(gap, currency)} ({percent(gap / budget if budget else None)}) {side} budget"
    )


def requests(series: Series) -> str:
    """Say where daily requests stand and where they go."""
    seen = [b.value for b in history_blocks(series) if b.value is not None]
    ahead = forecast_blocks(series)
    if not ahead:
        return "No requests are forecast"
    last = ahead[-1]
    spread = f"80% range {short(last.q10)} to {short(last.q90)}"
    if not seen:
        return f"{short(last.q50)} requests a day are planned for by {day(last.end)} ({spread}); none was seen yet"
    if abs(last.q50 - seen[-1]) <= 0.03 * seen[-1]:
        return f"Demand stays near {short(seen[-1])} requests a day until {day(last.end)} ({spread})"
    return f"Demand goes from {short(seen[-1])} requests a day to {short(last.q50)} by {day(last.end)} ({spread})"


def tokens(horizons: Sequence[Horizon]) -> str:
    """Say how long prompts and answers are, from the first horizon."""
    text = "; ".join(
        f"half of the {each.field}s stay under {count(each.p50[1])} tokens,"
        f" one in a hundred exceeds {count(each.p99[1])}"
        for each in (t for h in horizons[:1] for t in h.tokens if t.known and t.field != "cached")
        if each.p50 is not None and each.p99 is not None
    )
    return text[:1].upper() + text[1:] if text else "The source does not state the lengths of prompts and outputs"


def logics(horizons: Sequence[Horizon]) -> str:
    """Say what planning on long-prompt percentiles would have asked for: the long-context warning in numbers."""
    rows = planned_rows(horizons)
    if not rows:
        return "No GPU that was looked at can serve this workload within its targets"
    days, row = rows[0]
    name = f"{plain(row.gpu, 24)} over {days} days"
    if row.windowed_p99_gpus is None:
        return f"The mean asks for {count(row.mean_plan_gpus)} {name}; windows of work are unknown for this source"
    if row.p95_lengths_gpus is None:
        return f"The work as it arrives asks for {count(row.windowed_p99_gpus)} {name} at its 99th percentile"
    return (
        f"Planning on 95th-percentile lengths asks for {count(row.p95_lengths_gpus)} {name};"
        f" the work as it arrives needs {count(row.windowed_p99_gpus)}"
    )


def costs(horizons: Sequence[Horizon], currency: Currency) -> str:
    """Name the least expensive priced option over the longest horizon, and the next one of another kind."""
    for horizon in reversed(horizons):
        best = cheapest(horizon)
        if best is None or best.usd is None:
            continue
        others = [
            c
            for c in horizon.costs
            if c.usd is not None and c.option != best.option and may_choose(c.option, horizon.days)
        ]
        text = (
            f"Over {horizon.days} days {plain(best.label, 40)} costs least: {money_short(best.usd.mean, currency)}"
        )
        rival = min(others, key=lambda c: c.usd.mean if c.usd else 0.0, default=None)
        if rival is None or rival.usd is None:
            return text
        return f"{text}, against {money_short(rival.usd.mean, currency)} for {plain(rival.label, 40)}"
    return "No option has a known price"


def breakeven(each: Breakeven) -> str:
    """Say at which rate the API and own GPUs cost the same, and what the rate is now."""
    now = f"the forecast is {qps(each.now_qps)}"
    if each.qps is None or not known(each.qps):
        return f"No rate makes own {plain(each.gpu, 24)} cheaper than the API; {now} requests a second"
    return f"Own {plain(each.gpu, 24)} cost what the API does at {qps(each.qps)} requests a second; {now}"


def week(profile: Sequence[float]) -> str:
    """Say when the week is busiest."""
    slots = [(value, -i) for i, value in enumerate(profile) if known(value)]
    if not slots or max(slots)[0] <= 0:
        return "The shape of the week is unknown"
    value, slot = max(slots)
    if value - min(slots)[0] < 0.005:
        return "Traffic is taken as even over the week"
    return f"The week is busiest on {hour_of_week(-slot)}, at {ratio(value)} times its mean"


def swing(spread: Spread | None) -> str:
    """Say how wide a figure's 80% range is, as plus or minus a share of the expected value.

    >>> swing(Spread(mean=100.0, p10=90.0, p50=100.0, p80=108.0, p90=112.0, p95=120.0))
    '± 11%'
    """
    if spread is None or not known(spread.mean) or spread.mean <= 0:
        return ""
    return f"± {percent((spread.p90 - spread.p10) / 2 / spread.mean)}"


def token_points(each: TokenPercentiles) -> list[tuple[str, tuple[float, float, float] | None]]:
    """Return the four percentiles of a length field by name."""
    return [("p50", each.p50), ("p90", each.p90), ("p95", each.p95), ("p99", each.p99)]


def basis(workload: Workload) -> str:
    """Say in two words what a workload's demand rests on."""
    return {"history": "from history", "short history": "short history", "no history": "assumption: no history"}[
        workload.method.basis
    ]


def second_opinion(opinion: SecondOpinion) -> str:
    """Say what a library expects beside ours, and where it lies outside our 80% range."""
    if not opinion.rows:
        return f"No library forecast stands beside ours ({opinion.method}): {opinion.why_not}."
    first, *others = opinion.rows
    text = (
        f"A library forecast ({opinion.method}) expects {short(first.requests)} requests over"
        f" {count(first.days)} days, {_apart(first, ' the middle of ours')}"
    )
    text += "".join(f"; {short(row.requests)} over {count(row.days)}, {_apart(row)}" for row in others) + "."
    for row in opinion.rows:
        if not row.inside_80:
            text += f" Over {count(row.days)} days that is {_side(row)} our 80% range ({_range(row)})."
    if opinion.scenarios:
        text += (
            " Ours is taken here before the plan's growth, events and holidays, which the library does not know."
        )
    return text


def _apart(row: OpinionRow, than: str = "") -> str:
    """How far the library's total lies from the middle of ours, as a share of it."""
    if row.ours_q50 <= 0:
        return f"against {short(row.ours_q50)} in{than or ' ours'}"
    share = row.requests / row.ours_q50 - 1
    if abs(share) < 0.005:
        return f"within 0.5% of{than or ' ours'}"
    return f"{percent(abs(share))} {'above' if share > 0 else 'below'}{than}"


def _side(row: OpinionRow) -> str:
    return "above" if row.requests > row.ours_q90 else "below"


def _range(row: OpinionRow) -> str:
    return f"{short(row.ours_q10)} to {short(row.ours_q90)}"


def is_whole(each: BudgetMonth) -> bool:
    """Say whether the plan holds every day of the calendar month."""
    year, _, number = each.month.partition("-")
    if not (year.isdigit() and number.isdigit() and 1 <= int(number) <= 12):
        return False
    return each.days == calendar.monthrange(int(year), int(number))[1]


def risks(report: BudgetReport) -> list[str]:
    """Return what could go wrong, weightiest first, from what the report itself knows."""
    found = (_tail, _over_budget, _assumed, _unmeasured, _short, _disputed, _unpriced, _unread)
    return [sentence for find in found for sentence in find(report)]


def _tail(report: BudgetReport) -> Iterator[str]:
    year, currency = report.decision.usd_365_days, report.currency
    planned = any(h.days >= 365 for w in report.workloads for h in w.horizons)
    if year is None and planned:
        yield "The year's spend is unknown, because at least one workload has no known price."
    elif year is not None and year.p95 > year.mean:
        yield (
            f"One year in twenty costs {money_short(year.p95, currency)} or more,"
            f" {money_short(year.p95 - year.mean, currency)} above the expected amount."
        )


def _over_budget(report: BudgetReport) -> Iterator[str]:
    at_risk = [m for m in report.months if m.budget_usd is not None and is_whole(m) and m.usd.p90 > m.budget_usd]
    if at_risk:
        word = "month" if len(at_risk) == 1 else "months"
        yield (
            f"{len(at_risk)} {word} could pass the budget within the 80% range, {month(at_risk[0].month)} first."
        )


def _assumed(report: BudgetReport) -> Iterator[str]:
    for workload in report.workloads:
        if workload.method.basis == "no history":
            yield f"{plain(workload.name, 40)} has no history: its demand is an assumption, not a forecast."


def _short(report: BudgetReport) -> Iterator[str]:
    for workload in report.workloads:
        if workload.method.basis == "short history":
            days = workload.method.history_days
            yield f"{plain(workload.name, 40)} rests on {count(days)} days of history: its trend is unknown."


def _disputed(report: BudgetReport) -> Iterator[str]:
    for workload in report.workloads:
        opinion = workload.second_opinion
        for row in [row for row in (opinion.rows if opinion else []) if not row.inside_80][:1]:
            yield (
                f"A library forecast puts {plain(workload.name, 40)} at {short(row.requests)} requests over"
                f" {count(row.days)} days, {_side(row)} the 80% range of ours ({_range(row)})."
            )


def _unmeasured(report: BudgetReport) -> Iterator[str]:
    for workload in report.workloads:
        for days, row in planned_rows(workload.horizons)[:1]:
            if row.measured_points == 0 and workload.horizons[0].decision.gpu == row.gpu:
                yield (
                    f"No measurement backs the throughput of {plain(row.gpu, 24)} for {plain(workload.name, 40)}:"
                    f" between {count(row.gpus_low)} and {count(row.gpus_high)} GPUs over {days} days."
                )


def _unpriced(report: BudgetReport) -> Iterator[str]:
    lines = [line for w in report.workloads for h in w.horizons for line in h.costs]
    missing = sum(line.usd is None for line in lines)
    if missing:
        yield f"{count(missing)} of {count(len(lines))} cost lines have no known price and were not compared."


def _unread(report: BudgetReport) -> Iterator[str]:
    quality = report.quality
    if quality.rows_read and quality.rows_rejected / quality.rows_read >= 0.001:
        share = percent(quality.rows_rejected / quality.rows_read)
        yield f"{share} of the rows could not be read; they are in no number here."


def _span(months: Sequence[BudgetMonth]) -> str:
    first, last = month(months[0].month), month(months[-1].month)
    return first if first == last else f"{first} to {last}"


def percentile_sentence(basis: PercentileBasis, times: float) -> str:
    """Return where percentiles of lengths come from; times: how far off those of histograms may be."""
    if basis == "requests":
        return "Percentiles of lengths are those of every request that was logged with its tokens."
    if basis == "stated":
        return "Percentiles of lengths are those that the source states, its windows taken together."
    if basis == "none":
        return "Percentiles of lengths are unavailable from this source: it states sums alone."
    if math.isnan(times):
        return (
            "Percentiles of lengths come from histograms, and recent ones lie in a last step without an end: they"
            " are unknown."
        )
    return (
        f"Percentiles of lengths come from the steps of histograms: the true ones may be {times:.1f} times as long"
        " or as short, and their ranges are that much wider."
    )
