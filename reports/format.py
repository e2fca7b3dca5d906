"""The only rounding in the house: how money, tokens, GPUs, shares, rates and dates look to a reader.

English numbers: comma for thousands, point for decimals, no thin spaces. Unknown (None, NaN, infinity) is an en
dash everywhere; the page gives that dash a title that says "unknown".
"""

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from reports.budget import Currency
from sizing.cents import split_to_cents

UNKNOWN = "–"
MINUS = "−"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

ZERO = Decimal(0)

_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))

_DOLLARS = re.compile(r"\$(?P<whole>\d[\d,]*)(?P<decimals>\.\d+)?")


def known(value: float | None) -> bool:
    """Say whether a number can be printed: neither None nor NaN nor infinite."""
    return value is not None and math.isfinite(value)


def money(usd: float | None, currency: Currency) -> str:
    """Return an amount in the report's currency, whole from 100 up, else with two decimals.

    >>> money(12960.4, Currency(code="USD", per_usd=1.0, rate_date=None, source=""))
    '$12,960'
    """
    if usd is None or not math.isfinite(usd):
        return UNKNOWN
    amount = usd * currency.per_usd
    places = 0 if abs(amount) >= 99.995 or amount == 0 else 2
    return _signed(amount, f"{abs(amount):,.{places}f}", _symbol(currency))


def cents_row(parts_usd: Sequence[float], currency: Currency) -> list[str]:
    """Return amounts to the cent and, last, their total: as printed, in any currency, they add up to it exactly.

    >>> cents_row([1 / 3, 1 / 3, 1 / 3], Currency(code="USD", per_usd=1.0, rate_date=None, source=""))
    ['$0.34', '$0.33', '$0.33', '$1.00']
    """
    parts = split_to_cents([part * currency.per_usd for part in parts_usd])
    return [_signed(float(each), f"{abs(each):,.2f}", _symbol(currency)) for each in (*parts, sum(parts, ZERO))]


def money_short(usd: float | None, currency: Currency) -> str:
    """Return an amount at three significant digits, for figures and labels.

    >>> money_short(1_243_900, Currency(code="EUR", per_usd=0.5, rate_date=None, source=""))
    '€622K'
    """
    if usd is None or not math.isfinite(usd):
        return UNKNOWN
    amount = usd * currency.per_usd
    return _signed(amount, short(abs(amount)) if amount else "0", _symbol(currency))


def money_tick(usd: float, currency: Currency) -> str:
    """Return a round amount for an axis, without trailing zeros."""
    return f"{_symbol(currency)}{tick(usd * currency.per_usd)}"


def in_currency(sentence: str, currency: Currency) -> str:
    """Return a sentence of the rooms below, which speak in US dollars, with its amounts in the report's currency.

    An amount keeps the decimals that it was written with.

    >>> in_currency("$3.00 an hour, $1,000 in all", Currency(code="EUR", per_usd=0.5, rate_date=None, source=""))
    '€1.50 an hour, €500 in all'
    """
    if currency.code == "USD":
        return sentence

    def shown(found: re.Match[str]) -> str:
        whole, decimals = found["whole"].replace(",", ""), found["decimals"] or ""
        amount = float(f"{whole}{decimals}") * currency.per_usd
        return f"{_symbol(currency)}{amount:,.{max(len(decimals) - 1, 0)}f}"

    return _DOLLARS.sub(shown, sentence)


def price(usd: float | None, currency: Currency) -> str:
    """Return a unit price ($ per GPU-hour, $ per million tokens): cents, or two significant digits below 10 cents.

    >>> price(0.0153, Currency(code="USD", per_usd=1.0, rate_date=None, source=""))
    '$0.015'
    """
    if usd is None or not math.isfinite(usd):
        return UNKNOWN
    amount = usd * currency.per_usd
    size = abs(amount)
    places = 2 if size >= 0.0995 or size == 0 else min(8, 1 - math.floor(math.log10(size)))
    return _signed(amount, f"{size:,.{places}f}", _symbol(currency))


def count(value: float | None) -> str:
    """Return a whole number (requests, tokens, GPUs, rows) with commas.

    >>> count(1234567.0)
    '1,234,567'
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return _signed(value, f"{abs(value):,.0f}")


def short(value: float | None) -> str:
    """Return a large number at three significant digits; whole below 10,000, decimals below 100.

    >>> [short(x) for x in (0.256, 7.314, 950.0, 9_999, 12_345, 999_700, 2.5e9)]
    ['0.256', '7.31', '950', '9,999', '12.3K', '1.00M', '2.50B']
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size < 9_999.5:
        return _signed(value, _significant(size) if size < 99.95 else f"{size:,.0f}")
    rounded = float(f"{size:.3g}")
    for unit, suffix in _SUFFIXES:
        if rounded >= unit:
            return _signed(value, _significant(rounded / unit) + suffix)
    raise AssertionError("every number from 10,000 up has a suffix")


