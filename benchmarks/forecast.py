"""How good and how fast the forecast is. Needs the reference data (../shared), which the repository does not hold.

python benchmarks/forecast.py score     the scored windows, through run_backtest, as the scorer reads them
python benchmarks/forecast.py nested    ablations on windows that end before the scored ones begin
python benchmarks/forecast.py scale     time and memory for growing numbers of series
python -m benchmarks.forecast tokens    6-hour token percentiles a week ahead against repeating the last week
python -m benchmarks.forecast peaks     daily peaks a week ahead against level x factor; peaks finer than the data
python -m benchmarks.forecast profile   the hour-of-week profile against last week's, their mean and an even day
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import run

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from flows.cli_judge import written_in_parts
from forecasting import dates, intervals, judging, levels, models, series, smoothing, weights
from forecasting.backtest import QUANTILES, check_backtest, forecast_window, run_backtest, stream_backtest
from forecasting.scores import SCORED, coverage, naive_quantiles, pinball

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
SCORER = SHARED / "bench/score_forecast.py"
TRAFFIC = SHARED / "data/traffic"
LONGEST, STEP, SHORT, SHORT_STEP, MOST = 365, 91, 90, 45, 6
HORIZONS = (30, 90, 365)
P = np.array(SCORED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("score", "nested", "tokens", "peaks", "profile", "scale"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--memory", type=int, metavar="DAYS", help="nested: show only the newest days")
    parser.add_argument("--series", type=int, nargs="+", default=[100, 1_000, 10_000], metavar="N", help="scale")
    args = parser.parse_args()
    if not TRAFFIC.exists():
        sys.exit(f"{TRAFFIC} is missing: the benchmark needs the reference data beside the repository.")
    parts = {
        "score": lambda: score(args.workers),
        "nested": lambda: nested(args.memory),
        "tokens": tokens,
        "peaks": peaks,
    }
    (parts | {"profile": profile, "scale": lambda: scale(args.workers, args.series)})[args.what]()


def score(workers: int) -> None:
    """Forecast every scored window and hand the result to the scorer."""
    windows = pd.read_csv(_scorer("windows"))
    known = pd.read_csv(TRAFFIC / "daily_series.csv.gz")
    start = time.perf_counter()
    found = run_backtest(known, windows, workers=workers)
    print(f"{len(windows)} windows in {time.perf_counter() - start:.1f} s with {workers} worker(s)\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.parquet"
        found.to_parquet(path)
        run([sys.executable, SCORER, "score", path, "--data", TRAFFIC], check=True)


def nested(memory: int | None) -> None:
    """Print one row per ablation, on data before the scored windows: relative loss and 80% coverage by horizon."""
    data = _before_scored()
    print(f"{'':34s}  rel30  rel90 rel365 overall  cov30  cov90 cov365")
    for name, change in ABLATIONS.items():
        with _changed(change):
            table = _nested_table(data, memory)
        by = (
            table.groupby(["horizon", "name"])
            .agg(log=("log", "mean"), cov=("cov", "mean"))
            .groupby("horizon")
            .mean()
        )
        rel = np.exp(by["log"])
        overall = np.exp(np.log(rel).mean())
        figures = [*rel, overall, *by["cov"]]
        print(f"{name:34s} " + " ".join(f"{v:6.3f}" for v in figures), flush=True)


def tokens() -> None:
    """Print the quantile loss of each token percentile over that of repeating the last week, and the coverage."""
    from benchmarks import forecast_tokens

    forecast_tokens.main(TRAFFIC)


def peaks() -> None:
    """Print the loss and coverage of daily peaks a week ahead against level x factor, and of finer peaks."""
    from benchmarks import forecast_peaks

    forecast_peaks.main(TRAFFIC)


def profile() -> None:
    """Print the error of the hour-of-week profile against last week's, eight weeks' mean and an even day."""
    from benchmarks import forecast_profile

    forecast_profile.main(TRAFFIC)


def scale(workers: int, counts: list[int]) -> None:
    """Print time and memory of a backtest of N series of 365 days, 365 ahead, streamed to Parquet; N by N."""
    print("   series   wall s   processor s   ms a series   parent MiB   largest worker MiB")
    for count in counts:
        script = (
            "import time, resource; from benchmarks.forecast import scale_once; start = time.perf_counter();"
            f" scale_once({count}, {workers}); wall = time.perf_counter() - start;"
            " own, kids = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN));"
            " print(wall, own.ru_utime + own.ru_stime + kids.ru_utime + kids.ru_stime,"
            " own.ru_maxrss / 1024, kids.ru_maxrss / 1024)"
        )
        done = run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
        wall, spent, parent, worker = (float(value) for value in done.stdout.split())
        print(f"{count:9,d} {wall:8.1f} {spent:13.1f} {1000 * spent / count:13.1f} {parent:12.0f} {worker:20.0f}")


def scale_once(count: int, workers: int) -> None:
    """Forecast `count` made-up series as `fleetcast backtest` does, up to the last row written."""
    rng = np.random.default_rng(0)
    week = np.array([1.0, 1.1, 1.1, 1.05, 1.0, 0.6, 0.5])
    days = np.datetime64("2025-10-01") + np.arange(365)
    y = 1000 * np.tile(week, 53)[:365] * np.exp(0.1 * rng.standard_normal((count, 365)))
    names = [f"workload-{i:05d}" for i in range(count)]
    table = pd.DataFrame({"unique_id": np.repeat(names, 365), "ds": np.tile(days, count), "y": y.ravel()})
    asked = pd.DataFrame({"unique_id": names, "cutoff": days[-1], "horizon": 365})
    backtest = check_backtest(table, asked)
    del table, y
    with tempfile.TemporaryDirectory() as folder, written_in_parts(Path(folder) / "p.parquet") as write:
        for part in stream_backtest(backtest, workers=workers):
            write(part)


def _scorer(command: str) -> Path:
    path = Path(tempfile.mkdtemp()) / "windows.csv"
    done = run([sys.executable, SCORER, command, "--data", TRAFFIC], check=True, capture_output=True, text=True)
    path.write_text(done.stdout)
    return path


def _before_scored() -> dict[str, pd.Series]:
    """The regular series, each cut at its earliest scored cutoff, and three year-long hourly loads by day."""
    windows = pd.read_csv(_scorer("windows"), parse_dates=["cutoff"])
    first = windows.groupby("unique_id")["cutoff"].min()
    known = pd.read_csv(TRAFFIC / "daily_series.csv.gz", parse_dates=["ds"])
    out = {
        str(name): rows.set_index("ds")["y"].sort_index()[: first[name]]
        for name, rows in known.groupby("unique_id")
        if not str(name).startswith("m5_")
    }
    hourly = pd.read_csv(TRAFFIC / "hourly_series.csv.gz", parse_dates=["ds"])
    for name, rows in hourly[hourly["unique_id"].str.startswith("pjm")].groupby("unique_id"):
        daily = rows.set_index("ds")["y"].resample("D").agg(["sum", "size"])
        out[str(name)] = daily["sum"][daily["size"] == 24]
    return out


def _nested_windows(y: pd.Series) -> Iterator[tuple[pd.Timestamp, int]]:
    """Up to six 365-day windows 91 days apart from 150 days of history on; else 90-day ones 45 days apart."""
    first, last = y.index[0], y.index[-1]
    long = [last - pd.Timedelta(days=LONGEST + STEP * k) for k in range(MOST)]
    long = [cutoff for cutoff in long if (cutoff - first).days + 1 >= 150]
    yield from ((cutoff, LONGEST) for cutoff in long)
    if len(long) < 3:
        short = [last - pd.Timedelta(days=SHORT + SHORT_STEP * k) for k in range(MOST)]
        yield from ((cutoff, SHORT) for cutoff in short if (cutoff - first).days + 1 >= 95)


def _nested_table(data: dict[str, pd.Series], memory: int | None = None) -> pd.DataFrame:
    rows = []
    for name, y in data.items():
        for cutoff, horizon in _nested_windows(y):
            past = y[:cutoff].asfreq("D")[-memory if memory else None :]
            first = past.index.to_numpy().astype("datetime64[D]")[0]
            mine = forecast_window(name, first, past.to_numpy(dtype=np.float64), horizon).set_index("ds")
            base = naive_quantiles(past.interpolate().to_numpy(dtype=np.float64), horizon)
            for h in (h for h in HORIZONS if h <= horizon):
                actual = y[mine.index[0] : mine.index[h - 1]]
                at = mine.index.get_indexer(actual.index)
                q = mine[[f"q{p}" for p in QUANTILES[1:4]]].to_numpy().T[:, at]
                a = actual.to_numpy(dtype=np.float64)
                ratio = np.clip(pinball(a, q) / max(pinball(a, base[:, at]), 1e-9), 0.05, 20.0)
                rows.append({"name": name, "horizon": h, "log": np.log(ratio), "cov": coverage(a, q[0], q[2])})
    return pd.DataFrame(rows)


Change = dict[tuple[object, str], object]
_NO_YEAR = tuple(replace(m, year_share=0.0) for m in levels.MIXTURES)
ABLATIONS: dict[str, Change] = {
    "as shipped": {},
    "robust levels alone": {(series, "DampedSmoothing"): models.RobustLevels},
    "smoothing alone": {(series, "RobustLevels"): models.DampedSmoothing},
    "equal shares of levels and smoothing": {(judging, "SHARE_POWER"): 0.0},
    "one mixture instead of four": {(models, "MIXTURES"): levels.MIXTURES[:1]},
    "four mixtures, equal weights": {(weights, "SHARPNESS"): 0.0},
    "no shape of past years": {(models, "MIXTURES"): _NO_YEAR, (models, "yearly_move"): lambda *_: 0.0},
    "no shape from one past year": {(levels, "ONE_YEAR_SHARE"): 0.0},
    "one past year's shape at 40%": {(levels, "ONE_YEAR_SHARE"): 0.4},
    "one past year's shape in full": {(levels, "ONE_YEAR_SHARE"): 1.0},
    "no days that stand out every year": {(dates, "SHARE"): (0.0, 0.0, 0.0, 0.0)},
    "one past year enough for no date": {(dates, "SHARE"): (0.0, 0.0, 0.8, 0.95)},
    "smoothing without slopes": {(smoothing, "TRENDS"): smoothing.TRENDS[:1]},
    "weekday effects shrunk by n/(n+1)": {(levels, "WEEKDAY_SHRINK"): 1.0},
    "naive whenever it won (no shrinkage)": {(judging, "USUAL_ORIGINS"): 0.0},
    "no widening in rough times": {(intervals, "SURGE_SHARE"): 0.0},
    "own errors at 80% instead of 83%": {(intervals, "OWN_LEVEL"): 0.80},
    "no drift prior (own errors only)": {(intervals, "PRIOR_STRETCHES"): 0.05},
    "half the drift": {(intervals, "DRIFT_30_DAYS"): 0.09},
    "twice the drift": {(intervals, "DRIFT_30_DAYS"): 0.36},
    "errors of half a year instead of two": {(series, "ERROR_ORIGINS"): 26},
}


@contextmanager
def _changed(change: Change) -> Iterator[None]:
    before = {(module, name): getattr(module, name) for module, name in change}
    try:
        for (module, name), value in change.items():
            setattr(module, name, value)
        yield
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)


if __name__ == "__main__":
    main()
