# tries: to start threads until something breaks (at most 500 here)
# stopped by: seccomp (no clone), rlimits
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
import threading
import time

for _ in range(500):
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
