"""Tests of probe: which levels work on this machine, and what would help if one does not."""

from __future__ import annotations

import re

import pytest

from autograder.course import LEVELS
from autograder.sandbox.host import probe
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import JailError


def test_every_level_is_probed_by_using_it():
    results = probe.probe_levels()
    assert tuple(result.level for result in results) == LEVELS
    for result in results:
        if result.works:
            Jail(result.level).close()
            assert (result.reason, result.advice) == ("", "")
            assert result.note == "" or result.note.endswith(".")
        else:
            with pytest.raises(JailError, match=re.escape(result.reason)):
                Jail(result.level)
    assert results[-1].works


@pytest.fixture
def nothing_works(monkeypatch, tmp_path):
    """Pretend to be on a Linux machine on which no level works; the folder holds its kernel settings."""

    def refuse(level):
        raise JailError("something went wrong")

    monkeypatch.setattr(probe, "process_factory", refuse)
    monkeypatch.setattr(probe.sys, "platform", "linux")
    monkeypatch.setattr(probe.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(probe.lockdown, "landlock_abi", lambda: 7)
    monkeypatch.setattr(probe, "_SYSCTL", tmp_path)
    for folder in ("kernel", "user"):
        (tmp_path / folder).mkdir()
    return tmp_path


def advice(level: str) -> str:
    return next(result.advice for result in probe.probe_levels() if result.level == level)


def test_the_reason_is_reported(nothing_works):
    assert {result.reason for result in probe.probe_levels()} == {"something went wrong"}


def test_the_advice_is_to_install_bubblewrap(nothing_works, monkeypatch):
    monkeypatch.setattr(probe.shutil, "which", lambda name: None)
    for level in "AC":
        assert "apt-get install bubblewrap" in advice(level)
    assert "bubblewrap" not in advice("B")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1"),
        ("kernel/unprivileged_userns_clone", "0"),
        ("user/max_user_namespaces", "0"),
    ],
)
def test_a_setting_that_forbids_containers_is_named(nothing_works, setting, value):
    (nothing_works / setting).write_text(f"{value}\n")
    assert f"sysctl {setting.replace('/', '.')}=" in advice("A")
    assert "sysctl" not in advice("B")


def test_a_container_is_blamed_if_no_setting_forbids_it(nothing_works):
    assert "This container forbids containers" in advice("A")


@pytest.mark.parametrize(("release", "word"), [("5.4.0-1", "newer Linux kernel"), ("6.1.0", "Turn Landlock on")])
def test_the_advice_without_landlock_is_about_the_kernel(nothing_works, monkeypatch, release, word):
    monkeypatch.setattr(probe.lockdown, "landlock_abi", lambda: 0)
    monkeypatch.setattr(probe.platform, "release", lambda: release)
    assert word in advice("A")
    assert word in advice("B")
    assert word not in advice("C")


def test_sealed_levels_need_another_processor(nothing_works, monkeypatch):
    monkeypatch.setattr(probe.platform, "machine", lambda: "riscv64")
    assert "processor" in advice("B")


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_the_advice_on_other_systems_is_linux(nothing_works, monkeypatch, system):
    monkeypatch.setattr(probe.sys, "platform", system)
    assert [result.advice != "" for result in probe.probe_levels()] == [True] * 3 + [False] * 2
    assert "Linux" in advice("B")


def test_advice_consists_of_sentences(nothing_works):
    for level in LEVELS:
        text = advice(level)
        assert text == "" or text.endswith((".", ")."))
