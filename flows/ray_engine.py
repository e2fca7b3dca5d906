"""`--engine ray`: batches of windows forecast on a Ray cluster, through Prefect's Ray task runner (extra [ray]).

Importing this module imports Prefect; only commands that were told to use Ray do. The batches, the code that
forecasts one and the order of the results are those of the local engine, so the result is the same.
"""

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from flows.prefect_env import prepare_prefect

prepare_prefect()
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

from prefect import flow, task  # noqa: E402 - its settings must be in place before it is imported
from prefect.cache_policies import NO_CACHE  # noqa: E402

from data.errors import UserError  # noqa: E402
from forecasting.backtest import MOST_PER_BATCH, Backtest, Progress, forecast_batch  # noqa: E402

WAITING = 256
"""Batches under way or waiting at once: enough for a cluster of that many cores, and memory stays bounded."""


@dataclass(slots=True)
class _Work:
    """What the flow works on; kept here, because Prefect sends all parameters of a flow to the workers."""

    backtest: Backtest | None = None
    take: Callable[[pd.DataFrame], None] | None = None
    progress: Progress | None = None


_work = _Work()


def backtest_on_ray(
    backtest: Backtest,
    take: Callable[[pd.DataFrame], None],
    *,
    address: str | None = None,
    cores: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Forecast the windows as tasks of one Prefect flow run and hand the results to `take` in their order.

    address: of a running cluster whose nodes have fleetcast installed ("auto", "ray://host:10001"); without one
    Ray is started on this machine, with `cores` (default: all). Raises UserError where the extra is missing or no
    cluster answers.
    """
    try:
        from prefect_ray import RayTaskRunner
    except ImportError as error:
        raise UserError(
            "--engine ray needs prefect-ray, which is not installed; run pip install 'fleetcast[ray]'."
        ) from error
    runner = RayTaskRunner(address=address, init_kwargs=_started(address, cores))
    _work.backtest, _work.take, _work.progress = backtest, take, progress
    try:
        run_batches.with_options(task_runner=runner)()
    except ConnectionError as error:
        raise UserError(
            f"No Ray cluster answers at {address}: {error}; start one, or leave --ray-address out."
        ) from error
    finally:
        _work.backtest = _work.take = _work.progress = None


@task(name="forecast batch", cache_policy=NO_CACHE, persist_result=False, retries=2)
def forecast_on_worker(jobs: list[Any]) -> pd.DataFrame:
    """Forecast one batch; a worker that dies is made up for by another."""
    return forecast_batch(jobs)


@flow(name="backtest", validate_parameters=False, persist_result=False)
def run_batches() -> None:
    """Submit batch after batch, and take the results in order as they come."""
    _run()  # by name: Prefect sends this function to the workers with all that it refers to itself


def _run() -> None:
    backtest, take, progress = _work.backtest, _work.take, _work.progress
    if backtest is None or take is None:
        raise RuntimeError("run_batches is started by backtest_on_ray")
    waiting: deque[tuple[Any, int]] = deque()
    batches = backtest.batches(MOST_PER_BATCH)
    done, total, more = 0, len(backtest.windows), True
    while more or waiting:
        jobs = next(batches, None)
        more = jobs is not None
        if jobs is not None:
            waiting.append((forecast_on_worker.submit(jobs), len(jobs)))
        if waiting and (not more or len(waiting) >= WAITING):
            future, count = waiting.popleft()
            take(future.result())
            done += count
            if progress:
                progress(done, total)


def _started(address: str | None, cores: int | None) -> dict[str, Any]:
    """How Ray is started where none runs; a running cluster takes no settings."""
    if address is not None:
        return {}
    return {"include_dashboard": False, **({"num_cpus": cores} if cores else {})}
