# tries: to watch the runner with trace functions, audit hooks and callbacks of the garbage collector
# stopped by: no secret in the process
# starts as: nothing
# loses: everything
# holds at: A B C D E
import gc
import sys
import threading


def look(frame, event, argument):
    for value in frame.f_locals.values():
        if type(value) in (str, bytes) and ("BEGIN" " SOLUTION" in str(value)):
            win(str(value))
    return look


sys.settrace(look)
sys.setprofile(look)
threading.settrace(look)
gc.callbacks.append(lambda *_: None)
sys.addaudithook(lambda *_: None)
frame = sys._getframe()
while frame is not None:
    frame.f_trace = look
    frame = frame.f_back
