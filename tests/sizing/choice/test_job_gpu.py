import pytest

from data.errors import UserError
from sizing.choice.job_gpu import (
    BatchInference,
    chosen_gpu,
    deadline_sentence,
    job_on_gpus,
    rate_by_rule,
    ruled_gpu,
)
from sizing.choice.limits import Limits
from sizing.choice.training import Training, train_flop

USD = {"h100": 3.0, "h200": 4.0, "b200": 6.5, "a100-80gb": 1.5, "l40s": 1.15}
RUN = Training(tokens=1e9)


@pytest.fixture
def on(models, gpus):
    def ask(work, model="llama-3.1-8b", names=tuple(USD), usd=USD, **more):
        return job_on_gpus(models[model], [gpus[n] for n in names], work, usd_per_gpu_hour=usd, **more)

    return ask


def test_hours_and_dollars_of_a_run_by_hand(on, models):
    """FLOP / (GPUs x 989e12 x 0.4) seconds; a run costs its GPU-hours whatever the number of GPUs."""
    (two,) = on(RUN, names=["h100"], asked_gpus=2)
    (eight,) = on(RUN, names=["h100"], asked_gpus=8)
    hours = train_flop(models["llama-3.1-8b"], RUN) / (989e12 * 0.4) / 3_600

    assert two.hours == pytest.approx(hours / 2)
    assert eight.usd == pytest.approx(two.usd) == pytest.approx(3 * hours)


def test_training_follows_dollars_per_flop(on):
    jobs = on(RUN)

    assert [j.gpu for j in jobs] == sorted((j.gpu for j in jobs), key=lambda g: rate_by_rule(by(jobs, g)))
    assert chosen_gpu(jobs) == ruled_gpu(jobs)
    assert all(j.leans == "training" for j in jobs)


def test_decode_follows_dollars_per_bandwidth_and_prefill_dollars_per_flop(on):
    """Prices that put the two rules against each other: an H200 cheap for its bandwidth, a B200 for its FLOP."""
    usd = {"h200": 3.0, "b200": 6.0, "h100": 2.9}
    many_answers = BatchInference(requests=1e5, prompt_tok=100, output_tok=4_000, precision="bf16")
    long_prompts = BatchInference(requests=1e5, prompt_tok=16_000, output_tok=10, precision="bf16")
    decode = on(many_answers, model="llama-3.1-70b", names=tuple(usd), usd=usd)
    prefill = on(long_prompts, model="llama-3.1-70b", names=tuple(usd), usd=usd)

    assert {j.leans for j in decode} == {"decode"}
    assert {j.leans for j in prefill} == {"prefill"}
    assert chosen_gpu(decode).gpu == ruled_gpu(decode).gpu == "h200"
    assert chosen_gpu(prefill).gpu == ruled_gpu(prefill).gpu == "b200"


def test_a_deadline_takes_more_gpus_in_whole_units(on):
    (slow,), (fast,) = (on(RUN, names=["a100-80gb"], deadline_h=h) for h in (1_000.0, 10.0))

    assert slow.gpus == slow.least_gpus == 2
    assert fast.hours <= 10
    assert fast.late_hours == 0
    assert fast.gpus % 2 == 0
    assert fast.usd == pytest.approx(slow.usd)
    assert deadline_sentence(fast, 10.0).startswith("The deadline of 10 h is kept")


def test_a_deadline_that_cannot_be_kept_is_said_to_be_missed(on):
    jobs = on(RUN, names=["h100"], deadline_h=4.0, limits=Limits(max_gpus={"h100": 4}))

    assert jobs[0].gpus == 4
    assert jobs[0].late_hours == pytest.approx(jobs[0].hours - 4.0)
    assert "MISSED by" in deadline_sentence(jobs[0], 4.0)
    assert chosen_gpu(jobs) == jobs[0]


def test_who_keeps_the_deadline_goes_before_who_is_cheaper(on):
    jobs = on(RUN, names=["h100", "b200"], deadline_h=4.0, limits=Limits(max_gpus={"h100": 4}))
    assert jobs[0].gpu == chosen_gpu(jobs).gpu == "b200"


def test_an_unknown_price_is_never_chosen(on):
    jobs = on(RUN, names=["h100", "b200"], usd={"h100": 3.0})

    assert chosen_gpu(jobs).gpu == "h100"
    assert by(jobs, "b200").usd is None
    assert jobs[-1].gpu == "b200"
    assert chosen_gpu(on(RUN, names=["b200"], usd={})) is None


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"asked_gpus": 1}, "holds 2 x h100 at least, and 1 are asked"),
        ({"limits": Limits(max_gpus={"h100": 1})}, "holds 2 x h100 at least, and 1 can be had"),
        ({"limits": Limits(max_power_kw=1.0)}, "and 1 can be had"),
        ({"asked_gpus": 9, "limits": Limits(max_gpus={"h100": 8})}, "asks 9 x h100, and 8 can be had"),
    ],
)
def test_what_cannot_be_says_why(on, more, said):
    (job,) = on(RUN, names=["h100"], **more)
    assert said in job.why_not
    assert chosen_gpu([job]) is None


def test_a_model_that_does_not_fit_says_so(on):
    (job,) = on(
        BatchInference(requests=10, prompt_tok=100, output_tok=10, precision="bf16"),
        model="llama-3.1-405b",
        names=["l40s"],
    )
    assert "Use more GPUs per replica" in job.why_not


def test_wrong_questions_are_refused(on):
    with pytest.raises(UserError, match="deadline is 0 hours"):
        on(RUN, deadline_h=0.0)
    with pytest.raises(UserError, match="asks 0 GPUs"):
        on(RUN, asked_gpus=0)
    with pytest.raises(UserError, match="0 requests"):
        BatchInference(requests=0, prompt_tok=1, output_tok=1, precision="bf16")


def by(jobs, gpu):
    return next(j for j in jobs if j.gpu == gpu)
