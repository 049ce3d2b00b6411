"""Defines the only words in which the untrusted side may describe a value, a dtype or an exception.

The trusted side shows these words to readers and refuses all others.
"""

from __future__ import annotations

import builtins
import re
from types import BuiltinFunctionType, CoroutineType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

FLOAT_DTYPES = ("float64", "float32", "float16", "longdouble")
_INTEGERS = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
DTYPES = frozenset((*FLOAT_DTYPES, *_INTEGERS, "bool"))
# By dtype.char, because dtype.name is computed anew each time.
_DTYPE_NAMES = {char: np.dtype(char).name for char in "?bhilqBHILQefd"} | {"g": "longdouble"}

STUDENT_ERROR = "an exception of its own"

NUMBER_TYPES = (bool, int, float, *(np.dtype(char).type for char in _DTYPE_NAMES))
"""The types of a single number; they are compared by identity, because a metaclass can define __eq__ and __hash__."""

_TYPE_DESCRIPTIONS: dict[type, str] = {
    type(None): "None",
    type(NotImplemented): "NotImplemented",
    type(...): "an ellipsis (...)",
    int: "an int too large for a float",
    complex: "a complex number",
    str: "a string",
    bytes: "bytes",
    list: "a list",
    dict: "a dict",
    set: "a set",
    type: "a class",
    ModuleType: "a module",
    **dict.fromkeys((FunctionType, BuiltinFunctionType, MethodType), "a function"),
    GeneratorType: "a generator",
    CoroutineType: "a coroutine (async def)",
}
_MASKED, _MATRIX, _SUBCLASS = "a masked array", "a matrix (np.matrix)", "a subclass of ndarray"
_SCALAR, _ODD_ARRAY, _OTHER = "a numpy scalar that is no number", "an array of no numbers", "an object that is no array"
ONE_ARRAY = "one array"
TOO_LARGE = "far more numbers than were asked for"
_KIND_DESCRIPTIONS = {
    **dict.fromkeys("UTS", "an array of strings"),
    **dict.fromkeys("Mm", "an array of dates"),
    "O": "an array of dtype object",
    "V": "a structured array",
}
_COMPLEX_DESCRIPTIONS = {
    "F": "an array of dtype complex64",
    "D": "an array of dtype complex128",
    "G": "an array of dtype clongdouble",
}
_DESCRIPTIONS = {_MASKED, _MATRIX, _SUBCLASS, _SCALAR, _OTHER, _ODD_ARRAY, ONE_ARRAY, TOO_LARGE}.union(
    *(words.values() for words in (_TYPE_DESCRIPTIONS, _KIND_DESCRIPTIONS, _COMPLEX_DESCRIPTIONS))
)
_SEQUENCE_PATTERN = re.compile(r"a (tuple|list) of \d{1,6}")


def _error_names() -> dict[type, str]:
    values = (*vars(builtins).values(), *vars(np.exceptions).values(), np.linalg.LinAlgError)
    return {cls: cls.__name__ for cls in values if isinstance(cls, type) and issubclass(cls, BaseException)}


_ERROR_NAMES = _error_names()
ERROR_NAMES = frozenset((*_ERROR_NAMES.values(), STUDENT_ERROR))


def is_description(text: str) -> bool:
    """Return whether `describe_value`, `describe_sequence` or `describe_dtype` can return this text."""
    return text in _DESCRIPTIONS or _SEQUENCE_PATTERN.fullmatch(text) is not None


def dtype_name(dtype: np.dtype[Any]) -> str | None:
    """Return the name of a dtype of real numbers, None for any other dtype."""
    return _DTYPE_NAMES.get(dtype.char)


def describe_dtype(dtype: np.dtype[Any]) -> str:
    """Describe an array whose dtype is not one of real numbers."""
    return _COMPLEX_DESCRIPTIONS.get(dtype.char) or _KIND_DESCRIPTIONS.get(dtype.kind, _ODD_ARRAY)


def describe_sequence(kind: str, length: int) -> str:
    """Describe a tuple or a list of the wrong length."""
    return f"a {kind} of {min(length, 999_999)}"


def describe_value(value: object) -> str:
    """Describe a value that is no plain array. Looks at its exact type and calls none of its methods."""
    kind = type(value)  # compared by identity: a metaclass can define __eq__ and __hash__
    if kind is tuple:
        return describe_sequence("tuple", len(value))  # type: ignore[arg-type]  # its exact type is known
    if issubclass(kind, np.ndarray):
        masked, matrix = issubclass(kind, np.ma.MaskedArray), issubclass(kind, np.matrix)
        return _MASKED if masked else _MATRIX if matrix else _SUBCLASS
    if issubclass(kind, np.generic):
        return _SCALAR
    return next((text for known, text in _TYPE_DESCRIPTIONS.items() if kind is known), _OTHER)


def error_name(error_class: type, module: str) -> str:
    """Return the name of its nearest builtin or numpy base class, unless it was defined in the student's module."""
    if error_class.__module__ == module:
        return STUDENT_ERROR
    return next((_ERROR_NAMES[base] for base in type.mro(error_class) if base in _ERROR_NAMES), STUDENT_ERROR)
