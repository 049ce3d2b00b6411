"""Tests of the levels: which is used, what it promises, and the error of a level that does not work."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from autograder.course import LEVELS, Level
from autograder.sandbox.guest import escape_tests, seccomp, zygote
from autograder.sandbox.host import bubblewrap, fork_server, jail, runtime
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import LEVEL_INFO, MIN_SECURE_LEVEL, JailError, at_least

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs levels that only Linux has")


def works(level: Level) -> bool:
    try:
        Jail(level).close()
    except JailError:
        return False
    return True


class TestOrder:
    def test_a_level_is_at_least_itself_and_every_weaker_level(self):
        for number, level in enumerate(LEVELS):
            assert [at_least(level, required) for required in LEVELS] == [False] * number + [True] * (5 - number)
        assert MIN_SECURE_LEVEL == "B"

    def test_every_level_has_a_title_and_one_sentence(self):
        assert tuple(LEVEL_INFO) == LEVELS
        for info in LEVEL_INFO.values():
            assert info.title == info.title.lower()
            assert info.promise.endswith(".")
            assert info.promise.count(". ") == 0


class TestChoice:
    def test_the_strongest_level_that_works_is_used(self):
        with Jail() as strongest:
            assert strongest.level == next(level for level in LEVELS if works(level))

    @ON_LINUX
    def test_a_level_without_a_container_is_used_without_bubblewrap(self, monkeypatch):
        monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
        with Jail() as strongest:
            assert strongest.level in ("B", "D")
        with pytest.raises(JailError, match="bubblewrap is not installed"):
            Jail("A")
        with pytest.raises(JailError, match="bubblewrap is not installed"):
            Jail("C")

    @ON_LINUX
    def test_the_error_of_a_forbidden_bubblewrap_is_reported(self, monkeypatch, tmp_path):
        forbidden = tmp_path / "bwrap"
        forbidden.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2; exit 1\n")
        forbidden.chmod(0o755)
        monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: str(forbidden))
        for level in ("A", "C"):
            with pytest.raises(JailError, match="ended before it ran any: bwrap: No permissions to create"):
                Jail(level)

    @ON_LINUX
    def test_an_unknown_processor_has_no_sealed_level(self, monkeypatch):
        monkeypatch.setattr(fork_server.seccomp, "ARCHITECTURES", {})
        with pytest.raises(JailError, match="this kind of processor"):
            Jail("B")

    @pytest.mark.parametrize("level", ["A", "B", "C"])
    def test_a_fresh_process_is_used_on_other_systems(self, monkeypatch, level):
        monkeypatch.setattr(jail.sys, "platform", "darwin")
        with pytest.raises(JailError, match="needs Linux"):
            Jail(level)
        with Jail() as strongest:
            assert strongest.level == "D"

    def test_a_plain_process_is_used_without_resource_limits(self, monkeypatch):
        monkeypatch.setattr(jail.sys, "platform", "win32")
        monkeypatch.setattr(jail.runtime, "POSIX", False)
        with pytest.raises(JailError, match="no limits"):
            Jail("D")
        assert jail._strongest_level()[0] == "E"

    def test_importing_needs_no_linux(self):
        code = (
            "import ctypes, multiprocessing, psutil, msgpack, numpy, subprocess, sys, sysconfig, tempfile\n"  # not ours
            "paths = sysconfig.get_paths()\n"
            "sys.platform = 'win32'; sys.modules['resource'] = sys.modules['fcntl'] = None\n"
            "import autograder.sandbox.host.jail, autograder.sandbox.host.probe, autograder.sandbox.guest.runner"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@ON_LINUX
class TestEscapes:
    def test_a_level_that_leaks_is_not_used(self, monkeypatch, tmp_path):
        """A copy of the kit without the filter: the error lists what the fork could do."""
        copy = tmp_path / "autograder"
        subprocess.run(["cp", "-r", str(runtime.SANDBOX_FOLDER.parent), str(copy)], check=True)
        lockdown = copy / "sandbox" / "guest" / "lockdown.py"
        text = lockdown.read_text(encoding="utf-8")
        lockdown.write_text(text.replace("linux.prctl(linux.PR_SET_SECCOMP, 2, _address(head))", "pass"))
        monkeypatch.setattr(runtime, "SANDBOX_FOLDER", copy / "sandbox")
        with pytest.raises(JailError, match=r"a sealed process can still .*open a connection"):
            Jail("B")

    def test_the_escape_tests_succeed_outside_of_a_jail(self, tmp_path):
        code = "from autograder.sandbox.guest import escape_tests; escape_tests.MUST_FAIL.pop('run a program')\n"
        code += "print(*escape_tests.successful_escapes(), sep='\\n')"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
        possible = {"list the files of the system", "read a file of the system", "write a file", "open a connection"}
        possible |= {"start a process", "read the CPU clock of its parent", "tell the processors of its parent"}
        assert possible | {"set its limits", "make machine code"} <= set(done.stdout.splitlines())
        assert len(escape_tests.MUST_FAIL) == 15

    def test_this_processor_is_known(self):
        assert os.uname().machine in seccomp.ARCHITECTURES


@ON_LINUX
class TestUsers:
    def test_two_zygotes_get_different_users(self):
        users = [fork_server.private_users() for _ in range(20)]
        for column in range(2):
            assert len({pair[column] for pair in users}) == 20
        assert all(1_879_048_192 <= large < 2**31 - 1 and 60_706 <= small <= 61_183 for large, small in users)

    def test_root_drops_to_another_user(self):
        if os.getuid() != 0:
            pytest.skip("only root can become somebody else")
        code = """
        import os, sys
        from pathlib import Path
        from autograder.sandbox.guest import zygote
        hidden = Path(sys.argv[1]); hidden.write_text("a"); hidden.chmod(0o600)
        readable = Path(sys.argv[2]); readable.write_text("a"); readable.chmod(0o644)
        assert zygote.drop_to_user(1_879_048_200, hidden) is False and os.getresuid() == os.getresgid() == (0, 0, 0)
        assert zygote.drop_to_user(1_879_048_200, readable) is True
        assert os.getresuid() == os.getresgid() == (1_879_048_200,) * 3 and os.getgroups() == []
        """
        code = "\n".join(line[8:] for line in code.splitlines())

        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            subprocess.run(
                [sys.executable, "-c", code, f"{folder}/hidden", f"{folder}/readable"], check=True, timeout=60
            )
        assert zygote.CONTROL_FD < zygote.RULESET_FD
