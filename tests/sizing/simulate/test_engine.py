import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from sizing.kv_space import KvSpace
from sizing.simulate.engine import run_engine
from sizing.simulate.requests import Requests, merged
from sizing.simulate.steps import StepTable
from tests.sizing.simulate.cases import engine, requests
from tests.sizing.simulate.naive import naive

CASE = settings(max_examples=60, deadline=None)


def alone(requests: Requests, on) -> np.ndarray:
    """Return E2E of each request, served by itself on an idle replica."""
    found = []
    for i in range(len(requests)):
        one = requests.take(slice(i, i + 1))
        found.append(run_engine(one, on).e2e_s[0])
    return np.array(found)


@settings(max_examples=150, deadline=None)
@given(
    asked=requests(),
    replicas=st.integers(1, 3),
    seqs=st.integers(1, 8),
    tokens=st.integers(8, 70),
    blocks=st.integers(31, 70),
    prefix_cache=st.booleans(),
    preempt_batch=st.booleans(),
    routing=st.sampled_from(["least-loaded", "round-robin"]),
)
def test_every_request_gets_its_tokens_when_the_plain_engine_says(
    asked, replicas, seqs, tokens, blocks, prefix_cache, preempt_batch, routing
):
    on = engine(
        seqs=seqs,
        tokens=tokens,
        blocks=blocks,
        prefix_cache=prefix_cache,
        preempt_batch=preempt_batch,
        routing=routing,
    )

    found = run_engine(asked, on, replicas=replicas)
    jobs, servers = naive(asked, on, replicas=replicas, blocks=blocks)

    np.testing.assert_allclose(found.first_s, [job.first_s for job in jobs], rtol=1e-9)
    np.testing.assert_allclose(found.done_s, [job.done_s for job in jobs], rtol=1e-9)
    assert found.preempted.tolist() == [job.preempted for job in jobs]
    used = found.replicas.kv_share_most * blocks
    np.testing.assert_allclose(used, [server.most_used for server in servers], atol=1e-9)


@CASE
@given(asked=requests(), replicas=st.integers(1, 3), blocks=st.integers(31, 90))
def test_requests_and_tokens_are_conserved(asked, replicas, blocks):
    on = engine(blocks=blocks)

    found = run_engine(asked, on, replicas=replicas)
    sums = found.replicas

    assert found.finished.all()
    assert np.bincount(found.replica, minlength=replicas).sum() == len(asked)
    assert sums.preemptions.sum() == found.preempted.sum()
    first_and_later = np.maximum(asked.output_tok - 1, 0).sum()
    again = found.preempted > 0
    # A preempted request gets a token of each prefill that it is given again, so that a step less decodes it.
    assert sums.decode_tok.sum() <= first_and_later
    assert sums.decode_tok.sum() >= first_and_later - found.preempted.sum()
    if not again.any():
        assert sums.decode_tok.sum() == first_and_later
        known = np.minimum(asked.cached_prompt_tok, asked.prompt_tok - 1)
        assert sums.prefill_tok.sum() == (asked.prompt_tok - known).sum()
        assert sums.cached_tok.sum() == known.sum()
    else:
        assert sums.recomputed_tok.sum() > 0


@CASE
@given(asked=requests(), replicas=st.integers(1, 3), blocks=st.integers(31, 90))
def test_littles_law_holds_between_the_count_of_requests_and_their_times(asked, replicas, blocks):
    found = run_engine(asked, engine(blocks=blocks), replicas=replicas)

    stays = (found.done_s - asked.arrival_s).sum()

    assert found.replicas.in_system_s.sum() == pytest.approx(stays, rel=1e-9, abs=1e-9)


@CASE
@given(asked=requests(), replicas=st.integers(1, 3), blocks=st.integers(31, 90))
def test_no_request_is_faster_than_alone(asked, replicas, blocks):
    on = engine(blocks=blocks)

    found = run_engine(asked, on, replicas=replicas)

    assert (found.e2e_s >= alone(asked, on) - 1e-9).all()


