"""What an author must change: problems as data, a code and its fields, and the sentence of each code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SENTENCES: Mapping[str, str] = {
    # the files
    "no_folder": "There is no exercise called {name}: {folder} is not a folder.",
    "no_file": "The exercise {name} has no {missing}: put it into {folder}.",
    "no_rubric": "There is no cell # %% teacher, and no rubric.py beside the file: one of them says how it is checked.",
    "source": "{text}",
    "cannot_run": "{error}: {text}.",
    # the teacher cell
    "two_teachers": "This is the second cell # %% teacher: put both into one.",
    "setup": "There must be one cell # %% setup, with import numpy as np and the like, and there are {count}.",
    "no_solution": 'There is no cell # %% solution="...", so there is nothing to write.',
    "teacher_name": "The teacher cell does not define {missing}, {what}.",
    "unknown_option": "The header of {function} says {option}=...; there are {known}.",
    "options_in_full_form": "The header of {function} says {option}=..., and its rubric.py says that: say it there.",
    "points": "The points of {what} must be a number above 0, not {points}.",
    "case_not_callable": "case must be a function of rng and of sizes, such as case(rng, N, D).",
    "case_raised": "case cannot be drawn with {sizes}: {error}: {text}.",
    "case_not_dict": "case must return a dict of the arguments by name, and with {sizes} it returns {kind}.",
    "case_value": "case returns something that cannot be handed to a function: {why}.",
    "case_lacks": "{function} asks for {argument}, which case does not return: it has {known}.",
    "sizes_list": "SIZES must be a list of dicts, one for each case, such as [dict(N=1, D=1), dict(N=3, D=2)].",
    "sizes_item": "{item} in SIZES is not a dict such as dict(N=3, D=2).",
    "sizes_names": "SIZES has {sizes}, and case takes {known}.",
    "sizes_value": "{name} = {value} in SIZES is no whole number, no word and neither True nor False.",
    "sizes_twice": "SIZES has {sizes} twice.",
    "sizes_few": "SIZES needs at least two entries: in a single case, many mistakes look right.",
    "sizes_look_alike": "SIZES never tells {first} from {second}: let them differ in one entry.",
    "slope_unknown": "slope_of={wrt} of {function} is nothing that case returns: it has {known}.",
    "objective_argument": "objective asks for {argument}, which case does not return: it has {known}.",
    "results_unnamed": '{function} returns {count} results; name them in its header, returns="{example}".',
    "results_count": "returns of {function} names {names}, and the model answer returns {count}.",
    "starts": 'starts="{starts}" of {function} must name one of its results and an argument, such as starts="h=h0".',
    "shape_unknown": 'Nothing simple fits the shape of {result} of {function}: say it, returns="{result} (N, ...)".',
    "arguments_fixed": "{function} takes *{argument}, so nobody knows what to hand in: name each argument.",
    "not_function": "{function} is not a function.",
    "reference_raised": "The model answer of {function} stops: {error}: {text}.",
    "reference_none": "The model answer of {function} returns None.",
    "result_value": "The model answer of {function} returns {value}, which cannot be compared: {why}.",
    "mistakes_list": "MISTAKES must be a list of mistake(...).",
    "mistake_function": "The mistake {name} is made in {function}, which is no function here: there are {known}.",
    "mistake_place": "The mistake {name} replaces {replace!r}, which stands in {function} {count} times, not once.",
    "mistake_empty": "The mistake {name} changes nothing: say what it puts in place, or the whole function in source.",
    "mistake_both": "The mistake {name} has replace and source: one of them says what is wrong.",
    "checks_list": "CHECKS must be a list of check(...).",
    "check_sizes": "The check {title!r} has no sizes: name at least one case, such as sizes=[dict(N=9, D=2)].",
    "check_function": "The check {title!r} is for {function}, which is no function here: there are {known}.",
}


@dataclass(frozen=True)
class Problem:
    """One thing that an author must change: in which line of which file, and what, as a code and its fields."""

    code: str
    file: str
    line: int
    fields: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The problem in a sentence."""
        return SENTENCES[self.code].format(**self.fields)

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.text}" if self.line else self.text


class ExerciseError(Exception):
    """An exercise that cannot be used, and all `problems` that are known: its text is a sentence for each, on lines."""

    def __init__(self, problems: str | Sequence[Problem]) -> None:
        self.problems = () if isinstance(problems, str) else tuple(problems)
        super().__init__(problems if isinstance(problems, str) else "\n".join(map(str, problems)))
