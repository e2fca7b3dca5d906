"""What every part of the example shares: dates, the hostile name, GPUs, and a spread."""

from datetime import date

from forecasting.spread import Spread

AS_OF = date(2026, 11, 23)
HORIZONS = (30, 90, 365)
HOSTILE = "<img src=x onerror=\"alert(1)\">=cmd|'/c calc'!A0 \u202etxt.exe\u202c $\\frac{1}{2}$ \x07" + "long" * 40

GPUS = {"h100-sxm": (2, 1.0, 3.0), "h200-sxm": (2, 0.8, 4.0), "b200": (1, 0.45, 8.0), "a100-80gb": (4, 2.3, 1.5)}


def spread(mean: float, sd: float) -> Spread:
    """Return a skewed spread around a mean, `sd` relative."""
    return Spread(mean=mean, p10=mean * (1 - 1.25 * sd), p50=mean * (1 - 0.05 * sd), p80=mean * (1 + 0.84 * sd),
                  p90=mean * (1 + 1.35 * sd), p95=mean * (1 + 1.8 * sd))  # fmt: skip
