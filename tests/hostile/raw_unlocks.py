# tries: to get rid of its own locks: filters, no_new_privs, capabilities, identity
# stopped by: the kernel: none of these can be taken back
# starts as: nothing
# loses: everything
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_PTRACER, PR_SET_DUMPABLE = 38, 22, 0x59616D61, 4
if libc.prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 or libc.prctl(PR_SET_SECCOMP, 0, 0, 0, 0) == 0:
    win(HONEST)
for change in (
    lambda: os.setresuid(0, 0, 0) if os.geteuid() else os.setgroups([4, 5, 6]),
    lambda: os.chroot("/"),
    lambda: os.unshare(0x10000000) if hasattr(os, "unshare") else libc.unshare(0x10000000) and os.chroot("/"),
    lambda: os.sethostname("other") if hasattr(os, "sethostname") and os.geteuid() else os.chroot("/"),
):
    try:
        change()
        win(HONEST)
    except OSError:
        pass
