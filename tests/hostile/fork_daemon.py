# tries: to leave a process behind, in a session of its own
# stopped by: seccomp (no clone), pid namespace
# starts as: honest
# loses: nothing
import os
import time

try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            MARK_OF_THIS_PROCESS = MARK
            time.sleep(20)
        os._exit(0)
except OSError:
    pass
