# tries: to cost the grader every limit that there is
# stopped by: deadline
# starts as: nothing
# loses: everything
# holds at: A B C D E
# slow: yes
def forward(*_):
    while True:
        pass


dJ_dV = dJ_dW = dJ_dU = forward
