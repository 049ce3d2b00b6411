"""Untrusted side: the gaps in memory, taken before others are forked from a process.

A fork gets a page of its own, copied, for every page that it writes to. Python and the C library hand out gaps between
what was loaded, which lie everywhere, so that a fork would write a little to very many pages. Once the gaps are taken,
what it makes lies together, on few. Where memory is handed out in other ways, less is gained, and nothing lost.
"""

from __future__ import annotations

import os

from autograder.sandbox.guest import linux

_POOL_STEP, _MAX_POOLED_SIZE = (
    16,
    512,
)  # sizes in bytes of what Python keeps in pools, a size to a pool; the C library has the rest
_POOL_BYTES, _START = 16 << 10, 128  # bytes in a pool, and in how many of them the first objects of small sizes begin
_MALLOC_SIZES = (
    *range(64 << 10, 8 << 10, -4096),
    *range(8 << 10, 1024, -512),
    *range(1024, 0, -16),
)  # of the C library's
_TOP_BLOCK_BYTES = 120_000  # bytes, less than what the C library gets from the system each time
_BYTES_OVERHEAD = b"".__sizeof__()
_MAX_BYTES_PER_SIZE = 256 << 10  # bytes of one size
_MAX_TRIES = 200  # to get behind the largest gaps


def fill_heap_holes() -> list[object]:
    """Take all gaps, for as long as what is returned is kept; those of the C library for good."""
    if "CS_GNU_LIBC_VERSION" in os.confstr_names:
        _fill_malloc_holes()
    return [taken for size in range(_POOL_STEP, _MAX_POOLED_SIZE + 1, _POOL_STEP) for taken in _fill_pools(size)]


def _fill_pools(size: int) -> list[object]:
    """Objects of one size, the last two of them side by side where a pool starts, or as many as are enough."""
    objects: list[object] = [_object_of_size(size), _object_of_size(size)]
    while len(objects) * size < _MAX_BYTES_PER_SIZE and not (
        id(objects[-2]) % _POOL_BYTES < _START and id(objects[-1]) - id(objects[-2]) == size
    ):
        objects.append(_object_of_size(size))
    return objects


def _object_of_size(size: int) -> object:
    if size > _BYTES_OVERHEAD:
        return bytes(size - _BYTES_OVERHEAD)
    return complex(size) if size > _POOL_STEP else object()


def _fill_malloc_holes() -> None:
    """Blocks of every size, until one lies behind all that the library had before."""
    end = linux.heap_end()
    top_block = linux.allocate(_TOP_BLOCK_BYTES)
    for _ in range(_MAX_TRIES):
        if top_block + _TOP_BLOCK_BYTES > end:
            break
        top_block = linux.allocate(_TOP_BLOCK_BYTES)
    for size in _MALLOC_SIZES:
        for _ in range(_MAX_BYTES_PER_SIZE // size):
            if linux.allocate(size) > top_block:
                break
    linux.release(top_block)
