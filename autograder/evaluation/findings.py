"""What a check found, as data: a code and its fields. `feedback/messages.py` alone makes sentences of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autograder.evaluation.report import CheckStatus, Code

CONTRACT_BROKEN: Hashable = "contract broken"
"""The cause of findings where a call leaves something behind: it changed its arguments, or remembers earlier calls."""


@dataclass(frozen=True)
class Finding:
    """What one check, or one case of it, found.

    `fields` are the keyword arguments of the sentence for `code`, plain data all. `error` is the relative error where
    arrays were compared. Two findings with an equal `cause` have one reason. `passed_cases` says how many cases of how
    many passed, where some did although the check did not.
    """

    status: CheckStatus
    code: Code | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: float | None = None
    cause: Hashable = None
    passed_cases: tuple[int, int] | None = None

    @property
    def has_wrong_numbers(self) -> bool:
        """Whether arrays of the right shape were compared, and are wrong."""
        return self.code in ("wrong_value", "wrong_gradient")


@dataclass(frozen=True)
class Remark:
    """Something worth knowing about a function that costs no points, and who should read it."""

    audience: Literal["student", "instructor"]
    code: Literal["unscored_check", "low_precision", "uses_numerical_gradient", "ignores_arguments"]
    fields: Mapping[str, Any]
