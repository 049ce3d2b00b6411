"""What `autograder doctor` is told: which levels work here, and what would help where one does not."""

from __future__ import annotations

import re

import pytest

from autograder.course import LEVELS
from autograder.sandbox.host import probe
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import JailError


def test_every_level_is_examined_by_using_it():
    findings = probe.probe_levels()
    assert tuple(finding.level for finding in findings) == LEVELS
    for finding in findings:
        if finding.works:
            Jail(finding.level).close()
            assert (finding.reason, finding.advice) == ("", "")
            assert finding.note == "" or finding.note.endswith(".")
        else:
            with pytest.raises(JailError, match=re.escape(finding.reason)):
                Jail(finding.level)
    assert findings[-1].works


@pytest.fixture
def nothing_works(monkeypatch, tmp_path):
    """A Linux machine on which no level works, with settings of its own."""

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
    return next(finding.advice for finding in probe.probe_levels() if finding.level == level)


def test_the_reason_is_told(nothing_works):
    assert {finding.reason for finding in probe.probe_levels()} == {"something went wrong"}


def test_bubblewrap_is_to_be_installed(nothing_works, monkeypatch):
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


def test_where_no_setting_forbids_it_a_container_does(nothing_works):
    assert "Inside a container" in advice("A")


@pytest.mark.parametrize(("release", "word"), [("5.4.0-1", "newer Linux kernel"), ("6.1.0", "Turn Landlock on")])
def test_without_landlock_the_kernel_is_to_be_changed(nothing_works, monkeypatch, release, word):
    monkeypatch.setattr(probe.lockdown, "landlock_abi", lambda: 0)
    monkeypatch.setattr(probe.platform, "release", lambda: release)
    assert word in advice("A")
    assert word in advice("B")
    assert word not in advice("C")


def test_another_processor_is_needed_for_sealed_levels(nothing_works, monkeypatch):
    monkeypatch.setattr(probe.platform, "machine", lambda: "riscv64")
    assert "processor" in advice("B")


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_elsewhere_linux_is_the_advice(nothing_works, monkeypatch, system):
    monkeypatch.setattr(probe.sys, "platform", system)
    assert [finding.advice != "" for finding in probe.probe_levels()] == [True] * 3 + [False] * 2
    assert "Linux" in advice("B")


def test_advice_is_sentences(nothing_works):
    for level in LEVELS:
        text = advice(level)
        assert text == "" or text.endswith((".", ")."))
