# tries: to read the model answer where it might lie
# stopped by: Landlock
# starts as: nothing
# loses: everything
import gc
import os
import sys
from types import FunctionType

starts = {os.getcwd(), SECRET, *sys.path, *sys.argv, *sys.orig_argv, sys.executable, sys.prefix}
starts |= {getattr(module, "__file__", None) or "" for module in sys.modules.values()}
starts |= {thing.__code__.co_filename for thing in gc.get_objects() if type(thing) is FunctionType}
starts |= {name for thing in gc.get_objects() if type(thing) is dict for name in [thing.get("__file__")] if name}
folders = {start for start in starts if type(start) is str and start.startswith("/")}
for _ in range(8):
    folders |= {os.path.dirname(folder) for folder in folders}
for folder in folders:
    for name in ("solutions/rnn_backprop/rnn_backprop.py", "tests/submissions/class/perfect/rnn_backprop.py"):
        try:
            win(open(os.path.join(folder, name)).read())
        except (OSError, SyntaxError):
            pass
try:
    win(open(SECRET).read())
except OSError:
    pass
