from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.errors import UserError
from data.traffic import SUMS
from data.units import DAY_S
from sizing.windowed.spread import at_window, in_model_tokens, spread_of, window_gpu_s
from sizing.windows import seen_ratios, window_work_s


def test_gpu_seconds_of_a_window_are_its_sums_times_the_gpus_coefficients(worlds, profile):
    demand, traffic = worlds(seen_days=1)
    at_once = replace(profile, tpot_s=0.0)  # answers are decoded in the window they come in
    gpu_s = window_gpu_s(traffic.windows, at_once, demand.moments)
    third = traffic.windows.iloc[2][list(SUMS)].to_numpy(float)

    assert gpu_s.iloc[2] == pytest.approx(2 * float(third @ profile.work_coefficients))


def test_longer_windows_are_sums_of_shorter_ones_and_cut_ones_are_left_out(worlds):
    _, traffic = worlds(seen_days=1)
    longer = at_window(replace(traffic, windows=traffic.windows.iloc[3:]), 60)

    assert longer.window_s == 60
    assert longer.windows.index[0] == traffic.windows.index[6]
    assert longer.windows.iloc[0].to_numpy() == pytest.approx(traffic.windows.iloc[6:12].sum().to_numpy())
    assert at_window(traffic, 10) is traffic


def test_windows_that_cannot_be_made_are_refused(worlds):
    with pytest.raises(UserError, match="Windows of 25 s cannot be made of those of 10 s"):
        at_window(worlds(seen_days=1)[1], 25)


def test_history_has_the_quantiles_of_its_windows(worlds, profile):
    demand, traffic = worlds()
    (history,) = spread_of(traffic.windows, 10, profile, demand.moments)
    gpu_s = window_gpu_s(traffic.windows, profile, demand.moments)

    assert history.days is None
    assert history.windows == len(gpu_s)
    assert history.mean_gpu_s == pytest.approx(gpu_s.mean())
    assert history.p99_gpu_s == history.planned_gpu_s == pytest.approx(np.quantile(gpu_s, 0.99))
    assert history.p99_9_gpu_s == pytest.approx(np.quantile(gpu_s, 0.999))
    assert history.gpus == pytest.approx(history.planned_gpu_s / 10)


def test_paths_at_the_load_that_was_seen_are_the_history(worlds, profile):
    demand, traffic = worlds()
    work = window_work_s(traffic.windows, profile, demand.moments)
    load = np.full((3, 30), seen_ratios(work, 10).mean_load)
    history, ahead = spread_of(traffic.windows, 10, profile, demand.moments, load=load, horizons=(30,))

    for name in ("mean_gpu_s", "p50_gpu_s", "p95_gpu_s", "p99_gpu_s", "p99_9_gpu_s"):
        assert getattr(ahead, name) == pytest.approx(getattr(history, name), rel=0.02)
    assert ahead.planned_low == ahead.planned_high == ahead.planned_gpu_s


def test_windows_along_the_paths_are_those_of_every_path_and_day(worlds, profile):
    demand, traffic = worlds(paths=7, days=30, spread=0.6)
    work = window_work_s(traffic.windows, profile, demand.moments)
    seen = seen_ratios(work, 10)
    load = profile.work_s(demand.sums()) / DAY_S
    every = seen.hour * load[:, :, None] + (seen.window - seen.hour) * np.sqrt(load[:, :, None] * seen.mean_load)
    _, ahead = spread_of(traffic.windows, 10, profile, demand.moments, load=load, horizons=(30,))
    by_path = np.quantile(np.maximum(every, 0).reshape(7, -1), 0.99, axis=1) * 20

    assert ahead.p99_gpu_s == pytest.approx(np.quantile(np.maximum(every, 0), 0.99) * 20, rel=0.02)
    assert ahead.p99_9_gpu_s == pytest.approx(np.quantile(np.maximum(every, 0), 0.999) * 20, rel=0.03)
    assert ahead.mean_gpu_s == pytest.approx(every.mean() * 20, rel=0.01)
    assert (ahead.planned_low, ahead.planned_high) == pytest.approx(np.quantile(by_path, (0.1, 0.9)), rel=0.02)


@pytest.mark.parametrize("percentile", [0.9, 0.95, 0.999])
def test_percentile_that_is_planned_on_can_be_chosen(worlds, profile, percentile):
    demand, traffic = worlds()
    (history,) = spread_of(traffic.windows, 10, profile, demand.moments, percentile=percentile)

    assert history.planned_gpu_s == pytest.approx(
        np.quantile(window_gpu_s(traffic.windows, profile, demand.moments), percentile)
    )


def test_shorter_windows_are_never_calmer_a_gpu(worlds, profile):
    demand, traffic = worlds(burst=1.0)
    minute = at_window(traffic, 60)
    (ten,) = spread_of(traffic.windows, 10, profile, demand.moments)
    (sixty,) = spread_of(minute.windows, 60, profile, demand.moments)

    assert sixty.mean_gpu_s == pytest.approx(6 * ten.mean_gpu_s, rel=0.01)
    assert sixty.gpus < ten.gpus


def test_no_windows_and_idle_ones_have_no_spread(worlds, profile):
    demand, traffic = worlds(seen_days=1)

    assert spread_of(traffic.windows.iloc[:0], 10, profile, demand.moments) == ()
    assert spread_of(pd.DataFrame(traffic.windows * 0.0), 10, profile, demand.moments) == ()


def test_windows_in_another_tokenizers_tokens_scale_sums_and_products(worlds):
    _, traffic = worlds(seen_days=1)
    longer = in_model_tokens(traffic.windows, 1.5)

    assert longer["requests"].equals(traffic.windows["requests"])
    assert longer["prompt_tok_sum"].sum() == pytest.approx(1.5 * traffic.windows["prompt_tok_sum"].sum())
    assert longer["prompt_output_sum"].sum() == pytest.approx(2.25 * traffic.windows["prompt_output_sum"].sum())
    assert in_model_tokens(traffic.windows, 1.0) is traffic.windows
