# tries: to take all memory, and to hold it (3 GiB here at most)
# stopped by: rlimits, the parent's watch
# starts as: honest
# loses: dJ_dW
# holds at: A B C D
# slow: yes
kept = []


def dJ_dW(net, x, y, h, y_hat):
    for _ in range(96):
        kept.append(bytearray(b"x" * (32 << 20)))
    return net.W
