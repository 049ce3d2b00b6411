"""Known mistakes of those who write derivatives or targets out by hand, for the functions that they have in mind."""

from __future__ import annotations

from functools import partial

from mutants import make_mistakes

_in_all, _in_W_and_U = partial(make_mistakes, ("dJ_dV", "dJ_dW", "dJ_dU")), partial(make_mistakes, ("dJ_dW", "dJ_dU"))
_ERROR_EQUATION, _DELTA_EQUATION = "(8)", "(17)"

_LOSS_GRADIENT, _G2_JACOBIAN = "net.loss.gradient(y_hat[t - 1], y[t - 1])", "net.g2.jacobian(y_hat[t - 1])"
_LARGEST_TARGET = "np.eye(len(net.V))[np.argmax(y[t - 1])]"
_G1_JACOBIAN, _PRE_ACTIVATION = "@ net.g1.jacobian(h[t])", "(net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h)"

# the target taken for a class, by its largest entry
_CLASS_HINT = "Is a target always a single 1 among zeros, and is its largest entry all that you need of it?"
TARGET_MISTAKES = (
    *_in_all(
        "y_hat_minus_the_class",
        _ERROR_EQUATION,
        _CLASS_HINT,
        (f"{_LOSS_GRADIENT} @ {_G2_JACOBIAN}", f"y_hat[t - 1] - {_LARGEST_TARGET}"),
    ),
    *_in_all(
        "target_replaced_by_its_class",
        _ERROR_EQUATION,
        _CLASS_HINT,
        (_LOSS_GRADIENT, f"net.loss.gradient(y_hat[t - 1], {_LARGEST_TARGET})"),
    ),
    *_in_all(
        "cross_entropy_of_the_class",
        _ERROR_EQUATION,
        "Which loss does the network bring along, and is a target always a single 1 among zeros?",
        (_LOSS_GRADIENT, f"-({_LARGEST_TARGET} / y_hat[t - 1])"),
    ),
)

# the slope of tanh
SLOPE_MISTAKES = (
    *_in_W_and_U(
        "tanh_slope_of_its_own_pre_activation",
        _DELTA_EQUATION,
        "Which activation does the network bring along, and the slope of which one do you use?",
        (_G1_JACOBIAN, f"* (1 - np.tanh{_PRE_ACTIVATION} ** 2)"),
    ),
    *_in_W_and_U(
        "square_inside_tanh",
        _DELTA_EQUATION,
        "In the slope of tanh, what is squared: what goes into tanh, or what comes out of it?",
        (_G1_JACOBIAN, f"* (1 - np.tanh({_PRE_ACTIVATION} ** 2))"),
    ),
    *_in_W_and_U(
        "tanh_of_the_state_squared",
        _DELTA_EQUATION,
        "To get the slope of tanh from a state, do you need to apply tanh once more?",
        (_G1_JACOBIAN, "* (1 - np.tanh(h[t]) ** 2)"),
    ),
    *_in_W_and_U(
        "tanh_slope_without_its_square",
        _DELTA_EQUATION,
        "What is the slope of tanh where tanh is 1, and what is it where tanh is -1?",
        (_G1_JACOBIAN, "* (1 - h[t])"),
    ),
)

WRITTEN_OUT_MISTAKES = (*TARGET_MISTAKES, *SLOPE_MISTAKES)
