# tries: to catch the error, to keep all memory and to go on
# stopped by: rlimits: its own later calls fail
# starts as: honest
# loses: at least dJ_dW
# holds at: A B C D
# slow: yes
kept = []


def dJ_dW(net, x, y, h, y_hat):
    size = 256 << 20
    while size > 64 and len(kept) < 1000:
        try:
            kept.append(bytearray(size))
        except MemoryError:
            size //= 2
    return net.W
