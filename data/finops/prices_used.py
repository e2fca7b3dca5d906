"""The prices that each plan used, and what moved between two plans."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import duckdb

from data.errors import UserError
from data.finops.decisions import has_table


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceUsed:
    """One price. item: the term of a GPU, or which tokens of an API; low and high are the source's range."""

    kind: Literal["gpu", "api"]
    name: str
    provider: str
    item: str
    unit: str
    usd_low: float
    usd_high: float
    source: str
    checked: date | None

    @property
    def usd(self) -> float:
        """The middle of the range, which plans use."""
        return (self.usd_low + self.usd_high) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMove:
    """One price before and after; None where there was none."""

    before: PriceUsed | None
    after: PriceUsed | None

    @property
    def of(self) -> PriceUsed:
        """Whose price it is."""
        found = self.after or self.before
        assert found is not None  # noqa: S101  # one of the two is what makes it a move
        return found

    @property
    def change(self) -> float | None:
        """After over before, less 1; None where either is missing."""
        return None if self.before is None or self.after is None else self.after.usd / self.before.usd - 1


def keep_prices(con: duckdb.DuckDBPyConnection, run_id: str, as_of: date, prices: Sequence[PriceUsed]) -> None:
    """Store the prices of one run."""
    for each in prices:
        con.execute(
            "INSERT INTO price_used VALUES ($run_id, $as_of, $kind, $name, $provider, $item, $unit, $usd_low,"
            " $usd_high, $source, $checked)",
            {"run_id": run_id, "as_of": as_of, **{name: getattr(each, name) for name in PriceUsed.__slots__}},
        )


def priced_runs(con: duckdb.DuckDBPyConnection) -> list[tuple[str, date]]:
    """Return (run_id, as_of) of the published runs whose prices are kept, oldest first."""
    if not has_table(con, "price_used"):
        return []
    sql = (
        "SELECT DISTINCT run.run_id, run.as_of, run.revision FROM run JOIN price_used USING (run_id)"
        " WHERE run.status = 'done' ORDER BY run.as_of, run.revision"
    )
    return [(row[0], row[1]) for row in con.execute(sql).fetchall()]


def prices_of(con: duckdb.DuckDBPyConnection, run: str) -> list[PriceUsed]:
    """Return the prices of a run, named by its id or its as_of (then the newest of that day)."""
    runs = priced_runs(con)
    found = next((run_id for run_id, as_of in reversed(runs) if run in (run_id, as_of.isoformat())), None)
    if found is None:
        listed = ", ".join(f"{run_id} of {as_of}" for run_id, as_of in runs[-4:]) or "none"
        raise UserError(f"No prices of a run {run!r} are kept; the newest that are: {listed}.")
    names = ", ".join(PriceUsed.__slots__)
    sql = f"SELECT {names} FROM price_used WHERE run_id = $run ORDER BY kind DESC, name, provider, item"  # noqa: S608  # our own names
    rows = con.execute(sql, {"run": found}).fetchall()
    return [PriceUsed(**dict(zip(PriceUsed.__slots__, row, strict=True))) for row in rows]


def moved(before: Sequence[PriceUsed], after: Sequence[PriceUsed]) -> list[PriceMove]:
    """Return every price that is not the same in both, those that moved most first, then what came and went."""
    old, new = ({(p.kind, p.name, p.provider, p.item): p for p in side} for side in (before, after))
    moves = [PriceMove(before=old.get(key), after=new.get(key)) for key in dict.fromkeys([*new, *old])]
    real = [m for m in moves if m.before is None or m.after is None or _range(m.before) != _range(m.after)]
    return sorted(real, key=lambda m: (m.change is None, -abs(m.change or 0.0)))


def _range(price: PriceUsed) -> tuple[float, float]:
    return price.usd_low, price.usd_high
