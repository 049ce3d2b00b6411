"""Tries every level of isolation on this machine, and says what is missing for those that do not work."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from autograder.course import LEVELS, Level
from autograder.sandbox.guest import lockdown, seccomp
from autograder.sandbox.host.jail import process_factory
from autograder.sandbox.host.levels import JailError

_SYSCTL = Path("/proc/sys")


@dataclass(frozen=True)
class LevelProbe:
    """Whether a level works here. If not: why, and a sentence on what to install or set, empty if nothing helps.

    `note` is a sentence on what could be better for a level that works.
    """

    level: Level
    works: bool
    reason: str = ""
    advice: str = ""
    note: str = ""


def probe_levels() -> tuple[LevelProbe, ...]:
    """Probe every level, strongest first."""
    return tuple(probe_level(level) for level in LEVELS)


def probe_level(level: Level) -> LevelProbe:
    """Try a level, and say what is missing if it does not work."""
    try:
        factory = process_factory(level)
    except JailError as error:
        return LevelProbe(level, works=False, reason=str(error), advice=_advice(level))
    factory.close()
    return LevelProbe(level, works=True, note=factory.note)


def _advice(level: Level) -> str:
    if sys.platform != "linux":
        return "Grade on Linux: a virtual machine, a container or WSL 2 will do." if level in "ABC" else ""
    parts = [_landlock_advice() if level in "AB" else "", _bubblewrap_advice() if level in "AC" else ""]
    return " ".join(filter(None, parts))


def _landlock_advice() -> str:
    if platform.machine() not in seccomp.ARCHITECTURES:
        return "Use a machine with an x86-64 or 64-bit ARM processor."
    if lockdown.landlock_abi():
        return ""
    if _kernel_version() < (5, 13):
        return "Use a newer Linux kernel: Landlock came with 5.13."
    return (
        "Turn Landlock on: add it to the list after lsm= among the kernel's parameters (the list in force is in "
        "/sys/kernel/security/lsm). In a container, the machine that runs it decides, and gVisor has no Landlock."
    )


def _bubblewrap_advice() -> str:
    if shutil.which("bwrap") is None:
        return "Install bubblewrap: apt-get install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora)."
    if _read_setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "Let users make containers: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)."
    if _read_setting("kernel/unprivileged_userns_clone") == "0":
        return "Let users make containers: sudo sysctl kernel.unprivileged_userns_clone=1 (Debian)."
    if _read_setting("user/max_user_namespaces") == "0":
        return "Let users make containers: sudo sysctl user.max_user_namespaces=10000."
    return "This container forbids containers, as Docker's do: run the kit outside of it to reach this level."


def _read_setting(name: str) -> str | None:
    try:
        return (_SYSCTL / name).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _kernel_version() -> tuple[int, ...]:
    return tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2] if part.isdigit())
