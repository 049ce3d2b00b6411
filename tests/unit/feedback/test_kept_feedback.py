"""Feedback on known mistakes is kept beside the exercise; what is no known mistake is not."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from autograder.exercise.cache_folder import CACHE_FOLDER
from autograder.feedback.kept_feedback import FunctionFeedback, KeptFeedback
from autograder.student.feedback import ErrorMap, Feedback
from tests.in_process import exercise

MAP = ErrorMap("dJ_dW", "T = 2", ((0.0, 1.5), (1e-9, 2.0)), "No entry is right.")
SAID = FunctionFeedback(Feedback("Wrong.", (("right for", "T = 1"),), MAP, "Which?", "(17)", "check()"), "Wrong.", "a")
KEY = b"numbers"


@pytest.fixture
def here(tmp_path):
    return replace(exercise(), folder=tmp_path)


def test_what_was_said_of_a_known_mistake_is_said_again_by_another_grader(here):
    KeptFeedback(here, 10).store(KEY, SAID)
    assert KeptFeedback(here, 10).lookup(KEY) == SAID
    assert KEY in KeptFeedback(here, 10)
    assert b"others" not in KeptFeedback(here, 10)


def test_feedback_without_a_map_is_kept_too(here):
    said = replace(SAID, feedback=replace(SAID.feedback, map=None))
    KeptFeedback(here, 10).store(KEY, said)
    assert KeptFeedback(here, 10).lookup(KEY) == said


def test_what_is_no_known_mistake_is_not_kept(here):
    KeptFeedback(here, 10).store(KEY, replace(SAID, mistake=None))
    assert KEY not in KeptFeedback(here, 10)


def test_a_damaged_file_counts_as_none(here):
    KeptFeedback(here, 10).store(KEY, SAID)
    for file in (here.folder / CACHE_FOLDER).rglob("*.json"):
        file.write_bytes(b'{"text": "cut off')
    assert KEY not in KeptFeedback(here, 10)


def test_a_changed_exercise_says_everything_anew(here):
    KeptFeedback(here, 10).store(KEY, SAID)
    (here.folder / "rubric.py").write_text("CHANGED = True\n", encoding="utf-8")
    assert KEY not in KeptFeedback(here, 10)
    KeptFeedback(here, 10).store(KEY, SAID)
    assert len(list((here.folder / CACHE_FOLDER).glob("feedback-*"))) == 1


def test_a_folder_that_is_gone_is_not_made_again(here):
    cache = KeptFeedback(here, 10)
    shutil.rmtree(here.folder)
    cache.store(KEY, SAID)
    assert cache.lookup(KEY) == SAID  # from memory
    assert not here.folder.exists()
