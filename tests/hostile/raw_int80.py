# tries: to pass by the filter with system calls of the 32-bit interface
# stopped by: seccomp (the architecture is checked)
# starts as: nothing
# loses: everything
import ctypes
import mmap
import os
import platform

if platform.machine() == "x86_64":
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\x53\xb8\x14\0\0\0\xcd\x80\x5b\xc3")  # push rbx; mov eax, 20 (getpid); int 0x80; pop rbx; ret
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    if call() == os.getpid():
        win(HONEST)
