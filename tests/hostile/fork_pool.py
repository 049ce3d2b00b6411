# tries: to use processes made by the standard library
# stopped by: seccomp (no clone, no exec)
# starts as: nothing
# loses: everything
import multiprocessing
import subprocess
import sys


def work(n):
    return n


try:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        if pool.map_async(work, [1, 2]).get(timeout=1) == [1, 2]:
            win(HONEST)
except BaseException:
    pass
try:
    subprocess.run([sys.executable, "-c", ""], check=True, timeout=5)
    win(HONEST)
except BaseException:
    pass
