"""The requests that queue: lengths with weights, and the seconds that each takes of a replica."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from sizing.profile import ReplicaProfile

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Kinds of requests, (N,) each: tokens of the prompt, its cached prefix, the answer; weights add to 1."""

    prompt_tok: Floats
    cached_prompt_tok: Floats
    output_tok: Floats
    weight: Floats

    @classmethod
    def alike(cls, prompt_tok: float, output_tok: float, cached_prompt_tok: float = 0.0) -> "Lengths":
        """Return requests that are all of one length."""
        one = np.ones(1)
        return cls(
            prompt_tok=prompt_tok * one,
            cached_prompt_tok=cached_prompt_tok * one,
            output_tok=output_tok * one,
            weight=one,
        )

    @classmethod
    def of_requests(cls, requests: pd.DataFrame) -> "Lengths":
        """Return the lengths of a table with `prompt_tok`, `output_tok` and, where known, `cached_prompt_tok`."""
        prompt = requests["prompt_tok"].to_numpy(np.float64)
        cached = np.zeros(len(prompt))
        if "cached_prompt_tok" in requests:
            cached = np.nan_to_num(requests["cached_prompt_tok"].to_numpy(np.float64))
        return cls(
            prompt_tok=prompt,
            cached_prompt_tok=np.minimum(cached, prompt),
            output_tok=np.maximum(requests["output_tok"].to_numpy(np.float64), 1.0),
            weight=np.full(len(prompt), 1 / max(len(prompt), 1)),
        )

    @classmethod
    def of_joint(cls, joint: pd.DataFrame, profile: ReplicaProfile) -> "Lengths":
        """Return a workload's representative lengths (`Traffic.joint`), stretched to the profile's mean request.

        Each length grows by the ratio of the means, so that percentiles follow the forecast of the mean. A joint
        without rows gives requests that are all alike.
        """
        if joint.empty:
            return cls.alike(profile.prompt_tok, max(profile.output_tok, 1.0), profile.cached_prompt_tok)
        known = joint.dropna(subset=["prompt_tok", "output_tok", "weight"])
        known = known[known["weight"] > 0]
        if known.empty:
            return cls.alike(profile.prompt_tok, max(profile.output_tok, 1.0), profile.cached_prompt_tok)
        weight = known["weight"].to_numpy(np.float64)
        weight = weight / weight.sum()
        prompt = _stretched(known["prompt_tok"].to_numpy(np.float64), weight, profile.prompt_tok)
        share = np.clip(np.nan_to_num(known["cached_share"].to_numpy(np.float64)), 0.0, 1.0)
        cached = _stretched(prompt * share, weight, profile.cached_prompt_tok)
        output = _stretched(known["output_tok"].to_numpy(np.float64), weight, profile.output_tok)
        return cls(
            prompt_tok=prompt,
            cached_prompt_tok=np.minimum(cached, prompt),
            output_tok=np.maximum(output, 1.0),
            weight=weight,
        )

    @property
    def mean_output_tok(self) -> float:
        """Mean tokens of an answer."""
        return float(self.weight @ self.output_tok)

    @property
    def context_tok(self) -> float:
        """Mean context that a decoded token reads: (E[P G] + E[G^2] / 2) / E[G]."""
        p, g, w = self.prompt_tok, self.output_tok, self.weight
        return float(w @ (p * g + g * g / 2)) / self.mean_output_tok

    def prompt_s(self, profile: ReplicaProfile) -> Floats:
        """Return (N,) seconds of replica time that each prompt takes among others."""
        fixed, fresh, square = (profile.work_coefficients[i] for i in (0, 1, 4))
        p, c = self.prompt_tok, self.cached_prompt_tok
        return np.asarray(fixed + fresh * (p - c) + square * (p * p - c * c))

    def alone_s(self, profile: ReplicaProfile) -> Floats:
        """Return (N,) seconds to the first token of each on an idle replica."""
        alone = profile.prefill_s(self.prompt_tok, self.cached_prompt_tok)
        return alone if profile.physics is None else np.asarray(alone * profile.physics.factors.wait)


def _stretched(values: Floats, weight: Floats, mean: float) -> Floats:
    now = float(weight @ values)
    return values * (mean / now) if now > 0 else np.full_like(values, mean)
