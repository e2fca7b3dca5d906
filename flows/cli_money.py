"""`fleetcast api-cost`: what one API request costs, with the arithmetic."""

import argparse
import json
from datetime import UTC, datetime
from decimal import Decimal

from data.errors import UserError
from sizing.price_list import ApiPrice, api_price, batch_price
from sizing.request_bill import Bill, Request, request_bill


def run_api_cost(arguments: argparse.Namespace) -> None:
    """Print the bill of one request (or of many alike), as text or as JSON."""
    at = arguments.at or datetime.now(UTC)
    price = _price(arguments, at)
    request = Request(
        prompt_tok=arguments.prompt_tokens,
        output_tok=arguments.output_tokens,
        cached_tok=arguments.cached,
        cache_write_tok=arguments.cache_write + arguments.cache_write_1h,
        cache_write_1h_tok=arguments.cache_write_1h,
        reasoning_tok=arguments.reasoning,
    )
    bill = request_bill(price, request)
    if arguments.json:
        print(json.dumps(_as_json(price, bill, arguments.requests, at), indent=1, ensure_ascii=False))
    else:
        print("\n".join(_lines(price, bill, arguments.requests, at)))


def _price(arguments: argparse.Namespace, at: datetime) -> ApiPrice:
    if arguments.batch_fraction is not None and arguments.processing != "batch":
        raise UserError(
            f"--batch-fraction {arguments.batch_fraction:g} is the batch price over the standard one; add"
            " --processing batch."
        )
    if arguments.processing != "batch":
        return api_price(arguments.provider, arguments.model, at=at, processing=arguments.processing)
    price, why = batch_price(arguments.provider, arguments.model, at=at, batch_fraction=arguments.batch_fraction)
    if price is None:
        raise UserError(why.replace("state batch_fraction in the plan", "give --batch-fraction"))
    return price


def _lines(price: ApiPrice, bill: Bill, requests: int, at: datetime) -> list[str]:
    tier = "" if bill.threshold_tok is None else f", tier above {bill.threshold_tok:,} prompt tokens"
    rows = [
        (f"{n.tokens:,}", n.kind, f"x ${_plain(n.usd_per_mtok)} per Mtok", usd_text(n.usd)) for n in bill.lines
    ]
    if bill.usd_per_request:
        rows.append(("1", "request", "fee", usd_text(bill.usd_per_request)))
    rows.append(("", "one request", "", usd_text(bill.usd)))
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    table = [
        f"  {n:>{widths[0]}}  {kind:<{widths[1]}}  {how:<{widths[2]}}  = {usd:>{widths[3]}}"
        for n, kind, how, usd in rows
    ]
    many = [] if requests == 1 else [f"  {requests:,} such requests = ${bill.usd * requests:,.2f}"]
    return [
        f"${bill.usd:,.4f} for one request to {price.provider}/{price.model}, {price.processing} price in force on"
        f" {at:%Y-%m-%d %H:%M} UTC{tier}",
        *table,
        *many,
        *(f"  {note}" for note in _notes(price, bill)),
        f"  Prices: {price.source}" + ("" if price.checked is None else f", published {price.checked}"),
    ]


def _notes(price: ApiPrice, bill: Bill) -> list[str]:
    own = [n for n in price.notes if "cached" not in n]  # said below, and only where there are cached tokens
    return own + [
        f"The list has no price for {line.kind} here: billed as {line.billed_as}, as it says."
        for line in bill.lines
        if line.billed_as != line.kind
    ]


def _as_json(price: ApiPrice, bill: Bill, requests: int, at: datetime) -> dict[str, object]:
    return {
        "provider": price.provider,
        "model": price.model,
        "processing": price.processing,
        "at": at.isoformat(),
        "usd": str(bill.usd),
        "usd_per_request_fee": str(bill.usd_per_request),
        "threshold_tok": bill.threshold_tok,
        "lines": [
            {
                "kind": line.kind,
                "tokens": line.tokens,
                "usd_per_mtok": str(line.usd_per_mtok),
                "usd": str(line.usd),
                "billed_as": line.billed_as,
            }
            for line in bill.lines
        ],
        "requests": requests,
        "usd_all": str(bill.usd * requests),
        "source": price.source,
        "notes": _notes(price, bill),
    }


def usd_text(usd: Decimal) -> str:
    """Return an exact amount with at least four decimals and no digit lost.

    >>> usd_text(Decimal("0.6")), usd_text(Decimal("1.222506"))
    ('$0.6000', '$1.222506')
    """
    text = f"{usd.normalize():f}"
    whole, _, decimals = text.partition(".")
    return f"${int(whole):,}.{decimals.ljust(4, '0')}"


def _plain(price: Decimal) -> str:
    return f"{price.normalize():f}"
