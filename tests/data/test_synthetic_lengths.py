"""Lengths: their means by the law they are drawn from, and how a cache follows a session."""

import math
from datetime import date

import numpy as np
import pytest

from data.synthetic_arrivals import session_arrivals
from data.synthetic_lengths import (
    BLOCK_TOK,
    CHAT_OUTPUT,
    CHAT_PROMPT,
    CODE_TOOLS_TOK,
    DOC_PROMPT,
    chat_lengths,
    document_lengths,
    latencies,
    session_lengths,
)


def lognormal_mean(law: tuple[float, float]) -> float:
    return law[0] * math.exp(law[1] ** 2 / 2)


def test_chat_lengths_have_the_means_of_their_lognormals():
    prompt, cached, output = chat_lengths(np.random.default_rng(1), np.zeros(400_000))

    assert prompt.mean() == pytest.approx(lognormal_mean(CHAT_PROMPT), rel=0.02)
    assert output.mean() == pytest.approx(lognormal_mean(CHAT_OUTPUT), rel=0.02)
    assert (cached == 0).mean() == pytest.approx(0.4, abs=0.02)
    assert (cached % BLOCK_TOK == 0).all()


def test_chat_prompts_grow_with_age():
    young, old = (chat_lengths(np.random.default_rng(1), np.full(100_000, age))[0] for age in (0.0, 400.0))

    assert old.mean() / young.mean() == pytest.approx(1.15, rel=0.01)


def test_documents_are_about_two_thousand_tokens_with_a_label_out():
    prompt, output = document_lengths(np.random.default_rng(1), 100_000)

    assert prompt.mean() == pytest.approx(lognormal_mean(DOC_PROMPT), rel=0.02)
    assert (output.min(), output.max()) == (8, 24)


def test_a_request_of_a_session_finds_cached_what_the_one_before_it_sent():
    rng = np.random.default_rng(5)
    sessions = session_arrivals(rng, date(2026, 6, 1), np.array([20_000.0]))
    not_yet = np.zeros(len(sessions.session), dtype=bool)
    prompt, cached, _, reasoning = session_lengths(rng, sessions, not_yet, (1.15, 1.30))

    first = np.zeros(len(prompt), dtype=bool)
    first[sessions.first] = True
    hit = cached > 0
    before = np.roll(prompt, 1)
    whole = np.minimum(before, prompt) // BLOCK_TOK * BLOCK_TOK
    assert (cached[hit & ~first] == whole[hit & ~first]).all()
    assert (cached[hit & first] == CODE_TOOLS_TOK).all()
    assert hit.mean() == pytest.approx(0.93, abs=0.01)
    assert (reasoning == 0).all()


def test_the_upgrade_multiplies_what_the_same_draw_gives():
    def drawn(upgraded: bool) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng(5)
        sessions = session_arrivals(rng, date(2026, 6, 1), np.array([20_000.0]))
        return session_lengths(rng, sessions, np.full(len(sessions.session), upgraded), (1.15, 1.30))

    before, after = drawn(upgraded=False), drawn(upgraded=True)

    assert after[0].mean() / before[0].mean() == pytest.approx(1.15, rel=0.01)
    assert after[2].mean() / before[2].mean() == pytest.approx(1.30, rel=0.02)


def test_latency_adds_prefill_and_one_step_for_each_token_after_the_first():
    rng = np.random.default_rng(6)
    fresh, output = np.full(200_000, 7_000, np.int32), np.full(200_000, 101, np.int32)
    first, whole = latencies(rng, fresh, output, prefill_tok_per_s=7_000, tpot_s=0.02)
    wobble_mean = math.exp(0.25**2 / 2)

    assert first.mean() == pytest.approx((0.12 + 1.0) * wobble_mean, rel=0.01)
    assert (whole - first).mean() == pytest.approx(100 * 0.02 * wobble_mean, rel=0.01)
