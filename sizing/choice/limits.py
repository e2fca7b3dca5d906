"""What a choice must keep to: how many GPUs of a kind can be had, and how much power there is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from data.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on everything that runs at once. max_gpus: by kind of GPU, None of a kind = no bound.

    max_power_kw: TDP of the GPUs, without hosts and cooling, as fleets are counted; None = no bound.
    """

    max_gpus: Mapping[str, int] = field(default_factory=dict)
    max_power_kw: float | None = None

    def __post_init__(self) -> None:
        """Refuse bounds that cannot be."""
        if bad := [(gpu, n) for gpu, n in self.max_gpus.items() if n < 0]:
            raise UserError(f"max_gpus of {bad[0][0]} is {bad[0][1]}; give 0 or more.")
        if self.max_power_kw is not None and not self.max_power_kw > 0:
            raise UserError(f"max_power_kw is {self.max_power_kw:g}; give a number above 0, or leave it out.")

    @property
    def any(self) -> bool:
        """Whether there is a bound at all."""
        return bool(self.max_gpus) or self.max_power_kw is not None

    def why_not(self, gpus: Mapping[str, int], power_kw: float | None) -> str:
        """Return one sentence on the bound that these GPUs break, empty where they keep to all.

        Where power is bounded, a GPU of unknown power does not fit: unknown is not 0.
        """
        for gpu, count in gpus.items():
            if count > self.max_gpus.get(gpu, math.inf):
                return f"It takes {count} {gpu}, and {self.max_gpus[gpu]} can be had."
        if self.max_power_kw is None:
            return ""
        if power_kw is None:
            return f"The power of {', '.join(gpus)} is unknown, and {self.max_power_kw:g} kW are the bound."
        if power_kw > self.max_power_kw * (1 + 1e-9):
            return f"It takes {power_kw:.1f} kW, and {self.max_power_kw:g} kW are the bound."
        return ""
