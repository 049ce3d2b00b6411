# tries: to be deaf to every signal that can be ignored, then to loop
# stopped by: deadline (SIGKILL)
# starts as: honest
# loses: dJ_dW
# says: dJ_dW did not finish within
# holds at: A B C D E
import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError, RuntimeError):
        pass
try:
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
except (OSError, AttributeError):
    pass


def dJ_dW(net, x, y, h, y_hat):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
