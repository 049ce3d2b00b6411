# tries: to find the changes that another submission left behind
# stopped by: a process of its own
# starts as: nothing
# loses: everything
# holds at: A B C D E
import builtins
import os
import sys

import network
import numpy as np

for holder in (builtins, np, network, sys):
    if hasattr(holder, "LEFT"):
        win(holder.LEFT)
if "LEFT" in os.environ:
    win(os.environ["LEFT"])
