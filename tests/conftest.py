"""Settings that every test shares."""

from __future__ import annotations

from hypothesis import settings

# The time that an example takes depends on the machine, and says nothing about the property.
settings.register_profile("untimed", parent=settings.default, deadline=None)
settings.load_profile("untimed")
