"""Public holidays: what each did to a workload in the past, and so what it will do, with its uncertainty."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from data.errors import UserError
from forecasting.calendar import LOW_COUNT_PER_DAY, WEEK_DAYS

Floats = npt.NDArray[np.float64]

LEAST_OCCURRENCES = 8
"""Holidays that must have been seen, over all names, before any effect is learned: about a year of a calendar."""
LEAST_DAYS = 180
NEAR_DAYS = 15
"""Span of the median that stands for the level around a holiday."""
WEEKDAY_DAYS = 91
MAD = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayCalendar:
    """Whose public holidays count: a country and, where they differ, its subdivision, in the zone of its clocks.

    country: ISO 3166-1 alpha-2 code; subdivision: as the `holidays` package names it, None = national ones only.
    """

    country: str
    subdivision: str | None
    zone: ZoneInfo

    def exposure(self, first: np.datetime64, n: int) -> dict[tuple[str, date], Floats]:
        """Return, for each holiday (name, local date), the share of each UTC day (n,) from `first` that it covers.

        A holiday east or west of UTC lies on two UTC days. One moved to another day keeps its name.
        """
        start = first.astype("datetime64[D]").astype(date)
        found: dict[tuple[str, date], Floats] = {}
        for day, name in _named(self, start.year, (start + timedelta(days=n)).year + 1):
            share = self._shares(day, start, n)
            if share.any():
                found[name, day] = share
        return found

    def _shares(self, day: date, start: date, n: int) -> Floats:
        """Share of each UTC day that lies within a local day."""
        begin, end = (datetime.combine(day + timedelta(days=k), time(), self.zone).astimezone(UTC) for k in (0, 1))
        out = np.zeros(n)
        for k in (0, 1, 2):
            utc_day = begin.date() + timedelta(days=k)
            place = (utc_day - start).days
            midnight = datetime.combine(utc_day, time(), UTC)
            overlap = min(end, midnight + timedelta(days=1)) - max(begin, midnight)
            if 0 <= place < n and overlap > timedelta(0):
                out[place] = overlap / timedelta(days=1)
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayEffect:
    """What holidays do to the log of a series. names: log effect and its standard deviation of each that was seen;

    unseen: the same for any other. occurrences: holidays that it was learned from.
    """

    names: Mapping[str, tuple[float, float]]
    unseen: tuple[float, float]
    occurrences: int

    def of(self, name: str) -> tuple[float, float]:
        """Return (log effect, standard deviation) of one holiday."""
        return self.names.get(name, self.unseen)

    def on(self, exposure: Mapping[tuple[str, date], Floats], n: int) -> tuple[Floats, Floats]:
        """Return (n,) the log effect of each day, and (n,) its standard deviation."""
        mean, variance = np.zeros(n), np.zeros(n)
        for (name, _), share in exposure.items():
            effect, sd = self.of(name)
            mean += share * effect
            variance += (share * sd) ** 2
        return mean, np.sqrt(variance)


def holiday_multipliers(
    effect: HolidayEffect, calendar: HolidayCalendar, days: npt.NDArray[np.datetime64], paths: int,
    rng: np.random.Generator,
) -> Floats:  # fmt: skip
    """Return (S, D) what holidays to come multiply requests by: one draw a path and holiday, log-normal."""
    out = np.zeros((paths, len(days)))
    for (name, _), share in calendar.exposure(days[0], len(days)).items():
        mean, sd = effect.of(name)
        z = stats.norm.ppf((rng.permutation(paths) + 0.5) / paths)
        out += (mean + sd * z)[:, None] * share[None]
    return np.asarray(np.exp(out))


def holiday_sentences(calendar: HolidayCalendar | None, effect: HolidayEffect | None) -> list[str]:
    """Say what was learned about holidays, or that nothing could be; nothing where no calendar was given."""
    if calendar is None:
        return []
    place = calendar.country + (f"-{calendar.subdivision}" if calendar.subdivision else "")
    if effect is None:
        return [
            f"holidays of {place}: too few lie in this history to learn from"
            f" ({LEAST_OCCURRENCES} on which it was seen, {LEAST_DAYS} days), so none is applied"
        ]
    ranked = sorted(effect.names.items(), key=lambda item: -abs(item[1][0]))[:3]
    largest = ", ".join(f"{name} {np.expm1(mean):+.0%}" for name, (mean, _) in ranked)
    return [
        f"holidays of {place}: {effect.occurrences} taken out of requests and peak and applied to those to come;"
        f" largest: {largest}"
    ]


def check_calendar(country: str, subdivision: str | None) -> None:
    """Raise UserError where the `holidays` package does not know the country or its subdivision."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        near = sorted(code for code in known if code[:1] == country[:1].upper())
        raise UserError(
            f"country {country!r} is not one of the {len(known)} whose holidays are known; give its ISO 3166-1"
            f" two-letter code, such as {', '.join(near[:8]) or 'US, DE, BR'} (in Python:"
            " holidays.list_supported_countries() lists all)"
        )
    if subdivision is not None and subdivision not in known[country]:
        parts = ", ".join(known[country][:60]) or "none"
        raise UserError(f"subdivision {subdivision!r} is not one of those of {country}; known: {parts}")


