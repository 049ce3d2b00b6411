# tries: to read how much time its parent and other live submissions have used, and on which processors they may run
# stopped by: seccomp (fixed clocks, processors of itself alone)
# starts as: nothing
# loses: everything
import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)
own = os.getpid()
now = (ctypes.c_long * 2)()
for pid in {*range(1, 40), *range(max(own - 40, 1), own + 40), os.getppid(), DECOY} - {own, 0}:
    for kind in (0, 1, 2, 4, 5, 6):  # user and system time, user time, all; of a process, and of one thread
        clock = ~pid << 3 | kind
        for reach in (time.clock_gettime, time.clock_getres):
            try:
                reach(clock)
                win(HONEST)
            except OSError:
                pass
        if libc.clock_gettime(clock, now) == 0:  # the C library may answer without the kernel
            win(HONEST)
    for reach in (os.sched_getaffinity, os.sched_getscheduler, os.sched_getparam, os.getpgid, os.getsid):
        try:
            reach(pid)
            win(HONEST)
        except OSError:
            pass
