"""How long synthetic requests are and how fast they were answered.

Unknown token counts are -1 and unknown seconds NaN until they are written, as NULL.
"""

import numpy as np
import numpy.typing as npt

from data.synthetic_arrivals import Sessions, since_session_start

Floats = npt.NDArray[np.float64]
Tokens = npt.NDArray[np.int32]

UNKNOWN_TOK = -1
BLOCK_TOK = 16
"""Prefix caches hold whole blocks, so cached lengths are multiples of 16."""

CHAT_PROMPT, CHAT_OUTPUT = (2_600.0, 1.0), (260.0, 0.8)
"""(median, sigma of the logarithm) in tokens."""
CHAT_MOST_PROMPT_TOK, CHAT_MOST_OUTPUT_TOK = 120_000, 8_192
CHAT_PROMPT_DRIFT = 0.15
"""Growth of the mean prompt over 400 days."""

CODE_START, CODE_STEP, CODE_OUTPUT = (11_000.0, 0.5), (600.0, 1.0), (170.0, 1.1)
CODE_LIMIT_TOK, CODE_WIDE_LIMIT_TOK, CODE_WIDE_SHARE = 110_000, 222_000, 0.3
"""An agent compacts its context at its limit and goes on from where it started; some have the wide limit."""
CODE_TOOLS_TOK = 6_000
CODE_MOST_PROMPT_TOK, CODE_MOST_OUTPUT_TOK = 258_000, 32_768
CODE_HIT_SHARE = 0.93
CODE_REASONING_SHARE = 0.25
"""After the upgrade about a quarter of what the agents' model writes is reasoning."""

DOC_PROMPT = (1_700.0, 0.6)
DOC_MOST_PROMPT_TOK = 32_000


def chat_lengths(rng: np.random.Generator, age_days: Floats) -> tuple[Tokens, Tokens, Tokens]:
    """Return (prompt, cached, output) of chat requests; prompts grow with the age of the service."""
    n = len(age_days)
    z = rng.standard_normal(n, dtype=np.float32)
    noise = rng.standard_normal(n, dtype=np.float32)
    drift = 1 + CHAT_PROMPT_DRIFT * age_days / 400
    prompt = _cut(CHAT_PROMPT[0] * drift * np.exp(CHAT_PROMPT[1] * z), 20, CHAT_MOST_PROMPT_TOK)
    output = _cut(CHAT_OUTPUT[0] * np.exp(CHAT_OUTPUT[1] * (0.15 * z + 0.99 * noise)), 1, CHAT_MOST_OUTPUT_TOK)
    # Two chats in five open a conversation and find nothing cached; the others find an earlier turn of theirs.
    u = rng.random(n, dtype=np.float32)
    share = np.where(u < 0.4, 0.0, 0.2 + u - 0.4)
    return prompt, _blocks(prompt * share), output


def session_lengths(
    rng: np.random.Generator, sessions: Sessions, upgraded: npt.NDArray[np.bool_], factors: tuple[float, float]
) -> tuple[Tokens, Tokens, Tokens, Tokens]:
    """Return (prompt, cached, output, reasoning) of agents: each request carries the context of those before it.

    factors: what the upgrade multiplies prompt and output by.
    """
    begin = _lognormal(rng, CODE_START, sessions.count)
    wide = rng.random(sessions.count) < CODE_WIDE_SHARE
    limit = np.where(wide, CODE_WIDE_LIMIT_TOK, CODE_LIMIT_TOK)
    room = np.maximum(limit - begin, 2 * CODE_TOOLS_TOK)
    n = len(sessions.session)
    grown = since_session_start(_lognormal(rng, CODE_STEP, n), sessions.session, sessions.first)
    context = begin[sessions.session] + grown % room[sessions.session]
    more_prompt, more_output = factors
    prompt = _cut(context * np.where(upgraded, more_prompt, 1.0), CODE_TOOLS_TOK, CODE_MOST_PROMPT_TOK)
    output = _cut(_lognormal(rng, CODE_OUTPUT, n) * np.where(upgraded, more_output, 1.0), 1, CODE_MOST_OUTPUT_TOK)
    reasoning = np.where(upgraded, output * CODE_REASONING_SHARE, 0).astype(np.int32)
    return prompt, _session_cache(rng, sessions, prompt), output, reasoning


def document_lengths(rng: np.random.Generator, n: int) -> tuple[Tokens, Tokens]:
    """Return (prompt, output) of documents to classify: a page or a few in, a label and its confidence out."""
    prompt = _cut(_lognormal(rng, DOC_PROMPT, n), 60, DOC_MOST_PROMPT_TOK)
    return prompt, rng.integers(8, 25, size=n, dtype=np.int32)


def latencies(
    rng: np.random.Generator, fresh: Tokens, output: Tokens, *, prefill_tok_per_s: float, tpot_s: float
) -> tuple[Floats, Floats]:
    """Return (first_token_s, duration_s), rounded to a millisecond as gateways log them."""
    wobble = np.exp(0.25 * rng.standard_normal(len(fresh), dtype=np.float32))
    first = (0.12 + np.maximum(fresh, 0) / prefill_tok_per_s) * wobble
    duration = first + np.maximum(output - 1, 0) * tpot_s * wobble
    return np.round(first, 3).astype(np.float64), np.round(duration, 3).astype(np.float64)


def _session_cache(rng: np.random.Generator, sessions: Sessions, prompt: Tokens) -> Tokens:
    """A request finds cached what the one before it sent; the first of a session the tools' description."""
    before = np.empty_like(prompt)
    before[1:] = prompt[:-1]
    before[sessions.first] = CODE_TOOLS_TOK
    hit = rng.random(len(prompt)) < CODE_HIT_SHARE
    return _blocks(np.where(hit, np.minimum(before, prompt), 0))


def _lognormal(rng: np.random.Generator, law: tuple[float, float], n: int) -> Floats:
    return np.asarray(law[0] * np.exp(law[1] * rng.standard_normal(n)))


def _cut(tok: Floats, least: int, most: int) -> Tokens:
    return np.asarray(np.clip(tok, least, most).astype(np.int32))


def _blocks(tok: npt.NDArray[np.generic]) -> Tokens:
    return np.asarray(tok.astype(np.int32) // BLOCK_TOK * BLOCK_TOK)
