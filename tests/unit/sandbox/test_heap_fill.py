"""With the gaps of memory taken, what is made next lies together. Each is tried in a Python of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autograder.sandbox.guest import heap_fill, linux

pytestmark = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="gaps are taken as glibc hands them out"
)

COUNT, PAGE = 40, 4096

OBJECTS = """
size = 112 - b"".__sizeof__()
made = [bytes(size) for _ in range(4000)]
made[::100] = [None] * 40
kept = heap_fill.fill_heap_holes() if taken else []
found = [bytes(size) for _ in range(40)]
print(*map(id, found))
"""
BLOCKS = """
large = [linux.allocate(LARGE) for _ in range(20)]
made = [linux.allocate(600) for _ in range(4000)]
for address in (*made[::100], *large[::2]):
    linux.release(address)
if taken:
    heap_fill.fill_heap_holes()
print(*(linux.allocate(600) for _ in range(40)))
"""


def pages(script: str, taken: bool) -> int:
    """On how many pages lies what a script makes at last, whose addresses it prints."""
    script = f"from autograder.sandbox.guest import heap_fill, linux\ntaken = {taken}\n{script}"
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "4000000"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    addresses = [int(word) for word in done.stdout.split()]
    assert len(addresses) == COUNT
    return len({address // PAGE for address in addresses})


def test_objects_of_python() -> None:
    assert pages(OBJECTS, taken=True) <= 3
    assert pages(OBJECTS, taken=False) > COUNT // 2


@pytest.mark.parametrize("large", ["50_000", "130_000", "400_000", "2_000_000"])
def test_memory_of_the_c_library(large: str) -> None:
    assert pages(BLOCKS.replace("LARGE", large), taken=True) <= 8


def test_without_that_it_lies_everywhere() -> None:
    assert pages(BLOCKS.replace("LARGE", "50_000"), taken=False) > COUNT // 2


@pytest.mark.parametrize("address", [0, -1, 1 << 60])
def test_where_memory_is_handed_out_in_other_ways_it_ends(monkeypatch: pytest.MonkeyPatch, address: int) -> None:
    asked: list[int] = []
    monkeypatch.setattr(linux, "allocate", lambda size: asked.append(size) or address * len(asked))
    monkeypatch.setattr(linux, "release", lambda _: None)
    monkeypatch.setattr(heap_fill, "_START", -1)
    made = sum(one.__sizeof__() for one in heap_fill.fill_heap_holes())
    assert (
        made
        <= (heap_fill._MAX_BYTES_PER_SIZE + heap_fill._MAX_POOLED_SIZE)
        * heap_fill._MAX_POOLED_SIZE
        // heap_fill._POOL_STEP
    )
    assert sum(asked) <= heap_fill._MAX_BYTES_PER_SIZE * len(heap_fill._MALLOC_SIZES) + heap_fill._TOP_BLOCK_BYTES * (
        heap_fill._MAX_TRIES + 1
    )
