"""Late penalties, as nbgrader's own plugin gives them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets.config import Config


@dataclass(frozen=True)
class LatePenalties:
    """The plugin that a course's nbgrader_config.py sets up."""

    config: Config
    root: Path

    def penalty(self, student: str, score: float, seconds_late: float) -> float | None:
        """What nbgrader takes off `score` for being late by so many seconds; None for nothing."""
        if not seconds_late or not any(
            self.config.get(name) for name in ("AssignLatePenalties", "LateSubmissionPlugin")
        ):
            return None
        deduction: float | None = self._plugin().late_submission_penalty(student, score, seconds_late)
        return None if deduction is None else min(max(deduction, 0.0), score)

    def _plugin(self) -> Any:
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))  # as nbgrader does, for plugins that lie in the folder of the course
        from nbgrader.preprocessors import AssignLatePenalties  # only here: nbgrader takes two seconds to import

        step = AssignLatePenalties(config=self.config)
        step.init_plugin()
        return step.plugin_inst
