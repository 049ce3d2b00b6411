# tries: to trace another process, which gives everything in it
# stopped by: seccomp (no ptrace), Landlock, pid namespace
# starts as: nothing
# loses: everything
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
SEIZE = 0x4206  # attaches without stopping it
for pid in (DECOY, os.getppid()):
    if libc.ptrace(SEIZE, pid, None, None) == 0:
        win(HONEST)
