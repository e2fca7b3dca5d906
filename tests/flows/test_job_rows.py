import numpy as np
import pytest

from flows.choice_settings import JobSettings
from flows.job_rows import job_rows

RUN = JobSettings(
    name="adapters", weekdays=["sunday"], model="llama-3.1-8b", candidates=["h100", "b200", "gb300"],
    train={"tokens": 1e9, "method": "lora"}, deadline_hours=24,
)  # fmt: skip
FIXED = JobSettings(name="evals", weekdays=["sunday"], gpu="h100", gpus=2, hours=10)


@pytest.fixture(scope="module")
def rows(walked):
    """Place jobs in a world whose idle GPUs are given, by kind."""
    plan, demand = walked["plan"], walked["outlooks"][0].demand
    shape = (*demand.requests.shape, 24)

    def place(jobs, idle=None, **choice):
        update = {"jobs": jobs, "choice": plan.settings.choice.model_copy(update=choice)}
        asked = plan.model_copy(update={"settings": plan.settings.model_copy(update=update)})
        free = {gpu: np.full(shape, float(n)) for gpu, n in (idle or {}).items()}
        return job_rows(asked, walked["facts"], demand, free)

    return place


def test_work_runs_where_it_costs_least_and_says_its_deadline(rows):
    (row,), usd = rows([RUN])
    runs = usd[0][usd[0] > 0]

    assert row.gpu == "b200"
    assert row.late_hours == 0
    assert "The deadline of 24 h is kept" in row.sentence
    assert [c.chosen for c in row.candidates] == [c.gpu == "b200" for c in row.candidates]
    assert runs == pytest.approx(next(c.usd for c in row.candidates if c.chosen))
    assert next(c for c in row.candidates if c.gpu == "gb300").usd is None


def test_idle_reserved_hours_make_a_dearer_gpu_the_cheaper_place(rows):
    (row,), usd = rows([RUN], {"h100": 2})

    assert row.gpu == "h100"
    assert usd.sum() == pytest.approx(0.0, abs=1e-6)


def test_jobs_never_share_an_idle_hour(rows):
    (first, second), usd = rows([FIXED, FIXED.model_copy(update={"name": "again"})], {"h100": 2})

    assert first.usd_30_days_on_demand == 0
    assert second.usd_30_days_on_demand > 0
    assert usd.sum() > 0


def test_a_missed_deadline_is_said_and_what_cannot_run_has_no_cost(rows):
    (late,), _ = rows([RUN.model_copy(update={"deadline_hours": 1.0})], max_gpus={"h100": 1, "b200": 1})
    assert late.late_hours > 0
    assert "MISSED" in late.sentence

    (unable,), usd = rows([RUN], max_gpus={"h100": 0, "b200": 0, "gb300": 0})
    assert unable.usd_30_days_on_demand is None
    assert "no candidate GPU can do it" in unable.sentence
    assert usd.sum() == 0
