"""Tests of heap_fill: after filling the holes, new objects lie together. Each test uses a Python process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autograder.sandbox.guest import heap_fill, linux

pytestmark = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="holes are filled as glibc allocates"
)

COUNT, PAGE = 40, 4096

OBJECTS = """
size = 112 - b"".__sizeof__()
objects = [bytes(size) for _ in range(4000)]
objects[::100] = [None] * 40
fillers = heap_fill.fill_heap_holes() if fill else []
new_objects = [bytes(size) for _ in range(40)]
print(*map(id, new_objects))
"""
BLOCKS = """
large = [linux.allocate(LARGE) for _ in range(20)]
small = [linux.allocate(600) for _ in range(4000)]
for address in (*small[::100], *large[::2]):
    linux.release(address)
if fill:
    heap_fill.fill_heap_holes()
print(*(linux.allocate(600) for _ in range(40)))
"""


def count_pages(script: str, fill: bool) -> int:
    """Return on how many pages the addresses lie that a script prints."""
    script = f"from autograder.sandbox.guest import heap_fill, linux\nfill = {fill}\n{script}"
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "4000000"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    addresses = [int(word) for word in done.stdout.split()]
    assert len(addresses) == COUNT
    return len({address // PAGE for address in addresses})


def test_python_objects_lie_together() -> None:
    assert count_pages(OBJECTS, fill=True) <= 3
    assert count_pages(OBJECTS, fill=False) > COUNT // 2


@pytest.mark.parametrize("large", ["50_000", "130_000", "400_000", "2_000_000"])
def test_blocks_of_the_c_library_lie_together(large: str) -> None:
    assert count_pages(BLOCKS.replace("LARGE", large), fill=True) <= 8


def test_blocks_lie_everywhere_without_filling() -> None:
    assert count_pages(BLOCKS.replace("LARGE", "50_000"), fill=False) > COUNT // 2


@pytest.mark.parametrize("address", [0, -1, 1 << 60])
def test_filling_ends_with_any_other_allocator(monkeypatch: pytest.MonkeyPatch, address: int) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(linux, "allocate", lambda size: sizes.append(size) or address * len(sizes))
    monkeypatch.setattr(linux, "release", lambda _: None)
    monkeypatch.setattr(heap_fill, "_START", -1)
    filled_bytes = sum(filler.__sizeof__() for filler in heap_fill.fill_heap_holes())
    most_per_size = heap_fill._MAX_BYTES_PER_SIZE + heap_fill._MAX_POOLED_SIZE
    assert filled_bytes <= most_per_size * heap_fill._MAX_POOLED_SIZE // heap_fill._POOL_STEP
    top_blocks = heap_fill._TOP_BLOCK_BYTES * (heap_fill._MAX_TRIES + 1)
    assert sum(sizes) <= heap_fill._MAX_BYTES_PER_SIZE * len(heap_fill._MALLOC_SIZES) + top_blocks
