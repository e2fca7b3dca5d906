"""From the rooms' values to the page's: every figure is picked here, none is worked out in the page."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.traffic import LONG_PROMPT_TOK, PERCENTILES, Traffic
from data.units import DAY_S
from flows.pricing import Priced, hosting_gpu, hosting_need
from flows.selfhost_rows import self_hosting
from flows.settings import WorkloadSettings
from flows.sides import NO_SIDES, Sides
from flows.stated import Floats, source_of, widened
from flows.walk import SizedGpu
from forecasting.demand import Demand
from forecasting.outlook import Outlook
from forecasting.peaks import daily_peaks
from forecasting.spread import Spread
from reports.budget import (
    Breakeven,
    BusiestRow,
    DailyGpus,
    FleetRow,
    Horizon,
    LongShareRow,
    Method,
    Moved,
    OpinionRow,
    OptionChoice,
    SecondOpinion,
    Series,
    TokenPercentiles,
    Workload,
)
from sizing import breakeven as sizing_breakeven
from sizing.scenarios.difference import GPU_QUANTILES
from sizing.textbook import Textbook
from sizing.windows import work_share_above

HISTORY_SHOWN_DAYS = 400
PERCENTILE_NAMES = tuple(f"p{100 * p:.0f}" for p in PERCENTILES)

Ints = npt.NDArray[np.int64]
Field = Literal["prompt", "cached", "output"]
TOKEN_FIELDS: tuple[Field, ...] = ("prompt", "cached", "output")
WEEK_DAYS = 7


def workload_page(
    settings: WorkloadSettings,
    traffic: Traffic,
    outlook: Outlook,
    sized: Sequence[SizedGpu],
    priced: Priced,
    textbook: Textbook | None,
    horizons_days: Sequence[int],
    moved: Moved | None = None,
    sides: Sides = NO_SIDES,
) -> Workload:
    """Return everything the page says about one workload."""
    demand = outlook.demand
    return Workload(
        name=settings.name,
        category=settings.category,
        model=settings.model,
        precision=settings.precision,
        api=f"{settings.api.provider}/{settings.api.model}" if settings.api else None,
        notes=[*traffic.notes, *outlook.notes, *_fleet_notes(sized)],
        traffic=_series(traffic.daily["requests"], outlook.daily_requests),
        peak_qps=_series(_peaks(traffic), outlook.daily_peak_qps),
        source=source_of(traffic),
        method=_method(outlook),
        moved=moved,
        choice=sides.choice,
        second_opinion=_second_opinion(outlook, horizons_days),
        windowed=sides.windowed,
        deployment=sides.deployment,
        slo_check=sides.slo_check,
        hour_of_week=[float(v) for v in demand.hour_of_week],
        long_context=_long_context(traffic, demand, sized, hosting_gpu(priced, horizons_days[0])),
        textbook_gpus=textbook.gpus if textbook else None,
        textbook_sentence=textbook.sentence if textbook else "",
        horizons=[_horizon(settings, traffic, days, outlook, sized, priced) for days in horizons_days],
        daily_gpus=_daily_gpus(sized, priced, horizons_days[0], demand),
        breakeven=[_breakeven(each) for each in priced.breakevens],
        selfhost=self_hosting(priced.behind),
    )


def _daily_gpus(sized: Sequence[SizedGpu], priced: Priced, days: int, demand: Demand) -> DailyGpus:
    """Return the hosting fleet day by day; a quantile over the paths is a path's own fleet."""
    gpu, need = hosting_need(sized, priced, days)
    p50, p80, p95 = np.quantile(need, GPU_QUANTILES, axis=0, method="higher").astype(int).tolist()
    return DailyGpus(gpu=gpu, days=demand.days.astype("datetime64[D]").tolist(), p50=p50, p80=p80, p95=p95)


def _series(seen: "pd.Series[float]", forecast: pd.DataFrame) -> Series:
    history = seen.tail(HISTORY_SHOWN_DAYS)
    return Series(
        history_days=[day.date() for day in pd.DatetimeIndex(history.index)],
        history=[None if np.isnan(v) else float(v) for v in history],
        days=[day.date() for day in pd.DatetimeIndex(forecast.index)],
        mean=_column(forecast, "mean"),
        q2_5=_column(forecast, "q2.5"),
        q10=_column(forecast, "q10"),
        q50=_column(forecast, "q50"),
        q90=_column(forecast, "q90"),
        q97_5=_column(forecast, "q97.5"),
    )


