# tries: to read what somebody else handed in
# stopped by: Landlock
# starts as: nothing
# loses: everything
import os

for path in (OTHER, os.path.join("/proc/self/root", OTHER[1:]), "/proc/self/cwd/../" + OTHER):
    try:
        win(open(path).read())
    except OSError:
        pass
for folder in (os.path.dirname(OTHER), os.path.dirname(os.path.dirname(OTHER)), os.getcwd() + "/..", "/tmp"):
    try:
        for entry in os.scandir(folder):
            for name in ("rnn_backprop.py", "handed_in.py"):
                try:
                    win(open(os.path.join(entry.path, name)).read())
                except (OSError, SyntaxError):
                    pass
    except OSError:
        pass
