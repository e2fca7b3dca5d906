"""The replay as tables: one row a series, policy and cell, and the verdict by cell."""

from collections.abc import Sequence

import pandas as pd

from sizing.replay.engine import Replayed
from sizing.replay.policies import OURS, POLICIES

COLUMNS = (
    "unique_id", "policy", "one_year_discount", "price_path", "cost_usd", "clairvoyant_usd", "unserved_gpu_hours",
)  # fmt: skip
CELL = ["one_year_discount", "price_path"]
TIE = 1e-9
"""Relative difference below which two costs are the same: rounding of sums."""


def replay_table(rows: Sequence[Replayed]) -> pd.DataFrame:
    """Return COLUMNS, in the order replayed; USD over all decided months."""
    return pd.DataFrame(
        [
            (
                row.name,
                row.policy,
                row.market.one_year_discount,
                row.market.path.name,
                row.cost_usd,
                row.clairvoyant_usd,
                row.unserved_gpu_hours,
            )
            for row in rows
        ],
        columns=list(COLUMNS),
    )


def verdict_table(rows: Sequence[Replayed]) -> pd.DataFrame:
    """Return one row a cell and policy: CELL, policy, and over the series.

    median_vs_ours, pooled_vs_ours: its cost over ours, as the median of the ratios and as the ratio of the sums;
    median_vs_clairvoyant, pooled_vs_clairvoyant: the same; regret_usd, regret_cvar_usd: sums over the series of
    regret and of its mean over the worst tenth of months; unserved_gpu_hours.
    """
    frame = replay_table(rows).assign(regret_cvar_usd=[row.regret_cvar_usd for row in rows])
    ours = frame[frame["policy"] == OURS].set_index(["unique_id", *CELL])["cost_usd"]
    frame = frame.join(ours.rename("ours_usd"), on=["unique_id", *CELL])
    frame["vs_ours"] = _ratio(frame["cost_usd"], frame["ours_usd"])
    frame["vs_clairvoyant"] = _ratio(frame["cost_usd"], frame["clairvoyant_usd"])
    frame["order"] = frame["policy"].map({name: n for n, name in enumerate(POLICIES)})
    paths = {name: n for n, name in enumerate(dict.fromkeys(frame["price_path"]))}
    frame["path_order"] = frame["price_path"].map(paths)
    keys = ["one_year_discount", "path_order", "price_path", "order", "policy"]
    found = frame.groupby(keys, sort=True).agg(
        series=("unique_id", "size"),
        median_vs_ours=("vs_ours", "median"),
        median_vs_clairvoyant=("vs_clairvoyant", "median"),
        cost_usd=("cost_usd", "sum"),
        ours_usd=("ours_usd", "sum"),
        clairvoyant_usd=("clairvoyant_usd", "sum"),
        regret_cvar_usd=("regret_cvar_usd", "sum"),
        unserved_gpu_hours=("unserved_gpu_hours", "sum"),
    )
    found["pooled_vs_ours"] = _ratio(found["cost_usd"], found["ours_usd"])
    found["pooled_vs_clairvoyant"] = _ratio(found["cost_usd"], found["clairvoyant_usd"])
    found["regret_usd"] = found["cost_usd"] - found["clairvoyant_usd"]
    return found.reset_index().drop(columns=["order", "path_order", "ours_usd"])


def held_everywhere(verdict: pd.DataFrame) -> tuple[int, int, int]:
    """Return how many cells there are, in how many ours is at most every baseline in the median, and in how many
    it is below (or, where nothing has a discount, equal) in the pooled sum.
    """
    others = verdict[verdict["policy"] != OURS]
    worst = others.groupby(CELL)[["median_vs_ours", "pooled_vs_ours"]].min()
    tied = worst.index.get_level_values("one_year_discount") == 0
    median = int((worst["median_vs_ours"] >= 1 - TIE).sum())
    pooled = int(((worst["pooled_vs_ours"] > 1 + TIE) | (tied & (worst["pooled_vs_ours"] >= 1 - TIE))).sum())
    return len(worst), median, pooled


def _ratio(cost: "pd.Series[float]", other: "pd.Series[float]") -> "pd.Series[float]":
    """The ratio; 1 where both are nothing, because then nobody paid more."""
    return (cost / other).where(~((cost == 0) & (other == 0)), 1.0)
