"""Seeded traffic logs of a small LLM product, for the demo, the docs and tests that need to know the truth.

Three workloads: chat (online, diurnal, growing), code-agents (online, bursty, with a long-context tail) and
doc-classification (nightly batch). In them: missing days, an outage, a campaign, a model upgrade, throttled and
retried requests, rows without token counts. docs/synthetic.md says what is where.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data.synthetic_arrivals import MICRO, chat_arrivals, midnight_us, moment_us, night_arrivals, session_arrivals
from data.synthetic_files import FAILED, SERVED, THROTTLED, Codes, Rows, write_rows
from data.synthetic_lengths import (
    UNKNOWN_TOK,
    chat_lengths,
    document_lengths,
    latencies,
    session_lengths,
)
from data.synthetic_world import Floats, SyntheticWorld, expected_requests, level_by_start, plan_world
from data.units import DAY_S

__all__ = ["SyntheticWorld", "expected_requests", "write_synthetic_logs"]

TEAMS = {
    "chat": (("support-bot", "web-assistant", "sales-copilot", "intranet-search"), (0.42, 0.33, 0.15, 0.10)),
    "code-agents": (("platform-eng", "mobile-apps", "data-eng"), (0.5, 0.2, 0.3)),
    "doc-classification": (("records",), (1.0,)),
}
CHAT_USD_PER_TOK = 0.88e-6
"""What the chat gateway notes down as the cost of a token, in and out alike; the other sources state no cost."""

THROTTLED_SHARE, CAMPAIGN_THROTTLED_SHARE, RETRIED_SHARE = 0.003, 0.02, 0.85
RETRY_MEAN_S = 5.0
FAILED_SHARE = 0.0005
NO_COUNTS_SHARE = 0.001
"""Streams that were asked for no usage: their output is unknown, and for a third of them the prompt too."""

Progress = Callable[[int, int], None]
"""Called with (files written, files in all) after each file."""


def write_synthetic_logs(
    out_dir: Path,
    *,
    seed: int,
    end: date,
    days: int = 400,
    scale: float = 1.0,
    progress: Progress | None = None,
) -> SyntheticWorld:
    """Write one Parquet file for each label and calendar month under out_dir, and return the truth behind them.

    The logs cover the `days` UTC days before `end`. The same seed, days, end and scale give the same bytes (with
    the same NumPy and PyArrow). scale multiplies every rate; 1 gives about 14 million rows.
    """
    world = plan_world(seed=seed, days=days, end=end, scale=scale)
    months = list(_months(world.start, world.end))
    out_dir.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    rows = dict.fromkeys(TEAMS, 0)
    for label in rows:
        for (first, _), month in zip(months, _written_months(world, label, months), strict=True):
            files.append(out_dir / f"{label}-{first:%Y-%m}.parquet")
            workload = world.workload(label)
            teams = TEAMS[label][0]
            write_rows(
                files[-1], month, label=label, model=workload.model, category=workload.category, teams=teams
            )
            rows[label] += len(month)
            if progress is not None:
                progress(len(files), len(rows) * len(months))
    return replace(world, rows=rows, files=tuple(files))


def _months(start: date, end: date) -> Iterator[tuple[date, date]]:
    first = start
    while first < end:
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield first, min(following, end)
        first = following


def _written_months(world: SyntheticWorld, label: str, months: list[tuple[date, date]]) -> Iterator[Rows]:
    """Yield each month's rows in order of time; what a month starts and the next one ends waits for the next."""
    draw = {"chat": _chat_month, "code-agents": _code_month, "doc-classification": _document_month}[label]
    number = list(TEAMS).index(label)
    noise = np.random.default_rng([world.seed, number]).standard_normal(world.days + 1)
    waiting: Rows | None = None
    for first, until in months:
        # The night before the first day hands in its second half on it.
        since = first - timedelta(days=1) if label == "doc-classification" and first == world.start else first
        rng = np.random.default_rng([world.seed, number, first.year, first.month])
        daily = level_by_start(world, label, since, until)
        at = (since - world.start).days + 1
        daily = daily * np.exp(world.workload(label).day_noise * noise[at : at + len(daily)])
        rows = draw(rng, world, since, daily)
        rows = rows if waiting is None else waiting.joined(rows)
        later = rows.arrived_us >= midnight_us(until)
        waiting = rows.take(later)
        rows = rows.take(~later & _logged(world, label, rows.arrived_us))
        yield rows.take(np.argsort(rows.arrived_us, kind="stable"))


