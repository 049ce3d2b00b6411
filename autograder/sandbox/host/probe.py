"""Trusted side: which levels of isolation work on this machine, and what the others lack. Found out by trying them."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.guest import lockdown, seccomp
from autograder.sandbox.host.jail import processes_at
from autograder.sandbox.host.levels import LEVELS, JailError, Level

_SETTINGS = Path("/proc/sys")


@dataclass(frozen=True)
class Finding:
    """Whether a level works here. If not: why, and what to install or set, as a sentence; empty where nothing helps.

    `note` is a sentence about what could be better where it does work.
    """

    level: Level
    works: bool
    reason: str = ""
    advice: str = ""
    note: str = ""


def examine() -> tuple[Finding, ...]:
    """A finding for every level, strongest first."""
    return tuple(_examined(level) for level in LEVELS)


def _examined(level: Level) -> Finding:
    try:
        processes = processes_at(level)
    except JailError as error:
        return Finding(level, works=False, reason=str(error), advice=_advice(level))
    processes.close()
    return Finding(level, works=True, note=processes.note)


def _advice(level: Level) -> str:
    if sys.platform != "linux":
        return "Grade on Linux: a virtual machine, a container or WSL 2 will do." if level in "ABC" else ""
    parts = []
    if level in "AB":
        parts.append(_about_landlock())
    if level in "AC":
        parts.append(_about_bubblewrap())
    return " ".join(part for part in parts if part)


def _about_landlock() -> str:
    if platform.machine() not in seccomp.MACHINES:
        return "Use a machine with an x86-64 or 64-bit ARM processor."
    if lockdown.landlock_abi():
        return ""
    if _kernel() < (5, 13):
        return "Use a newer Linux kernel: Landlock came with 5.13."
    return (
        "Turn Landlock on: add it to the list after lsm= among the kernel's parameters (the list in force is in "
        "/sys/kernel/security/lsm). In a container, the machine that runs it decides, and gVisor has no Landlock."
    )


def _about_bubblewrap() -> str:
    if shutil.which("bwrap") is None:
        return "Install bubblewrap: apt-get install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora)."
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "Let users make containers: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)."
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return "Let users make containers: sudo sysctl kernel.unprivileged_userns_clone=1 (Debian)."
    if _setting("user/max_user_namespaces") == "0":
        return "Let users make containers: sudo sysctl user.max_user_namespaces=10000."
    return "Inside a container that forbids containers, as Docker's do, this is what there is: run it outside."


def _setting(name: str) -> str | None:
    try:
        return (_SETTINGS / name).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _kernel() -> tuple[int, ...]:
    return tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2] if part.isdigit())
