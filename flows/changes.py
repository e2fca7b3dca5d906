"""The table of what could change: prices, the user's scenarios and the stress tests, beside the plan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from flows.cases import levers_of, stress_tests
from flows.price_moves import plan_jumps
from flows.pricing import Priced, hosting_need
from flows.scenario_settings import LeverSettings
from flows.settings import LoadedPlan
from flows.spend import Spend, over_days
from flows.walk import SizedGpu, as_day
from flows.whatif import CannotServeError, Segment, WhatIf
from forecasting.spread import Spread
from reports.values.changes import (
    Change,
    ChangeHorizon,
    Changes,
    PriceEffect,
    PriceJump,
    PriceOutlook,
)
from sizing.decide import Choice
from sizing.scenarios.difference import Difference, differences, gpu_quantiles, spliced

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The plan's own totals on all of its paths: GPUs of all hosting fleets (S, D), and its spend."""

    gpus: Ints
    spend: Spend


def what_could_change(
    whatif: WhatIf,
    sized: Sequence[Sequence[SizedGpu]],
    priced: Sequence[Priced],
    spend: Spend,
    still: Spend,
) -> Changes:
    """Return the section's value. spend, still: the plan's spend at prices that move and at today's, (S, D)."""
    settings = whatif.plan.settings
    first = settings.horizons_days[0]
    needs = [hosting_need(s, p, first)[1] for s, p in zip(sized, priced, strict=True)]
    totals = Totals(gpus=np.sum(needs, axis=0), spend=spend)
    own = [(each.name, levers_of(each, settings.scenarios)) for each in settings.scenarios]
    tests = stress_tests(settings, whatif.facts.models)
    return Changes(
        prices=price_outlook(whatif.plan, spend, still),
        changes=[
            *(_change(whatif, "scenario", name, levers, totals) for name, levers in own),
            *(_change(whatif, "stress", name, levers, totals) for name, levers in tests),
        ],
        paths=len(whatif.picked),
    )


def price_outlook(plan: LoadedPlan, spend: Spend, still: Spend) -> PriceOutlook:
    """Return how prices move, and what that adds to the range of the spend, horizon by horizon."""
    prices = plan.settings.prices
    jumps = {} if prices.scenario.yearly_fall is not None else plan_jumps(prices)
    return PriceOutlook(
        sentence=_price_sentence(plan, bool(jumps)),
        jumps=[
            PriceJump(
                kind=kind,
                cuts_per_year=each.cuts_per_year,
                raises_per_year=each.raises_per_year,
                cut_factors=list(each.cut_factors),
                raise_factors=list(each.raise_factors),
                source=each.source,
                checked=each.checked,
            )
            for kind, each in jumps.items()
        ],
        effects=price_effects(spend, still, plan.settings.horizons_days),
        announced=[f"{change.what} x {change.factor:g} from {change.date:%Y-%m-%d}" for change in prices.changes],
    )


def price_effects(spend: Spend, still: Spend, horizons: Sequence[int]) -> list[PriceEffect]:
    """Return the spend's range by demand alone, by prices alone, and by both; none where a price is unknown.

    Prices alone: each path's dollars over those at today's prices, day by day, times the day's mean spend.
    """
    found = []
    for days in horizons:
        both, demand = over_days(spend, days), over_days(still, days)
        if both is None or demand is None:
            continue
        ratio = np.divide(spend.usd, still.usd, out=np.ones_like(spend.usd), where=still.usd > 0)[:, :days]
        prices = Spread.of((ratio * still.usd[:, :days].mean(axis=0)[None, :]).sum(axis=1))
        found.append(PriceEffect(days=days, demand_only=demand, prices_only=prices, both=both))
    return found


def _price_sentence(plan: LoadedPlan, jumps: bool) -> str:
    scenario = plan.settings.prices.scenario
    name = f"{scenario.name}: " if scenario.name else ""
    if scenario.yearly_fall is not None:
        return f"{name}all prices fall by {scenario.yearly_fall:.0%} a year, a little each day, as stated."
    if not jumps:
        return f"{name}today's prices stand, but for changes that are announced."
    return f"{name}today's prices stand, and on random days are cut or raised; announced changes from theirs."


def _change(
    whatif: WhatIf, kind: Literal["scenario", "stress"], name: str, levers: Sequence[LeverSettings], totals: Totals
) -> Change:
    horizons = whatif.plan.settings.horizons_days
    first = min(whatif.start_of(each) for each in levers)
    stated = min((each.start for each in levers if each.start is not None), default=None)
    notes: list[str] = []
    try:
        segments = whatif.segments(levers)
        found = _differences(whatif, segments, levers)
        would_do = [*_would_do(segments), *_lost_sentences(segments, levers)] or ["The plan stays as it is."]
        notes += dict.fromkeys(note for part in segments for case in part.cases for note in case.notes)
    except CannotServeError as error:
        segments, found, would_do = [], [None] * len(horizons), [f"Not possible as stated. {error}"]
    if first >= len(whatif.days):
        notes.append("It begins after the planned days, so it changes nothing within them.")
    return Change(
        name=name,
        kind=kind,
        start=as_day(whatif.days[first]) if first < len(whatif.days) else stated or whatif.plan_start,
        what="; ".join(dict.fromkeys(said for each in levers if (said := lever_sentence(each)))),
        cost_usd=sum(each.cost_usd for each in levers),
        horizons=[_row(days, totals, each) for days, each in zip(horizons, found, strict=True)],
        would_do=would_do,
        notes=notes,
    )


