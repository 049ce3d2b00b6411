# tries: to announce 4 GiB
# stopped by: cap on the length of a reply
# starts as: honest
# loses: dJ_dW
# says: dJ_dW wrote into the grader's own channel
# holds at: A B C D E
def dJ_dW(net, x, y, h, y_hat):
    say(b"\xff\xff\xff\xff" + bytes(1000))
    return net.W
