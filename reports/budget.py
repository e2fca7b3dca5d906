"""The page as a value. `plan.json` is this value; reading it back renders the identical page.

Every type of it (`reports/values/`) is a frozen dataclass of JSON types, so that pydantic writes it, reads it, and
states its schema (docs/plan-json.md). Arrays are plain lists; money is USD (`currency` says how it is shown).
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError

from data.errors import UserError
from data.traffic import DataQuality
from reports.values.capacity import FleetRow, Job
from reports.values.changes import Change, ChangeHorizon, Changes, DailyGpus, PriceEffect, PriceJump, PriceOutlook
from reports.values.choice import SharedFleetRow
from reports.values.commit import BandRow, Commitments, PolicyRow, SharedCost, TermRow
from reports.values.forecast import (
    BusiestRow,
    LongShareRow,
    Method,
    Moved,
    MovedPart,
    OpinionRow,
    SecondOpinion,
    Series,
    Source,
    TokenPercentiles,
)
from reports.values.money import Breakeven, BudgetMonth, Currency, Decision, OptionChoice
from reports.values.provenance import Assumption, Provenance
from reports.values.replay import PastDecisions, PastPolicy
from reports.values.selfhost import ProviderRow
from reports.values.spend import SpendRow
from reports.values.track import PlanScore, Scored, TrackRecord, TrackRow
from reports.values.workload import Horizon, Workload

__all__ = [
    "SCHEMA_VERSION",
    "Assumption",
    "BandRow",
    "Breakeven",
    "BudgetMonth",
    "BudgetReport",
    "BusiestRow",
    "Change",
    "ChangeHorizon",
    "Changes",
    "Commitments",
    "Currency",
    "DailyGpus",
    "Decision",
    "FleetRow",
    "Horizon",
    "Job",
    "LongShareRow",
    "Method",
    "Moved",
    "MovedPart",
    "OpinionRow",
    "OptionChoice",
    "PastDecisions",
    "PastPolicy",
    "PlanFileError",
    "PlanScore",
    "PolicyRow",
    "PriceEffect",
    "PriceJump",
    "PriceOutlook",
    "Provenance",
    "Scored",
    "SecondOpinion",
    "Series",
    "SharedCost",
    "Source",
    "TermRow",
    "TokenPercentiles",
    "TrackRecord",
    "TrackRow",
    "Workload",
    "from_json",
    "json_schema",
    "to_json",
]

SCHEMA_VERSION = 1


class PlanFileError(UserError):
    """A plan.json that is not one, or not of this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReport:
    """The whole page."""

    schema_version: int
    title: str
    as_of: date
    currency: Currency
    decision: Decision
    months: list[BudgetMonth]
    workloads: list[Workload]
    jobs: list[Job]
    quality: DataQuality
    assumptions: list[Assumption]
    provenance: Provenance
    track: TrackRecord | None = None
    """None in files of before the track record."""
    commitments: list[Commitments] = field(default_factory=list)
    """By kind of GPU; empty where none is rented, and in files of before they were decided together."""
    shared: list[SharedFleetRow] = field(default_factory=list)
    """Workloads of one model that could share a fleet; empty in files of before it was asked."""
    changes: Changes | None = None
    """What could change: prices, scenarios, stress tests; None in files of before they were asked."""
    spend: list[SpendRow] = field(default_factory=list)
    """By bill and month, to the cent; empty where a price is unknown, and in files of before it was kept."""
    replays: list[PastDecisions] = field(default_factory=list)
    """What the decisions would have been worth on each workload's past; empty in files of before that was kept."""
    providers: list[ProviderRow] = field(default_factory=list)
    """Prices of the plan's GPUs by provider; empty in older files."""


_ADAPTER: TypeAdapter[BudgetReport] = TypeAdapter(BudgetReport)


def to_json(report: BudgetReport) -> str:
    """Return the report as indented JSON with a final newline; same report, same bytes.

    NaN and infinity are not JSON: they become null where the contract allows unknown. Where it does not, the text
    could not be read back, so this raises pydantic.ValidationError, which names the field.
    """
    text = _ADAPTER.dump_json(report, indent=1).decode() + "\n"
    _ADAPTER.validate_json(text)
    return text


def from_json(text: str | bytes) -> BudgetReport:
    """Return the report that `to_json` wrote; raises PlanFileError on anything else.

    Keys that this version does not know are passed over: a newer fleetcast may add some under the same number.
    """
    try:
        report = _ADAPTER.validate_json(text)
    except ValidationError as error:
        raise PlanFileError(_sentence(error)) from None
    if report.schema_version != SCHEMA_VERSION:
        raise PlanFileError(
            f"plan.json has schema version {report.schema_version}; this fleetcast reads version {SCHEMA_VERSION}."
            " Render it with the fleetcast that wrote it (`provenance.version`), or plan again."
        )
    return report


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of plan.json."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**dialect, **_ADAPTER.json_schema(mode="serialization")}


def _sentence(error: ValidationError) -> str:
    """Say in one sentence what is wrong with a plan.json, by the first place that is."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole file"
    return f"plan.json cannot be read: {first['msg'].rstrip('.')} at {place}; use the file as fleetcast wrote it."
