# tries: to reach whatever process has a number near its own: others that live under the same parent
# stopped by: seccomp (no kill, no ptrace), Landlock (scoped signals, no ptrace)
# starts as: nothing
# loses: everything
import ctypes
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
own = os.getpid()
for pid in {*range(1, 40), *range(own - 40, own + 40), os.getppid()} - {own}:
    for reach in (
        lambda: os.kill(pid, 0),
        lambda: signal.pidfd_send_signal(os.pidfd_open(pid), 0),
        lambda: open(f"/proc/{pid}/mem", "rb").close(),
        lambda: open(f"/proc/{pid}/environ", "rb").close(),
        lambda: os.readlink(f"/proc/{pid}/cwd"),
        lambda: os.listdir(f"/proc/{pid}/fd"),
    ):
        try:
            reach()
            win(HONEST)
        except (OSError, OverflowError, ValueError):
            pass
    if pid > 0 and libc.ptrace(0x4206, pid, None, None) == 0:  # PTRACE_SEIZE
        win(HONEST)
