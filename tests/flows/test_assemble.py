"""The page's figures are the rooms' figures: picked, cut to the horizon, unknown where they are unknown."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from flows.assemble import workload_page
from flows.pricing import Priced, api_token_ratio, hosting_gpu
from flows.walk import SizedGpu
from forecasting.spread import Spread
from sizing.api_cost import ApiPlan, api_cost
from sizing.compare import price_lines


@pytest.fixture(scope="module")
def pages(planned):
    _, outcome = planned
    return outcome.report.workloads


def _page(walked, n=0, **changes):
    arguments = {
        "settings": walked["plan"].settings.workloads[n],
        "traffic": walked["past"].traffic[n],
        "outlook": walked["outlooks"][n],
        "sized": walked["sized"][n],
        "priced": walked["priced"][n],
        "textbook": None,
        "horizons_days": (30, 90, 365),
    }
    return workload_page(**{**arguments, **changes})


def test_a_horizon_is_a_prefix_of_the_same_paths(walked, pages):
    for page, outlook in zip(pages, walked["outlooks"], strict=True):
        demand = outlook.demand
        for horizon in page.horizons:
            first = demand.requests[:, : horizon.days]
            assert horizon.requests.mean == pytest.approx(first.sum(axis=1).mean())
            assert horizon.requests.p95 == pytest.approx(np.quantile(first.sum(axis=1), 0.95))
            assert horizon.mean_qps.mean == pytest.approx(horizon.requests.mean / horizon.days / 86_400)
            tokens = (first * demand.prompt_tok[:, : horizon.days]).sum(axis=1)
            assert horizon.prompt_tok.p50 == pytest.approx(np.median(tokens))
            assert horizon.end == horizon.start + timedelta(days=horizon.days - 1)
            assert horizon.peak_qps.mean >= horizon.mean_qps.mean


def test_the_tokens_on_the_page_are_those_that_the_api_bills(walked, pages):
    """Sums of paths are the means of money: the totals of plan.json at today's list price give its API line."""
    checked = 0
    for n, page in enumerate(pages):
        settings = walked["plan"].settings.workloads[n]
        offer = settings.api and ApiPlan(provider=settings.api.provider, model=settings.api.model)
        price = offer and api_cost(offer, walked["outlooks"][n].demand).price
        if not price or price.tiers or api_token_ratio(settings) != 1.0:
            continue
        for horizon in page.horizons:
            today = price_lines(walked["priced"][n].still_costs, walked["outlooks"][n].demand, horizon.days)
            line = next(each.line for each in today if each.line.option == "api")
            fresh = horizon.prompt_tok.mean - horizon.cached_tok.mean
            usd = fresh * price.input_usd_per_mtok + horizon.cached_tok.mean * price.cached_usd_per_mtok
            usd = (usd + horizon.output_tok.mean * price.output_usd_per_mtok) / 1e6
            usd += horizon.requests.mean * price.usd_per_request
            assert line.usd.mean == pytest.approx(usd, rel=1e-12)
            assert abs(line.usd.mean - usd) < 0.005, "to the cent"
            checked += 1
    assert checked >= 3


def test_percentiles_lie_on_the_paths_of_their_means(walked):
    for outlook in walked["outlooks"]:
        demand = outlook.demand
        for tokens, mean in zip(
            demand.tokens, (demand.prompt_tok, demand.cached_prompt_tok, demand.output_tok), strict=True
        ):
            if not np.isfinite(tokens.paths).all():
                continue
            p50, p90, p95, p99 = tokens.paths.astype(np.float64)
            assert (p50 <= p90).all()
            assert (p90 <= p95).all()
            assert (p95 <= p99).all()
            assert (0.4 * p50 + 0.05 * p90 + 0.04 * p95 + 0.01 * p99 <= mean * (1 + 1e-5)).all()


def test_the_busiest_hour_is_no_busier_than_the_busiest_minute_and_that_than_ten_seconds(walked, pages):
    for page, outlook in zip(pages, walked["outlooks"], strict=True):
        for horizon in page.horizons:
            hour, minute, ten = horizon.busiest
            assert [row.window_s for row in horizon.busiest] == [3600, 60, 10]
            assert horizon.mean_qps.mean <= hour.qps.mean <= minute.qps.mean <= ten.qps.mean
            assert hour.usual_qps.p50 <= hour.qps.p50
            assert 1 <= hour.over_mean <= minute.over_mean <= ten.over_mean
            if outlook.demand.window_s == 10:
                assert not ten.estimated
                assert ten.qps == horizon.peak_qps


def test_a_longer_horizon_never_peaks_lower_nor_needs_fewer_gpus(pages):
    for page in pages:
        for shorter, longer in zip(page.horizons, page.horizons[1:], strict=False):
            assert longer.peak_qps.p95 >= shorter.peak_qps.p95
            for before, after in zip(shorter.fleets, longer.fleets, strict=True):
                assert before.gpu == after.gpu
                if before.feasible:
                    assert after.gpus_p80 >= before.gpus_p80


