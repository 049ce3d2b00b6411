# tries: to learn where the kit, Python and the packages lie, from frames, modules, settings and errors, and to have it quoted
# stopped by: mounts and links whose paths name no folder of the machine
# starts as: nothing
# loses: everything
# says: /numpy/
# never says: site-packages/
import os
import re
import sys
import sysconfig
import traceback

import numpy as np

texts = [sys.prefix, sys.executable, os.getcwd(), *sys.path, *os.environ.values()]
frame = sys._getframe()
while frame is not None:
    texts.append(frame.f_code.co_filename)
    frame = frame.f_back
for module in list(sys.modules.values()):
    for name in ("__file__", "__cached__"):
        texts.append(str(getattr(module, name, None) or ""))
    texts += map(str, getattr(module, "__path__", ()))
texts += [str(value) for value in sysconfig.get_config_vars().values()]
try:
    np.load("nothing.npy")
except OSError:
    texts += re.findall(r'File "(.*?)"', traceback.format_exc())
OWN = r"(/tmp/autograder-\w+)?/(python|packages|kit|libraries)(/.*)?|/"
for text in texts:
    if text.startswith("/") and not re.fullmatch(OWN, text):
        win(HONEST)


def forward(net, x, h0):
    raise ValueError(np.__file__)
