"""Reservations in force serve the needs first, and what they leave is idle."""

from datetime import date
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flows.pricing import Needs, Priced, api_token_ratio, held_gpus, idle_gpus, share_held
from flows.walk import SizedGpu
from forecasting.demand import Demand, Moments, TokenOutlook

DAY = date(2026, 11, 23)
PATHS, DAYS = 2, 3


def _demand(*, days: int = DAYS) -> Demand:
    def of(value: float) -> np.ndarray:
        return value * np.linspace(0.9, 1.1, PATHS * days).reshape(PATHS, days)

    return Demand(
        workload="chat",
        as_of=DAY,
        basis="history",
        days=np.datetime64(DAY) + np.arange(days),
        requests=of(10_000),
        prompt_tok=of(50_000),
        cached_prompt_tok=of(10_000),
        output_tok=of(500),
        busiest_10s_factor=of(3),
        window_s=10,
        moments=Moments(prompt_sq=2.0, cached_sq=1.0, prompt_cached=1.0, prompt_output=1.0, output_sq=2.0),
        long=(),
        tokens=(TokenOutlook(field="prompt", tok=np.full((4, days, 3), 7_000.0)),),
        hour_of_week=np.ones(168),
    )


def test_a_workload_without_an_api_needs_no_ratio(plan_of):
    assert api_token_ratio(plan_of({"token_ratio": 1.3}).settings.workloads[0]) == 1.0


# --- reservations in force --------------------------------------------------------------------------------------

needs_of_hours = hnp.arrays(np.int64, (PATHS, DAYS, 24), elements=st.integers(0, 9))


def _fleet(need):
    return SimpleNamespace(hourly_gpus=lambda: need)


def _sized(**needs) -> tuple[SizedGpu, ...]:
    return tuple(
        SizedGpu(
            gpu=gpu,
            why_not="" if need is not None else "too small",
            fleet=need if need is None else _fleet(need),
            offers={},
        )
        for gpu, need in needs.items()
    )


def _held(*rows):
    keys = ("gpu", "units", "start", "end")
    fixed = {"usd_per_gpu_hour": 2.0, "provider": "example"}
    return [{**dict(zip(keys, row, strict=True)), **fixed} for row in rows]


BOTH_KINDS = _held(
    ("h100", 4, date(2026, 7, 1), date(2026, 11, 24)), ("h100", 2, DAY, DAY), ("h200", 3, DAY, date(2026, 12, 31))
)


@given(needs_of_hours, needs_of_hours, needs_of_hours)
def test_what_is_held_serves_no_more_than_is_held_nor_than_is_needed(plan_of, first, second, other):
    plan = plan_of({}, {"name": "code"}, commitments=BOTH_KINDS)
    sized = (_sized(h100=first, h200=other), _sized(h100=second, b200=other))

    shared = share_held(plan, [_demand(), _demand()], sized)

    held = held_gpus(plan, _demand())
    for needs, candidates in zip(shared, sized, strict=True):
        for each in candidates:
            bought, served = needs.buy[each.gpu], needs.held[each.gpu]
            assert bought.min() >= 0
            assert served.min() >= 0
            assert np.array_equal(bought + served, each.fleet.hourly_gpus())
    assert (shared[0].held["h100"] + shared[1].held["h100"] <= held["h100"]).all()
    assert (shared[0].held["h200"] <= held["h200"]).all()
    assert not shared[1].held["b200"].any()


def test_the_plans_first_workload_is_served_first(plan_of):
    plan = plan_of({}, {"name": "code"}, commitments=_held(("h100", 4, DAY, DAY)))
    three = np.full((PATHS, DAYS, 24), 3)

    chat, code = share_held(plan, [_demand()] * 2, (_sized(h100=three), _sized(h100=three)))

    assert chat.held["h100"][:, 0].tolist() == [[3.0] * 24] * 2
    assert code.held["h100"][:, 0].tolist() == [[1.0] * 24] * 2
    assert not chat.held["h100"][:, 1:].any()  # it ended on the first day
    assert code.buy["h100"][:, 1:].min() == 3


def test_a_gpu_that_cannot_serve_holds_nothing_back(plan_of):
    plan = plan_of({}, {"name": "code"}, commitments=_held(("h100", 4, DAY, date(2027, 1, 1))))
    four = np.full((PATHS, DAYS, 24), 4)

    chat, code = share_held(plan, [_demand()] * 2, (_sized(h100=None), _sized(h100=four)))

    assert chat.buy == {}
    assert not code.buy["h100"].any()


def test_held_gpus_follow_their_first_and_last_days(plan_of):
    held = held_gpus(plan_of(commitments=BOTH_KINDS), _demand())

    assert {gpu: each[0, :, 0].tolist() for gpu, each in held.items()} == {"h100": [6, 4, 0], "h200": [3, 3, 3]}
    assert all(each.shape == (PATHS, DAYS, 24) for each in held.values())


def _choosing(gpu, option, reserved=None):
    """One workload's pricing that chose this GPU on this option, with so many GPUs reserved on each day."""
    held = None if reserved is None else np.full(DAYS, float(reserved))
    cost = SimpleNamespace(option=option, gpu=gpu, held_gpus=held)
    return Priced(
        costs=(cost,), lines={}, ladder={}, choices={3: SimpleNamespace(option=option, gpu=gpu)}, breakevens=()
    )


@given(needs_of_hours, needs_of_hours, st.integers(0, 9))
def test_idle_and_used_hours_add_up_to_what_is_paid_for(plan_of, first, second, reserved):
    plan = plan_of({}, {"name": "code"}, commitments=BOTH_KINDS, horizons_days=[3])
    shared = share_held(plan, [_demand()] * 2, (_sized(h100=first, h200=first), _sized(h100=second)))
    priced = [_choosing("h100", "reserved-30d", reserved), _choosing("h100", "on-demand")]

    idle = idle_gpus(plan, priced, shared, _demand())

    paid = held_gpus(plan, _demand())["h100"] + reserved
    used = shared[0].held["h100"] + np.minimum(shared[0].buy["h100"], reserved) + shared[1].held["h100"]
    assert np.array_equal(idle["h100"], paid - used)
    assert idle["h100"].min() >= 0
    assert np.array_equal(idle["h200"], held_gpus(plan, _demand())["h200"])  # nobody chose it


def test_who_goes_to_the_api_leaves_the_reservation_idle(plan_of):
    plan = plan_of(commitments=_held(("h100", 4, DAY, date(2027, 1, 1))), horizons_days=[3])
    two = np.full((PATHS, DAYS, 24), 2)
    shared = share_held(plan, [_demand()], (_sized(h100=two),))

    idle = idle_gpus(plan, [_choosing(None, "api")], shared, _demand())
    assert (idle["h100"] == 4).all()

    idle = idle_gpus(plan, [_choosing("h100", "on-demand")], shared, _demand())
    assert (idle["h100"] == 2).all()


def test_a_new_reservation_of_a_kind_not_held_is_idle_above_its_need(plan_of):
    need = Needs(buy={"b200": np.full((PATHS, DAYS, 24), 5.0)}, held={"b200": np.zeros((PATHS, DAYS, 24))})
    plan = plan_of(horizons_days=[3])

    assert (idle_gpus(plan, [_choosing("b200", "reserved-30d", 7)], [need], _demand())["b200"] == 2).all()
