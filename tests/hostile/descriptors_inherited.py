# tries: to find an open file, folder or socket that somebody left open
# stopped by: descriptors are closed
# starts as: nothing
# loses: everything
# holds at: A B C D E
import os
import stat

sockets = 0
for descriptor in range(4096):
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            for up in (".", "..", "../..", "../../.."):
                for name in os.listdir(os.open(up, os.O_RDONLY, dir_fd=descriptor)):
                    if name == "solutions":
                        win(HONEST)
        if stat.S_ISREG(kind):
            text = os.pread(descriptor, 1 << 22, 0).decode(errors="replace")
            if "BEGIN" " SOLUTION" in text:
                win(text)
        if stat.S_ISSOCK(kind):
            sockets += 1
    except OSError:
        pass
if sockets > 2:  # more than a channel of its own needs
    win(HONEST)
