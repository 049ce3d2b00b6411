"""Runs a command in a container of bubblewrap: no network, no other process, only the files that Python needs.

Which files these are differs between a virtual environment, pyenv, conda and the Python of a distribution. So the
folders of this Python and of numpy are mounted, and exactly those shared libraries that the dynamic loader lists.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from autograder.sandbox.host import runtime
from autograder.sandbox.host.levels import JailError

_LIBRARY_LINE = re.compile(r"^\s*(?:\S+ => )?(/.+) \(0x[0-9a-f]+\)$", re.MULTILINE)
# Extensions that are of no use here, most of them with large libraries.
_EXCLUDED_EXTENSIONS = ("_test", "_tkinter", "_curses", "_dbm", "_gdbm", "readline", "nis", "xx")
_SITE_FOLDERS = ("site-packages", "dist-packages")
_LOADER_TIMEOUT = 20.0  # seconds for the dynamic loader to list libraries


def wrap(command: list[str], folder: str | None = None) -> list[str]:
    """Return the command that runs a command in a container, with a writable `folder` if one is given.

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
    for name, value in runtime.guest_environment(folder or "/").items():
        options += ["--setenv", name, value]
    return [program, *options, *_bind_options(folder), "--chdir", folder or "/", "--", *command]


def landlock_paths() -> tuple[list[Path], list[Path]]:
    """Return what student code may read, and folders in which it may also list the names, for Landlock."""
    library = [path for path in sorted(runtime.STDLIB_FOLDER.iterdir()) if path.name not in _SITE_FOLDERS]
    return [runtime.NUMPY_FOLDER, *library], [runtime.STDLIB_FOLDER]


def _bind_options(folder: str | None) -> list[str]:
    """Return the options that mount the files needed, read-only; other installed packages are hidden."""
    masked = [path for name in _SITE_FOLDERS if (path := runtime.STDLIB_FOLDER / name).is_dir()]
    numpy_libraries = runtime.NUMPY_FOLDER.parent / "numpy.libs"
    required = [runtime.NUMPY_FOLDER, *([numpy_libraries] if numpy_libraries.is_dir() else []), runtime.MSGPACK_FOLDER]
    kit = runtime.SANDBOX_FOLDER.parent
    required += [kit / "__init__.py", *(runtime.SANDBOX_FOLDER / name for name in ("__init__.py", "protocol", "guest"))]
    required += [runtime.interpreter_path(), *_shared_libraries()]

    tree = _MountTree()
    tree.bind("--ro-bind", runtime.STDLIB_FOLDER)
    for path in masked:
        tree.mask(path)
    for path in required:
        tree.bind("--ro-bind", path)
    tree.bind("--dev-bind", Path(os.devnull))
    if folder is not None:
        tree.bind("--bind", Path(folder))
    # The empty folders and the root are writable until here, because bubblewrap makes mount points in them.
    remounts = [option for path in (*masked, "/") for option in ("--remount-ro", str(path))]
    return [*tree.options, *remounts]


class _MountTree:
    """Collects the options of bubblewrap that mount files at their own paths, each once."""

    def __init__(self) -> None:
        self.options: list[str] = []
        self._mounted: dict[Path, bool] = {Path("/"): False}  # whether everything below a path is mounted, too

    def mask(self, path: Path) -> None:
        """Hide a mounted folder behind an empty one."""
        self._mounted[path] = False
        self.options += ["--tmpfs", str(path)]

    def bind(self, option: str, path: Path) -> None:
        """Mount a path unless it is there already."""
        holder = max(filter(path.is_relative_to, self._mounted), key=lambda mounted: len(mounted.parts))
        if self._mounted[holder]:
            return
        # Parents are made explicitly: those that bubblewrap makes by itself cannot be entered by other users.
        for parent in reversed(path.parents):
            if parent != holder and parent.is_relative_to(holder):
                self._mounted[parent] = False
                self.options += ["--dir", str(parent)]
        self._mounted[path] = True
        self.options += [option, str(path), str(path)]


@functools.cache
def _shared_libraries() -> tuple[Path, ...]:
    """Return the shared libraries of Python, its extensions, numpy and msgpack, under the names that are loaded.

    The dynamic loader of glibc lists them. If another loader does not, Python will not start in the container, and the
    level is not used.
    """
    extensions = runtime.STDLIB_FOLDER.glob("lib-dynload/*.so")
    used = [path for path in extensions if not path.name.startswith(_EXCLUDED_EXTENSIONS)]
    libraries = _list_libraries(runtime.STDLIB_FOLDER, used)
    for package in (runtime.NUMPY_FOLDER, runtime.MSGPACK_FOLDER):
        libraries += _list_libraries(package.parent, list(package.rglob("*.so")))
    cache = Path("/etc/ld.so.cache")
    return (*dict.fromkeys(libraries), *([cache] if cache.is_file() else []))


def _list_libraries(folder: Path, files: list[Path]) -> list[Path]:
    """Return the libraries that the dynamic loader loads with some files below a folder. Raises JailError."""
    # The loader takes a space for the end of a name, and a folder may be called "My Course": names are relative to it.
    names = [os.path.join(".", path.relative_to(folder)) for path in files]  # noqa: PTH118 - Path would drop the dot
    try:
        listing = subprocess.run(
            [runtime.interpreter_path()],
            env=runtime.guest_environment("/") | {"LD_TRACE_LOADED_OBJECTS": "1", "LD_PRELOAD": ":".join(names)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LOADER_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JailError(f"the shared libraries of Python cannot be listed ({type(error).__name__})") from None
    return [Path(os.path.normpath(path)) for path in _LIBRARY_LINE.findall(os.fsdecode(listing.stdout))]