def learn_holidays(first: np.datetime64, y: Floats, calendar: HolidayCalendar) -> HolidayEffect | None:
    """Return what holidays did to a daily series y (n,), NaN = unknown; None where too few were seen to tell.

    Each occurrence gives b = sum w r / sum w^2 over its days, r the log residual from the level and weekday around
    it, w the share of the day it covers. Occurrences of a holiday vary with s (not below the noise v of ordinary
    days), holidays with tau around their common mean m; m itself is shrunk towards none:

        effect = m' + tau^2 / (tau^2 + s^2 / n) (mean b - m'),  m' = m m^2 / (m^2 + (tau^2 + s^2) / N)

    The standard deviation of the next occurrence is sqrt(tau^2 s^2 / (n tau^2 + s^2) + s^2 - v^2): what ordinary
    days vary by is in the interval already. (James & Stein 1961; Efron & Morris 1975, random effects by moments.)
    """
    recent = y[np.isfinite(y)][-91:]
    if not recent.size or recent.mean() < LOW_COUNT_PER_DAY:  # the logs of small counts say nothing
        return None
    exposure = calendar.exposure(first, len(y))
    touched = np.sum(list(exposure.values()), axis=0) > 0 if exposure else np.zeros(len(y), dtype=np.bool_)
    residual = _residuals(first, y, touched)
    seen = _occurrences(exposure, residual)
    total = sum(len(b) for b in seen.values())
    ordinary = residual[~touched & np.isfinite(residual)]
    if total < LEAST_OCCURRENCES or np.isfinite(y).sum() < LEAST_DAYS or not ordinary.size:
        return None
    noise = max((MAD * float(np.median(np.abs(ordinary)))) ** 2, 1e-8)
    within = max(_within(seen), noise)
    means = {name: float(np.mean(b)) for name, b in seen.items()}
    middle = float(np.mean(list(means.values())))
    spread = float(np.var(list(means.values()), ddof=1)) if len(means) > 1 else 0.0
    between = max(spread - within * float(np.mean([1 / len(b) for b in seen.values()])), 0.0)
    middle *= middle**2 / (middle**2 + (between + within) / total) if middle else 0.0
    names = {}
    for name, b in seen.items():
        weight = between / (between + within / len(b)) if between > 0 else 0.0
        unsure = between * within / (len(b) * between + within)
        names[name] = (middle + weight * (means[name] - middle), float(np.sqrt(unsure + within - noise)))
    return HolidayEffect(names=names, unseen=(middle, float(np.sqrt(between + within - noise))), occurrences=total)


def _named(calendar: HolidayCalendar, from_year: int, to_year: int) -> list[tuple[date, str]]:
    """Every (local date, holiday) of the years, in order; several on one day are one, by their joined name."""
    import holidays

    years = range(from_year - 1, to_year + 1)
    found = holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=years)
    return sorted((day, name.removesuffix(" (observed)")) for day, name in found.items())


def _residuals(first: np.datetime64, y: Floats, touched: npt.NDArray[np.bool_]) -> Floats:
    """Log residuals from the level and the weekday of the days around, learned on days that are no holiday."""
    x = np.log(np.where(y > 0, y, np.nan))
    plain = pd.Series(np.where(touched, np.nan, x))
    level = plain.rolling(NEAR_DAYS, center=True, min_periods=5).median()
    gap = plain - level
    weekday = (first.astype("datetime64[D]").astype(np.int64) + 3 + np.arange(len(y))) % WEEK_DAYS
    usual = np.full(len(y), np.nan)
    for day in range(WEEK_DAYS):
        own = gap[weekday == day]
        span = WEEKDAY_DAYS // WEEK_DAYS
        usual[weekday == day] = own.rolling(span, center=True, min_periods=3).median().ffill().bfill()
    return np.asarray(x - level.to_numpy(dtype=np.float64) - usual)


def _occurrences(exposure: Mapping[tuple[str, date], Floats], residual: Floats) -> dict[str, list[float]]:
    """The effect of each occurrence that was seen whole, by the holiday's name."""
    out: dict[str, list[float]] = defaultdict(list)
    for (name, _), share in exposure.items():
        days = share > 0
        if np.isfinite(residual[days]).all() and share.sum() > 0.99:
            out[name].append(float(share[days] @ residual[days] / (share[days] @ share[days])))
    return dict(out)


def _within(seen: Mapping[str, list[float]]) -> float:
    """Variance of occurrences around the mean of their holiday, from holidays seen more than once; 0 for none."""
    squares = sum(float(np.sum((np.array(b) - np.mean(b)) ** 2)) for b in seen.values())
    freedom = sum(len(b) - 1 for b in seen.values())
    return squares / freedom if freedom >= 3 else 0.0
