# tries: to fetch the answers from a server
# stopped by: seccomp (no socket), Landlock (no connect), network namespace
# starts as: nothing
# loses: everything
import socket

for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET6, "::ffff:127.0.0.1")):
    try:
        with socket.socket(family) as wire:
            wire.settimeout(1)
            wire.connect((host, PORT))
            win(wire.makefile(encoding="utf-8").read())
    except OSError:
        pass
