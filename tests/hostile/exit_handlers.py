# tries: to run code when its process ends: atexit, finalizers, a thread that goes on
# stopped by: the process ends without them
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
import atexit
import sys
import weakref


def forever():
    while True:
        pass


atexit.register(forever)
weakref.finalize(sys, forever)
sys.excepthook = sys.unraisablehook = lambda *_: forever()
