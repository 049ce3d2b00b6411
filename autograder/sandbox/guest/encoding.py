"""Turns what a student's function returned or raised into a reply of plain data.

Looks at objects of the student by their exact types, and calls none of their methods but __str__ of an exception.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.sandbox.guest.student_module import StudentModule
from autograder.sandbox.protocol import framing, vocabulary

Reply = tuple[Any, ...]
AnyArray = npt.NDArray[Any]
EncodedArray = tuple[tuple[int, ...], bytes]


def encode_result(value: object, result_count: int, changed: Mapping[str, AnyArray]) -> Reply:
    """Return the reply to a call that returned `value`, where `result_count` numbers or arrays are expected.

    `changed` are the arguments that the call changed.
    """
    if result_count == 1:
        items: list[object] = [value]
    else:
        kind = type(value)
        if not issubclass(kind, (tuple, list)):
            return ("unusable", None, vocabulary.ONE_ARRAY if kind is np.ndarray else vocabulary.describe_value(value))
        sequence = tuple if issubclass(kind, tuple) else list
        items = list(sequence.__iter__(value))  # type: ignore[arg-type]  # a subclass; its own __iter__ may do anything
        if len(items) != result_count:
            return ("unusable", None, vocabulary.describe_sequence(sequence.__name__, len(items)))
    values = []
    for position, item in enumerate(items):
        array = _as_plain_array(item)
        if isinstance(array, str):
            return ("unusable", position if result_count > 1 else None, array)
        values.append((vocabulary.dtype_name(array.dtype), framing.encode_array(array)))
    return ("returned", values, framing.encode_arrays(changed))


def changed_arrays(arrays: Mapping[str, AnyArray], sent: Mapping[str, EncodedArray]) -> dict[str, AnyArray]:
    """Return those of the arrays of a case that differ from what was sent; an empty one for any that is gone."""
    gone = np.empty(0)
    return {
        name: _array_after_call(arrays.get(name, gone))
        for name, packed in sent.items()
        if name not in arrays or not _is_unchanged(arrays[name], packed)
    }


def encode_error(
    error: BaseException, module: StudentModule, only_cell: int | None = None
) -> tuple[str, str, int | None, int | None]:
    """Return class name, text, cell and line of the exception that is being handled.

    With `only_cell`, the place is looked for in the cell of this index alone.
    """
    try:
        cell, line = module.locate_error(error, sys.exc_info()[2], only_cell)
        if type(line) is not int or not 1 <= line <= framing.MAX_LINE_NUMBER:
            line = None
        return vocabulary.error_name(type(error), module.name), _error_text(error), cell, line
    except BaseException:  # noqa: BLE001 - an exception class may be made to fail wherever it is touched
        return vocabulary.STUDENT_ERROR, "", None, None


def _as_plain_array(item: object) -> AnyArray | str:
    """Return the item if it is a plain array of real numbers or one number, otherwise a description of it."""
    if type(item) is not np.ndarray:
        return _as_plain_number(item)
    if vocabulary.dtype_name(item.dtype) is None:
        return vocabulary.describe_dtype(item.dtype)
    # A broadcast array may claim any size without using the memory for it, so it must not be copied first.
    return vocabulary.TOO_LARGE if item.size > framing.MAX_ARRAY_SIZE or item.ndim > framing.MAX_DIMENSIONS else item


def _as_plain_number(item: object) -> AnyArray | str:
    if not any(type(item) is kind for kind in vocabulary.NUMBER_TYPES):
        return vocabulary.describe_value(item)
    number = np.asarray(item)
    try:
        return number if number.dtype.kind != "O" else np.asarray(float(item))  # type: ignore[arg-type]  # an int
    except OverflowError:
        return vocabulary.describe_value(item)


def _is_unchanged(array: AnyArray, sent: EncodedArray) -> bool:
    shape, data = sent
    return array.shape == shape and array.dtype == np.float64 and array.tobytes() == data


def _array_after_call(array: AnyArray) -> AnyArray:
    """Return an argument after the call; an empty array if its dtype changed or it grew too large to send."""
    return array if array.dtype == np.float64 and array.size <= framing.MAX_ARRAY_SIZE else np.empty(0)


def _error_text(error: BaseException) -> str:
    try:
        text = error.msg if isinstance(error, SyntaxError) and type(error.msg) is str else str(error)
        data = str.encode(text, "utf-8", "replace")  # a subclass of str keeps none of its own methods
    except BaseException:  # noqa: BLE001 - __str__ may raise anything
        return ""
    return data.decode("utf-8", "replace")[: framing.MAX_TEXT_LENGTH]
