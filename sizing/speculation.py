"""Speculative decoding: a cheap draft guesses k tokens, one step of the model checks them all."""

from dataclasses import dataclass

from data.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculation:
    """Draft tokens of a step, the chance that each is accepted, and what a draft token costs.

    acceptance: of one draft token given that all before it were accepted (0..1), taken as the same for each.
    draft_cost: seconds of one draft token over seconds of a decode step without speculation (`c` of the source).
        0.05 is an assumption, between an n-gram guess (0) and a draft model of a tenth of the size.
    """

    tokens: int
    acceptance: float
    draft_cost: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.tokens < 1:
            raise UserError(f"{self.tokens} draft tokens are no speculation; give 1 or more, or leave it out.")
        if not 0 <= self.acceptance <= 1:
            raise UserError(f"An acceptance rate of {self.acceptance:g} is no share; give one from 0 to 1.")
        if not 0 <= self.draft_cost < 1:
            raise UserError(
                f"A draft cost of {self.draft_cost:g} is no share of a step; give one from 0 to below 1: a slower"
                " draft never pays."
            )

    @property
    def accepted(self) -> float:
        """Return the tokens that one checked step yields on average.

            E = (1 - a^(k+1)) / (1 - a),  k + 1 at a = 1

        Source: Leviathan et al. 2023, equation 1, https://arxiv.org/abs/2211.17192.

        >>> Speculation(tokens=3, acceptance=0.5).accepted
        1.875
        """
        a, k = self.acceptance, self.tokens
        return float(k + 1) if a == 1 else (1 - a ** (k + 1)) / (1 - a)
