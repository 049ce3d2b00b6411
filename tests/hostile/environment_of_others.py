# tries: to read environment, arguments, folders and open files of every other process
# stopped by: Landlock, pid namespace
# starts as: nothing
# loses: everything
import glob
import os

for folder in glob.glob("/proc/[0-9]*") + [f"/proc/{DECOY}", f"/proc/{os.getppid()}", "/proc/1"]:
    if folder == f"/proc/{os.getpid()}":
        continue
    for name in ("environ", "cmdline"):
        try:
            for text in open(f"{folder}/{name}", "rb").read().decode(errors="replace").split("\0"):
                if "BEGIN" " SOLUTION" in text:
                    win(text.partition("=")[2])
        except OSError:
            pass
    for link in ("cwd", "root", "exe", "fd/0", "fd/3", "fd/4"):
        try:
            os.stat(os.readlink(f"{folder}/{link}"))
            if os.path.exists(f"{folder}/cwd/solutions/rnn_backprop/rnn_backprop.py"):
                win(open(f"{folder}/cwd/solutions/rnn_backprop/rnn_backprop.py").read())
        except OSError:
            pass
