# tries: to open a port, so that others can reach it
# stopped by: seccomp (no socket), network namespace
# starts as: nothing
# loses: everything
import socket

for family, address in (
    (socket.AF_INET, ("127.0.0.1", 0)),
    (socket.AF_INET6, ("::1", 0)),
    (socket.AF_UNIX, "\0" + MARK + "-own"),
):
    try:
        with socket.socket(family) as wire:
            wire.bind(address)
            wire.listen()
            win(HONEST)
    except OSError:
        pass
