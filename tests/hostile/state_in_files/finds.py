# tries: to find the files that another submission left behind
# stopped by: Landlock, a folder of its own
# starts as: nothing
# loses: everything
import os
import tempfile

for folder in (os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~"), "/tmp", "/var/tmp", "/dev/shm"):
    try:
        win(open(os.path.join(folder, MARK)).read())
    except OSError:
        pass
