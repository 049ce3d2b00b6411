# tries: to leave a sign for another live submission in what the kernel shares among all: locks, memory, load
# stopped by: seccomp (private locks alone, no advice about shared pages, no sysinfo)
# starts as: nothing
# loses: everything
import ctypes
import mmap
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": (202, 28, 99, 73), "aarch64": (98, 233, 179, 32)}
FUTEX, MADVISE, SYSINFO, FLOCK = numbers.get(platform.machine(), numbers["x86_64"])
WAKE, REQUEUE, WAKE_BITSET = 1, 3, 10
MERGEABLE, POPULATE_READ, PAGEOUT, COLD = 12, 22, 21, 20
with open(os.__file__, "rb") as library:
    page = mmap.mmap(library.fileno(), 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
    if libc.syscall(FLOCK, library.fileno(), 2 | 4) == 0:
        win(HONEST)
libc.mmap.restype = ctypes.c_void_p
descriptor = os.open(os.__file__, os.O_RDONLY)
address = libc.mmap(None, ctypes.c_size_t(4096), 1, mmap.MAP_SHARED, descriptor, ctypes.c_long(0))
anonymous = libc.mmap(None, ctypes.c_size_t(4096), 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))
for place in (address, anonymous):
    for operation in (WAKE, REQUEUE, WAKE_BITSET):
        if libc.syscall(FUTEX, ctypes.c_void_p(place), operation, 1, None, ctypes.c_void_p(place), -1) >= 0:
            win(HONEST)
    for advice in (MERGEABLE, POPULATE_READ, PAGEOUT, COLD):
        if libc.syscall(MADVISE, ctypes.c_void_p(place), ctypes.c_size_t(4096), advice) == 0:
            win(HONEST)
if libc.syscall(SYSINFO, (ctypes.c_long * 64)()) == 0:
    win(HONEST)