@CASE
@given(asked=requests(), replicas=st.integers(1, 3), blocks=st.integers(31, 70), seqs=st.integers(1, 8))
def test_kv_and_seats_are_never_exceeded(asked, replicas, blocks, seqs):
    found = run_engine(asked, engine(blocks=blocks, seqs=seqs), replicas=replicas)

    assert (found.replicas.kv_share_most <= 1.0).all()
    assert (found.replicas.running_most <= seqs).all()
    assert (found.replicas.kv_share <= found.replicas.kv_share_most + 1e-12).all()


@CASE
@given(asked=requests(batch=False), k=st.sampled_from([0.5, 2.0, 10.0]))
def test_slower_clocks_change_nothing_but_the_clock(asked, k):
    slow = engine()
    times = ("decode_s", "rate_s", "read_s")
    stretched = StepTable(
        **{name: getattr(slow.steps, name) * k for name in times},
        **{name: getattr(slow.steps, name) for name in ("context_tok", "middle_tok", "fresh_tok")},
        prompt_s=slow.steps.prompt_s * k,
    )
    later = Requests.of(asked.arrival_s * k, asked.prompt_tok, asked.output_tok, asked.cached_prompt_tok)

    before, after = run_engine(asked, slow), run_engine(later, engine(steps=stretched))

    np.testing.assert_allclose(after.done_s, before.done_s * k, rtol=1e-9)


@CASE
@given(asked=requests(most=8), gap=st.sampled_from([1e3, 1e5]))
def test_what_is_long_past_does_not_matter(asked, gap):
    again = Requests.of(
        asked.arrival_s + gap, asked.prompt_tok, asked.output_tok, asked.cached_prompt_tok, asked.batch
    )
    once = run_engine(asked, engine(blocks=40))

    twice = run_engine(merged(asked, again), engine(blocks=40))

    np.testing.assert_allclose(twice.e2e_s, np.tile(once.e2e_s, 2), rtol=1e-6)


@CASE
@given(asked=requests(batch=False), cached=st.booleans())
def test_first_tokens_of_one_kind_come_in_order_of_arrival_on_one_replica(asked, cached):
    found = run_engine(asked, engine(prefix_cache=cached))

    assert (np.diff(found.first_s) >= 0).all()


@CASE
@given(asked=requests())
def test_online_requests_do_not_notice_batch_ones_at_the_door(asked):
    """Batch lengthens the steps that run; it never takes a seat or a block that an online request wants."""
    online = asked.take(~asked.batch)
    if not len(online):
        return
    same = StepTable.constant(0.01)
    on = engine(blocks=40, seqs=2, tokens=256, steps=same)

    mixed = run_engine(asked, on)
    apart = run_engine(online, on)

    waits = mixed.first_s[~asked.batch] - apart.first_s
    assert (waits <= 0.01 + 1e-9).all() or mixed.preempted[~asked.batch].any()


def test_same_requests_give_the_same_result():
    rng = np.random.default_rng(5)
    asked = Requests.of(np.cumsum(rng.exponential(0.02, 500)), rng.integers(1, 60, 500), rng.integers(1, 60, 500))

    one, other = (run_engine(asked, engine(blocks=60), replicas=3) for _ in range(2))

    np.testing.assert_array_equal(one.done_s, other.done_s)


def test_a_lone_request_by_hand():
    """20 prompt tokens in chunks of 12 and 8, then 2 more tokens: two prefill steps and two decode steps."""
    on = engine(seqs=4, tokens=12, steps=StepTable.constant(0.5, 0.01))

    found = run_engine(Requests.of([1.0], [20], [3]), on)

    assert found.ttft_s[0] == pytest.approx(2 * 0.5 + 20 * 0.01)
    assert found.tpot_s[0] == pytest.approx(0.5)
    assert found.e2e_s[0] == pytest.approx(1.2 + 2 * 0.5)
    assert found.replicas.iterations[0] == 4
    assert found.replicas.kv_share_most[0] * 1e9 == pytest.approx(6 * 4)  # 22 tokens in blocks of 4


