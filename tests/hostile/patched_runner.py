# tries: to change the functions of the runner, wherever they are found
# stopped by: nothing that the child says is believed
# starts as: nothing
# loses: everything
# holds at: A B C D E
import gc
import types

import numpy as np


def zeros(*_, **__):
    return np.zeros((3, 3))


def true(*_, **__):
    return True


for thing in gc.get_objects():
    if type(thing) is types.FunctionType and thing.__module__.startswith("autograder"):
        if thing.__name__ in ("dtype_name", "is_description", "describe_value", "compare", "evaluate_function", "allclose"):
            thing.__code__ = true.__code__
        if thing.__name__ in ("_as_plain_array", "_array_after_call", "encode_result"):
            thing.__code__ = zeros.__code__


def forward(net, x, h0):
    return "10 points"


dJ_dV = dJ_dW = dJ_dU = forward
