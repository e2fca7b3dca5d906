"""The spend cut into one line for each bill and calendar month, to the cent."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from flows.spend import Spend, SpendPart
from flows.walk import as_day
from reports.values.spend import SpendRow
from sizing.cents import split_to_cents

Days = npt.NDArray[np.datetime64]


def spend_rows(spend: Spend, days: Days) -> list[SpendRow]:
    """Return one row for each bill and calendar month that has one; none at all where a price is unknown.

    The rows of a month add up to its mean, rounded once to the cent.
    """
    return [] if spend.unpriced else list(_rows(_merged(spend.parts), days))


def _merged(parts: tuple[SpendPart, ...]) -> list[SpendPart]:
    """Return the parts with those of one bill added up: a choice that goes on over two horizons is one."""
    found: dict[tuple[str, str, str, str], SpendPart] = {}
    for part in parts:
        key = (part.workload, part.kind, part.provider, part.label)
        found[key] = part if key not in found else _plus(found[key], part)
    return list(found.values())


def _plus(one: SpendPart, other: SpendPart) -> SpendPart:
    hours = None if one.gpu_hours is None or other.gpu_hours is None else one.gpu_hours + other.gpu_hours
    return SpendPart(
        workload=one.workload,
        option=one.option,
        kind=one.kind,
        provider=one.provider,
        label=one.label,
        gpu=one.gpu,
        usd=one.usd + other.usd,
        gpu_hours=hours,
    )


def _rows(parts: list[SpendPart], days: Days) -> Iterator[SpendRow]:
    months = days.astype("datetime64[M]")
    for month in np.unique(months):
        inside = np.flatnonzero(months == month)
        there = [part for part in parts if part.usd[:, inside].any()]
        paths = [part.usd[:, inside].sum(axis=1) for part in there]
        for part, usd, spent in zip(there, split_to_cents([float(p.mean()) for p in paths]), paths, strict=True):
            yield SpendRow(
                month=str(month),
                start=as_day(days[inside[0]]),
                end=as_day(days[inside[-1]]),
                workload=part.workload,
                kind=part.kind,
                provider=part.provider,
                label=part.label,
                gpu=part.gpu,
                usd=float(usd),
                usd_p10=float(np.quantile(spent, 0.1)),
                usd_p90=float(np.quantile(spent, 0.9)),
                gpu_hours=None if part.gpu_hours is None else float(part.gpu_hours[inside].sum()),
            )
