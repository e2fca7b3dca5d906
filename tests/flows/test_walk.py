"""The walk's own steps: facts by name, and tokens of the planned model."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from data.catalog.prices import Discount, GpuOffer
from data.errors import UserError
from data.ingest import ingest_logs
from data.warehouse import open_store
from flows.pricing import api_token_ratio
from flows.walk import as_day, offers_of, read_facts, read_past, served_tokens
from forecasting.demand import Demand, LongShare, Moments, TokenOutlook
from sizing.api_cost import ApiPlan, api_cost
from sizing.calibration import load_calibration

DAY = date(2026, 11, 23)
PATHS, DAYS = 2, 3
OF_NO_GPU = {
    "gpu": "h1000",
    "units": 1,
    "start": DAY,
    "end": DAY,
    "usd_per_gpu_hour": 2.0,
    "provider": "example",
}
CONTRACT = """
[[offer]]
gpu = "h100"
term = "{term}"
usd_per_gpu_hour_low = {usd}
usd_per_gpu_hour_high = {usd}
provider = "ours"
source = "contract 7"
checked = 2026-11-01
"""


def _demand(*, long: tuple[LongShare, ...] = (), days: int = DAYS) -> Demand:
    def of(value: float) -> np.ndarray:
        return value * np.linspace(0.9, 1.1, PATHS * days).reshape(PATHS, days)

    return Demand(
        workload="chat",
        as_of=DAY,
        basis="history",
        days=np.datetime64(DAY) + np.arange(days),
        requests=of(10_000),
        prompt_tok=of(50_000),
        cached_prompt_tok=of(10_000),
        output_tok=of(500),
        busiest_10s_factor=of(3),
        window_s=10,
        moments=Moments(prompt_sq=2.0, cached_sq=1.0, prompt_cached=1.0, prompt_output=1.0, output_sq=2.0),
        long=long,
        tokens=(TokenOutlook(field="prompt", tok=np.full((4, days, 3), 7_000.0)),),
        hour_of_week=np.ones(168),
    )


LONG = tuple(
    LongShare(threshold_tok=tok, requests=share, prompt_tok=3 * share, cached_prompt_tok=share, output_tok=share)
    for tok, share in ((32_000, 0.3), (100_000, 0.1), (128_000, 0.06), (200_000, 0.02), (256_000, 0.01))
)


# --- tokens of the planned model --------------------------------------------------------------------------------


def test_every_token_figure_is_scaled_and_nothing_else():
    logged = _demand(long=LONG)
    served = served_tokens(logged, 1.25)

    for name in ("prompt_tok", "cached_prompt_tok", "output_tok"):
        assert getattr(served, name) == pytest.approx(1.25 * getattr(logged, name))
    assert served.tokens[0].tok == pytest.approx(np.full((4, DAYS, 3), 8_750.0))
    assert [each.threshold_tok for each in served.long] == [40_000, 125_000, 160_000, 250_000, 320_000]
    assert [replace(a, threshold_tok=0) for a in served.long] == [replace(b, threshold_tok=0) for b in logged.long]
    assert np.array_equal(served.requests, logged.requests)
    assert (served.moments, served.window_s) == (logged.moments, logged.window_s)
    assert served_tokens(logged, 1.0) is logged


@pytest.mark.parametrize(("planned", "api"), [(1.0, 1.2), (1.25, 1.0), (1.25, 1.6), (0.8, 0.8)])
@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-haiku-4-5"])
def test_the_api_costs_the_same_whatever_model_is_planned(plan_of, planned, api, model):
    """Its tokens follow from those logged; in between they may have been counted in the planned model's."""
    plan = plan_of({"token_ratio": planned, "api": {"provider": "anthropic", "model": model, "token_ratio": api}})
    logged, offer = _demand(long=LONG), ApiPlan(provider="anthropic", model=model)

    straight = api_cost(offer, logged, token_ratio=api)
    around = api_cost(
        offer, served_tokens(logged, planned), token_ratio=api_token_ratio(plan.settings.workloads[0])
    )

    assert around.usd == pytest.approx(straight.usd, rel=1e-9)


def test_a_day_of_the_demand_is_a_date():
    assert as_day(_demand().days[2]) == date(2026, 11, 25)


# --- facts and prices -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workload", "settings", "says"),
    [
        ({"model": "llama-3.1-9b"}, {}, "'llama-3.1-9b'; did you mean llama-3.1-8b"),
        ({"gpus": ["h100", "h300"]}, {}, "'h300'; did you mean h200"),
        ({}, {"commitments": [OF_NO_GPU]}, "'h1000'; did you mean h100"),
        (
            {},
            {"jobs": [{"name": "tune", "gpu": "mi35", "gpus": 8, "hours": 2, "weekdays": ["sunday"]}]},
            "'mi35'; did you mean mi",
        ),
    ],
)
def test_an_unknown_name_in_the_plan_is_answered_with_the_nearest(plan_of, workload, settings, says):
    with pytest.raises(UserError) as error:
        read_facts(plan_of(workload, **settings))

    assert says in str(error.value)


