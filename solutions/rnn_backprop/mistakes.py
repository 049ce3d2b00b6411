"""The known mistakes: those that students make and that show in the numbers.

Each is a small change of a right answer, with a question for the student that does not give the remedy away. Slips
that give the same numbers share one entry: W for its transpose in the recursion of equation (17) and in the product
of equation (15), say, or a sum over k that begins at 2 and a dJ/dW without h(0).
"""

from __future__ import annotations

from mistakes_double_sum import DOUBLE_SUM_MISTAKES
from mistakes_forward import FORWARD_MISTAKES
from mistakes_output import OUTPUT_MISTAKES
from mistakes_through_time import THROUGH_TIME_MISTAKES
from mistakes_written_out import WRITTEN_OUT_MISTAKES

MISTAKES = (
    *FORWARD_MISTAKES,
    *OUTPUT_MISTAKES,
    *WRITTEN_OUT_MISTAKES,
    *THROUGH_TIME_MISTAKES,
    *DOUBLE_SUM_MISTAKES,
)
