"""Prices of the day as an overlay of one's own: a provider's table of SkyPilot's catalog into rows of prices.toml.

The table (`catalogs/v8/<provider>/vms.csv` of github.com/skypilot-org/skypilot-catalog, Apache-2.0) has one row
for each instance, region and zone: InstanceType, AcceleratorName, AcceleratorCount, Price, SpotPrice, Region.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from data.errors import UserError
from data.text import toml_text

COLUMNS = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "SpotPrice", "Region")
_MOST_BYTES = 64_000_000
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """Offers as TOML, how many there are, and accelerators that our catalog does not have, with their rows."""

    toml: str
    offers: int
    unknown: Mapping[str, int]


def read_source(source: str) -> str:
    """Return the text of a file or an https address; raises UserError where neither can be read."""
    if "://" not in source:
        try:
            return Path(source).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"Cannot read {source}: {getattr(error, 'strerror', None) or error}; check it."
            ) from error
    if urlsplit(source).scheme != "https":
        raise UserError(f"{source} is no https address; prices are only fetched over https, or read from a file.")
    try:
        with urlopen(Request(source), timeout=_TIMEOUT_S) as answer:  # noqa: S310  # https alone, checked above
            content: bytes = answer.read(_MOST_BYTES + 1)
    except (URLError, OSError) as error:
        raise UserError(f"Cannot fetch {source}: {error}; fetch it elsewhere and name the file.") from error
    if len(content) > _MOST_BYTES:
        raise UserError(
            f"{source} is over {_MOST_BYTES / 1e6:.0f} MB, which no price table is; check the address."
        )
    return content.decode("utf-8", errors="replace")


def refreshed(
    text: str, *, provider: str, source: str, today: date, gpus: Mapping[str, str], region: str | None = None
) -> Refreshed:
    """Return one offer for each GPU, instance and term, its range over the regions (or of one region).

    gpus: {accelerator's name in small letters: our name}. Raises UserError where columns are missing, a price is
    no number, or nothing in it is of a GPU that we know.
    """
    rows = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise UserError(f"{source} is no table of instances: it lacks the column {missing[0]}.")
    prices: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    unknown: dict[str, int] = defaultdict(int)
    for line, row in enumerate(rows, start=2):
        name = (row["AcceleratorName"] or "").strip()
        if not name or (region is not None and row["Region"] != region):
            continue
        gpu = gpus.get(name.lower())
        if gpu is None:
            unknown[name] += 1
            continue
        for term, usd in _usd_per_gpu(row, source, line):
            prices[gpu, row["InstanceType"] or "", term].append(usd)
    if not prices:
        where = f" in region {region!r}" if region else ""
        raise UserError(
            f"{source} prices no GPU of our catalog{where}; it names {', '.join(sorted(unknown)) or 'none'}."
        )
    offers = "\n".join(_offer(key, usd, provider, source, today, region) for key, usd in sorted(prices.items()))
    head = f"# Prices of {provider} as of {today}, read from {source}; made by `fleetcast catalog refresh`.\n\n"
    return Refreshed(toml=head + offers, offers=len(prices), unknown=dict(unknown))


def _usd_per_gpu(row: Mapping[str, str], source: str, line: int) -> Iterator[tuple[str, float]]:
    for column, term in (("Price", "on-demand"), ("SpotPrice", "spot")):
        if not (row[column] or "").strip():
            continue  # not offered so
        try:
            usd = float(row[column]) / float(row["AcceleratorCount"])
        except (ValueError, ZeroDivisionError):
            said = f"{row[column]!r} for {row['AcceleratorCount']!r} accelerators"
            raise UserError(
                f"{source}, line {line}: {column} is {said}, which is no price; mend that row."
            ) from None
        if 0 < usd < float("inf"):
            yield term, usd


def _offer(
    key: tuple[str, str, str], usd: list[float], provider: str, source: str, today: date, region: str | None
) -> str:
    gpu, instance, term = key
    texts = {"gpu": gpu, "term": term, "provider": provider, "instance": instance, "region": region or "",
             "source": source, "note": "" if region else f"Range over {len(usd)} regions and zones."}  # fmt: skip
    rows = [f"{name} = {toml_text(value)}" for name, value in texts.items() if value]
    rows += [f"usd_per_gpu_hour_low = {min(usd):.6g}", f"usd_per_gpu_hour_high = {max(usd):.6g}"]
    return "\n".join(["[[offer]]", *rows, f"checked = {today.isoformat()}", ""])
