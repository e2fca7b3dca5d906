"""The same job in the three workload categories: online, batch, or scheduled into idle reserved hours."""

from dataclasses import dataclass

from data.units import HOUR_S, MTOK


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryCosts:
    """USD of one job: at the API now, at the batch price, and on GPUs that are reserved and idle anyway.

    scheduled_usd is what the idle hours cost on top; fully_loaded_low_usd and _high_usd charge the job the
    reserved price of its hours, at both ends of its range.
    """

    mtok: float
    online_usd: float
    batch_usd: float
    gpu_hours: float
    scheduled_usd: float
    fully_loaded_low_usd: float
    fully_loaded_high_usd: float

    @property
    def ratio(self) -> tuple[float, float, float]:
        """Online : batch : scheduled, with scheduled at 1."""
        return self.online_usd / self.scheduled_usd, self.batch_usd / self.scheduled_usd, 1.0


def documents_mtok(documents: float, tok_per_document: float) -> float:
    """Return millions of tokens.

    >>> documents_mtok(10_000_000, 2_000)
    20000.0
    """
    return documents * tok_per_document / MTOK


def tokens_usd(mtok: float, usd_per_mtok: float, *, price_fraction: float = 1.0) -> float:
    """Return USD of so many tokens at a price, or at a fraction of it (batch: 0.5).

    >>> round(tokens_usd(20_000.0, 0.88), 2), round(tokens_usd(20_000.0, 0.88, price_fraction=0.5), 2)
    (17600.0, 8800.0)
    """
    return mtok * usd_per_mtok * price_fraction


def price_for(usd: float, mtok: float) -> float:
    """Return the USD per million tokens at which so many tokens cost `usd`.

    >>> price_for(4_800.0, 20_000.0)
    0.24
    """
    return usd / mtok


def token_gpu_hours(mtok: float, *, tok_per_gpu_s: float) -> float:
    """Return GPU-hours at a throughput, in tokens (prompt and output) per GPU and second.

    >>> round(token_gpu_hours(20_000.0, tok_per_gpu_s=3_000.0), 1)
    1851.9
    """
    return mtok * MTOK / tok_per_gpu_s / HOUR_S


def compare_categories(
    *,
    documents: float,
    tok_per_document: float,
    api_usd_per_mtok: float,
    batch_fraction: float = 0.5,
    tok_per_gpu_s: float,
    idle_usd_per_gpu_hour: float,
    reserved_usd_per_gpu_hour_low: float,
    reserved_usd_per_gpu_hour_high: float,
) -> CategoryCosts:
    """Return the job's cost in each category; every assumption is an argument."""
    mtok = documents_mtok(documents, tok_per_document)
    hours = token_gpu_hours(mtok, tok_per_gpu_s=tok_per_gpu_s)
    return CategoryCosts(
        mtok=mtok,
        online_usd=tokens_usd(mtok, api_usd_per_mtok),
        batch_usd=tokens_usd(mtok, api_usd_per_mtok, price_fraction=batch_fraction),
        gpu_hours=hours,
        scheduled_usd=hours * idle_usd_per_gpu_hour,
        fully_loaded_low_usd=hours * reserved_usd_per_gpu_hour_low,
        fully_loaded_high_usd=hours * reserved_usd_per_gpu_hour_high,
    )
