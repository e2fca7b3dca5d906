"""The page itself: one self-contained HTML file out of one report, and nothing but the report.

No script, no address that a browser would fetch (a content security policy forbids both), every foreign text
escaped. Templates may print only text that `reports.format` has made: a bare number in a template is an error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from data.catalog.provider_table import TERMS as PROVIDER_TERMS
from forecasting.spread import Spread
from reports import (
    changes,
    charts,
    deployment,
    gpu_chart,
    record_chart,
    sentences,
    slo,
    tables,
    tornado_chart,
    windows,
)
from reports import format as fmt
from reports.budget import Breakeven, BudgetReport, Currency, FleetRow, Scored, TrackRow, Workload
from reports.compact import share_styles
from reports.history import cause, grade_word, last_plan_sentence, quantity_word, signed, signed_count
from reports.tables import Block, Candidate, Option
from sizing.money import CostLine

_TEMPLATES = Path(__file__).parent / "templates"
CHARTED_RECORDS = 3
"""Workloads whose last forecast is drawn beside what came."""
LISTED_RECORDS = 10
"""Workloads in the table of the track record; track.csv holds all."""
_UNKNOWN = Markup('<abbr title="unknown">–</abbr>')


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """A file that stands beside the page, as the caller wrote it."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A chart under the sentence that it proves, with how to read it."""

    heading: str
    reading: str
    svg: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of the figures on top: the number, its range, and what to make of it."""

    label: str
    value: str
    range: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of the day over the seven days of the week."""

    label: str
    factors: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadView:
    """One workload with its charts drawn and its rows grouped."""

    workload: Workload
    anchor: str
    history: list[Block]
    forecast: list[Block]
    planned: list[tuple[int, FleetRow]]
    candidates: list[Candidate]
    options: list[Option]
    sources: list[str]
    least: dict[int, CostLine]
    hours: list[Hour]
    fan: Picture
    week: Picture | None
    tokens: Picture | None
    logics: Picture | None
    costs: Picture | None
    breakeven: Picture | None
    tornado: Picture | None
    curve_gpu: str
    curve: list[tuple[float, float, float]]
    daily_gpus: Picture | None
    gpu_months: list[tuple[int, int, int, int]]


def render_html(report: BudgetReport, *, files: Sequence[PublishedFile] = ()) -> str:
    """Return the page as one HTML document; same report and files, same bytes.

    files: what the caller wrote beside the page, printed with its hash.
    """
    views = [_view(w, f"w{i}", report.currency) for i, w in enumerate(tables.by_size(report.workloads), start=1)]
    days = sorted({h.days for w in report.workloads for h in w.horizons})
    page = _environment(report.currency).get_template("page.html.j2")
    html = page.render(
        report=report,
        views=views,
        files=list(files),
        figures=_figures(report),
        spend=_spend(report),
        risks=sentences.risks(report),
        record_charts=_record_charts(report),
        record_rows=_record_rows(report)[:LISTED_RECORDS],
        record_rest=max(len(_record_rows(report)) - LISTED_RECORDS, 0),
        horizon_days=days,
        horizon_words=_listed([str(d) for d in days]),
        longest=max(days, default=0),
        heads=[(f"{d}\N{NO-BREAK SPACE}days", "") for d in days],
        cost_heads=[(f"{d}\N{NO-BREAK SPACE}days", "n") for d in days],
        logic_names=tables.LOGICS,
        logic_heads=[(label.capitalize(), "n") for _, label in tables.LOGICS],
        weekdays=fmt.WEEKDAYS,
        provider_terms=PROVIDER_TERMS,
        provider_heads=[(term.replace("-", " ").capitalize(), "n") for term in PROVIDER_TERMS],
        changes_sentence=changes.sentence(report.changes),
        change_groups=changes.groups(report.changes),
        change_heads=[(f"{d}\N{NO-BREAK SPACE}days, {what}", "n") for d in days for what in ("dollars", "GPUs")],
        kind_words=changes.KIND_WORDS,
        css=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704  (our own style sheet)
    )
    return share_styles(html)


def _spend(report: BudgetReport) -> Picture | None:
    if not report.months:
        return None
    heading = sentences.spend(report.months, report.currency)
    draw = partial(charts.monthly_spend, report.months, report.currency)
    return _picture("spend", "spend", heading, draw)


