"""What moves a breakeven most: one input at a time to its low and its high end, the others as they are.

What is asked is the utilisation at which self-hosting costs what the API does, u* = w price / (3600 a): it exists
whatever the inputs, and an own fleet wins where it is below the utilisation that the fleet reaches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from data.errors import UserError
from data.units import DAY_S, DAYS_PER_MONTH, HOUR_S, MTOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Tokens of the mean request; cached ones are part of the prompt."""

    prompt_tok: float
    cached_tok: float
    output_tok: float

    @property
    def cached_share(self) -> float:
        """Share of the prompt that comes from the cache."""
        return self.cached_tok / self.prompt_tok if self.prompt_tok else 0.0

    def times(self, *, prompt: float = 1.0, output: float = 1.0, cached_share: float | None = None) -> "Lengths":
        """Return other lengths: the prompt and the output by factors, the cached share as it is or as given."""
        share = self.cached_share if cached_share is None else cached_share
        tok = self.prompt_tok * prompt
        return Lengths(prompt_tok=tok, cached_tok=tok * share, output_tok=self.output_tok * output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One set of inputs. gpu_s: GPU-seconds of work a request, api_usd: what the API charges for one.

    gpus: of one replica. throughput: over the predicted one. utilisation: what the fleet reaches.
    """

    gpus: int
    usd_per_gpu_hour: float
    utilisation: float
    gpu_s: float
    api_usd: float
    tok_per_request: float
    throughput: float = 1.0

    @property
    def needed_utilisation(self) -> float:
        """Busy share of paid GPU time at which both cost the same; above `utilisation` there is no breakeven."""
        return self.gpu_s / self.throughput * self.usd_per_gpu_hour / (HOUR_S * self.api_usd)

    @property
    def breaks_even(self) -> bool:
        """Whether one replica, used as far as it may be, costs no more than the API."""
        return self.needed_utilisation <= self.utilisation

    @property
    def qps(self) -> float | None:
        """Requests a second at which one replica costs what the API does; None where no volume breaks even."""
        return self.gpus * self.usd_per_gpu_hour / (HOUR_S * self.api_usd) if self.breaks_even else None

    @property
    def mtok_per_month(self) -> float | None:
        """Tokens a mean month at that rate, in millions."""
        return None if self.qps is None else self.qps * DAY_S * DAYS_PER_MONTH * self.tok_per_request / MTOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Swings:
    """How far each input is moved. A range of throughput and of the GPU price comes with the replica and offer.

    api_price, lengths, gpu_price: factors. cache_points: added to and taken from the share of cached tokens.
    gpu_price is used where the offer is one quote without a range.
    """

    api_price: tuple[float, float] = (0.5, 1.5)
    lengths: tuple[float, float] = (0.75, 1.25)
    cache_points: float = 0.2
    gpu_price: tuple[float, float] = (0.8, 1.2)

    def __post_init__(self) -> None:
        """Refuse ranges that do not go from low to high."""
        for name in ("api_price", "lengths", "gpu_price"):
            low, high = getattr(self, name)
            if not 0 < low <= 1 <= high:
                raise UserError(f"The swing {name} = {low:g}, {high:g} must hold 1 between two factors above 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One input at both ends: what it was set to, in words, and what came of it. base: with nothing moved."""

    factor: str
    low_text: str
    high_text: str
    base: float
    low: float
    high: float
    """Utilisation at which self-hosting costs what the API does, with the input at its low and its high end."""
    low_qps: float | None
    high_qps: float | None

    @property
    def width(self) -> float:
        """How far the answer moves, the larger the more it matters."""
        return abs(self.high - self.low)


def tornado(
    base: Case,
    lengths: Lengths,
    *,
    gpu_s: Callable[[Lengths], float],
    api_usd: Callable[[Lengths], float],
    throughput_band: tuple[float, float],
    gpu_price_range: tuple[float, float],
    swings: Swings | None = None,
) -> tuple[Bar, ...]:
    """Return a bar for API price, throughput (MFU), cache hits, lengths and GPU price, the widest first.

    gpu_s, api_usd: what a request of such lengths takes and costs. throughput_band: measured over predicted, 10th
    and 90th percentile. gpu_price_range: USD per GPU-hour; equal ends take the swings' factors.
    """
    by = swings or Swings()
    low_price, high_price = gpu_price_range
    if low_price == high_price:
        low_price, high_price = (base.usd_per_gpu_hour * f for f in by.gpu_price)

    def of(other: Lengths) -> Case:
        tok = other.prompt_tok + other.output_tok
        return replace(base, gpu_s=gpu_s(other), api_usd=api_usd(other), tok_per_request=tok)

    fewer, more = (min(max(lengths.cached_share + s * by.cache_points, 0.0), 0.95) for s in (-1, 1))
    ends: Sequence[tuple[str, str, str, Case, Case]] = (
        (
            "API price",
            *(f"x {f:g}" for f in by.api_price),
            *(replace(base, api_usd=base.api_usd * f) for f in by.api_price),
        ),
        (
            "Throughput (MFU)",
            *(f"x {f:.2f}" for f in throughput_band),
            *(replace(base, throughput=f) for f in throughput_band),
        ),
        (
            "Cache hits",
            *(f"{share:.0%} of the prompt" for share in (fewer, more)),
            *(of(lengths.times(cached_share=share)) for share in (fewer, more)),
        ),
        (
            "Prompt length",
            *(f"{lengths.prompt_tok * f:,.0f} tokens" for f in by.lengths),
            *(of(lengths.times(prompt=f)) for f in by.lengths),
        ),
        (
            "Output length",
            *(f"{lengths.output_tok * f:,.0f} tokens" for f in by.lengths),
            *(of(lengths.times(output=f)) for f in by.lengths),
        ),
        (
            "GPU price",
            *(f"${usd:,.2f} an hour" for usd in (low_price, high_price)),
            *(replace(base, usd_per_gpu_hour=usd) for usd in (low_price, high_price)),
        ),
    )  # type: ignore[assignment]  # starred pairs make each row five long
    bars = [
        Bar(
            factor=factor,
            low_text=low_text,
            high_text=high_text,
            base=base.needed_utilisation,
            low=low.needed_utilisation,
            high=high.needed_utilisation,
            low_qps=low.qps,
            high_qps=high.qps,
        )
        for factor, low_text, high_text, low, high in ends
    ]
    return tuple(sorted(bars, key=lambda bar: -bar.width))
