"""What stands behind the example's cost lines, and what providers ask."""

from datetime import date

from example.money import GPUS
from reports.values.selfhost import LaterRow, LoadedRow, ProviderRow, SelfHosting, TornadoRow, UnitBandRow
from sizing.loaded import Overheads, loaded_cost


def self_hosting(gpu: str, usd_30_days: float, mtok_30_days: float) -> SelfHosting:
    return SelfHosting(
        gpu=gpu,
        reached=0.52,
        loaded=[_loaded(f"{gpu} on demand", d, usd_30_days * d / 30, mtok_30_days * d / 30) for d in (30, 90)],
        tornado=[
            TornadoRow(
                factor=factor, low_text=low_text, high_text=high_text, base=0.31, low=low, high=high,
                low_qps=None if low > 0.52 else 4.1, high_qps=None if high > 0.52 else 4.1,
            )
            for factor, low_text, low, high_text, high in (
                ("API price", "x 0.5", 0.62, "x 1.5", 0.207),
                ("GPU price", "$2.00 an hour", 0.207, "$4.00 an hour", 0.413),
                ("Throughput (MFU)", "x 0.81", 0.383, "x 1.19", 0.26),
            )
        ],
        later=[
            LaterRow(
                when="now", scenario="prices of today", utilisation=(0.31, 0.31, 0.31), qps=(4.1, 4.1, 4.1),
                mtok_per_month=(28_000.0,) * 3, chance=1.0,
            ),
            LaterRow(
                when="in 12 months", scenario="prices jump as they have", utilisation=(0.3, 0.31, 0.62),
                qps=(4.0, 4.1, None), mtok_per_month=(27_300.0, 28_000.0, None), chance=0.86,
            ),
        ],
        units="azure/gpt-5, PTU by the month",
        unit_bands=[
            UnitBandRow(units="#1 to 15", busy_share=0.99, needed_share=0.41, holds=True),
            UnitBandRow(units="#16 to 30", busy_share=0.32, needed_share=0.41, holds=False),
        ],
        sentence="azure/gpt-5 PTU by the month would cost $9,100 over 30 days, $800 less than what was chosen;"
        " it is shown, not chosen, for the reason in its note.",
    )  # fmt: skip


def _loaded(label: str, days: int, usd: float, mtok: float) -> LoadedRow:
    cost = loaded_cost(usd, work_share=0.43, overheads=Overheads())
    return LoadedRow(
        label=label,
        horizon_days=days,
        work_usd=float(cost.work_usd),
        idle_usd=float(cost.idle_usd),
        spares_usd=float(cost.spares_usd),
        networking_usd=float(cost.networking_usd),
        staff_usd=float(cost.staff_usd),
        total_usd=float(cost.total_usd),
        work_usd_per_mtok=float(cost.work_usd) / mtok,
        total_usd_per_mtok=float(cost.total_usd) / mtok,
    )


def provider_rows() -> list[ProviderRow]:
    return [
        ProviderRow(
            gpu=gpu, provider="example-cloud", region="eu-1", price_source="contract", contract=True,
            checked=date(2026, 11, 20),
            usd_per_gpu_hour={"on-demand": (usd, usd), "reserved-1y": (usd * 0.8, usd * 0.9)},
        )
        for gpu, (_, _, usd) in GPUS.items()
    ]  # fmt: skip
