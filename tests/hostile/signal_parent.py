# tries: to reach the process above it, and its whole group
# stopped by: seccomp (no kill), Landlock (scoped signals)
# starts as: nothing
# loses: everything
import os
import signal

for reach in (
    lambda: os.kill(os.getppid(), 0),
    lambda: os.kill(os.getppid(), signal.SIGCONT),
    lambda: os.killpg(os.getpgid(os.getppid()), signal.SIGCONT),
    lambda: signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0),
):
    try:
        reach()
        win(HONEST)
    except (OSError, AttributeError):
        pass
