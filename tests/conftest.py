"""Settings that every test shares."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says something about the machine, nothing about the law.
settings.register_profile("untimed", parent=settings.default, deadline=None)
settings.load_profile("untimed")