def _logged(world: SyntheticWorld, label: str, arrived_us: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    kept = arrived_us >= midnight_us(world.start)
    for day in world.gaps[label]:
        begin = midnight_us(day)
        kept &= (arrived_us < begin) | (arrived_us >= begin + DAY_S * MICRO)
    if label == world.outage.label:
        kept &= (arrived_us < moment_us(world.outage.dark)) | (arrived_us >= moment_us(world.outage.until))
    return kept


def _chat_month(rng: np.random.Generator, world: SyntheticWorld, first: date, daily: Floats) -> Rows:
    arrived, region = chat_arrivals(rng, first, daily)
    status = _statuses(rng, world, "chat", arrived)
    arrived, region, status, retry = _with_retries(rng, arrived, region, status)
    age_days = (arrived - midnight_us(world.start)) / (DAY_S * MICRO)
    prompt, cached, output = chat_lengths(rng, age_days)
    first_token, duration = latencies(rng, prompt - cached, output, prefill_tok_per_s=7_000, tpot_s=0.021)
    rows = Rows(
        arrived_us=arrived,
        region=region,
        team=_teams(rng, "chat", len(arrived)),
        retry=retry,
        status=status,
        prompt_tok=prompt,
        cached_prompt_tok=cached,
        output_tok=output,
        reasoning_tok=np.full_like(prompt, UNKNOWN_TOK),
        first_token_s=first_token,
        duration_s=duration,
        cost_usd=np.round((prompt + output) * CHAT_USD_PER_TOK, 8),
    )
    return _without_counts(rng, rows)


def _code_month(rng: np.random.Generator, world: SyntheticWorld, first: date, daily: Floats) -> Rows:
    sessions = session_arrivals(rng, first, daily)
    arrived = sessions.arrived_us
    upgrade = world.upgrade
    upgraded = arrived >= midnight_us(upgrade.first)
    factors = (upgrade.prompt_tok, upgrade.output_tok)
    prompt, cached, output, reasoning = session_lengths(rng, sessions, upgraded, factors)
    first_token, duration = latencies(rng, prompt - cached, output, prefill_tok_per_s=12_000, tpot_s=0.016)
    rows = Rows(
        arrived_us=arrived,
        region=rng.integers(0, 2, size=sessions.count, dtype=np.int8)[sessions.session],
        team=_teams(rng, "code-agents", sessions.count)[sessions.session],
        retry=np.zeros(len(arrived), dtype=np.int8),
        status=_statuses(rng, world, "code-agents", arrived),
        prompt_tok=prompt,
        cached_prompt_tok=cached,
        output_tok=output,
        reasoning_tok=reasoning,
        first_token_s=first_token,
        duration_s=duration,
        cost_usd=np.full(len(arrived), np.nan),
    )
    return _without_counts(rng, rows)


def _document_month(rng: np.random.Generator, world: SyntheticWorld, first: date, daily: Floats) -> Rows:
    arrived = night_arrivals(rng, first, daily)
    n = len(arrived)
    prompt, output = document_lengths(rng, n)
    _, duration = latencies(rng, prompt, output, prefill_tok_per_s=9_000, tpot_s=0.012)
    rows = Rows(
        arrived_us=arrived,
        region=np.zeros(n, dtype=np.int8),
        team=_teams(rng, "doc-classification", n),
        retry=np.zeros(n, dtype=np.int8),
        status=_statuses(rng, world, "doc-classification", arrived),
        prompt_tok=prompt,
        cached_prompt_tok=np.full_like(prompt, UNKNOWN_TOK),
        output_tok=output,
        reasoning_tok=np.full_like(prompt, UNKNOWN_TOK),
        first_token_s=np.full(n, np.nan),
        duration_s=duration,
        cost_usd=np.full(n, np.nan),
    )
    return _without_counts(rng, rows)


def _statuses(
    rng: np.random.Generator, world: SyntheticWorld, label: str, arrived_us: npt.NDArray[np.int64]
) -> Codes:
    """Draw who was throttled or failed: more throttling in the campaign, mostly failures in the outage."""
    u = rng.random(len(arrived_us), dtype=np.float32)
    throttled, failing = np.float32(THROTTLED_SHARE), np.float32(FAILED_SHARE)
    throttled_share = np.full(len(arrived_us), throttled)
    failed_share = np.full(len(arrived_us), failing)
    if label == world.campaign.label:
        begin, stop = midnight_us(world.campaign.first), midnight_us(world.campaign.last + timedelta(days=1))
        throttled_share[(arrived_us >= begin) & (arrived_us < stop)] = CAMPAIGN_THROTTLED_SHARE
    if label == world.outage.label:
        begin, stop = moment_us(world.outage.start), moment_us(world.outage.dark)
        failed_share[(arrived_us >= begin) & (arrived_us < stop)] = world.outage.failing_share
    status = np.full(len(arrived_us), SERVED, dtype=np.int8)
    status[u < failed_share + throttled_share] = THROTTLED
    status[u < failed_share] = FAILED
    return status


def _with_retries(
    rng: np.random.Generator, arrived: npt.NDArray[np.int64], region: Codes, status: Codes
) -> tuple[npt.NDArray[np.int64], Codes, Codes, Codes]:
    """Let most throttled requests come back after a few seconds and be served."""
    again = np.flatnonzero(status == THROTTLED)
    again = again[rng.random(len(again)) < RETRIED_SHARE]
    wait_us = ((1 + rng.standard_exponential(len(again)) * RETRY_MEAN_S) * MICRO).astype(np.int64)
    served = np.full(len(again), SERVED, dtype=np.int8)
    retry = np.concatenate([np.zeros(len(arrived), dtype=np.int8), np.ones(len(again), dtype=np.int8)])
    return (
        np.concatenate([arrived, arrived[again] + wait_us]),
        np.concatenate([region, region[again]]),
        np.concatenate([status, served]),
        retry,
    )


def _teams(rng: np.random.Generator, label: str, n: int) -> Codes:
    u = rng.random(n, dtype=np.float32)
    return np.searchsorted(np.cumsum(TEAMS[label][1])[:-1], u, side="right").astype(np.int8)


def _without_counts(rng: np.random.Generator, rows: Rows) -> Rows:
    """Blank what a gateway does not know: tokens of requests that were not served, and of some streams."""
    u = rng.random(len(rows), dtype=np.float32)
    unserved = rows.status != SERVED
    no_output = unserved | (u < NO_COUNTS_SHARE)
    no_prompt = unserved | (u < NO_COUNTS_SHARE / 3)
    for tok in (rows.prompt_tok, rows.cached_prompt_tok, rows.reasoning_tok):
        tok[no_prompt] = UNKNOWN_TOK
    for tok in (rows.output_tok, rows.reasoning_tok):
        tok[no_output] = UNKNOWN_TOK
    rows.cost_usd[no_output] = np.nan
    rows.first_token_s[unserved] = np.nan
    rows.duration_s[unserved] = np.round(rows.duration_s[unserved] * 0.01, 3)
    return rows
