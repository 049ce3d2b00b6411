# tries: to leave changes of numpy, of builtins and of the environment behind for the next submission
# stopped by: a process of its own
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
import builtins
import os
import sys

import network
import numpy as np

builtins.LEFT = np.LEFT = network.LEFT = sys.LEFT = HONEST
os.environ["LEFT"] = HONEST
np.random.seed(1)
np.set_printoptions(precision=1)
np.seterr(all="raise")
sys.setrecursionlimit(80)
np.dot = np.exp = np.tanh = np.sum = np.zeros
os.umask(0o777)
os.nice(5)
