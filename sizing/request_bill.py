"""One API request's bill, line by line, in exact decimals: the arithmetic behind `sizing.api_cost.request_usd`."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from data.errors import UserError
from data.units import MTOK
from sizing.price_list import TOKEN_KINDS, ApiPrice, token_rates

_FALLBACK = {
    "cached input": ("cached_usd_per_mtok", "input"),
    "cache write": ("cache_write_usd_per_mtok", "input"),
    "cache write kept an hour": ("cache_write_1h_usd_per_mtok", "cache write"),
    "reasoning": ("reasoning_usd_per_mtok", "output"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Tokens of one request. Cached and written tokens are part of the prompt, reasoning of the output.

    cache_write_1h_tok are those of the written that are kept an hour.
    """

    prompt_tok: int
    output_tok: int
    cached_tok: int = 0
    cache_write_tok: int = 0
    cache_write_1h_tok: int = 0
    reasoning_tok: int = 0

    def __post_init__(self) -> None:
        """Refuse parts that are larger than their whole."""
        if self.cached_tok + self.cache_write_tok > self.prompt_tok:
            raise UserError(
                f"{self.cached_tok:,} cached and {self.cache_write_tok:,} written tokens are more than the"
                f" {self.prompt_tok:,} of the prompt that they are part of; give the whole prompt."
            )
        if self.cache_write_1h_tok > self.cache_write_tok:
            raise UserError(
                f"{self.cache_write_1h_tok:,} tokens written for an hour are more than the"
                f" {self.cache_write_tok:,} written; the first are part of the second."
            )
        if self.reasoning_tok > self.output_tok:
            raise UserError(
                f"{self.reasoning_tok:,} reasoning tokens are more than the {self.output_tok:,} of output that"
                " they are part of; give the whole output."
            )

    def by_kind(self) -> dict[str, int]:
        """Return the tokens of each of TOKEN_KINDS: they add up to prompt and output."""
        tokens = (
            self.prompt_tok - self.cached_tok - self.cache_write_tok,
            self.cached_tok,
            self.output_tok - self.reasoning_tok,
            self.cache_write_tok - self.cache_write_1h_tok,
            self.cache_write_1h_tok,
            self.reasoning_tok,
        )
        return dict(zip(TOKEN_KINDS, tokens, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """So many tokens of one kind at one price. stated: the list has a price of its own for this kind."""

    kind: str
    tokens: int
    usd_per_mtok: Decimal
    usd: Decimal
    billed_as: str
    """The kind whose price is paid: its own, or the one that the list falls back to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What one request costs. threshold_tok: of the tier that the whole request pays, None for base prices."""

    lines: tuple[BillLine, ...]
    usd_per_request: Decimal
    threshold_tok: int | None

    @property
    def usd(self) -> Decimal:
        """The sum of the lines and the fee of a request, exact."""
        return sum((line.usd for line in self.lines), self.usd_per_request)


def request_bill(price: ApiPrice, request: Request) -> Bill:
    """Return the bill of one request: tokens / 1e6 x price for each kind, all at the tier of its prompt.

    Exact: prices are the list's own decimals, and no line is rounded.
    """
    step = price.at_length(request.prompt_tok)
    rates = dict(zip(TOKEN_KINDS, token_rates(step), strict=True))
    lines = tuple(
        BillLine(
            kind=kind,
            tokens=tokens,
            usd_per_mtok=exact(rates[kind]),
            usd=tokens * exact(rates[kind]) / int(MTOK),
            billed_as=_billed_as(step, kind),
        )
        for kind, tokens in request.by_kind().items()
        if tokens
    )
    threshold = None if step is price else getattr(step, "threshold_tok", None)
    return Bill(lines=lines, usd_per_request=exact(price.usd_per_request), threshold_tok=threshold)


def bills_usd(bills: Iterable[Bill]) -> Decimal:
    """Return the sum of many bills, exact."""
    return sum((bill.usd for bill in bills), Decimal(0))


def exact(value: float) -> Decimal:
    """Return the shortest decimal that is this float: the one that the price list printed.

    >>> exact(0.075)
    Decimal('0.075')
    """
    return Decimal(repr(float(value)))


def _billed_as(step: object, kind: str) -> str:
    while kind in _FALLBACK and getattr(step, _FALLBACK[kind][0], None) is None:
        kind = _FALLBACK[kind][1]
    return kind
