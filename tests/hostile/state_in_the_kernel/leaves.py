# tries: to leave System V shared memory, a POSIX message queue and a key behind for the next submission
# stopped by: seccomp
# starts as: nothing
# loses: everything
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0x5EED, 1 << 20, 0o1666)
if segment >= 0:
    ctypes.memmove(libc.shmat(segment, None, 0), HONEST.encode() + b"\0", len(HONEST) + 1)
    win(HONEST)
if libc.msgget(0x5EED, 0o1666) >= 0 or libc.semget(0x5EED, 1, 0o1666) >= 0:
    win(HONEST)
