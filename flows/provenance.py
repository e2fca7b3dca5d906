"""What a plan was made from, and what it assumes: the part of the page that an auditor reads first."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version

from data.catalog.prices import GpuOffer
from data.traffic import Traffic
from flows.runs import Run
from flows.settings import LoadedPlan, PlanSettings, SpeculationSettings, WorkloadSettings
from flows.walk import Facts, Past, SizedGpu
from reports.budget import Assumption, Provenance
from sizing.layout import Layout
from sizing.loaded import Overheads, loaded_factor

LIBRARIES = (
    "duckdb",
    "genai-prices",
    "holidays",
    "matplotlib",
    "numpy",
    "pandas",
    "prefect",
    "scipy",
    "statsmodels",
)


def provenance(
    plan: LoadedPlan,
    facts: Facts,
    past: Past,
    sized: Sequence[Sequence[SizedGpu]],
    *,
    run: Run,
    now: datetime,
) -> Provenance:
    """Return versions, hashes, seed and the prices used; the run's id and `now` are the run stamp."""
    return Provenance(
        run_id=run.run_id,
        generated_utc=now,
        version=version("fleetcast"),
        input_digest=run.input_digest,
        config_sha256=plan.sha256,
        store_sha256=past.store_sha256,
        catalog_sha256=facts.sha256,
        calibration=facts.calibration.description,
        seed=plan.settings.seed,
        paths=plan.settings.paths,
        libraries={name: version(name) for name in LIBRARIES},
        prices=_prices(sized),
        files=sorted({file for traffic in past.traffic for file in traffic.files}),
    )


def _prices(sized: Sequence[Sequence[SizedGpu]]) -> list[GpuOffer]:
    used = [offer for candidates in sized for each in candidates for offer in each.offers.values()]
    return list(dict.fromkeys(used))


def assumptions(plan: LoadedPlan, traffic: Sequence[Traffic] = ()) -> list[Assumption]:
    """Return what is assumed rather than known, each with what it does to the answer.

    traffic: each workload's past, which says what its source leaves open.
    """
    settings = plan.settings
    mean, window = settings.utilisation.mean, settings.utilisation.window
    rows = [
        Assumption(
            name="Utilisation of the mean plan",
            value=f"{mean:.0%}",
            source="plan.toml, utilisation.mean",
            sensitivity=f"GPUs go as 1 / utilisation: at 60% instead, {mean / 0.6 - 1:+.0%}.",
        ),
        Assumption(
            name="Utilisation in the window that the fleet is sized for",
            value=f"{window:.0%}",
            source="plan.toml, utilisation.window",
            sensitivity=f"At 100% the fleet is {window - 1:+.0%}, and requests in that window wait.",
        ),
        Assumption(
            name="On-demand GPUs follow the need by the hour",
            value="start and stop within the hour, always available",
            source="fleetcast",
            sensitivity="Where GPUs cannot be had or released hourly, on-demand costs what the day's fleet does.",
        ),
        Assumption(
            name="Calendar months",
            value=f"UTC days; schedules and today's date in {settings.time_zone}",
            source="plan.toml, time_zone",
            sensitivity="A month's first and last hours may count in its neighbour.",
        ),
    ]
    rows += _overheads(settings)
    open_lengths = {each.workload for each in traffic if each.percentile_basis == "none"}
    for workload in settings.workloads:
        rows += _lengths(workload) if workload.name in open_lengths else []
        rows += _tokenizers(
            workload.name, workload.token_ratio, workload.api.token_ratio if workload.api else None
        )
        if (layout := Layout(pp=workload.pp, ep=workload.ep, dp_attention=workload.dp_attention)) != Layout():
            rows.append(
                Assumption(
                    name=f"How a replica of {workload.name} shares the model",
                    value=layout.text.removeprefix("TP 1, "),
                    source="plan.toml",
                    sensitivity="Changes what each GPU holds, reads and sends; few measured points back it.",
                )
            )
        if workload.speculation is not None:
            rows.append(_speculation(workload.name, workload.speculation))
        if workload.kv_precision == "bf16" and "kv_precision" not in workload.model_fields_set:
            rows.append(
                Assumption(
                    name=f"KV cache of {workload.name}",
                    value="bf16",
                    source="not given in plan.toml; engines keep the model's own",
                    sensitivity="fp8 halves KV bytes: about twice the requests at once where memory binds.",
                )
            )
    return rows


def _overheads(settings: PlanSettings) -> list[Assumption]:
    """Say what is assumed to come on top of a GPU bill; what each adds in dollars stands beside the bill."""
    o = settings.overheads.to_overheads()
    whole = loaded_factor(o)
    return [
        Assumption(
            name=f"Fully loaded: {name}",
            value=f"{value:.0%} of the GPU bill",
            source=f"plan.toml, overheads.{key}",
            sensitivity=f"Without it the loaded bill is {_without(o, key) / whole - 1:+.0%}.",
        )
        for key, name, value in (
            ("spares", "GPUs kept for repair", o.spares),
            ("networking", "networking, storage and load balancers", o.networking),
            ("staff", "people who run it", o.staff),
        )
    ]


def _without(overheads: Overheads, key: str) -> float:
    return loaded_factor(replace(overheads, **{key: 0.0}))


def _speculation(name: str, settings: SpeculationSettings) -> Assumption:
    s = settings.to_speculation()
    fewer = replace(s, acceptance=max(s.acceptance - 0.1, 0.0))
    return Assumption(
        name=f"Speculative decoding of {name}",
        value=f"{s.tokens} draft tokens, {s.acceptance:.0%} accepted, each {s.draft_cost:.0%} of a step",
        source="plan.toml, speculation",
        sensitivity=f"A checked step yields {s.accepted:.2f} tokens; at {fewer.acceptance:.0%} accepted it would"
        f" yield {fewer.accepted:.2f}.",
    )


def _lengths(workload: WorkloadSettings) -> list[Assumption]:
    """Return what stands in for the lengths that a source of sums does not state."""
    assume = workload.assume
    said = {"prompt_cv", "output_cv"} & assume.model_fields_set
    given = {"prompt": assume.prompt_tok, "output": assume.output_tok}
    rows = [
        Assumption(
            name=f"Spread of lengths, {workload.name}",
            value=f"{assume.prompt_cv:g} x the mean prompt, {assume.output_cv:g} x the mean output",
            source="plan.toml, assume" if said else "assumed: the source states no percentiles",
            sensitivity="More spread takes more GPUs; API costs follow the means unless prices step by length.",
        )
    ]
    stated = [f"{value:,.0f} {name} tokens" for name, value in given.items() if value]
    if stated:
        rows.append(
            Assumption(
                name=f"Lengths of a request where the source does not state them, {workload.name}",
                value=" and ".join(stated),
                source="plan.toml, assume",
                sensitivity="Where only tokens are counted: half the length is twice the requests.",
            )
        )
    return rows


def _tokenizers(name: str, served: float, api: float | None) -> list[Assumption]:
    rows = []
    for whose, ratio in (("planned model", served), ("API", api)):
        if ratio is None:
            continue
        rows.append(
            Assumption(
                name=f"Tokens of the {whose} for each logged token, {name}",
                value=f"{ratio:g}",
                source="assumed: no ratio is given" if ratio == 1.0 else "plan.toml, token_ratio",
                sensitivity=f"Cost of this option goes about in proportion: at {1.1 * ratio:.3g}, about +10%.",
            )
        )
    return rows
