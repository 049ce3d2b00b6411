"""A cache with an upper limit on its entries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Values by key, at most `max_entries` of them; the entry that was not asked for longest goes first."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: OrderedDict[K, V] = OrderedDict()  # a dict takes long to find its first entry after deletions

    def lookup(self, key: K) -> V | None:
        """Return the value of a key, None if there is none."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def store(self, key: K, value: V) -> V:
        """Keep a value, and return it."""
        if key not in self._entries and len(self._entries) >= self._max_entries:
            self._entries.popitem(last=False)
        self._entries[key] = value
        return value

    def get(self, key: K, compute: Callable[[], V]) -> V:
        """Return the value of a key; compute and store it if there is none."""
        if key not in self._entries:
            return self.store(key, compute())
        self._entries.move_to_end(key)
        return self._entries[key]

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)
