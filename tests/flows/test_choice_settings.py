import pytest
from pydantic import ValidationError

from data.errors import UserError
from flows.choice_settings import ChoiceSettings, JobSettings
from sizing.choice.job_gpu import JobOnGpu
from sizing.choice.limits import Limits
from sizing.choice.training import Training

RUN = {
    "name": "adapters", "weekdays": ["sunday"], "model": "llama-3.1-8b", "candidates": ["h100"],
    "train": {"tokens": 1e9, "method": "lora"}, "deadline_hours": 24,
}  # fmt: skip
FIXED = {"name": "evals", "weekdays": ["sunday"], "gpu": "h100", "gpus": 8, "hours": 10}


def on(hours):
    return JobOnGpu(
        gpu="h100", gpus=4, least_gpus=2, hours=hours, usd=1.0, late_hours=0.0, leans="training",
        usd_per_tb_per_s=None, usd_per_pflop_per_s=None,
    )  # fmt: skip


def test_bounds_become_limits():
    assert ChoiceSettings(max_gpus={"H100": 8}, max_power_kw=5).to_limits() == Limits(
        max_gpus={"h100": 8}, max_power_kw=5
    )
    assert not ChoiceSettings().to_limits().any
    with pytest.raises(ValidationError):
        ChoiceSettings(max_gpus={"h100": -1})


def test_work_to_be_sized_may_run_in_pieces_until_its_deadline_on_no_fewer_gpus_than_hold_it():
    settings = JobSettings(**RUN)
    job = settings.to_job(on(10.0))

    assert settings.work == Training(tokens=1e9, method="lora")
    assert (job.gpus, job.hours, job.window_hours, job.least_gpus) == (4, 10.0, 24.0, 2)
    assert settings.to_job(on(30.0)).window_hours == 30.0  # late, and still placed


def test_stated_gpus_and_hours_stay_as_they_were():
    job = JobSettings(**FIXED, window_hours=20).to_job()
    assert (job.gpu, job.gpus, job.hours, job.window_hours, job.least_gpus) == ("h100", 8, 10, 20, 1)


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({**FIXED, "hours": None}, "needs gpu, gpus and hours, or a model"),
        ({**RUN, "candidates": []}, "needs model, candidates, and one of train and infer"),
        ({**RUN, "infer": {"requests": 1, "prompt_tok": 1, "output_tok": 1, "precision": "bf16"}}, "one of train"),
        ({**RUN, "gpu": "h100"}, "are worked out from model"),
        ({**RUN, "train": {"tokens": 1e9, "mfu": 2}}, "mfu"),
    ],
)
def test_jobs_that_say_too_little_or_too_much_are_refused(job, said):
    with pytest.raises(ValidationError, match=said):
        JobSettings(**job)


def test_work_cannot_be_placed_before_it_is_sized():
    with pytest.raises(UserError, match="size its work first"):
        JobSettings(**RUN).to_job()
