from dataclasses import replace

import numpy as np
import pytest

from sizing.queueing.lengths import Lengths
from sizing.queueing.states import Server, States
from sizing.queueing.tokens import KINDS, _kinds, _left, tpot_met

BATCH = np.arange(1.0, 9.0)
SERVER = Server(batch=BATCH, step_s=0.01 + 0.002 * (BATCH - 1), rate_per_s=BATCH)
ONE = np.ones(1)


class Profile:
    """Prompts of a tenth of a second."""

    work_coefficients = np.array([0.1, 0, 0, 0, 0, 0, 0, 0, 0])


def found(batch):
    return States(batch=batch * ONE, waiting_s=0 * ONE, weight=ONE, rank=0.5 * ONE, mean_batch=batch)


def met(batch, within_s, lengths=None):
    lengths = lengths or Lengths.alike(100.0, 11.0)
    return tpot_met(Profile(), lengths, SERVER, found(batch), np.array(within_s), replicas=1.0)


def test_alone_on_a_replica_every_token_takes_one_step():
    assert met(1.0, [0.0099, 0.0101]).tolist() == [0.0, 1.0]


def test_others_slow_the_steps_and_their_prompts_hold_up():
    # batch of 3: steps of 14 ms; 10 steps x 2 others / 11 tokens = 1.8 prompts of 100 ms on average
    share = met(3.0, [0.0139, 0.0141, 0.03, 0.2])

    assert share[0] == 0.0
    assert share[1] == pytest.approx(np.exp(-20 / 11), abs=0.03)  # and a little of the shortest delays
    assert share[1] < share[2] < share[3]
    assert share[3] == pytest.approx(1.0, abs=0.01)


def test_fuller_replicas_never_meet_more():
    shares = [met(b, [0.03])[0] for b in (1.0, 2.0, 4.0, 8.0)]

    assert shares == sorted(shares, reverse=True)


def test_answers_of_one_token_have_no_time_between_tokens():
    assert met(4.0, [0.001], Lengths.alike(100.0, 1.0)).tolist() == [1.0]


def test_what_is_left_of_a_variance_falls_with_the_length_of_the_mean():
    assert _left(0.0) == 1.0
    assert _left(1e-2) == pytest.approx(1 - 1e-2 / 3, abs=1e-4)
    assert _left(100.0) == pytest.approx(2 * 99 / 100**2)


def test_many_lengths_become_a_few_of_the_same_mean():
    lengths = replace(
        Lengths.alike(10.0, 2.0), output_tok=np.arange(2.0, 202.0), weight=np.full(200, 1 / 200),
        prompt_tok=np.full(200, 10.0), cached_prompt_tok=np.zeros(200),
    )  # fmt: skip

    tokens, weight = _kinds(lengths)

    assert len(tokens) <= KINDS
    assert weight.sum() == pytest.approx(1.0)
    assert tokens @ weight == pytest.approx(lengths.output_tok.mean())
