"""A layer of the network. There is nothing to fill in here."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Layer:
    """A layer z = W a + b, and then its `kind` of activation: "tanh" or "identity"."""

    W: np.ndarray
    b: np.ndarray
    kind: str
