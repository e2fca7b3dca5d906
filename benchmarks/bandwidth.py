"""Hold the rule "bandwidth predicts the speed-up" against measured serving points.

    python -m benchmarks.bandwidth --measured measured_serving.csv

Two measurements are compared where they differ in the GPU alone: same model, precision, engine, parallel degree,
lengths, load and clients. The same pairs are asked of the calibrated roofline, refitted without their sweeps.
"""

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from sizing.folds import out_of_fold
from sizing.measured import Measured, read_measured

SAME = ["model", "weight_precision", "framework", "tp", "isl", "osl", "load", "concurrency"]
"""What two points must share for their ratio to be the GPUs' alone."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", type=Path, required=True)
    points = read_measured(parser.parse_args().measured, load_models(), load_gpus())
    pairs = matched_pairs(points)
    print(
        f"{len(pairs)} comparisons of {pairs['pair'].nunique()} pairs of GPUs;"
        " the GPU of more bandwidth over the other, tokens a second for each GPU"
    )
    print(
        f"\n{'comparisons':28s} {'n':>5s} {'bandwidth':>10s} {'measured':>9s} {'ours':>6s}"
        f" {'rule off':>9s} {'ours off':>9s}"
    )
    groups = {"all": pairs, **{f"clients {name}": rows for name, rows in pairs.groupby("clients", observed=True)}}
    groups |= {f"prompt/answer {name}": rows for name, rows in pairs.groupby("lengths", observed=True)}
    groups |= {str(name): rows for name, rows in pairs.groupby("pair") if len(rows) >= 5}
    for name, rows in groups.items():
        print(_line(name, rows))


def matched_pairs(points: Measured) -> pd.DataFrame:
    """Return one row for each two points that differ in the GPU alone: three ratios, and what they share."""
    gpus = load_gpus()
    table = points.table.assign(ours=out_of_fold(points, "series").tok_per_s / points.table["n_gpus"])
    table["rate"] = table["output_tok_s"] / table["n_gpus"]
    rows = []
    for _, same in table.groupby(SAME, dropna=True):
        middle = same.groupby("gpu")[["rate", "ours"]].median()
        for one, other in combinations(middle.index, 2):
            fast, slow = sorted((one, other), key=lambda g: -gpus[g].memory_bytes_per_s)
            bandwidth = gpus[fast].memory_bytes_per_s / gpus[slow].memory_bytes_per_s
            if bandwidth > 1.02:
                ratios = middle.loc[fast] / middle.loc[slow]
                first = same.iloc[0]
                rows.append(
                    {
                        "pair": f"{fast} / {slow}",
                        "bandwidth": bandwidth,
                        "measured": ratios["rate"],
                        "ours": ratios["ours"],
                    }
                    | {"concurrency": first["concurrency"], "shape": first["isl"] / first["osl"]}
                )
    pairs = pd.DataFrame(rows)
    pairs["clients"] = pd.cut(pairs["concurrency"], [0, 8, 64, np.inf], labels=["up to 8", "9 to 64", "over 64"])
    pairs["lengths"] = pd.cut(pairs["shape"], [0, 0.5, 2, np.inf], labels=["below 1/2", "1/2 to 2", "over 2"])
    return pairs


def _line(name: str, rows: pd.DataFrame) -> str:
    def off(column: str) -> float:
        return float(np.median(np.abs(rows[column] / rows["measured"] - 1)))

    middle = rows[["bandwidth", "measured", "ours"]].median()
    return (
        f"{name:28s} {len(rows):5d} {middle['bandwidth']:9.2f}x {middle['measured']:8.2f}x {middle['ours']:5.2f}x"
        f" {off('bandwidth'):9.0%} {off('ours'):9.0%}"
    )


if __name__ == "__main__":
    main()