def _peaks(traffic: Traffic) -> "pd.Series[float]":
    """Return requests a second in each day's busiest window, as the forecast saw them."""
    return pd.Series(daily_peaks(traffic) / traffic.window_s, index=traffic.daily.index)


def _column(table: pd.DataFrame, name: str) -> list[float]:
    return [float(v) for v in table[name]]


def _method(outlook: Outlook) -> Method:
    m = outlook.method
    return Method(
        model=m.model,
        basis=m.basis,
        history_days=m.history_days,
        origins=m.origins,
        loss_vs_naive=m.loss_vs_naive,
        coverage_80=m.coverage_80,
        cleaned=list(m.cleaned),
        sentence=m.sentence,
        interval_origins=m.interval_origins,
    )


def _second_opinion(outlook: Outlook, horizons_days: Sequence[int]) -> SecondOpinion | None:
    found = outlook.second_opinion
    if found is None:
        return None
    opinions = [each for days in horizons_days if (each := found.over(days)) is not None]
    return SecondOpinion(
        method=found.method,
        scenarios=found.scenarios,
        why_not=found.why_not,
        rows=[
            OpinionRow(
                days=each.days,
                requests=each.requests,
                ours_q10=each.ours_q10,
                ours_q50=each.ours_q50,
                ours_q90=each.ours_q90,
                ours_over_it=each.ours_over_it,
                inside_80=each.inside_80,
            )
            for each in opinions
        ],
    )


def _horizon(
    settings: WorkloadSettings,
    traffic: Traffic,
    days: int,
    outlook: Outlook,
    sized: Sequence[SizedGpu],
    priced: Priced,
) -> Horizon:
    demand = outlook.demand.first(days)
    start = date.fromisoformat(str(demand.days[0]))
    per_day = demand.requests
    choice = priced.choices[days]
    return Horizon(
        days=days,
        start=start,
        end=start + timedelta(days=days - 1),
        requests=Spread.of(per_day.sum(axis=1)),
        mean_qps=Spread.of(per_day.mean(axis=1) / 86_400),
        peak_qps=Spread.of(demand.peak_qps().max(axis=1)),
        tokens=[_percentiles(demand, field, traffic.percentile_widths.get(field)) for field in TOKEN_FIELDS],
        prompt_tok=Spread.of((per_day * demand.prompt_tok).sum(axis=1)),
        output_tok=Spread.of((per_day * demand.output_tok).sum(axis=1)),
        cached_tok=Spread.of((per_day * demand.cached_prompt_tok).sum(axis=1)),
        busiest=_busiest(demand),
        fleets=[_fleet_row(each, settings, days) for each in sized],
        chosen_gpu=hosting_gpu(priced, days),
        costs=[each.line for each in priced.lines[days]],
        decision=OptionChoice(
            action=choice.action,
            sentence=choice.sentence,
            option=choice.option,
            gpu=choice.gpu,
            gpus=choice.gpus,
            usd=choice.usd,
            saving_usd=choice.saving_usd,
            decide_by=choice.decide_by,
        ),
    )


def _busiest(demand: Demand) -> list[BusiestRow]:
    """Return the busiest hour, minute and 10 s, those that anything tells."""
    rows = []
    for each in demand.busiest:
        rate = demand.requests / DAY_S * each.factor
        rows.append(
            BusiestRow(
                window_s=each.window_s,
                qps=Spread.of(rate.max(axis=1)),
                usual_qps=Spread.of(np.median(rate, axis=1)),
                over_mean=float(np.median(each.factor)),
                estimated=each.estimated,
            )
        )
    return rows


