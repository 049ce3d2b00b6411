# tries: to fetch the answers from a local socket, by its path and by an abstract name
# stopped by: seccomp (no socket), Landlock (scoped abstract sockets)
# starts as: nothing
# loses: everything
import socket

for address in (SOCKET, "\0" + MARK):
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_UNIX, kind) as wire:
                wire.settimeout(1)
                wire.connect(address)
                win(wire.makefile(encoding="utf-8").read())
        except OSError:
            pass
