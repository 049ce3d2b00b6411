# tries: to find what another submission left in the kernel
# stopped by: seccomp
# starts as: nothing
# loses: everything
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0x5EED, 1 << 20, 0)
if segment >= 0:
    win(ctypes.string_at(libc.shmat(segment, None, 0)).decode())
