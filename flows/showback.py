"""Who used what: GPU work and list price of each team, region, model or tag, and its part of the bills."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import numpy as np
import pandas as pd

from data.errors import UserError
from data.finops.decisions import has_table
from data.frames import frame
from data.traffic import SUMS
from data.traffic_shape import Ask
from data.units import HOUR_S, MTOK
from data.warehouse import Store, query
from flows.settings import LoadedPlan, WorkloadSettings
from flows.walk import Facts
from sizing.api_cost import ApiPrice
from sizing.cents import split_to_cents
from sizing.price_list import api_price
from sizing.profile import candidate_profiles

KEYS = ("team", "region", "model")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowbackRow:
    """One key's use of one workload. gpu_hours: of work on `gpu`, None where no candidate can serve it.

    api_usd: what the API's list asks for these very requests, None where no API or price is known. billed_usd: its
    part of the bills that came, amortised; None where none were imported for the period. key: None where untold.
    """

    workload: str
    key: str | None
    requests: int
    prompt_mtok: float
    output_mtok: float
    gpu: str | None
    gpu_hours: float | None
    api_usd: float | None
    billed_usd: Decimal | None


def showback(
    plan: LoadedPlan, facts: Facts, store: Store, *, by: str, since: date, until: date
) -> list[ShowbackRow]:
    """Return one row for each workload and key over the half-open days, largest work first within a workload.

    Bills of a workload go by its own work, bills of none (or of one that is not planned) by the work of all; both
    ways the rows add up to what was billed, to the cent. Raises UserError where nothing matches.
    """
    if until <= since:
        raise UserError(f"--until {until} must lie after --since {since}.")
    rows = [row for each in plan.settings.workloads for row in _of(plan, facts, store, each, by, since, until)]
    if not rows:
        raise UserError(
            f"No stored request of the plan's workloads lies in {since} to {until}; days that came as sums or as a"
            " rollup have no single requests to show back."
        )
    return _with_bills(rows, _bills(store, since, until))


def _of(
    plan: LoadedPlan, facts: Facts, store: Store, workload: WorkloadSettings, by: str, since: date, until: date
) -> Iterator[ShowbackRow]:
    price = _price(workload, since)
    sums = _sums(store, workload, price, by, since, until)
    if sums.empty:
        return
    gpu, gpu_hours = _work(plan, facts, workload, sums, (until - since).days)
    listed = None if price is None else _list_usd(price, sums, workload.api.token_ratio if workload.api else 1.0)
    table = sums.assign(gpu_hours=gpu_hours, api_usd=np.nan if listed is None else listed)
    for key, part in table.groupby("key", dropna=False, sort=False):
        yield ShowbackRow(
            workload=workload.name,
            key=key if isinstance(key, str) else None,
            requests=int(part["requests"].sum()),
            prompt_mtok=float(part["prompt_tok_sum"].sum()) / MTOK,
            output_mtok=float(part["output_tok_sum"].sum()) / MTOK,
            gpu=gpu,
            gpu_hours=None if gpu is None else float(part["gpu_hours"].sum()),
            api_usd=None if listed is None else float(part["api_usd"].sum()),
            billed_usd=None,
        )


def _sums(
    store: Store, workload: WorkloadSettings, price: ApiPrice | None, by: str, since: date, until: date
) -> pd.DataFrame:
    tag = by.removeprefix("tag:") if by.startswith("tag:") and by != "tag:" else None
    if tag is None and by not in KEYS:
        raise UserError(f"--by {by!r} is no key; use {', '.join(KEYS)}, or tag:NAME for a tag of your logs.")
    ask = Ask(match=workload.match.to_match(), since=since, until=until)
    pointer = "/" + (tag or "").replace("~", "~0").replace("/", "~1")
    thresholds = [] if price is None else [tier.threshold_tok for tier in price.tiers]
    return frame(
        store.con, query("showback"), {**ask.parameters(), "by": by, "tag": pointer, "thresholds": thresholds}
    )


def _price(workload: WorkloadSettings, since: date) -> ApiPrice | None:
    if workload.api is None:
        return None
    try:
        return api_price(
            workload.api.provider, workload.api.model, at=datetime.combine(since, time(12), tzinfo=UTC)
        )
    except UserError:
        return None


def _list_usd(price: ApiPrice, sums: pd.DataFrame, token_ratio: float) -> "pd.Series[float]":
    """Return USD of each row: the whole request pays the tier that its prompt reaches."""
    columns = ("input_usd_per_mtok", "cached_usd_per_mtok", "output_usd_per_mtok")
    rates = np.array([[getattr(tier, name) for name in columns] for tier in (price, *price.tiers)])
    cached = sums["cached_prompt_tok_sum"]
    tok = np.stack([sums["prompt_tok_sum"] - cached, cached, sums["output_tok_sum"]], axis=1)
    usd = (tok * rates[sums["tier"].to_numpy(int)]).sum(axis=1) * token_ratio / MTOK
    return pd.Series(usd, index=sums.index) + sums["requests"] * price.usd_per_request


def _work(
    plan: LoadedPlan, facts: Facts, workload: WorkloadSettings, sums: pd.DataFrame, days: int
) -> tuple[str | None, "pd.Series[float]"]:
    """Return the first candidate GPU that can serve the workload, and GPU-hours of work of each row on it."""
    total = sums[list(SUMS)].sum()
    requests = float(total["requests"])
    candidates = candidate_profiles(
        facts.models[workload.model],
        [facts.gpus[name] for name in workload.gpus],
        precision=workload.precision,
        kv_precision=workload.kv_precision,
        slo=workload.slo.to_slo(),
        prompt_tok=float(total["prompt_tok_sum"]) / requests * workload.token_ratio,
        cached_prompt_tok=float(total["cached_prompt_tok_sum"]) / requests * workload.token_ratio,
        output_tok=float(total["output_tok_sum"]) / requests * workload.token_ratio,
        requests_per_s=requests / (days * 24 * HOUR_S) / plan.settings.utilisation.mean,
        spare_replicas=0,
        engine=workload.engine,
        calibration=facts.calibration,
        pp=workload.pp,
        ep=workload.ep,
        dp_attention=workload.dp_attention,
        speculation=workload.speculation.to_speculation() if workload.speculation else None,
    )
    served = next((each for each in candidates if each.profile is not None), None)
    if served is None or served.profile is None:
        return None, pd.Series(np.nan, index=sums.index)
    ratio = np.array([1.0, *[workload.token_ratio] * 3, *[workload.token_ratio**2] * 5])
    seconds = served.profile.gpu_work_s(sums[list(SUMS)].to_numpy(float) * ratio)
    return served.gpu, pd.Series(seconds / HOUR_S, index=sums.index)


def _bills(store: Store, since: date, until: date) -> Mapping[str | None, Decimal]:
    """Return what the period takes of the imported bills, by the workload that they name."""
    if not has_table(store.con, "spend_actual"):
        return {}
    rows = store.con.execute(query("spend_within"), {"since": since, "until": until}).fetchall()
    return {workload: Decimal(str(usd)) for workload, usd in rows}


def _with_bills(rows: Sequence[ShowbackRow], bills: Mapping[str | None, Decimal]) -> list[ShowbackRow]:
    """Share each bill by work among the rows that it is of, by requests where work is unknown."""
    named = {row.workload for row in rows}
    owed: dict[int, Decimal] = {}
    for workload, total in bills.items():
        whose = [n for n, row in enumerate(rows) if workload not in named or row.workload == workload]
        known = all(rows[n].gpu_hours for n in whose)
        work = [(rows[n].gpu_hours or 0.0) if known else float(rows[n].requests) for n in whose]
        for n, usd in zip(whose, split_to_cents([float(total) * w / sum(work) for w in work]), strict=True):
            owed[n] = owed.get(n, Decimal(0)) + usd
    return [replace(row, billed_usd=owed.get(n)) for n, row in enumerate(rows)]
