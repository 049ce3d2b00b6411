# tries: to run another program, that reads the answers
# stopped by: seccomp (no exec, no clone)
# starts as: nothing
# loses: everything
import ctypes
import os
import subprocess

for way in (
    lambda: subprocess.check_output(["cat", SECRET], text=True, timeout=5),
    lambda: os.popen(f"cat '{SECRET}'").read(),
    lambda: HONEST if os.system("true") == 0 else "raise OSError",
    lambda: HONEST if ctypes.CDLL(None).system(b"true") == 0 else "raise OSError",
    lambda: HONEST if os.posix_spawn("/bin/true", ["true"], {}) else "",
):
    try:
        win(way())
    except (OSError, subprocess.SubprocessError):
        pass
