"""What the store knows about a workload's past, as `data.traffic` says; nothing here touches raw requests."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

import pandas as pd

from data.errors import UserError
from data.frames import first_row, frame
from data.traffic import NOTHING_ASSUMED, Assumed, DataQuality, Match, Traffic
from data.traffic_aggregates import read_aggregates_past
from data.traffic_requests import daily_sums, read_requests_past
from data.traffic_shape import Ask, observe
from data.warehouse import Store, query

DIGESTED_TABLES = (
    "rollup_minute",
    "token_histogram_daily",
    "joint_histogram_daily",
    "long_requests_daily",
    "usage_bucket",
    "usage_percentile",
    "usage_histogram",
)


def load_traffic(
    store: Store,
    *,
    workload: str,
    match: Match,
    since: date | None,
    until: date,
    assumed: Assumed = NOTHING_ASSUMED,
) -> Traffic:
    """Return the past of the matching traffic from `since` (all, where None) to the day before `until`.

    assumed: what stands in where a source of sums does not state it.
    Raises UserError where nothing matches, naming the match, the labels that the store has and their dates; and
    where request logs and aggregates both match, because adding them would count traffic twice.
    """
    ask = Ask(match=match, since=since, until=until, assumed=assumed)
    labels, source_kind = _matched(store, workload, ask)
    observed = observe(store, ask, labels)
    if source_kind == "requests":
        past = read_requests_past(store, ask, observed)
    else:
        past = read_aggregates_past(store, ask, observed, workload)
    return Traffic(
        workload=workload,
        match=match,
        source_kind=source_kind,
        daily=past.daily,
        windows=past.windows,
        window_s=past.window_s,
        hour_of_week=past.hour_of_week,
        hours=past.hours,
        arrival_cv=past.arrival_cv,
        joint=past.joint,
        first_utc=observed.first,
        last_utc=observed.last,
        notes=past.notes,
        files=observed.files,
        percentile_basis=past.percentile_basis,
        percentile_widths=past.percentile_widths,
    )


def load_quality(store: Store, *, since: date | None, until: date, matches: Sequence[Match]) -> DataQuality:
    """Return what was read and what was not, over the files of the matching sources; without a match, of all.

    Rows are those of whole files, without those that are no requests at all; requests and gap days are those of
    the matches within the span.
    """
    begin = since or _first_day(store)
    kinds = [_labels_of(store, Ask(match=match, since=since, until=until)) for match in matches or (Match(),)]
    labels = sorted({label for found in kinds for label, _ in found})
    files = (
        frame(
            store.con,
            """SELECT count(*) AS files, CAST(sum(rows_read - rows_skipped) AS BIGINT) AS rows_read,
            CAST(sum(rows_duplicate) AS BIGINT) AS rows_duplicate,
            CAST(sum(rows_rejected) AS BIGINT) AS rows_rejected
        FROM file_manifest WHERE status = 'done' AND list_contains($labels, source_label)""",
            {"labels": labels},
        )
        .fillna(0)
        .iloc[0]
    )
    counted = [_counted(store, Ask(match=match, since=since, until=until)) for match in matches or (Match(),)]
    reasons = store.con.execute(
        """SELECT reason, count(*) FROM rejected_rows JOIN file_manifest USING (file_id)
        WHERE status = 'done' AND list_contains($labels, source_label) GROUP BY reason ORDER BY reason""",
        {"labels": labels},
    ).fetchall()
    return DataQuality(
        since=begin,
        until=until,
        files=int(files["files"]),
        rows_read=int(files["rows_read"]),
        rows_duplicate=int(files["rows_duplicate"]),
        rows_rejected=int(files["rows_rejected"]),
        requests=sum(each.requests for each in counted),
        failed_requests=sum(each.failed for each in counted),
        throttled_requests=sum(each.throttled for each in counted),
        missing_tok_requests=sum(each.missing for each in counted),
        gap_days=_gap_days(store, labels, begin, until),
        rejected_by_reason=dict(reasons),
    )


def store_digest(store: Store) -> str:
    """Return the sha256 of what the store was made from and of how much it made of it.

    The same logs give the same digest, whenever, wherever and in whichever order they were read.
    """
    content = store.con.execute(
        """SELECT sha256, source_label, format, mapping_sha256, rows_read, rows_rejected FROM file_manifest
        WHERE status = 'done' ORDER BY ALL"""
    ).fetchall()
    counts = [store.con.execute(f"SELECT count(*) FROM {table}").fetchall() for table in DIGESTED_TABLES]  # noqa: S608
    return hashlib.sha256(json.dumps([content, counts]).encode()).hexdigest()


def labels(store: Store) -> pd.DataFrame:
    """Return one row per source label: source_label, first_utc, last_utc (naive UTC), files."""
    return frame(store.con, query("labels"))


def _labels_of(store: Store, ask: Ask) -> list[tuple[str, str]]:
    return store.con.execute(query("matched_labels"), ask.parameters()).fetchall()


def _matched(store: Store, workload: str, ask: Ask) -> tuple[list[str], Literal["requests", "aggregates"]]:
    """Return the source labels that match and their kind, or say why that cannot be."""
    found = _labels_of(store, ask)
    if not found:
        raise UserError(_nothing(store, workload, ask))
    kinds = {kind for _, kind in found}
    names = sorted({label for label, _ in found})
    if len(kinds) > 1:
        raise UserError(
            f"Workload {workload!r} matches request logs and aggregates alike ({', '.join(names)});"
            " name one source with match.label."
        )
    return names, "requests" if kinds == {"requests"} else "aggregates"


def _nothing(store: Store, workload: str, ask: Ask) -> str:
    asked = ", ".join(f"{key} = {value!r}" for key, value in asdict(ask.match).items() if value is not None)
    span = f"from {ask.since} " if ask.since else ""
    known = labels(store).dropna()
    have = [
        f"{label!r} ({first:%Y-%m-%d} to {last:%Y-%m-%d})"
        for label, first, last in zip(known["source_label"], known["first_utc"], known["last_utc"], strict=True)
    ]
    return (
        f"Nothing in the store matches workload {workload!r} ({asked or 'everything'}) {span}before {ask.until};"
        f" it has {', '.join(have[:8]) or 'no traffic'}{' and more' if len(have) > 8 else ''}."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """How many requests matched; of these, how many were throttled or stated no lengths; and how many failed."""

    requests: float
    failed: float
    throttled: float
    missing: float


def _counted(store: Store, ask: Ask) -> _Counted:
    rows = daily_sums(store, ask)
    sums = frame(store.con, query("usage_windows"), ask.parameters())
    throttled = float(sums["throttled_requests"].sum())
    silent = float(sums["requests"][sums["prompt_tok_sum"].isna() | sums["output_tok_sum"].isna()].sum())
    requests = float(rows["requests"].sum())
    return _Counted(
        requests=requests + float(sums["requests"].sum()) + throttled,
        failed=float(rows["failed_requests"].sum() + sums["failed_requests"].sum()),
        throttled=float(rows["throttled_requests"].sum()) + throttled,
        missing=requests - float(rows["token_requests"].sum()) + silent + throttled,
    )


def _gap_days(store: Store, names: Sequence[str], since: date, until: date) -> int:
    """Return how many days without a record lie between the first and the last day of each source, added up."""
    begin, end = (datetime.combine(day, time(), UTC) for day in (since, until))
    gaps = 0
    for name in names:
        days = frame(store.con, query("observed_days"), {"labels": [name], "since": begin, "until": end})[
            "day_utc"
        ]
        gaps += int((days.max() - days.min()).days) + 1 - len(days) if len(days) else 0
    return gaps


def _first_day(store: Store) -> date:
    row = first_row(store.con, "SELECT CAST(min(first_utc) AS DATE) FROM file_manifest WHERE status = 'done'")
    return row[0] if row and row[0] else date(1970, 1, 1)
