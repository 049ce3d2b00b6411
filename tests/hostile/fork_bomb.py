# tries: to fill the table of processes (at most 200 here, that sleep for 10 s)
# stopped by: seccomp (no clone)
# starts as: honest
# loses: nothing
# holds at: A B C D
import os
import time

end = time.monotonic() + 10
for _ in range(200):
    try:
        if os.fork() == 0:
            time.sleep(max(0, end - time.monotonic()))
            os._exit(0)
    except OSError:
        break