def _percentiles(demand: Demand, field: Field, widths: Floats | None) -> TokenPercentiles:
    """Take each percentile's forecast on the horizon's last week, averaged: what it will have become by then."""
    outlook = next((t for t in demand.tokens if t.field == field), None)
    mean = {"prompt": demand.prompt_tok, "cached": demand.cached_prompt_tok, "output": demand.output_tok}[field]
    mean_tok = float((mean * demand.requests).sum() / demand.requests.sum()) if demand.requests.any() else np.nan
    rows: dict[str, list[float]] = {}
    if outlook is not None:
        last = outlook.tok[:, -WEEK_DAYS:].mean(axis=1)
        rows = {
            name: row.tolist() for name, row in zip(PERCENTILE_NAMES, last, strict=True) if np.isfinite(row).all()
        }
    rows = widened(rows, widths, PERCENTILE_NAMES)
    inner = {name: (row[1], row[2], row[3]) for name, row in rows.items()}
    return TokenPercentiles(
        field=field,
        known=len(rows) == len(PERCENTILE_NAMES),
        p50=inner.get("p50"),
        p90=inner.get("p90"),
        p95=inner.get("p95"),
        p99=inner.get("p99"),
        interval_95={name: (row[0], row[4]) for name, row in rows.items()},
        mean_tok=None if np.isnan(mean_tok) else mean_tok,
    )


def _long_context(
    traffic: Traffic, demand: Demand, sized: Sequence[SizedGpu], gpu: str | None
) -> list[LongShareRow]:
    """Return what long prompts make up of the requests and of the work on the GPU that would serve them."""
    fleet = next((each.fleet for each in sized if each.gpu == gpu), None)
    if fleet is None:
        return []
    rows = []
    for threshold_tok, share in zip(LONG_PROMPT_TOK, demand.long, strict=True):  # in tokens as logged
        work = work_share_above(traffic, fleet.profile, threshold_tok, demand.moments)
        if work is not None and not np.isnan(share.requests):
            rows.append(LongShareRow(threshold_tok=threshold_tok, requests_share=share.requests, work_share=work))
    return rows


def _breakeven(each: sizing_breakeven.Breakeven) -> Breakeven:
    return Breakeven(
        gpu=each.gpu,
        usd_per_gpu_hour=each.usd_per_gpu_hour,
        api_usd_per_mtok=each.api_usd_per_mtok,
        qps=each.qps,
        utilisation=each.utilisation,
        mtok_per_month=each.mtok_per_month,
        qps_low=each.qps_low,
        qps_high=each.qps_high,
        now_qps=each.now_qps,
        sentence=each.sentence,
        curve_qps=each.curve_qps,
        curve_api_usd_per_month=each.curve_api_usd_per_month,
        curve_gpu_usd_per_month=each.curve_gpu_usd_per_month,
    )


def _fleet_notes(sized: Sequence[SizedGpu]) -> list[str]:
    notes = [note for each in sized if each.fleet is not None for note in each.fleet.notes]
    return list(dict.fromkeys(notes))


def _fleet_row(each: SizedGpu, settings: WorkloadSettings, days: int) -> FleetRow:
    if each.fleet is None:
        return _no_fleet(each, settings)
    profile = each.fleet.profile
    row = next(h for h in each.fleet.horizons if h.days == days)
    return FleetRow(
        gpu=each.gpu,
        tp=profile.tp,
        precision=profile.precision,
        feasible=True,
        why_not="",
        gpus_p50=row.gpus_p50,
        gpus_p80=row.gpus_p80,
        gpus_p95=row.gpus_p95,
        mean_plan_gpus=row.mean_plan_gpus,
        p95_lengths_gpus=row.p95_lengths_gpus,
        windowed_p95_gpus=row.windowed_p95_gpus,
        windowed_p99_gpus=row.windowed_p99_gpus,
        spare_gpus=row.spare_gpus,
        nodes=row.nodes,
        batch=profile.batch,
        memory_batch=profile.memory_batch,
        binds=profile.binds,
        utilisation=row.utilisation,
        ttft_s=profile.ttft_s,
        tpot_s=profile.tpot_s,
        gpus_low=row.gpus_low,
        gpus_high=row.gpus_high,
        measured_points=profile.measured_points,
        power_kw=row.power_kw,
    )


def _no_fleet(each: SizedGpu, settings: WorkloadSettings) -> FleetRow:
    unknown = dict.fromkeys(
        (
            "gpus_p50", "gpus_p80", "gpus_p95", "mean_plan_gpus", "p95_lengths_gpus", "windowed_p95_gpus",
            "windowed_p99_gpus", "spare_gpus", "nodes", "batch", "memory_batch", "utilisation", "ttft_s", "tpot_s",
            "gpus_low", "gpus_high", "power_kw",
        )
    )  # fmt: skip
    return FleetRow(
        gpu=each.gpu,
        tp=0,
        precision=settings.precision,
        feasible=False,
        why_not=each.why_not,
        binds="",
        measured_points=0,
        **unknown,
    )
