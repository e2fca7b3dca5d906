"""What a library's own forecast expects of the same past: a second opinion, printed beside ours.

It shares our cleaning and nothing else: neither levels, nor bank, nor weights, nor intervals.
"""

import warnings
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt

from forecasting.calendar import WEEK_DAYS, History
from forecasting.models import SHORT_HISTORY_DAYS

Floats = npt.NDArray[np.float64]

METHOD = "statsmodels, damped ETS"
NEWEST_DAYS = 730
"""Days that are fitted. With a level, a slope and a week to learn, older ones cost time and change nothing."""
RANGE = (0.1, 0.5, 0.9)
"""Quantiles of our totals that the opinion is held against: the middle and the ends of the 80% range."""

_ONE_AT_A_TIME = Lock()
"""`warnings.catch_warnings` changes the whole process, and workloads may be forecast in threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """Both answers to how many requests come over the first `days`.

    requests: the library's. ours_q10, ours_q50, ours_q90: of our sample paths, before stated growth, events and
    holidays, which no library knows.
    """

    days: int
    requests: float
    ours_q10: float
    ours_q50: float
    ours_q90: float

    @property
    def ours_over_it(self) -> float | None:
        """Our middle as a multiple of the library's total; None where that is 0."""
        return self.ours_q50 / self.requests if self.requests > 0 else None

    @property
    def inside_80(self) -> bool:
        """Whether the library's total lies in our 80% range."""
        return self.ours_q10 <= self.requests <= self.ours_q90


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """A library's running total of requests (D,) from as_of on, beside ours; None, and why, where it has none.

    ours: (3, D) RANGE of the running totals of our paths from the data alone. scenarios: the plan states growth,
    events or holidays that move these days, so the page's totals are not the ones compared.
    """

    method: str
    requests: Floats | None
    ours: Floats
    scenarios: bool
    why_not: str

    def over(self, days: int) -> Opinion | None:
        """Return both totals over the first `days`; None where there is no opinion. ValueError beyond D."""
        if not 1 <= days <= self.ours.shape[1]:
            raise ValueError(f"an opinion on 1 to {self.ours.shape[1]} days was asked over {days}; forecast more")
        if self.requests is None:
            return None
        low, middle, high = (float(v) for v in self.ours[:, days - 1])
        return Opinion(
            days=days,
            requests=float(self.requests[days - 1]),
            ours_q10=low,
            ours_q50=middle,
            ours_q90=high,
        )


def second_opinion(history: History | None, ours: Floats, *, gap: int, scenarios: bool) -> SecondOpinion:
    """Ask the library about the history that our forecast saw, cleaned alike.

    history: daily requests up to `gap` days before the first day of `ours`, None where not one full day was seen;
    ours: (S, D) our sample paths of requests from the data alone. Deterministic; writes nothing to the terminal.
    """
    days = ours.shape[1]
    if history is None or history.known_days < SHORT_HISTORY_DAYS:
        daily, why_not = None, f"{_full_days(history)}, and it needs {SHORT_HISTORY_DAYS}"
    else:
        daily, why_not = library_days(history, gap + days)
    return SecondOpinion(
        method=METHOD,
        requests=None if daily is None else np.cumsum(daily[gap:]),
        ours=np.quantile(np.cumsum(ours, axis=1), RANGE, axis=0),
        scenarios=scenarios,
        why_not=why_not,
    )


def library_days(history: History, horizon: int) -> tuple[Floats | None, str]:
    """Return requests a day (horizon,) by damped-trend exponential smoothing with a weekly season on log(1 + y).

        y(h) = e^(m(h) + sd^2 / 2) - 1,    sd = 1.4826 median |residual|

    m is the library's forecast; sd, that of its errors one day ahead, turns the middle of a day into its mean (of
    a log-normal), so that noisy days add up. It is a median because the fit's own start and a level shift are
    errors that no day ahead has. Parameters are fitted to the squared error of one day ahead (Hyndman &
    Athanasopoulos, https://otexts.com/fpp3/holt-winters.html), from the library's heuristic start. None, and why,
    where the fit does not converge or leaves finite numbers.
    """
    from statsmodels.tsa.holtwinters import ExponentialSmoothing  # 0.2 s that no other command should wait for

    x = history.x[-NEWEST_DAYS:]
    with _ONE_AT_A_TIME, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model = ExponentialSmoothing(
            x,
            trend="add",
            damped_trend=True,
            seasonal="add",
            seasonal_periods=WEEK_DAYS,
            initialization_method="heuristic",
        )
        try:
            # On the shared daily series as good a fit as the default L-BFGS-B, in three quarters of its time.
            fit = model.fit(method="SLSQP")
        except (ValueError, np.linalg.LinAlgError) as error:
            return None, f"the library could not fit {len(x)} days ({error})"
        sd = 1.4826 * np.median(np.abs(x - fit.fittedvalues))
        daily = np.exp(fit.forecast(horizon) + sd**2 / 2) - 1
    if not fit.mle_retvals.success:
        return None, f"its fit to {len(x)} days did not converge"
    if not np.isfinite(daily).all():
        return None, f"its forecast from {len(x)} days leaves all bounds"
    return np.maximum(daily, 0.0), ""


def _full_days(history: History | None) -> str:
    known = 0 if history is None else history.known_days
    return f"{known} full day{'' if known == 1 else 's'} of history"
