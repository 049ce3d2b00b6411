# tries: to make processes by raw system calls
# stopped by: seccomp
# starts as: nothing
# loses: everything
import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)
CALLS = {"fork": 57, "vfork": 58, "clone": 56} if platform.machine() == "x86_64" else {"clone": 220}
for name, number in CALLS.items():
    if name == "vfork":
        continue  # a child on the same stack cannot be written in Python
    child = libc.syscall(number, 17, 0, 0, 0, 0) if name == "clone" else libc.syscall(number)
    if child == 0:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
        win(HONEST)
arguments = (ctypes.c_uint64 * 11)()
arguments[4] = 17
child = libc.syscall(435, ctypes.byref(arguments), ctypes.sizeof(arguments))  # clone3
if child == 0:
    os._exit(0)
if child > 0:
    os.waitpid(child, 0)
    win(HONEST)
