# tries: to find secrets in the environment and in the arguments of its process
# stopped by: an environment made from nothing
# starts as: nothing
# loses: everything
# holds at: A B C D E
import ctypes
import os
import sys

texts = [*os.environ.values(), *sys.argv, *sys.orig_argv]
try:
    block = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    number = 0
    while block[number]:
        texts.append(block[number].decode(errors="replace"))
        number += 1
except (OSError, ValueError):
    pass
for name in ("environ", "cmdline"):
    try:
        texts += open(f"/proc/self/{name}", "rb").read().decode(errors="replace").split("\0")
    except OSError:
        pass
for text in texts:
    if "def dJ_dW" in text and "__main__" not in text:
        win(text.partition("=")[2] or text)
