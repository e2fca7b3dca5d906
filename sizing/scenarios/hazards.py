"""How often list prices change, estimated from a table of prices seen on dates (`benchmarks/price_hazards.py`).

Each price is watched from one snapshot to the next. With n changes seen in T price-years the rate is n / T a year
(the maximum likelihood of a Poisson stream), and its interval is the exact one of a Poisson count.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from data.catalog.rows import catalog_bytes
from data.errors import UserError

COLUMNS = ("date", "provider", "model", "input_usd_per_mtok", "output_usd_per_mtok", "kind")
PRICE = "usd"
SNAPSHOT = "list price of this model"
"""Kind of the rows that a list had on its date, whether or not they had changed."""
DATED = "list price, dated by commit or price entry"
"""Kind of the rows that somebody noted because a price changed then: their sizes count, their dates do not."""
ANNOUNCED = "announced future price"

SAME_WITHIN = 0.005
"""Two prices this close are one: lists round."""
YEAR_WINDOW_DAYS = (330, 400)
"""Two snapshots this far apart are one year apart."""

GPU_SHRINK_YEARS = 10.0
"""How strongly the rates of GPU prices lean on those of API prices, in price-years: an assumption, since two
followed GPU prices are no sample and the API's 44 price-years are one."""

_RELEASE = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$")
_WAS = re.compile(r"\(was ([\d.]+)/([\d.]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """One kind of change: how many were seen in how many price-years.

    per_year, low, high: the rate and its exact 80% interval. factors: what each change multiplied the price by.
    """

    seen: int
    price_years: float
    factors: tuple[float, ...]

    @property
    def per_year(self) -> float:
        """Changes a year of one price."""
        return self.seen / self.price_years

    def interval(self, level: float = 0.8) -> tuple[float, float]:
        """Return the exact interval of the rate (Garwood 1936)."""
        tail = (1 - level) / 2
        low = 0.0 if self.seen == 0 else float(stats.chi2.ppf(tail, 2 * self.seen)) / 2
        return low / self.price_years, float(stats.chi2.ppf(1 - tail, 2 * self.seen + 2)) / 2 / self.price_years

    def shrunk(self, toward: float, price_years: float) -> float:
        """Return the rate with `price_years` of another rate's experience added: (n + k toward) / (T + k)."""
        return (self.seen + price_years * toward) / (self.price_years + price_years)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearOn:
    """What prices were a year after each snapshot: shares of all pairs of one model a year apart."""

    pairs: int
    unchanged: float
    cut: float
    raised: float


def read_prices(path: Path) -> pd.DataFrame:
    """Return a table of prices with a column `usd`, the blended price of 3 input tokens to 1 output token.

    A price of 0 or none is no price and is left out. Raises UserError where the file is no such table.
    """
    try:
        table: pd.DataFrame = pd.read_csv(path)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UserError(
            f"Cannot read the prices {path}: {error}; give a CSV with {', '.join(COLUMNS)}."
        ) from error
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise UserError(f"{path} has no column {missing[0]!r}; prices need {', '.join(COLUMNS)}.")
    try:
        table["date"] = pd.to_datetime(table["date"], format="%Y-%m-%d")
    except ValueError as error:
        raise UserError(f"{path}: {error}; write dates as 2026-10-21.") from error
    both = table[["input_usd_per_mtok", "output_usd_per_mtok"]].apply(pd.to_numeric, errors="coerce")
    table[PRICE] = (3 * both["input_usd_per_mtok"] + both["output_usd_per_mtok"]) / 4
    table["item"] = table["provider"].astype(str) + "/" + table["model"].astype(str).map(model_key)
    priced: pd.DataFrame = table.loc[(both > 0).all(axis=1)]
    return priced


def model_key(name: str) -> str:
    """Return the name without its release date, so that two spellings of one model are one price.

    >>> model_key("claude-3-5-haiku-20241022"), model_key("claude-3.5-haiku"), model_key("o3 (was 10/40)")
    ('claude-3-5-haiku', 'claude-3-5-haiku', 'o3')
    """
    return _RELEASE.sub("", _WAS.sub("", name).strip().replace(".", "-"))


def changes(prices: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each price and stretch between two of its dates: item, start, end, years, factor.

    Where a list has one model twice on a day, its lowest price counts.
    """
    daily = _daily(prices).sort_values(["item", "date"])
    same = daily["item"].eq(daily["item"].shift(-1))
    table = pd.DataFrame(
        {
            "item": daily["item"],
            "start": daily["date"],
            "end": daily["date"].shift(-1),
            "factor": daily[PRICE].shift(-1) / daily[PRICE],
        }
    ).loc[same]
    table["years"] = (table["end"] - table["start"]).dt.days / 365
    table.loc[(table["factor"] - 1).abs() <= SAME_WITHIN, "factor"] = 1.0
    return table.reset_index(drop=True)


def hazards(prices: pd.DataFrame) -> tuple[Hazard, Hazard]:
    """Return the hazards of cuts and of raises.

    Rates come from the snapshots alone: rows that were noted because something changed would count every change
    and none of the prices that stood. Sizes come from all rows, those of announced changes among them.
    """
    watched = changes(prices[prices["kind"] == SNAPSHOT])
    if watched.empty:
        raise UserError(f"No price stands in the table on two dates as {SNAPSHOT!r}; a rate needs some that do.")
    years = float(watched["years"].sum())
    sizes = every_size(prices)
    return (
        Hazard(
            seen=int((watched["factor"] < 1).sum()),
            price_years=years,
            factors=tuple(float(f) for f in sizes[sizes < 1]),
        ),
        Hazard(
            seen=int((watched["factor"] > 1).sum()),
            price_years=years,
            factors=tuple(float(f) for f in sizes[sizes > 1]),
        ),
    )


def every_size(prices: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return (n,) the factor of every change that the table tells of, smallest first."""
    listed = prices[prices["kind"].isin((SNAPSHOT, DATED))]
    found = [float(f) for f in changes(listed)["factor"] if f != 1]
    for _, row in prices.iterrows():
        if was := _WAS.search(str(row["model"])):
            found.append(float(row[PRICE]) / ((3 * float(was[1]) + float(was[2])) / 4))
        if str(row["kind"]).startswith(ANNOUNCED):
            before = listed[(listed["item"] == row["item"]) & (listed["date"] < row["date"])]
            found += (
                [] if before.empty else [float(row[PRICE]) / float(before.sort_values("date")[PRICE].iloc[-1])]
            )
    return np.sort(np.array(found))


def year_on(prices: pd.DataFrame) -> YearOn:
    """Return what became of prices a year later: a check of the hazards, from pairs of snapshots a year apart."""
    daily = _daily(prices[prices["kind"] == SNAPSHOT])
    factors: list[float] = []
    for _, own in daily.groupby("item"):
        for at, usd in zip(own["date"], own[PRICE], strict=True):
            later = own[(own["date"] - at).dt.days.between(*YEAR_WINDOW_DAYS)]
            if len(later):
                nearest = int(((later["date"] - at).dt.days - 365).abs().to_numpy().argmin())
                factors.append(float(later[PRICE].iloc[nearest]) / float(usd))
    ratio = np.array(factors)
    if not len(ratio):
        return YearOn(pairs=0, unchanged=float("nan"), cut=float("nan"), raised=float("nan"))
    return YearOn(
        pairs=len(ratio),
        unchanged=float((np.abs(ratio - 1) <= SAME_WITHIN).mean()),
        cut=float((ratio < 1 - SAME_WITHIN).mean()),
        raised=float((ratio > 1 + SAME_WITHIN).mean()),
    )


def expected_year_on(cut: float, raised: float) -> tuple[float, float, float]:
    """Return the shares of prices that stand, are cut, are raised after a year at these rates; first jump counts.

    >>> [round(x, 3) for x in expected_year_on(0.06, 0.04)]
    [0.905, 0.057, 0.038]
    """
    total = cut + raised
    stands = float(np.exp(-total))
    if total == 0:
        return 1.0, 0.0, 0.0
    return stands, (1 - stands) * cut / total, (1 - stands) * raised / total


def gpu_hazards() -> tuple[Hazard, Hazard]:
    """Return the hazards of the GPU prices that price_jumps.toml follows, before shrinkage."""
    rows = tomllib.loads(catalog_bytes("price_jumps.toml").decode())["gpu_seen"]
    return seen_steps([((row["until"] - row["since"]).days / 365, [row["factor"]]) for row in rows])


def seen_steps(rows: Sequence[tuple[float, Sequence[float]]]) -> tuple[Hazard, Hazard]:
    """Return the hazards of prices that were followed one by one: the years of each and factors of its changes."""
    years = sum(years for years, _ in rows)
    factors = np.sort(np.array([f for _, own in rows for f in own], dtype=np.float64))
    cut, raised = factors[factors < 1], factors[factors > 1]
    return (
        Hazard(seen=len(cut), price_years=years, factors=tuple(float(f) for f in cut)),
        Hazard(seen=len(raised), price_years=years, factors=tuple(float(f) for f in raised)),
    )


def _daily(prices: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each price and date: its lowest of the day."""
    return prices.groupby(["item", "date"])[PRICE].min().reset_index()