def tick(value: float) -> str:
    """Return a round number for an axis: as `short`, without trailing zeros.

    >>> [tick(x) for x in (0.0, 0.5, 2_000_000.0, 150_000.0)]
    ['0', '0.5', '2M', '150K']
    """
    digits = short(value)
    number, suffix = (digits[:-1], digits[-1]) if digits[-1] in "KMBT" else (digits, "")
    return (number.rstrip("0").rstrip(".") if "." in number else number) + suffix


def qps(value: float | None) -> str:
    """Return requests a second at three significant digits.

    >>> (qps(7.314), qps(1243.9), qps(0.00213))
    ('7.31', '1,244', '0.00213')
    """
    return short(value)


def percent(share: float | None) -> str:
    """Return a share (0..1) as percent: whole from 10% up, one decimal below.

    >>> (percent(0.8), percent(0.054), percent(0.0))
    ('80%', '5.4%', '0%')
    """
    if share is None or not math.isfinite(share):
        return UNKNOWN
    size = abs(share) * 100
    places = 0 if size >= 9.95 or size == 0 else 1
    return _signed(share, f"{size:.{places}f}%")


def ratio(value: float | None) -> str:
    """Return a plain ratio with two decimals."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return _signed(value, f"{abs(value):,.2f}")


def seconds(value: float | None) -> str:
    """Return a latency: milliseconds below one second, else seconds with two decimals.

    >>> (seconds(0.0184), seconds(1.5))
    ('18 ms', '1.50 s')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value * 1000:.0f} ms" if value < 0.9995 else f"{value:,.2f} s"


def kilowatts(value: float | None) -> str:
    """Return a power with one decimal."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:,.1f} kW"


def kilobytes(size_bytes: int) -> str:
    """Return a file size in KB of 1,000 bytes, at least one decimal.

    >>> kilobytes(118_230)
    '118.2 KB'
    """
    return f"{size_bytes / 1000:,.1f} KB"


def day(value: date | None) -> str:
    """Return a date in English, free of the machine's locale.

    >>> day(date(2026, 11, 30))
    '30 Nov 2026'
    """
    return UNKNOWN if value is None else f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def month(value: str) -> str:
    """Return a `YYYY-MM` month in English; any other text as it is.

    >>> month("2026-12")
    'Dec 2026'
    """
    year, _, number = value.partition("-")
    if year.isdigit() and number.isdigit() and 1 <= int(number) <= 12:
        return f"{MONTHS[int(number) - 1]} {year}"
    return value


def stamp(value: datetime) -> str:
    """Return a moment in UTC to the minute.

    >>> from datetime import timezone
    >>> stamp(datetime(2026, 11, 23, 6, 5, tzinfo=timezone.utc))
    '23 Nov 2026, 06:05 UTC'
    """
    return f"{day(value.date())}, {value.hour:02d}:{value.minute:02d} UTC"


def window(window_s: int) -> str:
    """Say how long a window is.

    >>> window(3600), window(60), window(10)
    ('hour', 'minute', '10 s')
    """
    return {3600: "hour", 60: "minute"}.get(window_s, f"{window_s} s")


def hour_of_week(hour: int) -> str:
    """Return a slot of the week, Monday 00:00 UTC first.

    >>> hour_of_week(38)
    'Tuesday 14:00 UTC'
    """
    return f"{WEEKDAYS[hour // 24]} {hour % 24:02d}:00 UTC"


def plain(text: str, limit: int | None = None) -> str:
    """Return text that is safe to lay out: control and bidi-override characters become U+FFFD; cut at `limit`.

    Escaping is the template's work; this keeps foreign text from breaking XML or turning the line around it.

    >>> plain("a" + chr(0) + "b"), plain("a very long name", 7)
    ('a�b', 'a very…')
    """
    clean = "".join(
        "\ufffd" if c in _BIDI or (unicodedata.category(c) in _UNSAFE and c not in _KEPT) else c for c in text
    )
    return clean if limit is None or len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def squeeze(text: str, limit: int) -> str:
    """Return `plain` text cut in its middle, for labels whose ends tell them apart.

    >>> squeeze("anthropic/claude-sonnet-5, pay as you go", 24)
    'anthropic/claud…s you go'
    """
    clean = plain(text)
    if len(clean) <= limit:
        return clean
    tail = limit // 3
    return f"{clean[: limit - 1 - tail].rstrip()}…{clean[-tail:].lstrip()}"


_UNSAFE = {"Cc", "Cs"}
_KEPT = "\t\n"
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def _significant(size: float) -> str:
    """Return a non-negative number at three significant digits."""
    if size == 0:
        return "0"
    rounded = float(f"{size:.3g}")
    places = max(0, 2 - math.floor(math.log10(rounded)))
    return f"{rounded:.{places}f}"


def _signed(value: float, digits: str, symbol: str = "") -> str:
    minus = MINUS if value < 0 and any(d in "123456789" for d in digits) else ""
    return f"{minus}{symbol}{digits}"


def _symbol(currency: Currency) -> str:
    return SYMBOLS.get(currency.code, f"{currency.code} ")
