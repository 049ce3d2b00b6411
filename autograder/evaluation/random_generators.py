"""Many random generators at once: those of np.random.default_rng(key), each made in a sixth of the time.

numpy mixes the numbers of a key into the state of a generator by an algorithm that it promises never to change
(np.random.SeedSequence, after M. E. O'Neill, "Developing a seed_seq alternative"). It does so for one key at a time;
a class with a seed for each student needs dozens of them for each, so here the same algorithm runs on arrays of keys.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random.bit_generator import ISeedSequence

Words = npt.NDArray[np.uint32]
Constants = Iterator[tuple[np.uint32, np.uint32]]

_POOL_SIZE = 4
_STATE_WORDS = 8  # of 32 bits: what PCG64 asks for
_XSHIFT = np.uint32(16)
_MIX_LEFT, _MIX_RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_HASH_IN, _HASH_OUT = (0x43B0D7E5, 0x931E8875), (0x8B51F9DD, 0x58F38DED)  # where the constants begin, and their factor


def generators(keys: Sequence[Sequence[int]]) -> list[np.random.Generator]:
    """Return np.random.default_rng(key) for each key, a sequence of whole numbers that are not negative."""
    rows = [tuple(itertools.chain.from_iterable(map(_words, key))) for key in keys]
    longest = max(map(len, rows), default=0)
    entropy = np.array([row + (0,) * (longest - len(row)) for row in rows], np.uint32).reshape(len(rows), longest)
    states = _states(_pool(entropy, np.array([len(row) for row in rows])))
    seeds = map(_GivenState, states)
    return [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]  # type: ignore[arg-type]  # stubs know fewer


@dataclass(frozen=True)
class _GivenState(ISeedSequence):
    """A seed sequence whose state is known."""

    state: npt.NDArray[np.uint64]

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> npt.NDArray[Any]:
        assert (n_words, dtype) == (len(self.state), np.uint64)
        return self.state


@lru_cache(1000)  # the keys of a class are made of few numbers: its seeds, and the ids of cases
def _words(number: int) -> tuple[int, ...]:
    """Return a number as words of 32 bits, the lowest first."""
    return tuple(number >> shift & 0xFFFFFFFF for shift in range(0, max(1, number.bit_length()), 32))


def _pool(entropy: Words, lengths: npt.NDArray[np.int64]) -> list[Words]:
    """Return the pool of each key, as a list of its words."""
    constants, columns = _constants(*_HASH_IN), list(entropy.T)
    columns += [np.zeros(len(entropy), np.uint32)] * (_POOL_SIZE - len(columns))
    pool = [_hash(word, constants) for word in columns[:_POOL_SIZE]]
    for source, target in itertools.permutations(range(_POOL_SIZE), 2):
        pool[target] = _mix(pool[target], _hash(pool[source], constants))
    for place, word in enumerate(columns[_POOL_SIZE:], _POOL_SIZE):  # of long keys
        mixed = [_mix(target, _hash(word, constants)) for target in pool]
        pool = [np.where(place < lengths, new, old) for new, old in zip(mixed, pool, strict=True)]
    return pool


def _states(pool: Sequence[Words]) -> npt.NDArray[np.uint64]:
    """Return the state of each pool, a row for each."""
    constants = _constants(*_HASH_OUT)
    words = [_hash(pool[i % _POOL_SIZE], constants).astype(np.uint64) for i in range(_STATE_WORDS)]
    pairs = zip(words[::2], words[1::2], strict=True)
    return np.stack([low | high << np.uint64(32) for low, high in pairs], axis=1)


def _constants(first: int, factor: int) -> Constants:
    powers = itertools.accumulate(itertools.repeat(factor), lambda last, by: last * by & 0xFFFFFFFF, initial=first)
    return itertools.pairwise(map(np.uint32, powers))


def _hash(words: Words, constants: Constants) -> Words:
    constant, following = next(constants)
    mixed: Words = (words ^ constant) * following
    return mixed ^ mixed >> _XSHIFT


def _mix(left: Words, right: Words) -> Words:
    mixed: Words = left * _MIX_LEFT - right * _MIX_RIGHT
    return mixed ^ mixed >> _XSHIFT
