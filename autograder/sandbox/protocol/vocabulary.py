"""The closed vocabulary in which the untrusted side describes things, for both sides.

The trusted side shows these words to readers and refuses all others. Imports nothing of the trusted side.
"""

from __future__ import annotations

import builtins
import re
from types import BuiltinFunctionType, CoroutineType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np

FLOATS = ("float64", "float32", "float16", "longdouble")
_INTEGERS = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
DTYPES = frozenset((*FLOATS, *_INTEGERS, "bool"))
_DTYPES = {char: np.dtype(char).name for char in "?bhilqBHILQefd"} | {"g": "longdouble"}  # dtype.name itself is slow

OWN_ERROR = "an exception of its own"

_TYPES: dict[type, str] = {
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
_KINDS = {
    "O": "an array of dtype object",
    "U": "an array of strings",
    "T": "an array of strings",
    "S": "an array of strings",
    "M": "an array of dates",
    "m": "an array of dates",
    "V": "a structured array",
}
_COMPLEX = {
    char: f"an array of dtype {name}"
    for char, name in zip("FDG", ("complex64", "complex128", "clongdouble"), strict=True)
}
_ODD_ARRAY = "an array of no numbers"
_WORDS = frozenset(
    (
        *_TYPES.values(),
        *_KINDS.values(),
        *_COMPLEX.values(),
        *(_MASKED, _MATRIX, _SUBCLASS, _SCALAR, _OTHER, _ODD_ARRAY, ONE_ARRAY, TOO_LARGE),
    )
)
_COUNTED = re.compile(r"a (tuple|list) of \d{1,6}")


def _errors() -> dict[type, str]:
    places = (vars(builtins), vars(np.exceptions), {"LinAlgError": np.linalg.LinAlgError})
    found = [cls for place in places for cls in place.values() if isinstance(cls, type)]
    return {cls: cls.__name__ for cls in found if issubclass(cls, BaseException)}


_ERRORS = _errors()
ERRORS = frozenset((*_ERRORS.values(), OWN_ERROR))


def is_word(what: str) -> bool:
    """Whether a description is one that `thing`, `counted` or `array_kind` can give."""
    return what in _WORDS or _COUNTED.fullmatch(what) is not None


def dtype_word(dtype: np.dtype[Any]) -> str | None:
    """The name of a dtype of real numbers, None for all others."""
    return _DTYPES.get(dtype.char)


def array_kind(dtype: np.dtype[Any]) -> str:
    """What to call an array whose dtype is not one of real numbers."""
    return _COMPLEX.get(dtype.char) or _KINDS.get(dtype.kind, _ODD_ARRAY)


def counted(kind: str, length: int) -> str:
    """What to call a tuple or a list of another length than asked for."""
    return f"a {kind} of {min(length, 999_999)}"


def thing(value: object) -> str:
    """What to call a value that is no plain array. Looks at its exact type and calls nothing of it."""
    kind = type(value)
    if kind is tuple:
        return counted("tuple", len(value))  # type: ignore[arg-type]  # its exact type is known
    if issubclass(kind, np.ndarray):
        masked, matrix = issubclass(kind, np.ma.MaskedArray), issubclass(kind, np.matrix)
        return _MASKED if masked else _MATRIX if matrix else _SUBCLASS
    if issubclass(kind, np.generic):
        return _SCALAR
    return next((word for known, word in _TYPES.items() if kind is known), _OTHER)


def error_word(kind: type, module: str) -> str:
    """The name of an exception class: its nearest builtin or numpy one, unless the student's own module made it."""
    if kind.__module__ == module:
        return OWN_ERROR
    return next((_ERRORS[base] for base in type.mro(kind) if base in _ERRORS), OWN_ERROR)
