# tries: to compute on while its functions have long returned
# stopped by: seccomp (no clone); rlimits and the parent's clock below that
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
import threading


def spin():
    while True:
        pass


for _ in range(20):
    threading.Thread(target=spin, daemon=True).start()
