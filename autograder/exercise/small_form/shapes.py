"""Shapes in symbols: from shapes seen at several sizes, such as (4, 2) at T = 3 and H = 2, to "(T+1, H)"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

Shape = tuple[int, ...]
Sizes = Mapping[str, int]


def symbolic_shape(shapes_by_sizes: Sequence[tuple[Sizes, Shape]]) -> str | None:
    """Return the shape of a result in the names of the sizes, such as "(N, K)"; None if nothing simple fits.

    `seen` holds the sizes of each case with the shape that the result has there.
    """
    ranks = {len(shape) for _, shape in shapes_by_sizes}
    if len(ranks) != 1:
        return None
    axes = [_symbol([(sizes, shape[axis]) for sizes, shape in shapes_by_sizes]) for axis in range(ranks.pop())]
    if any(axis is None for axis in axes):
        return None
    return f"({', '.join(map(str, axes))}{',' if len(axes) == 1 else ''})"


def _symbol(shapes_by_sizes: Sequence[tuple[Sizes, int]]) -> str | None:
    names = [name for name in shapes_by_sizes[0][0] if all(name in sizes for sizes, _ in shapes_by_sizes)]
    for symbol, values in _expressions(names, [sizes for sizes, _ in shapes_by_sizes]):
        if values == [length for _, length in shapes_by_sizes]:
            return symbol
    return None


def _expressions(names: Sequence[str], sizes: Sequence[Sizes]) -> Iterator[tuple[str, list[int]]]:
    """Yield what a length may be, the simplest first: its symbol, and its value at each of the sizes."""
    values = {name: [each[name] for each in sizes] for name in names}
    for name in names:
        yield name, values[name]
    for number in range(10):
        yield str(number), [number] * len(sizes)
    for name in names:
        yield f"{name}+1", [value + 1 for value in values[name]]
        yield f"{name}-1", [value - 1 for value in values[name]]
        yield f"2{name}", [2 * value for value in values[name]]
    for first, second in combinations(names, 2):
        yield f"{first}+{second}", [a + b for a, b in zip(values[first], values[second], strict=True)]
        yield f"{first}{second}", [a * b for a, b in zip(values[first], values[second], strict=True)]
