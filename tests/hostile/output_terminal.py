# tries: to draw on the terminal of whoever reads the report
# stopped by: text is made printable
# starts as: honest
# loses: dJ_dW
# never says: \u001b
# never says: \u202e
# holds at: A B C D E
import os
import sys

SCREEN = "\x1b[2J\x1b]0;title\x07\x9b31m\u202e\r\n::error::x\n]]></script><script>alert(1)</script>=1+1"
print(SCREEN)
os.write(1, SCREEN.encode())
try:
    open("/dev/tty", "w").write(SCREEN)
except OSError:
    pass


def dJ_dW(net, x, y, h, y_hat):
    raise ValueError(SCREEN)


# %%
raise RuntimeError(SCREEN)
