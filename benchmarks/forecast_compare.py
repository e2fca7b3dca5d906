"""Ours against statsforecast's AutoETS and MSTL and Prophet on the scored windows, in one run: loss and seconds.

python -m venv compare && compare/bin/pip install -e . -r benchmarks/requirements-compare.txt
compare/bin/python -m benchmarks.forecast_compare [--only NAME ...]

Each library gets what a careful user would give it: the newest three years, gaps interpolated, weekly season (and
a yearly one for MSTL and Prophet where two years are known), intervals of its own, nothing below zero. Seconds are
processor time a window, processes that a library starts included, after one warm-up forecast; all on one core.
"""

import argparse
import contextlib
import io
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from subprocess import run

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.forecast import SCORER, TRAFFIC
from forecasting.backtest import OUT_COLUMNS, QUANTILES, forecast_window

MOST_DAYS = 1096
Forecast = Callable[[pd.Series, int], dict[str, np.ndarray]]
"""A daily past without gaps and a horizon -> mean and quantiles."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=MODELS, default=list(MODELS))
    args = parser.parse_args()
    if not TRAFFIC.exists():
        sys.exit(f"{TRAFFIC} is missing: the benchmark needs the reference data beside the repository.")
    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    known, windows = _load()
    for name in args.only:
        model = MODELS[name]()
        model(known["cta_bus_boardings"][:800].asfreq("D").interpolate(), 30)
        tables, failed, seconds = [], 0, []
        for unique_id, cutoff, horizon in windows.itertuples(index=False):
            start = _spent_s()
            past = known[unique_id][:cutoff]
            past = past.reindex(pd.date_range(past.index[0], cutoff))
            try:
                found = model(past, horizon)
            except Exception as error:  # a library that gives up on a window is counted, and the naive stands in
                print(f"{name} failed on {unique_id} {cutoff:%Y-%m-%d}: {error}", file=sys.stderr)
                failed += 1
                continue
            seconds.append(_spent_s() - start)
            tables.append(_rows(unique_id, cutoff, horizon, found, seconds[-1]))
        print(
            f"\n== {name}: {np.mean(seconds):.3f} s of processor time a window, {failed} windows failed",
            flush=True,
        )
        _score(pd.concat(tables))


def _spent_s() -> float:
    """Processor time of this process and of those it has waited for (Prophet fits in one of its own)."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _load() -> tuple[dict[str, pd.Series], pd.DataFrame]:
    done = run([sys.executable, SCORER, "windows", "--data", TRAFFIC], check=True, capture_output=True, text=True)
    windows = pd.read_csv(io.StringIO(done.stdout), parse_dates=["cutoff"])
    frame = pd.read_csv(TRAFFIC / "daily_series.csv.gz", parse_dates=["ds"])
    known = {str(name): rows.set_index("ds")["y"].sort_index() for name, rows in frame.groupby("unique_id")}
    return known, windows


def _rows(
    unique_id: str, cutoff: pd.Timestamp, horizon: int, found: dict[str, np.ndarray], fit_s: float
) -> pd.DataFrame:
    days = pd.date_range(cutoff + pd.Timedelta(days=1), periods=horizon)
    rows = {"unique_id": unique_id, "cutoff": cutoff, "ds": days, "fit_s": fit_s, **found}
    return pd.DataFrame(rows)[list(OUT_COLUMNS)]


def _score(table: pd.DataFrame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.parquet"
        table.to_parquet(path)
        run([sys.executable, SCORER, "score", path, "--data", TRAFFIC], check=True)


def _filled(past: pd.Series) -> pd.Series:
    return past.iloc[-MOST_DAYS:].interpolate().bfill()


def _ours() -> Forecast:
    def forecast(past: pd.Series, horizon: int) -> dict[str, np.ndarray]:
        first = past.index.to_numpy().astype("datetime64[D]")[0]
        found = forecast_window("series", first, past.to_numpy(dtype=np.float64), horizon)
        return {c: found[c].to_numpy() for c in OUT_COLUMNS if c == "mean" or c.startswith("q")}

    return forecast


def _statsforecast(make: Callable[[int], object]) -> Forecast:
    def forecast(past: pd.Series, horizon: int) -> dict[str, np.ndarray]:
        y = _filled(past).to_numpy(dtype=np.float64)
        found = make(len(y)).forecast(y=y, h=horizon, level=[80, 95])  # type: ignore[attr-defined]
        names = ("lo-95", "lo-80", "mean", "hi-80", "hi-95")
        values = {f"q{q}": np.maximum(found[name], 0) for q, name in zip(QUANTILES, names, strict=True)}
        return {"mean": np.maximum(found["mean"], 0), **values}

    return forecast


def _auto_ets() -> Forecast:
    from statsforecast.models import AutoETS

    return _statsforecast(lambda _days: AutoETS(season_length=7))


def _mstl() -> Forecast:
    from statsforecast.models import MSTL

    return _statsforecast(lambda days: MSTL(season_length=[7, 365] if days > 730 else [7]))


def _prophet() -> Forecast:
    from prophet import Prophet

    def forecast(past: pd.Series, horizon: int) -> dict[str, np.ndarray]:
        y = _filled(past)
        model = Prophet(uncertainty_samples=300)
        with contextlib.redirect_stderr(io.StringIO()):
            model.fit(pd.DataFrame({"ds": y.index, "y": y.to_numpy()}), seed=0)
        ahead = pd.DataFrame({"ds": pd.date_range(y.index[-1] + pd.Timedelta(days=1), periods=horizon)})
        np.random.seed(0)
        samples = np.maximum(model.predictive_samples(ahead)["yhat"], 0)
        q = np.quantile(samples, QUANTILES, axis=1)
        return {"mean": samples.mean(axis=1), **{f"q{p}": row for p, row in zip(QUANTILES, q, strict=True)}}

    return forecast


MODELS: dict[str, Callable[[], Forecast]] = {
    "fleetcast": _ours,
    "AutoETS": _auto_ets,
    "MSTL": _mstl,
    "Prophet": _prophet,
}


if __name__ == "__main__":
    main()
