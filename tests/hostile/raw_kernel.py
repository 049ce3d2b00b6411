# tries: to reach large parts of the kernel, with arguments that do nothing where they are let through
# stopped by: seccomp
# starts as: nothing
# loses: everything
import ctypes
import errno
import platform

libc = ctypes.CDLL(None, use_errno=True)
BOTH = {
    "io_uring_setup": 425,
    "pidfd_open": 434,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fspick": 433,
    "clone3": 435,
    "process_madvise": 440,
    "mount_setattr": 442,
    "memfd_secret": 447,
    "process_mrelease": 448,
}
X86 = {
    "ptrace": 101,
    "personality": 135,
    "pivot_root": 155,
    "chroot": 161,
    "mount": 165,
    "umount2": 166,
    "swapon": 167,
    "init_module": 175,
    "add_key": 248,
    "keyctl": 250,
    "unshare": 272,
    "perf_event_open": 298,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "setns": 308,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "kcmp": 312,
    "finit_module": 313,
    "memfd_create": 319,
    "bpf": 321,
    "userfaultfd": 323,
    "quotactl": 179,
    "tkill": 200,
    "tgkill": 234,
    "rt_sigqueueinfo": 129,
}
REFUSED = {errno.EPERM, errno.ENOSYS, errno.EACCES}
NOWHERE = ctypes.c_void_p(8)
for name, number in {**BOTH, **(X86 if platform.machine() == "x86_64" else {})}.items():
    ctypes.set_errno(0)
    if libc.syscall(number, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE) >= 0:
        win(HONEST)
    if ctypes.get_errno() not in REFUSED:
        win(HONEST)
