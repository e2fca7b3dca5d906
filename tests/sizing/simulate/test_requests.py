import numpy as np
import pytest

from data.errors import UserError
from sizing.simulate.requests import Requests, merged


def test_requests_are_put_in_order_and_their_lengths_are_whole():
    asked = Requests.of([2.0, 0.5], [10.4, 20.6], [3, 4])

    assert asked.arrival_s.tolist() == [0.5, 2.0]
    assert asked.prompt_tok.tolist() == [21, 10]
    assert asked.longest_tok == 25
    assert asked.span_s == 1.5


def test_streams_are_merged_by_time():
    both = merged(Requests.of([0, 2], 1, 1), Requests.of([1], 2, 2, batch=True))

    assert both.prompt_tok.tolist() == [1, 2, 1]
    assert both.batch.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (([-1.0], [1], [1]), "before the start"),
        (([0.0], [-1], [1]), "lengths from 0"),
        (([0.0], [1], [np.nan]), "unknown output"),
        (([0.0], [4], [1], [5]), "more cached tokens"),
        (([0.0], [2**40], [1]), "lengths from 0"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(columns, said):
    with pytest.raises(UserError, match=said):
        Requests.of(*columns)


def test_arrays_must_fit_each_other():
    one = Requests.of([0.0], 1, 1)

    with pytest.raises(UserError, match="one value a request"):
        Requests(
            arrival_s=np.zeros(2),
            **{name: getattr(one, name) for name in ("prompt_tok", "output_tok", "cached_prompt_tok", "batch")},
        )
