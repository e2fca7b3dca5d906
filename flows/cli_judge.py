"""`fleetcast backtest`, `validate-sizing` and `calibrate`: how right the forecasts and the sizing are."""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.catalog.gpus import load_gpus
from data.catalog.models import load_models
from data.errors import UserError
from flows.progress import progress_bar

if TYPE_CHECKING:
    from sizing.own import Setting
    from sizing.results.row import Stated


def run_backtest(arguments: argparse.Namespace) -> None:
    """Forecast each window of a table of daily series, seeing nothing after its cutoff."""
    from forecasting.backtest import check_backtest, stream_backtest

    if arguments.ray_address and arguments.engine != "ray":
        raise UserError("--ray-address is for --engine ray; add that, or leave the address out.")
    backtest = check_backtest(read_table(arguments.series), read_table(arguments.windows))
    if not backtest.windows:
        raise UserError(f"{arguments.windows} has no windows, so there is nothing to forecast; give it some rows.")
    with progress_bar("backtest") as report, written_in_parts(arguments.out) as write:

        def progress(done: int, every: int) -> None:
            report(f"window {done} of {every}", done / every)

        if arguments.engine == "ray":
            from flows.ray_engine import backtest_on_ray

            address, cores = arguments.ray_address, arguments.workers
            backtest_on_ray(backtest, write, address=address, cores=cores, progress=progress)
        else:
            workers = arguments.workers or os.cpu_count() or 1
            for part in stream_backtest(backtest, workers=workers, progress=progress):
                write(part)
    print(f"{len(backtest.windows)} windows of {len(backtest.known)} series: {arguments.out}")


def run_validate_sizing(arguments: argparse.Namespace) -> None:
    """Predict measured serving rows, with the shipped factors or refitted on the other folds."""
    from sizing.calibration import load_calibration
    from sizing.validate import predict_rows

    measured = read_table(arguments.measured)
    if arguments.folds and arguments.calibration:
        raise UserError("--folds refits the factors, so that --calibration would not be used; give one of them.")
    own = load_calibration(arguments.calibration)
    predicted = predict_rows(measured, load_models(), load_gpus(), calibration=own, folds=arguments.folds)
    save_table(predicted, arguments.out)
    print(f"{len(predicted)} rows predicted: {arguments.out}")


def run_calibrate(arguments: argparse.Namespace) -> None:
    """Fit the roofline's factors to measured rows, or learn a user's own from results, and write them as TOML."""
    from sizing.calibration import load_calibration, to_toml
    from sizing.fit import on_a_bound
    from sizing.folds import calibrate
    from sizing.measured import measured
    from sizing.own import learn
    from sizing.results.read import read_results

    results = read_results(arguments.measured, _stated(arguments))
    points = measured(results.table, load_models(), load_gpus())
    fitted = datetime.now(UTC).date().isoformat()
    kinds = ", ".join(f"{n:,} of {kind}" for kind, n in sorted(results.kinds.items()))
    print(f"{_count(len(points), 'run')}: {kinds}" + _drafted(results.drafted))
    if results.only_tables and not arguments.own:
        found = calibrate(points, description=arguments.description, fitted=fitted)
        save_text(arguments.out, to_toml(found))
        print("\n".join(on_a_bound(found)))
    else:
        own = learn(points, load_calibration(), description=arguments.description, fitted=fitted)
        save_text(arguments.out, own.toml)
        print("\n".join(_learned(setting) for setting in own.settings))
    print(arguments.out)


def _stated(arguments: argparse.Namespace) -> "Stated":
    from sizing.results.row import Stated

    return Stated(
        model=arguments.model,
        gpu=arguments.gpu,
        gpus=arguments.gpus,
        tp=arguments.tp,
        precision=arguments.precision,
        kv_precision=arguments.kv_precision,
        engine=arguments.engine,
        prompt_tok=arguments.prompt_tokens,
        output_tok=arguments.output_tokens,
    )


def _drafted(runs: int) -> str:
    return f"; {runs} with speculative decoding left out, since a plan states it apart" if runs else ""


def _learned(setting: "Setting") -> str:
    key, band = setting.key, setting.band
    spread = "band as shipped (too few sweeps for one of its own)"
    if band is not None:
        spread = f"80% band {band[0]:.2f}-{band[1]:.2f}"
    runs, sweeps = _count(setting.points, "run"), _count(setting.sweeps, "sweep")
    return (
        f"{key.model} on {key.gpu}, {key.engine}, {key.precision}: {runs} of {sweeps},"
        f" times x {setting.slower:.2f}; median error of throughput {setting.before:.0%} before,"
        f" {setting.after:.0%} now; {spread}"
    )


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def read_table(path: Path) -> pd.DataFrame:
    """Return a CSV or Parquet file as a table; raises UserError where it is none."""
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(f"{path} is no table that can be read: {str(error).splitlines()[0]}.") from error


@contextmanager
def written_in_parts(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Yield a function that appends a table to a CSV or Parquet file, which appears once all of them are in."""
    part = path.with_name(f".{path.name}.part")
    parquet: pq.ParquetWriter | None = None
    begun = False

    def write(table: pd.DataFrame) -> None:
        nonlocal parquet, begun
        if path.suffix == ".parquet":
            rows = pa.Table.from_pandas(table, preserve_index=False)
            parquet = parquet or pq.ParquetWriter(part, rows.schema)
            parquet.write_table(rows)
        else:
            table.to_csv(part, index=False, mode="a" if begun else "w", header=not begun)
        begun = True

    try:
        yield write
        if parquet:
            parquet.close()
        part.replace(path)
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}; choose another --out.") from error
    finally:
        if parquet:
            parquet.close()
        part.unlink(missing_ok=True)


def save_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV or Parquet, whole or not at all."""
    if path.suffix == ".parquet":
        part = path.with_name(f".{path.name}.part")
        table.to_parquet(part, index=False)
        part.replace(path)
    else:
        save_text(path, table.to_csv(index=False))


def save_text(path: Path, text: str) -> None:
    """Write under another name first, so that a full disk leaves no half a file."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"Cannot write {path}: {error.strerror}; choose another --out.") from error
