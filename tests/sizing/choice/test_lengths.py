import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from sizing.choice.lengths import length_buckets, lognormal_lengths, whole


def joint(rows):
    return pd.DataFrame(rows, columns=["prompt_tok", "output_tok", "cached_share", "weight"])


def test_edges_cut_the_tokens_into_equal_parts():
    """100 requests of 100 tokens are a third of 30,000 tokens, ten of 1,000 and one of 10,000 the others."""
    table = joint([[100, 50, 0, 100], [1_000, 50, 0, 10], [10_000, 50, 0, 1]])
    buckets = length_buckets(table, output_parts=1)

    assert [b.prompt_tok for b in buckets] == [100, 1_000, 10_000]
    assert [b.share for b in buckets] == pytest.approx([100 / 111, 10 / 111, 1 / 111])
    assert buckets[0].name == "prompt up to 100, output any"
    assert buckets[2].name == "prompt above 1K, output any"


rows = st.lists(
    st.tuples(st.floats(1, 1e5), st.floats(1, 5e3), st.floats(0, 1), st.floats(0.1, 10)), min_size=1, max_size=30
)


@settings(max_examples=50, deadline=None)
@given(rows, st.integers(1, 4), st.integers(1, 4))
def test_buckets_hold_every_request_once(rows, prompts, outputs):
    """Shares add up to 1 and the nine sums to those of all requests, so no work is lost or counted twice."""
    table = joint(rows)
    buckets = length_buckets(table, prompt_parts=prompts, output_parts=outputs)
    w = table["weight"] / table["weight"].sum()
    p, o = table["prompt_tok"], table["output_tok"]
    c = p * table["cached_share"]
    sums = [float(w @ x) for x in (p**0, p, c, o, p * p, c * c, p * c, p * o, o * o)]

    assert len(buckets) <= prompts * outputs
    assert sum(b.share for b in buckets) == pytest.approx(1)
    assert sum(b.share * b.sums() for b in buckets) == pytest.approx(sums, rel=1e-9, abs=1e-9)
    assert whole(buckets).sums() == pytest.approx(sums, rel=1e-9, abs=1e-9)
    for b in buckets:
        assert b.prompt_above_tok < b.prompt_tok <= b.prompt_upto_tok * (1 + 1e-9)


def test_lognormal_lengths_have_the_stated_means_and_grow_with_the_variation():
    narrow, wide = (
        lognormal_lengths(prompt_tok=2_000, output_tok=300, cached_prompt_tok=500, prompt_cv=cv, output_cv=0)
        for cv in (0.5, 2.0)
    )
    for table in (narrow, wide):
        assert table["weight"] @ table["prompt_tok"] == pytest.approx(2_000)
        assert table["weight"] @ (table["prompt_tok"] * table["cached_share"]) == pytest.approx(500)
        assert (table["output_tok"] == 300).all()
    assert np.var(wide["prompt_tok"]) > 4 * np.var(narrow["prompt_tok"])


def test_a_table_without_requests_is_refused():
    with pytest.raises(UserError, match="No lengths of requests are known"):
        length_buckets(joint([[100, 10, 0, 0.0]]))