def test_the_facts_are_known_by_their_content(plan_of, tmp_path):
    overlay = tmp_path / "contract.toml"
    overlay.write_text(CONTRACT.format(term="on-demand", usd=1.5))
    bare, again = read_facts(plan_of()), read_facts(plan_of())
    signed = read_facts(plan_of(prices={"overlays": [str(overlay)]}))
    overlay.write_text(CONTRACT.format(term="on-demand", usd=1.6))
    changed = read_facts(plan_of(prices={"overlays": [str(overlay)]}))

    assert bare.sha256 == again.sha256
    assert len({bare.sha256, signed.sha256, changed.sha256}) == 3


OWN = """
[about]
description = "our own runs"
fitted = 2026-11-24
base = {base}
rows = 3
series = 1
[slow]
"*|*|vllm|*" = 0.2
[wait]
[points]
"llama-3.1-8b|h100" = 3
"""


def test_ones_own_calibration_goes_on_top_and_is_part_of_the_facts(plan_of, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(OWN.format(base=load_calibration().fitted))
    bare, own = read_facts(plan_of()), read_facts(plan_of(calibration={"file": str(path)}))

    assert own.calibration.description.startswith("our own runs, on top of: ")
    assert own.sha256 != bare.sha256
    with pytest.raises(UserError, match=r"Cannot read the calibration .*none\.toml"):
        read_facts(plan_of(calibration={"file": str(tmp_path / "none.toml")}))


def test_an_engine_that_nobody_measured_is_refused_before_planning(plan_of):
    with pytest.raises(UserError, match="engine 'llamacpp' is not calibrated"):
        read_facts(plan_of({"engine": "llamacpp"}))


def test_the_users_contract_wins_over_every_table(plan_of, tmp_path):
    overlay = tmp_path / "contract.toml"
    overlay.write_text(CONTRACT.format(term="on-demand", usd=9.5) + CONTRACT.format(term="reserved-30d", usd=1.25))
    facts = read_facts(plan_of(prices={"overlays": [str(overlay)]}))

    for source in ("planning-table", "list-prices"):
        offers = offers_of(facts, "h100", source)
        assert offers["on-demand"].usd_per_gpu_hour == 9.5  # although it is dearer than the tables
        assert offers["reserved-30d"].usd_per_gpu_hour == 1.25
        assert offers["on-demand"].contract


def test_else_the_plans_own_price_source_counts_then_any(plan_of):
    facts = read_facts(plan_of())

    planning, listed = (offers_of(facts, "h100", name)["on-demand"] for name in ("planning-table", "list-prices"))
    assert (planning.usd_per_gpu_hour_low, planning.usd_per_gpu_hour_high) == (2.0, 4.0)
    assert listed.price_source == "list-prices"
    only_listed = offers_of(facts, "b300", "planning-table")["on-demand"]
    assert only_listed.price_source == "list-prices"
    assert offers_of(facts, "a10g", "planning-table") == {}


def test_a_term_that_nobody_quotes_is_derived_or_left_out(plan_of):
    quote = GpuOffer(
        gpu="h100",
        term="on-demand",
        usd_per_gpu_hour_low=2.0,
        usd_per_gpu_hour_high=2.0,
        provider="p",
        source="s",
        checked=DAY,
        price_source="planning-table",
    )
    ten_off = Discount(
        terms=("reserved-30d",), fraction_low=0.05, fraction_high=0.15, provider="p", source="d", checked=DAY
    )
    facts = replace(read_facts(plan_of()), offers=(quote,), discounts=(ten_off,))

    offers = offers_of(facts, "h100", "planning-table")

    assert set(offers) == {"on-demand", "reserved-30d"}  # no discount of a year is known
    assert offers["reserved-30d"].usd_per_gpu_hour == pytest.approx(1.8)
    assert offers["reserved-30d"].derived


# --- the past ---------------------------------------------------------------------------------------------------


def test_one_moment_says_no_rate(plan_of, tmp_path, request_for):
    log = tmp_path / "trace.jsonl"
    log.write_text('{"timestamp": 0, "input_length": 10, "output_length": 5, "hash_ids": [1]}\n' * 3)
    now = request_for(tmp_path).now
    with open_store(tmp_path / "store.duckdb", write=True, now=now) as store:
        ingest_logs(store, [log], now=now, start=now.replace(day=20))
    plan = plan_of({"match": {"label": "trace"}}, store={"path": str(tmp_path / "store.duckdb")})

    with pytest.raises(UserError, match="Workload 'chat' was seen at 2026-11-20 09:30:00 UTC only"):
        read_past(plan, DAY)


def test_a_workload_that_matches_nothing_is_told_what_the_store_has(plan_of, world):
    plan = plan_of({"match": {"label": "caht"}}, store={"path": str(world / "store" / "fleetcast.duckdb")})

    with pytest.raises(UserError, match=r"matches workload 'chat' \(label = 'caht'\).*'chat'"):
        read_past(plan, DAY)
