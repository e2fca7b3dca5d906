import numpy as np
import pandas as pd
import pytest

from flows.simulated import _busiest, in_planned_tokens
from sizing.simulate.requests import Requests


class _Traffic:
    window_s = 10
    windows = pd.DataFrame(
        {"requests": [1.0, 0, 5, 6, 2, 0, 1]}, index=pd.date_range("2026-01-05", periods=7, freq="10s")
    )


def test_the_busiest_stretch_is_found_among_the_windows_that_are_kept():
    since, until = _busiest(_Traffic, 20 / 3_600)

    assert (str(since), str(until)) == ("2026-01-05 00:00:20+00:00", "2026-01-05 00:00:40+00:00")


def test_without_a_length_all_of_it_is_taken():
    since, until = _busiest(_Traffic, None)

    assert (until - since).total_seconds() == pytest.approx(70)


def test_tokens_of_another_tokenizer_are_counted_as_the_planned_model_counts_them():
    asked = Requests.of([0.0, 1.0], [100, 200], [10, 20], [50, 200])

    found = in_planned_tokens(asked, 1.2)

    assert found.prompt_tok.tolist() == [120, 240]
    assert found.output_tok.tolist() == [12, 24]
    assert np.all(found.cached_prompt_tok <= found.prompt_tok)
