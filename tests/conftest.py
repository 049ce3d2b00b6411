"""Settings that every test shares."""

from __future__ import annotations

import pytest
from hypothesis import settings

# The time that an example takes depends on the machine, and says nothing about the property.
settings.register_profile("untimed", parent=settings.default, deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first: at the end of a run in several processes, none waits long for another."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