def test_the_history_shown_is_the_stores_with_gaps_as_unknown(walked, pages):
    for page, traffic in zip(pages, walked["past"].traffic, strict=True):
        seen = traffic.daily["requests"]
        assert page.traffic.history_days == [day.date() for day in seen.index]
        assert [v is None for v in page.traffic.history] == [bool(gap) for gap in np.isnan(seen)]
        known = [v for v in page.traffic.history if v is not None]
        assert known == seen.dropna().tolist()
        assert len(page.traffic.days) == 365
        assert page.traffic.days[0] == page.horizons[0].start


def test_a_candidate_that_cannot_serve_keeps_its_reason_and_has_no_numbers(walked):
    sized = walked["sized"][0]
    too_small = SizedGpu(gpu="l4", why_not="llama-3.1-70b needs 70.6 GB.", fleet=None, offers={})
    row = _page(walked, sized=(*sized, too_small)).horizons[0].fleets[-1]

    assert (row.gpu, row.feasible, row.why_not) == ("l4", False, "llama-3.1-70b needs 70.6 GB.")
    assert row.gpus_p50 is row.gpus_p80 is row.gpus_low is row.nodes is row.power_kw is row.ttft_s is None


def test_costs_and_choices_are_those_of_the_horizon(walked, pages):
    for page, priced in zip(pages, walked["priced"], strict=True):
        for horizon in page.horizons:
            assert horizon.costs == [each.line for each in priced.lines[horizon.days]]
            assert {line.horizon_days for line in horizon.costs} == {horizon.days}
            choice = priced.choices[horizon.days]
            assert (horizon.decision.action, horizon.decision.usd) == (choice.action, choice.usd)
            chosen = [c for c in horizon.costs if (c.option, c.gpu) == (choice.option, choice.gpu)]
            assert [c.usd.mean for c in chosen] == [pytest.approx(choice.usd)]


def test_percentiles_are_those_of_the_horizons_last_week_and_unknown_ones_stay_so(walked):
    outlook = walked["outlooks"][0]
    tokens = outlook.demand.tokens
    prompt = next(t for t in tokens if t.field == "prompt")
    row = next(t for t in _page(walked).horizons[0].tokens if t.field == "prompt")
    p95 = prompt.tok[2, 23:30].mean(axis=0)
    assert row.known
    assert set(np.round(row.p95, 6)) <= set(np.round(p95, 6))

    lost = replace(outlook.demand, tokens=tuple(t for t in tokens if t.field != "prompt"))
    row = next(
        t for t in _page(walked, outlook=replace(outlook, demand=lost)).horizons[0].tokens if t.field == "prompt"
    )
    assert (row.known, row.p50, row.p95) == (False, None, None)
    assert row.mean_tok is not None  # the mean is known by itself


def test_what_the_store_forecast_and_fleet_say_is_printed_once(walked):
    said = "Cached tokens are not stated by this source."
    traffic = replace(walked["past"].traffic[0], notes=(said,))
    sized = tuple(
        each if each.fleet is None else replace(each, fleet=replace(each.fleet, notes=("Windows are long.",)))
        for each in walked["sized"][0]
    )
    notes = _page(walked, traffic=traffic, sized=sized).notes

    assert notes[0] == said
    assert notes.count("Windows are long.") == 1


def test_long_prompts_take_at_least_their_share_of_the_work(pages):
    for page in pages:
        for row in page.long_context:
            assert 0 <= row.requests_share <= row.work_share <= 1
    assert any(page.long_context for page in pages)


def test_the_textbook_stands_beside_where_there_is_one(walked):
    assert _page(walked).textbook_gpus is None
    assert _page(walked).textbook_sentence == ""
    book = SimpleNamespace(gpus=7, sentence="Seven.")
    assert _page(walked, textbook=book).textbook_gpus == 7


def _line(gpu, usd):
    spread = None if usd is None else Spread.of([usd])
    return SimpleNamespace(line=SimpleNamespace(gpu=gpu, usd=spread))


def _choosing(gpu, *lines):
    return Priced(costs=(), lines={30: lines}, ladder={}, choices={30: SimpleNamespace(gpu=gpu)}, breakevens=())


def test_the_hosting_gpu_is_the_chosen_one_else_the_cheapest_known():
    lines = (_line(None, 1.0), _line("l4", None), _line("h100", 90.0), _line("b200", 80.0), _line("h100", 70.0))

    assert hosting_gpu(_choosing("b200", *lines), 30) == "b200"
    assert hosting_gpu(_choosing(None, *lines), 30) == "h100"
    assert hosting_gpu(_choosing(None, *lines[:2]), 30) is None


def test_the_second_opinion_is_carried_over_each_horizon(walked, pages):
    for page, outlook in zip(pages, walked["outlooks"], strict=True):
        found = outlook.second_opinion
        assert page.second_opinion.method == "statsmodels, damped ETS"
        assert page.second_opinion.why_not == found.why_not
        if found.requests is None:
            assert page.second_opinion.rows == []
            continue
        assert [row.days for row in page.second_opinion.rows] == [30, 90, 365]
        for row in page.second_opinion.rows:
            assert row.requests == pytest.approx(found.requests[row.days - 1])
            assert row.inside_80 is bool(row.ours_q10 <= row.requests <= row.ours_q90)
    assert _page(walked, outlook=replace(walked["outlooks"][0], second_opinion=None)).second_opinion is None