def test_decoding_goes_on_beside_a_long_prompt_and_waits_for_its_chunks():
    on = engine(seqs=4, tokens=10, steps=StepTable.constant(1.0, 0.1))

    found = run_engine(Requests.of([0.0, 0.0], [10, 30], [6, 1]), on)

    # Prompt one fills step one (1 + 10 x 0.1); the second gets 9 tokens of each later step, and needs four.
    assert found.first_s.tolist() == pytest.approx([2.0, 2 + 3 * 1.9 + 1.3])
    assert found.done_s[0] == pytest.approx(2 + 3 * 1.9 + 1.3 + 1.0)


def test_where_blocks_run_out_the_newest_is_computed_again():
    """Two sequences of 4 + 5 tokens want 3 blocks of 4 each, and there are 5: the second one gives way."""
    on = engine(blocks=5, steps=StepTable.constant(1.0))

    found = run_engine(Requests.of([0.0, 0.0], [4, 4], [6, 6]), on)

    assert found.preempted.tolist() == [0, 1]
    assert found.done_s[0] == pytest.approx(6.0)
    assert found.done_s[1] > found.done_s[0]
    assert found.replicas.recomputed_tok[0] == 8


def test_what_never_fits_is_refused_and_counts_as_unfinished():
    found = run_engine(Requests.of([0.0, 0.0], [100, 4], [1, 1]), engine(blocks=5))

    assert found.refused.tolist() == [True, False]
    assert found.unfinished == 1
    assert math.isinf(found.ttft_s[0])
    assert math.isinf(found.e2e_s[0])


def test_sliding_layers_hold_their_window_and_linear_layers_their_state():
    """10 bytes a token in full layers and 5 in a window of 8 tokens, 7 of state: 24 tokens hold 240 + 40 + 7."""
    kv = KvSpace(room_bytes=287.0, tok_bytes=10.0, window_tok_bytes=5.0, window_tok=8, state_bytes=7.0)
    on = replace(engine(steps=StepTable.constant(1.0)), kv=kv)

    found = run_engine(Requests.of([0.0, 0.0], [20, 4], [5, 1]), on)

    assert found.replicas.kv_share_most[0] == 1.0
    # The second holds 40 + 20 + 7 bytes, and beside 247 of the first there are 40.
    assert found.replicas.running_most[0] == 1
    assert found.finished.all()
    longer = run_engine(Requests.of([0.0], [20], [6]), on)
    assert longer.refused[0]


def test_what_is_not_done_in_time_is_unfinished():
    found = run_engine(
        Requests.of([0.0, 9.0], [4, 4], [3, 3]), engine(steps=StepTable.constant(1.0)), until_s=10.5
    )

    assert found.finished.tolist() == [True, False]
    assert found.first_s[1] == pytest.approx(10.0)
    assert math.isinf(found.tpot_s[1])
    assert found.end_s == 10.5


def test_clients_send_again_when_they_are_answered():
    on = engine(steps=StepTable.constant(1.0))

    found = run_engine(Requests.of(np.zeros(6), 4, 3), on, clients=2)

    assert found.requests.arrival_s.tolist() == pytest.approx([0, 0, 3, 3, 6, 6])
    assert found.replicas.running_most[0] == 2


@pytest.mark.parametrize(
    ("more", "said"), [({"replicas": 0}, "No replica"), ({"clients": 2, "replicas": 2}, "share them out")]
)
def test_what_cannot_be_run_is_said_in_one_sentence(more, said):
    with pytest.raises(UserError, match=said):
        run_engine(Requests.of([0.0], [4], [3]), engine(), **more)
