"""Query results as data frames, by way of NumPy: no deprecated calls, and no half-read result left behind."""

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd


def frame(con: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Return a query's rows. NULL numbers are NaN; dates and times are datetime64[ns] in UTC without a zone."""
    columns = con.execute(sql, parameters or {}).fetchnumpy()
    return pd.DataFrame({name: _plain(values) for name, values in columns.items()})


def first_row(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any] | None = None
) -> tuple[Any, ...] | None:
    """Return a query's first row, or None; the rest is read too, for an unread rest blocks the connection."""
    rows = con.execute(sql, parameters or {}).fetchall()
    return rows[0] if rows else None


def _plain(values: Any) -> npt.NDArray[Any]:
    """Return a column without its mask."""
    kind = values.dtype.kind
    if kind == "M":
        return np.asarray(np.ma.filled(values, np.datetime64("NaT"))).astype("datetime64[ns]")
    if not np.ma.is_masked(values):
        return np.asarray(np.ma.getdata(values))
    if kind in "iufb":
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    plain = np.array(np.ma.getdata(values), dtype=object)
    plain[np.ma.getmaskarray(values)] = None
    return plain