def _record_charts(report: BudgetReport) -> list[tuple[str, Picture, Scored]]:
    """Draw what the last plan forecast beside what came, for the largest workloads."""
    if report.track is None:
        return []
    known = {each.workload: each for each in report.track.last if each.days}
    shown = [known[w.name] for w in tables.by_size(report.workloads) if w.name in known][:CHARTED_RECORDS]
    found = []
    for i, each in enumerate(shown, start=1):
        heading = last_plan_sentence(each)
        draw = partial(record_chart.last_plan, each)
        svg = Markup(draw(chart_id=f"record{i}", title=heading))  # noqa: S704  (our own SVG, escaped by ElementTree)
        picture = Picture(heading=heading, reading=record_chart.READING, svg=svg)
        found.append(
            (f"{fmt.plain(each.workload, 40)}: forecast of {fmt.day(each.as_of)}, and what came", picture, each)
        )
    return found


def _record_rows(report: BudgetReport) -> list[tuple[str, list[TrackRow]]]:
    """Group the track record by workload, in the order of the page; requests first."""
    rows = report.track.rows if report.track is not None else []
    names = [w.name for w in tables.by_size(report.workloads)]
    by_name = [(name, [r for r in rows if r.workload == name]) for name in names]
    return [
        (name, sorted(own, key=lambda r: (r.quantity != "requests", r.quantity, r.from_day)))
        for name, own in by_name
        if own
    ]


def _picture(kind: str, chart_id: str, heading: str, draw: Callable[..., str]) -> Picture:
    """Draw a chart and set its heading and its reading beside it."""
    svg = Markup(draw(chart_id=chart_id, title=heading))  # noqa: S704  (our own SVG, escaped by ElementTree)
    return Picture(heading=heading, reading=charts.READING[kind], svg=svg)


def _view(workload: Workload, anchor: str, currency: Currency) -> WorkloadView:
    """Draw one workload's charts; every id of them starts with `anchor`."""
    horizons, traffic = workload.horizons, workload.traffic
    history, forecast = tables.history_blocks(traffic), tables.forecast_blocks(traffic)
    planned, priced = tables.planned_rows(horizons), tables.charted(workload)
    curve = _curve(workload)
    has_tokens = any(t.known and t.p50 is not None for h in horizons for t in h.tokens)
    week = workload.hour_of_week

    def picture(kind: str, heading: str, draw: Callable[..., str]) -> Picture:
        return _picture(kind, f"{anchor}-{kind}", heading, draw)

    return WorkloadView(
        workload=workload,
        anchor=anchor,
        history=history,
        forecast=forecast,
        planned=planned,
        candidates=tables.candidates(horizons),
        options=tables.options(horizons),
        sources=list(dict.fromkeys(line.source for h in horizons for line in h.costs if line.source)),
        least={h.days: line for h in horizons if (line := tables.cheapest(h)) is not None},
        hours=[Hour(label=f"{h:02d}:00", factors=[week[d * 24 + h] for d in range(7)]) for h in range(24)],
        fan=picture("fan", sentences.requests(traffic), partial(charts.request_fan, history, forecast)),
        week=picture("week", sentences.week(week), partial(charts.hour_of_week, week))
        if max(week, default=0.0) - min(week, default=0.0) >= 0.005
        else None,
        tokens=picture("tokens", sentences.tokens(horizons), partial(charts.token_percentiles, horizons))
        if has_tokens
        else None,
        logics=picture("logics", sentences.logics(horizons), partial(charts.gpu_logics, planned))
        if planned
        else None,
        costs=picture("costs", sentences.costs(horizons, currency), partial(charts.cost_options, priced, currency))
        if any(line.usd is not None for o in priced for line in o.lines.values())
        else None,
        breakeven=None
        if curve is None
        else picture("breakeven", sentences.breakeven(curve), partial(charts.breakeven_curve, curve, currency)),
        tornado=_tornado(workload, f"{anchor}-tornado"),
        curve_gpu="" if curve is None else curve.gpu,
        curve=[] if curve is None else _thinned(curve),
        daily_gpus=_gpu_picture(workload, anchor),
        gpu_months=[] if workload.daily_gpus is None else gpu_chart.months(workload.daily_gpus),
    )


def _tornado(workload: Workload, chart_id: str) -> Picture | None:
    """Draw what moves the breakeven, where there is one to move."""
    found = workload.selfhost
    if found is None or not found.tornado:
        return None
    widest = found.tornado[0]
    ends = " to ".join(fmt.percent(v) for v in sorted((widest.low, widest.high)))
    heading = f"{widest.factor} moves the breakeven on {found.gpu} most: it needs {ends} of paid GPU time"
    draw = partial(tornado_chart.tornado_bars, found.tornado, found.reached)
    svg = Markup(draw(chart_id=chart_id, title=heading))  # noqa: S704  (our own SVG, escaped by ElementTree)
    return Picture(heading=heading, reading=tornado_chart.READING, svg=svg)


