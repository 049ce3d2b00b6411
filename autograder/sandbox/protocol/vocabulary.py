"""The closed vocabulary in which the untrusted side describes things, for both sides.

The trusted side shows these words to readers and refuses all others. Imports nothing of the trusted side.
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
_DTYPE_NAMES = {char: np.dtype(char).name for char in "?bhilqBHILQefd"} | {
    "g": "longdouble"
}  # dtype.name itself is slow

STUDENT_ERROR = "an exception of its own"

_TYPE_DESCRIPTIONS: dict[type, str] = {
    type(None): "None",
    type(NotImplemented): "NotImplemented",
    type(...): "an ellipsis (...)",
    bool: "a bool",
    int: "an int",
    float: "a float",
    complex: "a complex number",
    str: "a string",
    bytes: "bytes",
    list: "a list",
    dict: "a dict",
    set: "a set",
    type: "a class",
    ModuleType: "a module",
    FunctionType: "a function",
    BuiltinFunctionType: "a function",
    MethodType: "a function",
    GeneratorType: "a generator",
    CoroutineType: "a coroutine (async def)",
}
_MASKED, _MATRIX, _SUBCLASS, _SCALAR = (
    "a masked array",
    "a matrix (np.matrix)",
    "a subclass of ndarray",
    "a single number",
)
_OTHER = "an object that is no array"
ONE_ARRAY = "one array"
TOO_LARGE = "far more numbers than were asked for"
_KIND_DESCRIPTIONS = {
    "O": "an array of dtype object",
    "U": "an array of strings",
    "T": "an array of strings",
    "S": "an array of strings",
    "M": "an array of dates",
    "m": "an array of dates",
    "V": "a structured array",
}
_COMPLEX_DESCRIPTIONS = {
    char: f"an array of dtype {name}"
    for char, name in zip("FDG", ("complex64", "complex128", "clongdouble"), strict=True)
}
_ODD_ARRAY = "an array of no numbers"
_DESCRIPTIONS = frozenset(
    (
        *_TYPE_DESCRIPTIONS.values(),
        *_KIND_DESCRIPTIONS.values(),
        *_COMPLEX_DESCRIPTIONS.values(),
        *(_MASKED, _MATRIX, _SUBCLASS, _SCALAR, _OTHER, _ODD_ARRAY, ONE_ARRAY, TOO_LARGE),
    )
)
_SEQUENCE_PATTERN = re.compile(r"a (tuple|list) of \d{1,6}")


def _error_names() -> dict[type, str]:
    namespaces = (vars(builtins), vars(np.exceptions), {"LinAlgError": np.linalg.LinAlgError})
    classes = [cls for place in namespaces for cls in place.values() if isinstance(cls, type)]
    return {cls: cls.__name__ for cls in classes if issubclass(cls, BaseException)}


_ERROR_NAMES = _error_names()
ERROR_NAMES = frozenset((*_ERROR_NAMES.values(), STUDENT_ERROR))


def is_description(text: str) -> bool:
    """Whether a description is one that `describe_value`, `describe_sequence` or `describe_dtype` can give."""
    return text in _DESCRIPTIONS or _SEQUENCE_PATTERN.fullmatch(text) is not None


def dtype_name(dtype: np.dtype[Any]) -> str | None:
    """The name of a dtype of real numbers, None for all others."""
    return _DTYPE_NAMES.get(dtype.char)


def describe_dtype(dtype: np.dtype[Any]) -> str:
    """What to call an array whose dtype is not one of real numbers."""
    return _COMPLEX_DESCRIPTIONS.get(dtype.char) or _KIND_DESCRIPTIONS.get(dtype.kind, _ODD_ARRAY)


def describe_sequence(kind: str, length: int) -> str:
    """What to call a tuple or a list of another length than asked for."""
    return f"a {kind} of {min(length, 999_999)}"


def describe_value(value: object) -> str:
    """What to call a value that is no plain array. Looks at its exact type and calls nothing of it."""
    kind = type(value)
    if kind is tuple:
        return describe_sequence("tuple", len(value))  # type: ignore[arg-type]  # its exact type is known
    if issubclass(kind, np.ndarray):
        masked, matrix = issubclass(kind, np.ma.MaskedArray), issubclass(kind, np.matrix)
        return _MASKED if masked else _MATRIX if matrix else _SUBCLASS
    if issubclass(kind, np.generic):
        return _SCALAR
    return next((word for known, word in _TYPE_DESCRIPTIONS.items() if kind is known), _OTHER)


def error_name(error_class: type, module: str) -> str:
    """The name of an exception class: its nearest builtin or numpy one, unless the student's own module made it."""
    if error_class.__module__ == module:
        return STUDENT_ERROR
    return next((_ERROR_NAMES[base] for base in type.mro(error_class) if base in _ERROR_NAMES), STUDENT_ERROR)
