"""Untrusted side: the gaps in memory, taken before others are forked from a process.

A fork gets a page of its own, copied, for every page that it writes to. Python and the C library hand out gaps between
what was loaded, which lie everywhere, so that a fork would write a little to very many pages. Once the gaps are taken,
what it makes lies together, on few. Where memory is handed out in other ways, less is gained, and nothing lost.
"""

from __future__ import annotations

import os

from autograder.sandbox.guest import linux

_STEP, _LARGEST = 16, 512  # sizes in bytes of what Python keeps in pools, a size to a pool; the C library has the rest
_POOL, _START = 16 << 10, 128  # bytes in a pool, and in how many of them the first objects of small sizes begin
_SIZES = (*range(64 << 10, 8 << 10, -4096), *range(8 << 10, 1024, -512), *range(1024, 0, -16))  # of the C library's
_BEHIND = 120_000  # bytes, less than what the C library gets from the system each time
_EMPTY = b"".__sizeof__()
_ENOUGH = 256 << 10  # bytes of one size
_TRIES = 200  # to get behind the largest gaps


def take() -> list[object]:
    """Take all gaps, for as long as what is returned is kept; those of the C library for good."""
    if "CS_GNU_LIBC_VERSION" in os.confstr_names:
        _take_from_library()
    return [taken for size in range(_STEP, _LARGEST + 1, _STEP) for taken in _from_pools(size)]


def _from_pools(size: int) -> list[object]:
    """Objects of one size, the last two of them side by side where a pool starts, or as many as are enough."""
    taken: list[object] = [_object(size), _object(size)]
    while len(taken) * size < _ENOUGH and not (
        id(taken[-2]) % _POOL < _START and id(taken[-1]) - id(taken[-2]) == size
    ):
        taken.append(_object(size))
    return taken


def _object(size: int) -> object:
    if size > _EMPTY:
        return bytes(size - _EMPTY)
    return complex(size) if size > _STEP else object()


def _take_from_library() -> None:
    """Blocks of every size, until one lies behind all that the library had before."""
    end = linux.end_of_heap()
    behind = linux.allocate(_BEHIND)
    for _ in range(_TRIES):
        if behind + _BEHIND > end:
            break
        behind = linux.allocate(_BEHIND)
    for size in _SIZES:
        for _ in range(_ENOUGH // size):
            if linux.allocate(size) > behind:
                break
    linux.release(behind)
