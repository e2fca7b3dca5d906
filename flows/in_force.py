"""Commitments that were accepted with `fleetcast decide` are in force, like those that plan.toml declares."""

from collections.abc import Sequence

from data.finops.decisions import CommitDecision
from flows.settings import CommitmentSettings, LoadedPlan


def with_decisions(plan: LoadedPlan, decisions: Sequence[CommitDecision]) -> LoadedPlan:
    """Return the plan with the accepted decisions among its commitments; others count nothing."""
    accepted = [
        CommitmentSettings(
            gpu=each.gpu,
            units=each.gpus,
            usd_per_gpu_hour=each.usd_per_gpu_hour,
            start=each.start_day,
            end=each.end_day,
            provider=each.provider,
        )
        for each in decisions
        if each.verdict == "accepted"
    ]
    if not accepted:
        return plan
    held = [*plan.settings.commitments, *accepted]
    return plan.model_copy(update={"settings": plan.settings.model_copy(update={"commitments": held})})
