"""Fills the holes in the heap of a process before others are forked from it.

A fork copies every page that it writes to. Python and the C library allocate in the holes between what was loaded,
which lie everywhere, so a fork would write a little to very many pages. With the holes filled, what it allocates lies
together on few pages. With another allocator, less is gained and nothing lost.
"""

from __future__ import annotations

import os

from autograder.sandbox.guest import linux

# Python allocates objects up to this size in pools, each for one size, in steps; the C library allocates the rest.
_POOL_STEP, _MAX_POOLED_SIZE = 16, 512
_POOL_BYTES, _START = 16 << 10, 128  # the first object of a pool lies within its first _START bytes
_MALLOC_SIZES = (*range(64 << 10, 8 << 10, -4096), *range(8 << 10, 1024, -512), *range(1024, 0, -16))
_TOP_BLOCK_BYTES = 120_000  # less than what the C library gets from the system each time
_BYTES_OVERHEAD = b"".__sizeof__()
_MAX_BYTES_PER_SIZE = 256 << 10
_MAX_TRIES = 200  # to get behind the largest holes


def fill_heap_holes() -> list[object]:
    """Fill the holes: Python's as long as the result is referenced, those of the C library for good."""
    if "CS_GNU_LIBC_VERSION" in os.confstr_names:
        _fill_malloc_holes()
    return [filler for size in range(_POOL_STEP, _MAX_POOLED_SIZE + 1, _POOL_STEP) for filler in _fill_pools(size)]


def _fill_pools(size: int) -> list[object]:
    """Return objects of one size: so many that the last two start a fresh pool, or up to a limit."""
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
    """Allocate blocks of every size until one lies above all memory that the C library had before."""
    # A large block is allocated until it extends beyond the old end of the heap; then no hole can hold one of its size.
    end = linux.heap_end()
    top_block = linux.allocate(_TOP_BLOCK_BYTES)
    for _ in range(_MAX_TRIES):
        if top_block + _TOP_BLOCK_BYTES > end:
            break
        top_block = linux.allocate(_TOP_BLOCK_BYTES)
    # Smaller sizes follow, largest first, each until it no longer fits into a hole below that block.
    for size in _MALLOC_SIZES:
        for _ in range(_MAX_BYTES_PER_SIZE // size):
            if linux.allocate(size) > top_block:
                break
    linux.release(top_block)
