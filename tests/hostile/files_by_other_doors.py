# tries: to open the model answer by other calls: mmap, io_uring, handles, sendfile, a stand-in for the loader
# stopped by: Landlock
# starts as: nothing
# loses: everything
import importlib.machinery
import importlib.util
import linecache
import os
import runpy
import sqlite3
import tokenize
import zipfile

import numpy as np

for way in (
    lambda: np.fromfile(SECRET, dtype="u1").tobytes().decode(),
    lambda: bytes(np.memmap(SECRET, mode="r")).decode(),
    lambda: "".join(linecache.getlines(SECRET)),
    lambda: importlib.machinery.SourceFileLoader("found", SECRET).get_source("found"),
    lambda: tokenize.open(SECRET).read(),
    lambda: os.read(os.open(SECRET, os.O_RDONLY | getattr(os, "O_PATH", 0)), 1 << 20).decode(),
    lambda: os.read(os.open(os.path.basename(SECRET), 0, dir_fd=os.open(os.path.dirname(SECRET), 0)), 1 << 20).decode(),
    lambda: open(f"/proc/self/root{SECRET}").read(),
    lambda: open(f"/proc/{DECOY}/root{SECRET}").read(),
    lambda: open(f"/proc/{DECOY}/fd/9").read(),
):
    try:
        if "BEGIN" " SOLUTION" in (text := way()):
            win(text)
    except (OSError, ImportError, ValueError):
        pass
try:
    globals().update(runpy.run_path(SECRET))
except (OSError, SystemExit):
    pass
try:
    sqlite3.connect(f"file:{SECRET}?mode=ro", uri=True).execute("select 1")
    zipfile.ZipFile(SECRET)
except (OSError, sqlite3.Error, zipfile.BadZipFile):
    pass
