"""What a case looks like before its numbers are drawn: sizes, functions, and the size of its numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from autograder.exercise.model import Names


@dataclass(frozen=True)
class CaseSpec:
    """What a case looks like before its numbers are drawn.

    `spectral_radius` is that of W, `input_scale` the size of the inputs, `target_scale` that of real-valued targets.
    `custom_derivatives` replaces the derivatives of g1, g2 and the loss by others, which belong to no function.
    """

    T: int
    H: int
    D: int
    K: int
    g1: str = "tanh"
    g2: str = "softmax"
    loss: str = "cross_entropy"
    # W a little too large and x a little too small for most networks, so that a step is still felt four steps later
    spectral_radius: float = 1.2
    input_scale: float = 0.5
    target_scale: float = 1.0
    custom_derivatives: bool = False

    @cached_property
    def names(self) -> Names:
        """The functions of a case, by name."""
        return {"g1": self.g1, "g2": self.g2, "loss": self.loss}

    @cached_property
    def description(self) -> str:
        """The spec in words."""
        sizes = f"T = {self.T}, H = {self.H}, D = {self.D}, K = {self.K}"
        slopes = "; slopes changed on purpose" if self.custom_derivatives else ""
        return f"{sizes}; {self.g1}, {self.g2} with {self.loss}{slopes}"

    @cached_property
    def has_real_targets(self) -> bool:
        """Whether targets are any numbers, not probabilities of 0 and 1."""
        return self.loss == "squared_error"

    @cached_property
    def normal_layout(self) -> Mapping[str, tuple[tuple[int, ...], slice]]:
        """The arrays of normally distributed numbers: their shapes, and their places in the order of drawing."""
        T, H, D, K = self.T, self.H, self.D, self.K
        derivatives = {"G_g1": (H, H), "G_g2": (K, K), "G_loss": (K, K)} if self.custom_derivatives else {}
        targets = {"y": (T, K)} if self.has_real_targets else {}
        shapes = {
            "W": (H, H),
            **derivatives,
            "U": (H, D),
            "V": (K, H),
            "b_h": (H,),
            "b_y": (K,),
            "x": (T, D),
            **targets,
        }
        ends = itertools.accumulate(math.prod(shape) for shape in shapes.values())
        places = itertools.starmap(slice, itertools.pairwise([0, *ends]))
        return {name: (shape, place) for (name, shape), place in zip(shapes.items(), places, strict=True)}
