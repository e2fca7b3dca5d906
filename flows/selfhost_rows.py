"""What stands behind the cost lines, as the page prints it."""

from data.catalog.provider_table import provider_table
from flows.selfhost import Behind
from flows.settings import PlanSettings
from flows.walk import Facts
from reports.values.selfhost import LaterRow, LoadedRow, ProviderRow, SelfHosting, TornadoRow, UnitBandRow
from sizing.bands import Band
from sizing.loaded import LoadedCost

PROVIDER_ROWS = 24


def self_hosting(found: Behind) -> SelfHosting | None:
    """Return the page's values, None where there is nothing behind the lines."""
    if found.gpu is None:
        return None
    return SelfHosting(
        gpu=found.gpu,
        reached=found.reached,
        loaded=[_loaded_row(*each) for each in found.loaded],
        tornado=[
            TornadoRow(
                factor=bar.factor,
                low_text=bar.low_text,
                high_text=bar.high_text,
                base=bar.base,
                low=bar.low,
                high=bar.high,
                low_qps=bar.low_qps,
                high_qps=bar.high_qps,
            )
            for bar in found.tornado
        ],
        later=[
            LaterRow(
                when=when,
                scenario=each.scenario,
                utilisation=each.utilisation,
                qps=each.qps,
                mtok_per_month=each.mtok_per_month,
                chance=each.chance,
            )
            for when, each in found.later
        ],
        units=found.units,
        unit_bands=[_band_row(band) for band in found.unit_bands],
        sentence=found.sentence,
    )


def provider_rows(facts: Facts, settings: PlanSettings) -> list[ProviderRow]:
    """Return every provider's current prices of the GPUs that the plan names, contracts first."""
    gpus = list(dict.fromkeys(gpu for workload in settings.workloads for gpu in workload.gpus))
    return [
        ProviderRow(
            gpu=row.gpu,
            provider=row.provider,
            region=row.region,
            price_source=row.price_source,
            contract=row.contract,
            checked=row.checked,
            usd_per_gpu_hour=row.usd_per_gpu_hour,
        )
        for row in provider_table(facts.offers, gpus)[:PROVIDER_ROWS]
    ]


def _loaded_row(label: str, days: int, cost: LoadedCost, mtok: float) -> LoadedRow:
    work, total = float(cost.work_usd), float(cost.total_usd)
    return LoadedRow(
        label=label,
        horizon_days=days,
        work_usd=work,
        idle_usd=float(cost.idle_usd),
        spares_usd=float(cost.spares_usd),
        networking_usd=float(cost.networking_usd),
        staff_usd=float(cost.staff_usd),
        total_usd=total,
        work_usd_per_mtok=work / mtok if mtok else None,
        total_usd_per_mtok=total / mtok if mtok else None,
    )


def _band_row(band: Band) -> UnitBandRow:
    return UnitBandRow(
        units=f"#{band.first_gpu:,} to {band.last_gpu:,}",
        busy_share=band.busy_share,
        needed_share=band.needed_share,
        holds=band.commit,
    )
