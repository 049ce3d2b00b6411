# tries: to speak to the kernel or to a host machine by sockets that are not of the internet
# stopped by: seccomp (no socket)
# starts as: nothing
# loses: everything
import socket

for name, kind in (
    ("AF_NETLINK", socket.SOCK_RAW),
    ("AF_PACKET", socket.SOCK_RAW),
    ("AF_ALG", socket.SOCK_SEQPACKET),
    ("AF_VSOCK", socket.SOCK_STREAM),
    ("AF_CAN", socket.SOCK_RAW),
    ("AF_BLUETOOTH", socket.SOCK_RAW),
    ("AF_TIPC", socket.SOCK_DGRAM),
    ("AF_QIPCRTR", socket.SOCK_DGRAM),
):
    try:
        socket.socket(getattr(socket, name), kind).close()
        win(HONEST)
    except (OSError, AttributeError):
        pass
