# tries: to have a child that answers in its place
# stopped by: seccomp (no clone)
# starts as: nothing
# loses: everything
import os

for fork in (os.fork, os.forkpty, getattr(os, "vfork", os.fork)):
    try:
        child = fork()
        child = child[0] if isinstance(child, tuple) else child
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        win(HONEST)
    except OSError:
        pass
