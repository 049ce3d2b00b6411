"""With the gaps of memory taken, what is made next lies together."""

from __future__ import annotations

import platform
import sys

import pytest

from autograder.sandbox import gaps, system

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="gaps are taken as glibc hands them out"
)

COUNT, EVERY, PAGE = 40, 100, 4096


def pages(addresses: list[int]) -> int:
    """On how many pages these addresses lie."""
    return len({address // PAGE for address in addresses})


@pytest.mark.parametrize("taken", [False, True])
def test_objects_of_python(taken: bool) -> None:
    size = 112 - b"".__sizeof__()
    made: list[bytes | None] = [bytes(size) for _ in range(EVERY * COUNT)]
    made[::EVERY] = [None] * COUNT
    kept = gaps.take() if taken else []
    found = pages([id(one) for one in [bytes(size) for _ in range(COUNT)]])
    assert found <= 3 if taken else found > COUNT // 2
    del kept


@pytest.mark.parametrize("taken", [False, True])
def test_memory_of_the_c_library(taken: bool) -> None:
    made = [system.allocate(600) for _ in range(EVERY * COUNT)]
    for address in made[::EVERY]:
        system.release(address)
    del made[::EVERY]
    if taken:
        gaps.take()
    found = [system.allocate(600) for _ in range(COUNT)]
    assert pages(found) <= 10 if taken else pages(found) > COUNT // 2
    for address in (*made, *found):
        system.release(address)


def test_where_memory_is_handed_out_in_other_ways_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "allocate", lambda size: -size)
    monkeypatch.setattr(system, "release", lambda _: None)
    monkeypatch.setattr(gaps, "_FIRST", -1)
    assert sum(one.__sizeof__() for one in gaps.take()) <= gaps._ENOUGH * gaps._LARGEST // gaps._STEP
