"""Requests with all that rollups must agree on: duplicates, NULLs, all statuses, edges of buckets and days."""

from pathlib import Path

import numpy as np
import pandas as pd

from data.buckets import COARSE, FINE, upper_edges

STATUSES = [
    "ok",
    "rate_limited",
    "client_error",
    "server_error",
    "cancelled",
    "unknown",
    "429",
    "200",
    "503",
    None,
]


def write_mixed_requests(folder: Path, *, rows: int = 3_000, seed: int = 7) -> list[Path]:
    """Write two Parquet files of two labels over three days: rows bad, in both files, and twice in one."""
    draw = np.random.default_rng(seed)
    table = _requests(draw, rows)
    repeated = table.sample(frac=0.1, random_state=seed).assign(team="other")
    first, second = table.iloc[: rows // 2], table.iloc[rows // 2 :]
    folder.mkdir(parents=True, exist_ok=True)
    parts = [pd.concat([first, first.sample(frac=0.05, random_state=1)]), pd.concat([second, repeated])]
    paths = [folder / "a.parquet", folder / "b.parquet"]
    for path, part in zip(paths, parts, strict=True):
        part.sample(frac=1, random_state=seed).to_parquet(path, index=False)
    return paths


def _requests(draw: np.random.Generator, rows: int) -> pd.DataFrame:
    day_us = 86_400_000_000
    begin = pd.Timestamp("2026-03-28", tz="UTC").value // 1_000
    arrived = begin + draw.integers(0, 3 * day_us, rows)
    arrived[:40] = begin + draw.choice(
        [0, day_us - 1, day_us, 2 * day_us - 1, 2 * day_us, 59_999_999, 60_000_000], 40
    )
    edges = np.concatenate([upper_edges(FINE), upper_edges(COARSE)])
    edges = edges[edges < 400_000]
    prompt = draw.choice(np.concatenate([edges, edges + 1, [0, 32_000, 32_001, 272_001]]), rows)
    cached = np.minimum(draw.choice(edges, rows), prompt)
    known = draw.random((3, rows)) < 0.9
    table = pd.DataFrame(
        {
            "request_id": [f"r{n}" if n % 7 else None for n in range(rows)],
            "arrived_utc": pd.to_datetime(arrived, unit="us", utc=True),
            "source_label": draw.choice(["chat", 'agents, "nightly"'], rows),
            "model": draw.choice(["llama", "qwen", " ", None], rows),
            "region": draw.choice(["eu", None], rows),
            "team": draw.choice(["search", "support", None], rows),
            "category": draw.choice(["online", "batch", "scheduled", None], rows),
            "status": draw.choice(np.array(STATUSES, dtype=object), rows),
            "prompt_tok": pd.array(np.where(known[0], prompt, -9), dtype="Int64"),
            "cached_prompt_tok": pd.array(np.where(known[1], cached, -9), dtype="Int64"),
            "output_tok": draw.choice(np.concatenate([edges[edges < 40_000], [0]]), rows).astype(float),
        }
    )
    table[["prompt_tok", "cached_prompt_tok"]] = table[["prompt_tok", "cached_prompt_tok"]].replace(-9, pd.NA)
    table.loc[~known[2], "output_tok"] = np.nan
    bad = draw.choice(rows, 30, replace=False)
    table.loc[bad[:10], "output_tok"] += 0.5
    table.loc[bad[10:20], "prompt_tok"] = 100_000_001
    table.loc[bad[20:25], "category"] = "whenever"
    table.loc[bad[25:], "arrived_utc"] = pd.Timestamp("1999-12-31", tz="UTC")
    return table
