"""A number with its range: what every figure that leaves the forecast carries."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Mean and quantiles of one figure over the sample paths. Budgets add up means; plans read quantiles."""

    mean: float
    p10: float
    p50: float
    p80: float
    p90: float
    p95: float

    @classmethod
    def of(cls, samples: npt.ArrayLike) -> "Spread":
        """Return the spread of samples (S,), by linear interpolation between order statistics.

        >>> Spread.of([1.0, 2.0, 3.0]).p50
        2.0
        """
        values = np.asarray(samples, dtype=np.float64)
        p10, p50, p80, p90, p95 = (float(q) for q in np.quantile(values, (0.1, 0.5, 0.8, 0.9, 0.95)))
        return cls(mean=float(values.mean()), p10=p10, p50=p50, p80=p80, p90=p90, p95=p95)
