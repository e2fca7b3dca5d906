"""The example's other ways of serving, its shared fleet, and the GPUs of a job."""

from reports.values.choice import FleetWay, FleetWays, JobGpuRow, SharedFleetRow, SharePart


def ways_of(online: bool) -> FleetWays:
    single = FleetWay(
        way="single", fleet="24 x h100-sxm TP 4 fp8", usd=41_800.0, saves_usd=None, power_kw=16.8, sentence=""
    )
    second = FleetWay(
        way="second", fleet="12 x b200 TP 2 fp8", usd=46_200.0, saves_usd=-4_400.0, power_kw=12.0, sentence=""
    )
    mixed = FleetWay(
        way="mixed",
        fleet="16 x h100-sxm TP 4 fp8 + 4 x b200 TP 2 fp8",
        usd=39_900.0,
        saves_usd=1_900.0,
        power_kw=15.2,
        sentence="16 x h100-sxm TP 4 fp8: prompt up to 4.6K, output up to 300. 4 x b200 TP 2 fp8: the rest.",
    )
    apart = FleetWay(
        way="disaggregated",
        fleet="",
        usd=None,
        saves_usd=None,
        power_kw=None,
        sentence="No pair of prefill and decode pools serves it within SLO and limits.",
    )
    return FleetWays(
        days=30,
        sentence="The cheapest fleet of one kind is 24 x h100-sxm TP 4 fp8, $41,800 over 30 days; second best is"
        " 12 x b200 TP 2 fp8, $46,200. Mixing kinds by length would save $1,900: 16 x h100-sxm TP 4 fp8 + 4 x b200"
        " TP 2 fp8.",
        ways=[single, second, mixed, apart] if online else [single, second],
    )


def shared_rows() -> list[SharedFleetRow]:
    return [
        SharedFleetRow(
            model="llama-3.1-70b",
            gpu="h100-sxm",
            layout="TP 4",
            days=30,
            gpus=28,
            apart_gpus=36,
            usd=48_211.34,
            apart_usd=57_900.0,
            adopted=True,
            sentence="chat and code-agents on one fleet of llama-3.1-70b take 28 x h100-sxm TP 4 instead of 36:"
            " $48,211.34 over 30 days, which saves $9,688.66; it is planned so, and each pays its part.",
            parts=[
                SharePart(workload="chat", usd=34_805.1, apart_usd=41_800.0),
                SharePart(workload="code-agents", usd=13_406.24, apart_usd=16_100.0),
            ],
        )
    ]


def job_gpus() -> list[JobGpuRow]:
    return [
        JobGpuRow(
            gpu="b200", gpus=8, hours=33.9, usd=1_763.0, late_hours=0.0, usd_per_tb_per_s=0.84,
            usd_per_pflop_per_s=2.89, chosen=True, why_not="",
        ),
        JobGpuRow(
            gpu="h100-sxm", gpus=16, hours=52.0, usd=1_851.0, late_hours=4.0, usd_per_tb_per_s=0.9,
            usd_per_pflop_per_s=3.03, chosen=False, why_not="",
        ),
        JobGpuRow(
            gpu="l4", gpus=0, hours=None, usd=None, late_hours=0.0, usd_per_tb_per_s=None,
            usd_per_pflop_per_s=None, chosen=False, why_not="It holds 81 x l4 at least, and 8 can be had.",
        ),
    ]  # fmt: skip
