"""How the checks call your functions: with the numbers of a case, by name. There is nothing to fill in here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def arguments(arrays: Mapping[str, np.ndarray], names: Mapping[str, str]) -> dict[str, object]:
    """Return the arguments of the functions: arrays as they are, single numbers as floats, words as strings."""
    return {**{name: array if array.ndim else float(array) for name, array in arrays.items()}, **names}
