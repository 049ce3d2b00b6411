# tries: to speak to whatever it is connected with, in case that it is more than its own channel
# stopped by: descriptors are closed; protocol
# starts as: nothing
# loses: everything
# holds at: A B C D E
import array
import os
import socket
import stat

for descriptor in range(3, 4096):
    try:
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            wire = socket.socket(fileno=os.dup(descriptor))
            wire.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
            wire.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
