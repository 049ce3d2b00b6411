# tries: to lower the limits of another process, so that the kernel ends it
# stopped by: seccomp (prlimit of itself alone), pid namespace
# starts as: nothing
# loses: everything
import os
import resource

for pid in (DECOY, os.getppid()):
    try:
        resource.prlimit(pid, resource.RLIMIT_CORE)
        win(HONEST)
    except (OSError, AttributeError):
        pass
