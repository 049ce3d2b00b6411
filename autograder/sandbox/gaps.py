"""Untrusted side: the gaps in memory, taken before others are forked from a process.

A fork gets a page of its own, copied, for every page that it writes to. Python and the C library hand out gaps between
what was loaded, which lie everywhere, so that a fork would write a little to very many pages. Once the gaps are taken,
what it makes lies together, on few.
"""

from __future__ import annotations

from autograder.sandbox import system

_STEP, _LARGEST = 16, 512  # sizes in bytes of what Python keeps in pools, a size to a pool; the C library has the rest
_POOL, _FIRST = 16 << 10, 48  # bytes in a pool, and where in it the first object lies
_SIZES = (*range(64 << 10, 8 << 10, -4096), *range(8 << 10, 1024, -512), *range(1024, 16, -16))  # of the C library's
_BEHIND = 120_000  # bytes, more than gaps have, less than what the C library keeps by itself
_EMPTY = b"".__sizeof__()
_ENOUGH = 256 << 10  # bytes of one size: elsewhere memory may be handed out in other ways


def take() -> list[object]:
    """Take all gaps, for as long as what is returned is kept; those of the C library for good."""
    _take_from_library()
    return [taken for size in range(_STEP, _LARGEST + 1, _STEP) for taken in _from_pools(size)]


def _from_pools(size: int) -> list[object]:
    """Objects of one size, the last two of them the first ones in a pool."""
    taken: list[object] = [_object(size), _object(size)]
    while len(taken) * size < _ENOUGH and (id(taken[-2]) % _POOL, id(taken[-1]) % _POOL) != (_FIRST, _FIRST + size):
        taken.append(_object(size))
    return taken


def _object(size: int) -> object:
    if size > _EMPTY:
        return bytes(size - _EMPTY)
    return float(size) if size > _STEP else object()


def _take_from_library() -> None:
    behind = system.allocate(_BEHIND)
    for size in _SIZES:
        for _ in range(_ENOUGH // size):
            if system.allocate(size) > behind:
                break
    system.release(behind)
