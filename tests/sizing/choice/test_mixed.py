from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sizing.choice.fleets import best_single
from sizing.choice.limits import Limits
from sizing.choice.mixed import best_mixed
from sizing.choice.options import held_by_length


def test_two_kinds_win_where_each_is_good_at_one_length(made_up, of_options):
    """Short requests take 4 of a or 40 of b, long ones 40 of a or 4 of b: one kind costs 44, both together 8."""
    options = of_options(made_up("a", 44, (4, 40)), made_up("b", 44, (40, 4)))
    fleet = best_mixed(options, Limits())

    assert best_single(options, Limits()).usd_per_hour == 44
    assert fleet.usd_per_hour == 8
    assert [(p.option.profile.gpu, p.replicas, len(p.serves)) for p in fleet.pools] == [("a", 4, 1), ("b", 4, 1)]


def test_a_spare_in_every_pool_can_eat_the_saving(made_up, of_options):
    """Mixed: 1 + 1 replicas and two spares are 4; one kind takes 2 and one spare."""
    options = of_options(made_up("a", 2, (1, 1), spare=1), made_up("b", 3, (2, 1), spare=1))
    assert best_mixed(options, Limits()).usd_per_hour == 3


def test_what_no_single_fleet_may_be_a_mixed_one_can(made_up, of_options):
    options = of_options(made_up("a", 10, (5, 5)), made_up("b", 10, (5, 5), usd=2.0))
    limits = Limits(max_gpus={"a": 6, "b": 6})
    fleet = best_mixed(options, limits)

    assert best_single(options, limits) is None
    assert fleet.gpus == {"a": 6, "b": 4}
    assert fleet.usd_per_hour == 14
    assert best_mixed(options, Limits(max_gpus={"a": 4, "b": 4})) is None


def test_shares_serve_every_bucket_once(asked):
    fleet = best_mixed(held_by_length(asked.options), Limits())
    routes = [route for pool in fleet.pools for route in pool.serves]
    whole = [r for r in routes if "% of" not in r]

    assert len(fleet.pools) > 1
    assert len(set(whole)) == len(whole)
    for bucket in asked.buckets:
        assert sum(bucket.name in route for route in routes) >= 1
    for pool in fleet.pools:
        assert pool.work <= pool.replicas - pool.option.spare_replicas + 1e-5


def test_real_options_are_never_worse_than_the_best_single_fleet(asked):
    for options in (asked.options, held_by_length(asked.options)):
        for limits in (Limits(), Limits(max_gpus={"b200": 8}), Limits(max_power_kw=14.0)):
            single, mixed = best_single(options, limits), best_mixed(options, limits)
            if single is not None:
                assert mixed.usd_per_hour <= single.usd_per_hour + 1e-9
            if mixed is not None:
                assert limits.why_not(mixed.gpus, mixed.power_kw) == ""


works = st.floats(0.05, 4.0).map(lambda x: round(x, 2))
small = st.lists(
    st.tuples(works, works, st.sampled_from([1.0, 1.7, 3.1]), st.integers(0, 1), st.sampled_from([1, 2])),
    min_size=2,
    max_size=3,
)


@settings(max_examples=40, deadline=None)
@given(small, st.sampled_from([None, 3, 5]), st.sampled_from([None, 2.0, 4.0]))
def test_it_equals_brute_force_and_is_never_worse_than_single(made_up, of_options, rows, most, kw):
    options = of_options(
        *(
            made_up("abc"[i], 0.95 * (w1 + w2), (w1, w2), usd=usd, spare=spare, tp=tp)
            for i, (w1, w2, usd, spare, tp) in enumerate(rows)
        )
    )
    limits = Limits(max_gpus={} if most is None else {"a": most, "b": most}, max_power_kw=kw)
    best = _brute_force(options.options, limits)
    mixed, single = best_mixed(options, limits), best_single(options, limits)

    assert (mixed is None) == np.isinf(best)
    if mixed is not None:
        assert mixed.usd_per_hour == pytest.approx(best)
        assert single is None or mixed.usd_per_hour <= single.usd_per_hour + 1e-9


def _brute_force(options, limits):
    """Try every number of replicas; whether the work fits is a linear program in the shares."""
    best = np.inf
    tops = [int(np.ceil(o.bucket_replicas.sum() + o.replicas)) for o in options]
    for counts in product(*(range(top + 1) for top in tops)):
        running = [n + o.spare_replicas if n else 0 for n, o in zip(counts, options, strict=True)]
        usd = sum(n * o.usd_per_replica_hour for n, o in zip(running, options, strict=True))
        gpus = {o.profile.gpu: n * o.profile.gpus for n, o in zip(running, options, strict=True)}
        kw = sum(o.power_kw(n) for n, o in zip(running, options, strict=True))
        if usd < best - 1e-9 and not limits.why_not(gpus, kw) and _fits(options, counts):
            best = usd
    return best


def _fits(options, counts):
    """Columns: shares of (bucket 0, bucket 1, the mix) on each option."""
    size = 3 * len(options)
    work, served = np.zeros((len(options), size)), np.zeros((2, size))
    for o, option in enumerate(options):
        work[o, 3 * o : 3 * o + 3] = [*option.bucket_replicas, option.replicas]
        served[0, [3 * o, 3 * o + 2]] = 1
        served[1, [3 * o + 1, 3 * o + 2]] = 1
    found = linprog(
        np.zeros(size), A_ub=work, b_ub=np.array(counts) + 1e-7, A_eq=served, b_eq=[1, 1], bounds=(0, 1)
    )
    return found.status == 0
