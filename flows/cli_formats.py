"""`fleetcast formats`: what ingest knows, how it tells them apart, and what it reads of each."""

import argparse
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from data.errors import UserError
from data.formats.contract import CANONICAL_FIELDS, Options, Percentiles, RequestFormat
from data.formats.registry import AGGREGATE_FORMATS, BY_MAPPING, Format, find_format, formats
from data.formats.sample import Sample

PERCENTILES: Mapping[Percentiles, str] = {
    "requests": "of every request",
    "stated": "those that it states",
    "histogram": "from the steps of histograms, up to 2.5x off",
    "none": "none: it states sums alone",
}
_WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatCard:
    """What the command says of one format. columns: the source's column -> what becomes of it."""

    name: str
    description: str
    kind: str
    recognised: str
    percentiles: str
    columns: Mapping[str, str]


def run_formats(arguments: argparse.Namespace) -> None:
    """Print every format with its columns, or one in full."""
    chosen = [find_format(arguments.name)] if arguments.name else list(formats().values())
    cards = [card_of(fmt) for fmt in chosen]
    if arguments.json:
        shown = [asdict(card) for card in cards]
        print(json.dumps(shown[0] if arguments.name else shown, indent=1))
    elif arguments.name:
        print("\n".join(_in_full(cards[0])))
    else:
        print("\n".join(line for card in cards for line in _in_short(card)))
        print("fleetcast formats NAME shows what becomes of each column; docs/formats.md has the mapping files.")


def card_of(fmt: Format) -> FormatCard:
    """Return what there is to say of a format."""
    aggregate = next((one for one in AGGREGATE_FORMATS if one is fmt), None)
    columns = dict(getattr(fmt, "columns", None) or _read_by(fmt))
    known_by = getattr(fmt, "recognised", None) or (
        "a mapping file, --mapping map.toml" if fmt.name in BY_MAPPING else "its content, by the columns below"
    )
    return FormatCard(
        name=fmt.name,
        description=fmt.description,
        kind="requests" if aggregate is None else "sums",
        recognised=known_by,
        percentiles=PERCENTILES["requests" if aggregate is None else aggregate.percentiles],
        columns=columns,
    )


def _read_by(fmt: Format) -> dict[str, str]:
    """Return what a format of requests reads: each column with the fields that its value goes into."""
    request_format: RequestFormat = fmt  # type: ignore[assignment]  # sums name their columns
    every = Sample(path=Path(fmt.name), kind="csv", compression="none", columns=CANONICAL_FIELDS)
    try:
        select = request_format.select(every, Options(start=datetime(2000, 1, 1, tzinfo=UTC)))
    except UserError:
        return {f"columns.{field}": field for field in CANONICAL_FIELDS}
    found = {}
    for ours, theirs in select.reads.items():
        used = re.compile(rf"\b{re.escape(ours)}\b")
        found[theirs] = (
            ", ".join(field for field, sql in select.fields.items() if used.search(sql)) or "a condition"
        )
    return found


def _in_short(card: FormatCard) -> list[str]:
    return [
        f"{card.name} ({card.kind})",
        *_wrapped(card.description[0].upper() + card.description[1:] + "."),
        *_wrapped(f"recognised by: {card.recognised}"),
        *_wrapped(f"columns: {', '.join(card.columns)}"),
        *_wrapped(f"percentiles: {card.percentiles}"),
        "",
    ]


def _in_full(card: FormatCard) -> list[str]:
    width = min(max(map(len, card.columns), default=0), 40)
    lines = _in_short(card)[:3]
    lines += [*_wrapped(f"percentiles: {card.percentiles}"), "  columns:"]
    for theirs, ours in card.columns.items():
        lines.append(f"    {theirs:<{width}}  {ours}" if len(theirs) <= width else f"    {theirs}")
        if len(theirs) > width:
            lines.append(f"    {'':<{width}}  {ours}")
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
