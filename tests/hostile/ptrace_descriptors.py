# tries: to take an open file from another process
# stopped by: seccomp (no pidfd_getfd), Landlock, pid namespace
# starts as: nothing
# loses: everything
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
PIDFD_OPEN, PIDFD_GETFD, KCMP = 434, 438, 312
for pid in (DECOY, os.getppid()):
    handle = libc.syscall(PIDFD_OPEN, pid, 0)
    for descriptor in range(20):
        taken = libc.syscall(PIDFD_GETFD, handle, descriptor, 0) if handle >= 0 else -1
        if taken >= 0:
            win(HONEST)
