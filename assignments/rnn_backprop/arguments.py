"""Arguments of any kind as plain arrays and words, and back: the form in which cases are kept and sent.

    parts=[Part(W, kind="odd")], rate=0.1    is kept as

    arrays    parts.0.W: W, rate: 0.1
    names     parts: "list 1", parts.0: "dataclass given.Part", parts.0.kind: "str odd", rate: "float"

An array of floats needs no word. A float is among the arrays, so that J can be differentiated by it. No word carries
code: dataclasses and functions are looked up by their names in the modules that are handed out.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Find = Callable[[str], Any]

MAX_PATH = 80  # characters
KINDS = "arrays of floats, ints and bools, numbers, strings, None, lists, tuples, dicts, dataclasses, functions by name"


def flatten(arguments: Mapping[str, object]) -> tuple[dict[str, Array], dict[str, str]]:
    """Return the arrays (float64) and the words that arguments are made of, each by its path.

    Raises ValueError, with the path, for a value that is none of KINDS.
    """
    arrays: dict[str, Array] = {}
    names: dict[str, str] = {}
    for name, value in arguments.items():
        _flatten(name, value, arrays, names)
    return arrays, names


def arguments(arrays: Mapping[str, Array], names: Mapping[str, str], find: Find | None = None) -> dict[str, Any]:
    """Return the arguments, by name, that `flatten` made these arrays and words of.

    Arrays without a word are passed on themselves and may be complex. `find` returns the dataclass or function of a
    name such as "given.Part"; without it, the module is imported.
    """
    roots = dict.fromkeys(root(path) for path in (*names, *arrays))
    return {name: _build(name, arrays, names, find or _import) for name in roots}


def root(path: str) -> str:
    """Return the name of the argument to which a path belongs."""
    return path.partition(".")[0]


def visible_paths(paths: Iterable[str], arguments: Sequence[str], listed: Sequence[str]) -> list[str]:
    """Return which arrays or words a function may see: those `listed`, or without a list those of its arguments."""
    return [path for path in paths if (path in listed if listed else root(path) in arguments)]


def spelled(path: str) -> str:
    """Return a path as it stands in code: layers[0].W for layers.0.W."""
    return re.sub(r"\.(\d+)", r"[\1]", path)


def changes(arguments: Mapping[str, object], arrays: Mapping[str, Array], names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the paths at which arguments are no longer what they were made of."""
    try:
        now, words = flatten(arguments)
    except ValueError:
        return tuple(arguments)
    changed = [path for path in names if words.get(path) != names[path]]
    changed += [path for path in arrays if path not in now or not np.array_equal(now[path], arrays[path])]
    return outermost(changed)


def outermost(paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of the paths that lie in none of the others."""
    return tuple(path for path in paths if not any(path.startswith(f"{other}.") for other in paths))


def _flatten(path: str, value: Any, arrays: dict[str, Array], names: dict[str, str]) -> None:
    if len(path) > MAX_PATH:
        raise ValueError(f"{path[:MAX_PATH]}... is nested too deeply: {MAX_PATH} characters is the longest path")
    kind = type(value)
    children: dict[str, Any] = {}
    if kind is np.ndarray and value.dtype.kind in "fiub":
        arrays[path] = value.astype(np.float64)
        if value.dtype.kind != "f":
            names[path] = "array bool" if value.dtype.kind == "b" else "array int64"
    elif kind is bool or isinstance(value, np.bool_):
        names[path] = f"bool {bool(value)}"
    elif kind is int or isinstance(value, np.integer):
        names[path] = f"int {int(value)}"
    elif kind is float or isinstance(value, np.floating):
        arrays[path], names[path] = np.array(value, dtype=np.float64), "float"
    elif kind is str:
        names[path] = f"str {value}"
    elif value is None:
        names[path] = "none"
    elif kind in (list, tuple):
        names[path] = f"{kind.__name__} {len(value)}"
        children = {str(i): item for i, item in enumerate(value)}
    elif kind is dict and all(type(key) is str and key and not set(key) & set(". \t\n") for key in value):
        names[path] = f"dict {' '.join(value)}"
        children = value
    elif is_dataclass(kind):
        names[path] = f"dataclass {kind.__module__}.{kind.__name__}"
        children = {field.name: getattr(value, field.name) for field in fields(kind) if field.init}
    elif kind is FunctionType and value.__name__.isidentifier():
        names[path] = f"function {value.__module__}.{value.__name__}"
    else:
        what = f"an array of dtype {value.dtype}" if kind is np.ndarray else f"of type {kind.__name__}"
        raise ValueError(f"{path} is {what}, and arguments are made of {KINDS}")
    for name, child in children.items():
        _flatten(f"{path}.{name}", child, arrays, names)


def _build(path: str, arrays: Mapping[str, Array], names: Mapping[str, str], find: Find) -> Any:
    if path not in names:
        return arrays[path]
    kind, _, rest = names[path].partition(" ")

    def children(keys: Iterable[object]) -> list[Any]:
        return [_build(f"{path}.{key}", arrays, names, find) for key in keys]

    match kind:
        case "array":
            return arrays[path].astype(rest)
        case "bool":
            return rest == "True"
        case "int":
            return int(rest)
        case "float":
            return arrays[path].item()
        case "str":
            return rest
        case "none":
            return None
        case "list":
            return children(range(int(rest)))
        case "tuple":
            return tuple(children(range(int(rest))))
        case "dict":
            return dict(zip(rest.split(), children(rest.split()), strict=True))
        case "dataclass":
            keys = [field.name for field in fields(find(rest)) if field.init]
            return find(rest)(**dict(zip(keys, children(keys), strict=True)))
        case "function":
            return find(rest)
    raise ValueError(f"{path}: there is no word {names[path]!r}")


def _import(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)
