# tries: to read the memory of another process
# stopped by: seccomp (no process_vm_readv), Landlock, pid namespace
# starts as: nothing
# loses: everything
import ctypes
import os


class Range(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


libc = ctypes.CDLL(None, use_errno=True)
for pid in (DECOY, os.getppid()):
    try:
        for line in open(f"/proc/{pid}/maps"):
            place, rights, *_ = line.split()
            start, end = (int(number, 16) for number in place.split("-"))
            if "[stack]" not in line and "[heap]" not in line:
                continue
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                memory.seek(start)
                if memory.read(16):
                    win(HONEST)
            buffer = ctypes.create_string_buffer(16)
            here, there = Range(ctypes.addressof(buffer), 16), Range(start, 16)
            if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) == 16:
                win(HONEST)
    except OSError:
        pass
