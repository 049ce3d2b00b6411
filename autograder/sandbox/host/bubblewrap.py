"""Runs a command in a container of bubblewrap: no network, no other process, only the files that Python needs.

Which files these are differs between a virtual environment, pyenv, conda and the Python of a distribution. So the
folders of this Python and of numpy are mounted, and exactly those shared libraries that the dynamic loader lists, all
of them at the same paths everywhere.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from autograder.sandbox.host import runtime
from autograder.sandbox.host.levels import JailError

_HOME = Path("/home/student")  # where a writable folder is mounted


def guest_layout() -> runtime.Layout:
    """Return where a process in the container finds its files. Raises JailError."""
    return runtime.layout_below(Path("/"))


def wrap(layout: runtime.Layout, module: str, *arguments: object, folder: Path | None = None) -> list[str]:
    """Return the command that runs a module of sandbox/guest/ in a container, with a writable `folder` if one is given.

    Without a folder, root keeps the capabilities to become another user, and no others. Raises JailError if bubblewrap
    is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise JailError("bubblewrap is not installed")
    options = ["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
    if os.getuid() == 0:
        # A user namespace would hold no other user to become.
        options += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        options += [] if folder else ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        options += ["--unshare-all"]
    home = str(_HOME) if folder else "/"
    for name, value in runtime.guest_environment(home, layout.environment).items():
        options += ["--setenv", name, value]
    options += [*_bind_options(layout, folder), "--hostname", "student", "--chdir", home]
    return [program, *options, "--", *runtime.guest_command(layout.interpreter, layout.search_path, module, *arguments)]


def _bind_options(layout: runtime.Layout, folder: Path | None) -> list[str]:
    """Return the options that mount the files needed, read-only; other installed packages are hidden."""
    tree = _MountTree()
    tree.bind("--ro-bind", runtime.STDLIB_FOLDER, layout.library)
    masked = [layout.library / name for name in runtime.SITE_FOLDERS if (runtime.STDLIB_FOLDER / name).is_dir()]
    for path in masked:
        tree.mask(path)
    for path, source in layout.sources.items():
        tree.bind("--ro-bind", source, path)
    tree.bind("--dev-bind", Path(os.devnull), Path(os.devnull))
    if folder is not None:
        tree.bind("--bind", folder, _HOME)
    # The empty folders and the root are writable until here, because bubblewrap makes mount points in them.
    remounts = [option for path in (*masked, "/") for option in ("--remount-ro", str(path))]
    return [*tree.options, *remounts]


class _MountTree:
    """Collects the options of bubblewrap that mount files."""

    def __init__(self) -> None:
        self.options: list[str] = []
        self._mounted: dict[Path, bool] = {Path("/"): False}  # whether everything below a path is mounted, too

    def mask(self, path: Path) -> None:
        """Hide a mounted folder behind an empty one."""
        self._mounted[path] = False
        self.options += ["--tmpfs", str(path)]

    def bind(self, option: str, source: Path, path: Path) -> None:
        """Mount a file or folder at a path unless that is there already."""
        holder = max(filter(path.is_relative_to, self._mounted), key=lambda mounted: len(mounted.parts))
        if self._mounted[holder]:
            return
        # Parents are made explicitly: those that bubblewrap makes by itself cannot be entered by other users.
        for parent in reversed(path.parents):
            if parent != holder and parent.is_relative_to(holder):
                self._mounted[parent] = False
                self.options += ["--dir", str(parent)]
        self._mounted[path] = True
        self.options += [option, str(source), str(path)]
