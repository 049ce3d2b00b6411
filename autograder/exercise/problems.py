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
    "encoding": "The file is not plain UTF-8: save it as UTF-8, without a byte order mark.",
    "module_name_taken": "{file} has the name of {what}: take another one.",
    "cannot_run": "{error}: {text}.",
    # the teacher cell
    "two_teachers": "This is the second cell # %% teacher: put both into one.",
    "setup": "There must be one cell # %% setup, with import numpy as np and the like, and there are {count}.",
    "no_solution": 'There is no cell # %% solution="...", so there is nothing to write.',
    "teacher_name": "The teacher cell does not define {missing}, {what}.",
    "unknown_option": "The header of {function} says {option}=...; there are {known}.",
    "options_in_full_form": "The header of {function} says {option}=..., and its rubric.py says that: say it there.",
    "points": "The points of {what} must be a number above 0, not {points}.",
    "teacher_name_unknown": "The teacher cell defines {name}: is {known} meant?",
    "teacher_only": "{function} uses {name} of the teacher cell, which students never get: define it above.",
    "case_not_callable": "case must be a function of rng and of sizes, such as case(rng, N, D).",
    "case_raised": "case cannot be drawn with {sizes}: {error}: {text}.",
    "case_not_dict": "case must return a dict of the arguments by name, and with {sizes} it returns {kind}.",
    "case_value": "What case returns cannot be handed to a function: {why}.",
    "case_not_finite": "{name} holds infinities or NaN in what case returns with {sizes}.",
    "case_large": "case returns {count} numbers with {sizes}, and students' files hold them all: {most} at most.",
    "case_lacks": "{function} asks for {argument}, which case does not return: it has {known}.",
    "sizes_list": "SIZES must be a list of dicts, one for each case, such as [dict(N=1, D=1), dict(N=3, D=2)].",
    "sizes_item": "{item} in {what} is not a dict such as dict(N=3, D=2).",
    "sizes_names": "{what} has {sizes}, and case takes {known}.",
    "sizes_value": "{name}={value} in {what} must be a plain number, a word, True or False.",
    "sizes_twice": "SIZES has {sizes} twice.",
    "sizes_few": "SIZES needs at least two entries: in a single case, many mistakes look right.",
    "sizes_look_alike": "SIZES never tells {first} from {second}: let them differ in one entry.",
    "slope_unknown": 'slope_of="{wrt}" of {function} is nothing that case returns: it has {known}.',
    "slope_kind": 'slope_of="{wrt}" of {function} is {kind} in what case returns, and slopes are by floats.',
    "objective_argument": "objective asks for {argument}, which case does not return: it has {known}.",
    "results_unnamed": '{function} returns {count} results; name them in its header, returns="{example}".',
    "results_count": "The header of {function} names the results {names}, and the model answer returns {count}.",
    "starts": 'starts="{starts}" of {function} must name one of its results and an argument, such as starts="U=u".',
    "shape_unknown": 'Nothing simple fits the shape of {result} of {function}: say it, returns="{result} (N, ...)".',
    "arguments_fixed": "{function} takes *{argument}, so it is unclear what to pass: name each argument.",
    "argument_by_name": "{function} takes {argument} by name only, and checks pass arguments by position: drop the *.",
    "not_function": "{function} is not a function.",
    "reference_raised": "The model answer of {function} stops: {error}: {text}.",
    "reference_none": "The model answer of {function} returns None.",
    "result_value": "The model answer of {function} returns {value}, which cannot be compared: {why}.",
    "mistakes_list": "MISTAKES must be a list of mistake(...).",
    "mistake_function": "The mistake {name} is made in {function}, which is not a function here: there are {known}.",
    "mistake_text": "The {what} of the mistake {name} must be text, and is {value}.",
    "mistake_place": "The known mistake {name} of {function} is left out: {replace!r} stands there {count} times, and "
    "must stand there once.",
    "mistake_empty": "The mistake {name} changes nothing: say what it puts in place, or the whole function in source.",
    "mistake_both": "The mistake {name} has replace and source: one of them says what is wrong.",
    "checks_list": "CHECKS must be a list of check(...).",
    "check_sizes": "The check {title!r} has no sizes: name at least one case, such as sizes=[dict(N=9, D=2)].",
    # the rubric, as it is written
    "rubric_lacks": "The rubric does not define {missing}: see solutions/README.md.",
    "renamed": "{name} is called {new} now.",
    "not_tuple": "{name} must be a tuple, such as ({example},), and is a {found}.",
    "wrong_item": "{name} must be made of items such as {example}, and one is a {found}.",
    "no_functions": "FUNCTIONS is empty, so there is nothing to write.",
    "no_module": "{file} of SUPPORT_MODULES is not in the folder of the exercise.",
    "not_callable": "{name} must be a function.",
    "function_twice": "{function} is listed twice.",
    "function_name_taken": "{function} is what students import from checks: give your function another name.",
    "no_results": "{function} has no results: name each with its shape in returns.",
    "shape": '{function}: {shape!r} is not a shape of {result}; write one such as "(N, K)", "(T+1, H)" or "()".',
    "initial_rows_result": "initial_rows of {function} names a result that it does not have: it has {known}.",
    "initial_rows_argument": "initial_rows of {function} names {argument}, which is not one of its arguments: {known}.",
    "slope_of_several": "{function} is a gradient and has {count} results: a gradient is one array.",
    "no_checks": "No check covers {function}, so it is never graded.",
    "no_visible_checks": "Students can check everything but {function}: add a VisibleCheck.",
    "check_twice": "Two checks are called {id}.",
    "check_unknown": "The check {id} is for {function}, which is not a function here: there are {known}.",
    "check_word": "The check {id} has {word}={value!r}; there are {known}.",
    "cases_word": 'The cases of {id} are the word {cases!r}: for one case write ("{cases}",), with a comma.',
    "cases_none": "The check {id} has no cases, so everything passes it.",
    "slope_of_nothing": "The check {id} is a gradient check, and {function} is not a gradient: give it a wrt.",
    "first_check": "The first check of {function} must look at its contract, on a case that is not hidden.",
    "case_shared": "{id} is hidden, and its case {case} belongs to a public check too: give one of them another name.",
    "answers_given": "{reader} is called before {function} and sees its results in {case}: list {function} first.",
    "visible_unknown": "The visible check {title!r} is for {function}, not a function here: there are {known}.",
    "visible_slope_of_nothing": "The visible check {title!r} is a gradient check, and {function} is not a gradient.",
    "visible_word": "The visible check {title!r} has kind={value!r}; there are {known}.",
    "visible_twice": "{function} has two visible checks called {title!r}: students tell them apart by that.",
    "visible_cases": "The visible check {title!r} of {function} needs a tuple of cases, each a Case.",
    "public_case_twice": "Two public cases are called {id!r}, and students ask by that.",
    "case_id": "{id!r} cannot name a diagnostic case: students type it, as in check(..., N=3, seed=0).",
    "confirmations": "Set {number} of CONFIRMATION_CASES must have the ids of DIAGNOSTIC_CASES, in their order.",
    "confirmation_parameters": "Set {number} of CONFIRMATION_CASES must have the parameters of DIAGNOSTIC_CASES.",
    "mistake_twice": "{function} has two mistakes called {name}.",
    "mistake_hint": "The mistake {name} in {function} has no hint: what would you ask the student?",
    "mistake_syntax": "The mistake {name} is not Python, in line {of_source} of {function}: {text}.",
    "mistake_without_function": "The text of the mistake {name} does not define {function}.",
    "mistake_raises": "The mistake {name} in {function} stops on every case: {error}: {text}.",
    "cell_unknown": 'The cell # %% {kind}="{function}" is for no function here: there are {known}.',
    "cell_twice": 'This is the second cell # %% {kind}="{function}".',
    "cell_missing": 'There is no cell # %% {kind}="{function}".',
    "cell_name_taken": "The question {question} has the name of another cell: take another.",
    # the narrative
    "equation_unknown": "{what} refers to equation ({number}), and no equation has \\tag{{{number}}}.",
    "equation_twice": "Two equations have \\tag{{{number}}}.",
    "figure_missing": "There is no {file} in the folder of the exercise.",
    "figure_text": "The figure {file} needs a text for those who cannot see it: ![what it shows]({file}).",
    # what shows when it runs
    "draw_raised": "The case {case} of {id} cannot be drawn: {error}: {text}.",
    "draw_not_case": "draw must return a Case, and for {case} it returns {kind}.",
    "draw_id": "draw was asked for {case}, and its Case is called {other}.",
    "draw_array": "{array} of the case {case} must be an array of float64, and is {kind}.",
    "draw_not_finite": "{array} of the case {case} holds infinities or NaN.",
    "draw_name": "{word} among the names of the case {case} must be a word, and is {kind}.",
    "draw_unrepeatable": "The case {case} differs each time: take all random numbers from rng, none from np.random.",
    "draw_constant": "The case {case} of {id} is the same with every seed, so it is not hidden: use rng.",
    "arguments_differ": "The model answer is {function}({written}), and it is listed with ({listed}).",
    "wrt_unknown": "{function} is the gradient with respect to {wrt}, which the case does not have: it has {known}.",
    "array_unknown": "{function} may see {array}, which none of its cases has: there are {known}.",
    "reference_changes": "The model answer of {function} changes its argument {argument}: work on a copy.",
    "reference_count": "The model answer of {function} returns {count} results, and it has the names {names}.",
    "reference_kind": "The model answer of {function} returns {kind} for {result}, and numbers are compared.",
    "reference_not_finite": "The model answer of {function} gives infinities or NaN for {result} of the case {case}.",
    "reference_unrepeatable": "The model answer of {function} answers two equal calls differently.",
    "shape_differs": "{function} should return {result} {shape}, and its model answer returns {real} in {case}.",
    "initial_rows": "The first row of {result} of {function} is not {argument}, as initial_rows says.",
    "objective_value": "objective must return a single number, and it returns {value} in the case {case}.",
    "objective_raised": "objective stops: {error}: {text} (in the case {case}).",
    "objective_flat": "objective does not change with {wrt} in {case}: compute predictions there, too.",
    "slope_shape": "{function} is the gradient by {wrt}, of shape {shape}, and returns one of shape {real} in {case}.",
    "not_the_slope": "{function} is not the slope of objective by {wrt}: {derived:.3g}, not {measured:.3g}, in {case}.",
    "optional_raised": "{name} stops: {error}: {text}.",
    "sums": "The terms of decompose do not add up to the result of {function} in {case}.",
    "batch_kind": "draw_batch must return a CaseStack of arrays for each request, an axis for the cases in front.",
    "batch_differs": "draw_batch gives another case or another result for {case} than draw and the model answer.",
    "check_function": "The check {title!r} is for {function}, which is not a function here: there are {known}.",
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
