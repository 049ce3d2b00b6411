"""Untrusted side: what a student's function returned or raised -> a reply, in plain data.

Student objects are looked at by their exact types, and no method of theirs is called but __str__ of an exception.
Imports nothing of the trusted side.
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


def encode_result(
    value: object, result_count: int, arrays: Mapping[str, AnyArray], sent: Mapping[str, EncodedArray]
) -> Reply:
    """The reply to a call that returned `value` where `result_count` arrays are asked for.

    `arrays` are those of its case. Of those for which `sent` says how they came, the reply holds what has changed.
    """
    if result_count == 1:
        items: list[object] = [value]
    else:
        kind = type(value)
        if not issubclass(kind, (tuple, list)):
            return ("unusable", None, vocabulary.ONE_ARRAY if kind is np.ndarray else vocabulary.describe_value(value))
        sequence = tuple if issubclass(kind, tuple) else list
        items = list(sequence.__iter__(value))  # type: ignore[arg-type]  # its class was looked at
        if len(items) != result_count:
            return ("unusable", None, vocabulary.describe_sequence(sequence.__name__, len(items)))
    values = []
    for position, item in enumerate(items):
        array = _as_plain_array(item)
        if isinstance(array, str):
            return ("unusable", position if result_count > 1 else None, array)
        values.append((vocabulary.dtype_name(array.dtype), framing.encode_array(array)))
    changed = {
        name: _array_after_call(arrays[name])
        for name, before in sent.items()
        if not _is_unchanged(arrays[name], before)
    }
    return ("returned", values, framing.encode_arrays(changed))


def encode_error(
    error: BaseException, module: StudentModule, only_cell: str | None = None
) -> tuple[str, str, str, int | None]:
    """Class name, text, label and line of the exception that is being handled; `only_cell` as in StudentModule.locate_error."""
    try:
        label, line = module.locate_error(error, sys.exc_info()[2], only_cell)
        if type(line) is not int or not 1 <= line <= framing.MAX_LINE_NUMBER:
            line = None
        return vocabulary.error_name(type(error), module.name), _error_text(error), label, line
    except BaseException:  # noqa: BLE001 - an exception class may be made to fail wherever it is touched
        return vocabulary.STUDENT_ERROR, "", "", None


def _as_plain_array(item: object) -> AnyArray | str:
    """The item, when it is a plain array of real numbers, else what to call it."""
    if type(item) is not np.ndarray:
        return vocabulary.describe_value(item)
    if vocabulary.dtype_name(item.dtype) is None:
        return vocabulary.describe_dtype(item.dtype)
    return vocabulary.TOO_LARGE if item.size > framing.MAX_ARRAY_SIZE or item.ndim > framing.MAX_DIMENSIONS else item


def _is_unchanged(array: AnyArray, sent: EncodedArray) -> bool:
    shape, data = sent
    return array.shape == shape and array.dtype == np.float64 and array.tobytes() == data


def _array_after_call(array: AnyArray) -> AnyArray:
    """An argument after the call: with another dtype or size it was changed, and an empty array says so as well."""
    return array if array.dtype == np.float64 and array.size <= framing.MAX_ARRAY_SIZE else np.empty(0)


def _error_text(error: BaseException) -> str:
    try:
        text = error.msg if isinstance(error, SyntaxError) and type(error.msg) is str else str(error)
        data = str.encode(text, "utf-8", "replace")  # a subclass of str keeps none of its own methods
    except BaseException:  # noqa: BLE001 - __str__ may raise anything
        return ""
    return data.decode("utf-8", "replace")[: framing.MAX_TEXT_LENGTH]
