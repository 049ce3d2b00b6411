# tries: to take memory outside of what Python counts
# stopped by: rlimits (address space)
# starts as: honest
# loses: dJ_dW
# holds at: A B C D
import mmap


def dJ_dW(net, x, y, h, y_hat):
    kept = [mmap.mmap(-1, 256 << 20) for _ in range(12)]
    return net.W[: len(kept)] * 0
