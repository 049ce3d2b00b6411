# tries: to end or to stop another process
# stopped by: seccomp (no kill), Landlock (scoped signals), pid namespace
# starts as: nothing
# loses: everything
import os
import signal

for number in (0, signal.SIGCONT, signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
    try:
        os.kill(DECOY, number)
        win(HONEST)
    except OSError:
        pass
for name in ("pidfd_open", "sched_setaffinity", "setpriority"):
    try:
        if name == "pidfd_open":
            signal.pidfd_send_signal(os.pidfd_open(DECOY), signal.SIGTERM)
        elif name == "sched_setaffinity":
            os.sched_setaffinity(DECOY, {0})
        else:
            os.setpriority(os.PRIO_PROCESS, DECOY, 19)
        win(HONEST)
    except (OSError, AttributeError):
        pass