def _differences(
    whatif: WhatIf, segments: Sequence[Segment], levers: Sequence[LeverSettings]
) -> Sequence[Difference | None]:
    """Return the difference over each horizon, the stretches put together."""
    planned = whatif.planned(0)
    shape = planned.gpus.shape
    unknown = any(part.outcome.usd is None or part.planned.usd is None for part in segments)
    usd = None
    if not unknown:
        more = [(p.first_day, p.outcome.usd - p.planned.usd) for p in segments]  # type: ignore[operator]
        usd = spliced(np.zeros(shape), more)
        for lever in levers:
            if (start := whatif.start_of(lever)) < shape[1]:
                usd[:, start] += lever.cost_usd
    return differences(
        spliced(planned.gpus, [(p.first_day, p.planned.gpus) for p in segments]),
        spliced(planned.gpus, [(p.first_day, p.outcome.gpus) for p in segments]),
        usd,
        whatif.plan.settings.horizons_days,
    )


def _row(days: int, totals: Totals, found: Difference | None) -> ChangeHorizon:
    """Return one horizon: the plan's own figures, and with the difference on top."""
    p50, p80, p95 = gpu_quantiles(totals.gpus, days)
    planned = over_days(totals.spend, days)
    more = found.gpus if found else (None, None, None)
    usd = None if found is None or planned is None else found.usd
    return ChangeHorizon(
        days=days,
        planned_gpus_p50=p50,
        planned_gpus_p80=p80,
        planned_gpus_p95=p95,
        gpus_p50=_sum(p50, more[0]),
        gpus_p80=_sum(p80, more[1]),
        gpus_p95=_sum(p95, more[2]),
        planned_usd=None if planned is None else planned.mean,
        usd=None if planned is None or usd is None else planned.mean + usd.mean,
        difference_usd=usd,
    )


def _sum(planned: int, more: int | None) -> int | None:
    return None if more is None else max(0, planned + more)


def _would_do(segments: Sequence[Segment]) -> Iterator[str]:
    """Yield what the plan would do for each workload whose bill changes, once all levers are pulled."""
    if not segments:
        return
    last = segments[-1]
    days = min(last.outcome.priced[0].choices)
    for case, before, after in zip(last.cases, last.planned.priced, last.outcome.priced, strict=True):
        was, now = before.choices[days], after.choices[days]
        if was.usd == now.usd and was.option == now.option and was.gpu == now.gpu:
            continue
        name = case.settings.name
        if (was.option, was.gpu) != (now.option, now.gpu):
            yield f"{name} turns from {_option(was)} to {_option(now)}. {now.sentence}"
        elif now.usd is None:
            yield f"{name} stays on {_option(now)}."
        else:
            yield f"{name} stays on {_gpus(now)}{_option(now)}: ${now.usd:,.0f} over {days} days."


def _lost_sentences(segments: Sequence[Segment], levers: Sequence[LeverSettings]) -> Iterator[str]:
    """Yield what happens to each workload where a region is lost."""
    lost = [each for each in levers if each.region_lost is not None]
    if not segments or not lost:
        return
    part = next(p for p in segments if p.outcome.lost_gpus is not None)
    for case, gpus in zip(part.cases, part.outcome.lost_gpus or (), strict=True):
        if gpus:
            yield f"{case.settings.name} buys up to {_counted(gpus)} anew, on demand; those reserved are paid on."
        else:
            yield f"{case.settings.name} has nothing reserved to lose; what it asks for elsewhere costs the same."


def _counted(gpus: int) -> str:
    return "1 GPU" if gpus == 1 else f"{gpus} GPUs"


def _gpus(choice: Choice) -> str:
    return f"{choice.gpus} x " if choice.action == "commit" and choice.gpus and choice.gpu else ""


def _option(choice: Choice) -> str:
    if choice.gpu is None:
        return {"api": "the API", "api-batch": "the API's batch price"}.get(choice.option, "nothing known")
    return f"{choice.gpu} {choice.option.replace('-', ' ')}"


def lever_sentence(lever: LeverSettings) -> str:
    """Return what a lever changes, in words; empty where it only costs.

    >>> lever_sentence(LeverSettings(workloads=["chat"], gpu="b200", requests=1.5))
    'chat: on b200, requests x 1.5'
    """
    parts = [f"on {lever.gpu}"] if lever.gpu else []
    if lever.model:
        parts.append(f"model {lever.model}" + (f" in {lever.precision}" if lever.precision else ""))
    parts += [f"API {lever.api.provider}/{lever.api.model}"] if lever.api else []
    named = {
        "requests": lever.requests,
        "prompt tokens": lever.prompt_tok,
        "cached tokens": lever.cached_prompt_tok or 1.0,
        "output tokens": lever.output_tok,
        f"share of prompts above {lever.long_above_tok:,} tokens": lever.long_share,
    }
    parts += [f"{name} x {factor:g}" for name, factor in named.items() if factor != 1.0]
    parts += [f"price of {price.what} x {price.factor:g}" for price in lever.prices]
    parts += [f"prices falling {lever.yearly_fall:.0%} a year"] if lever.yearly_fall is not None else []
    if lever.region_lost is not None:
        parts.append(f"{lever.region_lost:.0%} of reserved GPUs gone for {lever.lost_days} days")
    parts += [f"from {lever.start:%Y-%m-%d}"] if lever.start and parts else []
    whose = f"{', '.join(lever.workloads)}: " if lever.workloads and parts else ""
    return whose + ", ".join(parts)
