import pytest

from data.errors import UserError
from sizing.choice.lengths import lognormal_lengths
from sizing.choice.limits import Limits
from sizing.choice.question import choose_fleet

USD = {"h100": 3.0, "h200": 4.0}
LENGTHS = lognormal_lengths(prompt_tok=2_000, output_tok=300, prompt_cv=1.2, output_cv=1)


def choose(asked, qps=50.0, **more):
    given = {"usd_per_gpu_hour": USD, "tensor_parallel": (2,), "spare_replicas": 1}
    return choose_fleet(asked.serving, asked.gpus[:2], ["fp8"], LENGTHS, qps=qps, **given | more)


def test_the_choice_is_the_cheapest_of_all_ways_and_names_the_next(asked):
    choice = choose(asked)
    ways = [choice.single, choice.mixed, choice.disaggregated and choice.disaggregated.fleet]

    assert choice.chosen.usd_per_hour == min(w.usd_per_hour for w in ways if w)
    assert choice.mixed.usd_per_hour <= choice.single.usd_per_hour
    assert (
        choice.by_length_mixed is None
        or choice.by_length_single is None
        or (choice.by_length_mixed.usd_per_hour <= choice.by_length_single.usd_per_hour)
    )
    assert choice.second.fleet.usd_per_hour >= choice.single.usd_per_hour
    assert choice.kind in {"single", "mixed", "disaggregated"}


def test_limits_that_nothing_keeps_leave_no_choice(asked):
    choice = choose(asked, limits=Limits(max_gpus={"h100": 4, "h200": 4}))
    assert choice.chosen is None
    assert choice.kind == "none"
    assert all(r.why_not for r in choice.ranked)


@pytest.mark.parametrize(
    ("more", "said"), [({"qps": 0.0}, "qps is 0"), ({"utilisation": 1.5}, "utilisation is 1.5")]
)
def test_wrong_questions_are_refused(asked, more, said):
    with pytest.raises(UserError, match=said):
        choose(asked, **more)
