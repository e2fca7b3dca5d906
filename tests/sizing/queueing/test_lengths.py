import numpy as np
import pandas as pd
import pytest

from sizing.queueing.lengths import Lengths


def test_context_of_a_decoded_token_by_hand():
    # 10 tokens after a prompt of 100 read 100 and on average 5 of their own
    assert Lengths.alike(100.0, 10.0).context_tok == pytest.approx(105.0)
    two = Lengths(
        prompt_tok=np.array([100.0, 0.0]), cached_prompt_tok=np.zeros(2), output_tok=np.array([10.0, 30.0]),
        weight=np.array([0.5, 0.5]),
    )  # fmt: skip
    assert two.context_tok == pytest.approx((100 * 10 + 50 + 450) / 40)


def test_a_prompt_is_never_shorter_than_what_is_cached_of_it_and_an_answer_never_empty():
    table = pd.DataFrame({"prompt_tok": [10, 20], "cached_prompt_tok": [15.0, np.nan], "output_tok": [0, 5]})

    lengths = Lengths.of_requests(table)

    assert lengths.cached_prompt_tok.tolist() == [10.0, 0.0]
    assert lengths.output_tok.tolist() == [1.0, 5.0]
    assert lengths.weight.sum() == pytest.approx(1.0)


class Mean:
    prompt_tok, output_tok, cached_prompt_tok = 3_000.0, 50.0, 0.0


def test_joint_lengths_are_stretched_to_the_planned_mean():
    joint = pd.DataFrame(
        {
            "prompt_tok": [1_000.0, 2_000.0],
            "output_tok": [100.0, 100.0],
            "cached_share": [0.0, 0.0],
            "weight": [1, 1],
        }
    )

    lengths = Lengths.of_joint(joint, Mean())

    assert lengths.prompt_tok.tolist() == [2_000.0, 4_000.0]
    assert lengths.output_tok.tolist() == [50.0, 50.0]
    assert Lengths.of_joint(joint[:0], Mean()).prompt_tok.tolist() == [3_000.0]
