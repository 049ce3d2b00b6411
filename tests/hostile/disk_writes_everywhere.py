# tries: to write a file in every folder that it knows, those of Python's packages among them
# stopped by: Landlock (nothing is writable)
# starts as: nothing
# loses: everything
import os
import sys
import tempfile

import numpy as np

folders = {"/tmp", "/var/tmp", "/dev/shm", "/run", "/", "/proc/self/root/tmp", tempfile.gettempdir(), *sys.path}
folders |= {sys.prefix, os.path.expanduser("~"), os.path.dirname(np.__file__), os.path.dirname(os.__file__)}
folders |= {os.path.dirname(SECRET), os.path.dirname(OTHER), os.getcwd()}
for folder in folders:
    try:
        with open(os.path.join(folder, MARK + ".pth"), "x") as file:
            file.write("")
        win(HONEST)
    except OSError:
        pass
