# tries: to pass by the filter with the numbers of the x32 interface
# stopped by: seccomp (numbers with that bit are refused)
# starts as: nothing
# loses: everything
import ctypes
import errno
import platform

libc = ctypes.CDLL(None, use_errno=True)
if platform.machine() == "x86_64":
    for number in (41, 57, 62, 101, 319):  # socket, fork, kill, ptrace, memfd_create
        ctypes.set_errno(0)
        result = libc.syscall(number | 0x40000000, 0, 0, 0)
        if result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS, errno.EACCES):
            win(HONEST)
