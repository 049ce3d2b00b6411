# tries: to send what it knows, by datagrams
# stopped by: seccomp (no socket), network namespace
# starts as: nothing
# loses: everything
import socket

for family, kind, protocol in (
    (socket.AF_INET, socket.SOCK_DGRAM, 0),
    (socket.AF_INET, socket.SOCK_DGRAM, 136),
    (socket.AF_INET, socket.SOCK_RAW, 1),
):
    try:
        with socket.socket(family, kind, protocol) as wire:
            wire.sendto(b"what I know", ("127.0.0.1", PORT))
            win(HONEST)
    except OSError:
        pass
