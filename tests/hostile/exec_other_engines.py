# tries: to run code in what the libraries bring along: libc's dlopen, sub-interpreters, a debugger, signals
# stopped by: the lock-down holds for the process, whatever runs in it
# starts as: nothing
# loses: everything
import ctypes
import sys

for way in (
    lambda: ctypes.PyDLL(None).PyRun_SimpleString(f"open({SECRET!r}).read()".encode()),
    lambda: ctypes.CDLL(None).fopen(SECRET.encode(), b"r") == 0,
):
    try:
        if way() == 0:
            win(HONEST)
    except (OSError, AttributeError):
        pass
try:
    import _xxsubinterpreters as interpreters

    inner = interpreters.create()
    interpreters.run_string(inner, f"open({SECRET!r}).read()")
    win(HONEST)
except Exception:
    pass
