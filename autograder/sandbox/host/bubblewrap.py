"""Trusted side: the container that bubblewrap makes: no network, no other process, no file but those Python needs.

Which files these are differs between a virtual environment, pyenv, conda and the Python of a distribution; so the
folders of this very Python and numpy are bound, and of shared libraries exactly those that the dynamic loader names.
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
_EXCLUDED_EXTENSIONS = (
    "_test",
    "_tkinter",
    "_curses",
    "_dbm",
    "_gdbm",
    "readline",
    "nis",
    "xx",
)  # large libraries for no use here
_SITE_FOLDERS = ("site-packages", "dist-packages")
_LOADER_TIMEOUT = 20.0  # seconds for the dynamic loader to list libraries


def wrap(command: list[str], folder: str | None = None) -> list[str]:
    """A command, run in a container; a `folder` is there too, can be written to, and is where it starts.

    Without one, root in it keeps the rights to become another user, and no others. Raises JailError where bubblewrap
    is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise JailError("bubblewrap is not installed")
    options = ["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
    if os.getuid() == 0:
        # No namespace of users: in that, there would be no other user to become.
        options += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        options += [] if folder else ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        options += ["--unshare-all"]
    for name, value in runtime.guest_environment(folder or "/").items():
        options += ["--setenv", name, value]
    return [program, *options, *_bind_options(folder), "--chdir", folder or "/", "--", *command]


def landlock_paths() -> tuple[list[Path], list[Path]]:
    """For Landlock: what student code may read, and a folder in which it may see the names besides."""
    own = [path for path in sorted(runtime.STDLIB_FOLDER.iterdir()) if path.name not in _SITE_FOLDERS]
    return [runtime.NUMPY_FOLDER, *own], [runtime.STDLIB_FOLDER]


def _bind_options(folder: str | None) -> list[str]:
    """The options that show the files needed, read-only; other packages beside them are covered up."""
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
    remounts = [option for path in (*masked, "/") for option in ("--remount-ro", str(path))]
    return [*tree.options, *remounts]


class _MountTree:
    """The options of bubblewrap that make a tree of files, each shown once, where it really lies."""

    def __init__(self) -> None:
        self.options: list[str] = []
        self._mounted: dict[Path, bool] = {Path("/"): False}  # whether all that lies below a path is there already

    def mask(self, path: Path) -> None:
        """Put an empty folder over one that is shown."""
        self._mounted[path] = False
        self.options += ["--tmpfs", str(path)]

    def bind(self, option: str, path: Path) -> None:
        """Show a path, unless it is there already. Its parents are made first: bubblewrap's own are closed to users."""
        holder = max(
            (known for known in self._mounted if path.is_relative_to(known)), key=lambda known: len(known.parts)
        )
        if self._mounted[holder]:
            return
        for parent in reversed(path.parents):
            if parent != holder and parent.is_relative_to(holder):
                self._mounted[parent] = False
                self.options += ["--dir", str(parent)]
        self._mounted[path] = True
        self.options += [option, str(path), str(path)]


@functools.cache
def _shared_libraries() -> tuple[Path, ...]:
    """The shared libraries of Python, its own extensions, numpy and msgpack, under the names by which they are loaded.

    The dynamic loader of glibc tells them, for all at once. Where another one does not, Python will not start in the
    container, and the level is not used.
    """
    own = [
        path
        for path in runtime.STDLIB_FOLDER.glob("lib-dynload/*.so")
        if not path.name.startswith(_EXCLUDED_EXTENSIONS)
    ]
    libraries = _list_libraries(runtime.STDLIB_FOLDER, own)
    for package in (runtime.NUMPY_FOLDER, runtime.MSGPACK_FOLDER):
        libraries += _list_libraries(package.parent, list(package.rglob("*.so")))
    cache = Path("/etc/ld.so.cache")
    return (*dict.fromkeys(libraries), *([cache] if cache.is_file() else []))


def _list_libraries(folder: Path, files: list[Path]) -> list[Path]:
    """What the dynamic loader loads with some files below a folder. It is told their names from there on.

    For it takes any space for the end of a name, and a folder may be called "My Course".
    """
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
