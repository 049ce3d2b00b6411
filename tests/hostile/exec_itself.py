# tries: to become another program: a fresh Python without the runner, on the same channel
# stopped by: seccomp (no exec); a protocol that a stranger cannot speak
# starts as: nothing
# loses: everything
# holds at: A B C D E
import os
import sys

for descriptor in channel():
    os.set_inheritable(descriptor, True)
os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(1000)"])