def _gpu_picture(workload: Workload, anchor: str) -> Picture | None:
    each = workload.daily_gpus
    if each is None or not each.days or not max(each.p95):
        return None
    heading = gpu_chart.heading(each)
    svg = Markup(gpu_chart.daily_gpus(each, chart_id=f"{anchor}-gpus", title=heading))  # noqa: S704  (our own SVG)
    return Picture(heading=heading, reading=gpu_chart.READING, svg=svg)


def _listed(words: Sequence[str]) -> str:
    """Return words as an English list."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _curve(workload: Workload) -> Breakeven | None:
    """Return the breakeven that is drawn: the chosen GPU's, else the first that has a curve."""
    chosen = {h.chosen_gpu for h in workload.horizons}
    drawn = [b for b in workload.breakeven if b.curve_qps and b.curve_qps[-1] > 0]
    return next((b for b in drawn if b.gpu in chosen), drawn[0] if drawn else None)


def _thinned(each: Breakeven) -> list[tuple[float, float, float]]:
    """Return about a dozen points of the curve, first and last among them."""
    last = len(each.curve_qps) - 1
    picks = sorted({round(i * last / 12) for i in range(13)})
    return [(each.curve_qps[i], each.curve_api_usd_per_month[i], each.curve_gpu_usd_per_month[i]) for i in picks]


def _figures(report: BudgetReport) -> list[Figure]:
    """Return the four figures of the first screen."""
    decision, currency = report.decision, report.currency
    spans = (
        (30, decision.usd_30_days),
        (90, decision.usd_90_days),
        (365, decision.usd_365_days),
    )
    reach = max((h.days for w in report.workloads for h in w.horizons), default=0)
    found = [_spend_figure(days, spread, currency, reach) for days, spread in spans]
    share = decision.committed_share
    note = "share is unknown" if share is None else "of 30 days' spend is under a term"
    return [*found, Figure(label="Committed", value=fmt.percent(share), range=note, note="")]


def _spend_figure(days: int, spread: Spread | None, currency: Currency, reach: int) -> Figure:
    label = f"Next {days} days"
    if spread is None:
        why = "no known price for part of it" if days <= reach else f"this plan reaches {reach} days"
        return Figure(label=label, value=fmt.UNKNOWN, range=why, note="")
    return Figure(
        label=label,
        value=fmt.money_short(spread.mean, currency),
        range=f"80%: {_span(spread, partial(fmt.money_short, currency=currency))}",
        note=sentences.swing(spread),
    )


def _environment(currency: Currency) -> Environment:
    """Return the templates' environment, its filters bound to the report's currency."""
    env = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    money = {
        name: partial(getattr(fmt, name), currency=currency)
        for name in ("money", "money_short", "price", "cents_row")
    }
    names = (
        "count",
        "short",
        "qps",
        "percent",
        "ratio",
        "seconds",
        "kilowatts",
        "kilobytes",
        "day",
        "month",
        "stamp",
        "window",
    )
    env.filters.update(money)
    env.filters.update({name: getattr(fmt, name) for name in names})
    env.filters.update(
        cut=fmt.plain,
        said=partial(fmt.in_currency, currency=currency),
        span=_span,
        choice=tables.choice,
        basis=sentences.basis,
        second_opinion=sentences.second_opinion,
        token_points=sentences.token_points,
        outlasts=tables.outlasts,
        cause=cause,
        by_logic=windows.by_logic,
        hour_rows=deployment.hour_rows,
        power_sentence=deployment.power_sentence,
        slo_bounds=slo.slo_bounds,
        slo_sentence=slo.slo_sentence,
        latency=slo.seconds,
        logic_name=windows.logic_name,
        budget_share=windows.budget_share,
        graded=grade_word,
        quantity=quantity_word,
        signed=signed,
        more_money=partial(changes.more_money, currency=currency),
        more_span=partial(changes.more_span, currency=currency),
        factors=changes.factors,
        horizon=changes.horizon,
        signed_count=signed_count,
    )
    env.globals.update(unknown=_UNKNOWN, short=fmt.short, qps=fmt.qps, money=money["money"])
    return env


def _span(spread: Spread, show: Callable[[float], str]) -> str:
    """Return the 80% range of a figure in words."""
    return f"{show(spread.p10)} to {show(spread.p90)}"


def _printable(value: object) -> object:
    """Return what a template may print: markup as it is, text made safe to lay out, unknown as a titled dash."""
    if isinstance(value, Markup):
        return value
    if value is None or value == fmt.UNKNOWN:
        return _UNKNOWN
    if isinstance(value, str):
        return fmt.plain(value)
    raise TypeError(f"{value!r} reached the page unformatted; pass it through a filter of reports.format.")
