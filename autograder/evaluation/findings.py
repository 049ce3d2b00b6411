"""What a check found, as data: a code and its fields. Only feedback/messages.py turns them into sentences."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autograder.evaluation.report import CheckStatus, Code

CONTRACT_BROKEN: Hashable = "contract broken"
"""The cause of findings about side effects: the function changed its arguments, or remembers earlier calls."""


@dataclass(frozen=True)
class Finding:
    """What a check, or a single case of it, found.

    `fields` are the keyword arguments of the sentence for `code`; `error` is the relative error of compared arrays.
    Findings of equal `cause` have the same reason; `passed_cases` is (passed, all) if only some cases passed.
    """

    status: CheckStatus
    code: Code | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: float | None = None
    cause: Hashable = None
    passed_cases: tuple[int, int] | None = None

    @property
    def has_wrong_numbers(self) -> bool:
        """Return whether arrays of the right shape were compared and found wrong."""
        return self.code in ("wrong_value", "wrong_gradient")


@dataclass(frozen=True)
class Remark:
    """Something worth knowing about a function that costs no points, for one of two readers."""

    audience: Literal["student", "instructor"]
    code: Literal["unscored_check", "low_precision", "uses_numerical_gradient", "own_derivatives", "ignores_arguments"]
    fields: Mapping[str, Any]
