# tries: to change an array after it was returned
# stopped by: seccomp (no clone); the reply is a copy
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
import threading
import time

import numpy as np

results = []


def stir():
    while True:
        for array in results:
            array[...] = np.random.rand(*array.shape)
        time.sleep(0.001)


threading.Thread(target=stir, daemon=True).start()
