"""Known mistakes in the recursion back through time, equations (17) to (19), in `dJ_dW`, in `dJ_dU`, or in both."""

from __future__ import annotations

from functools import partial

from mutants import make_mistakes

_in_W_and_U = partial(make_mistakes, ("dJ_dW", "dJ_dU"))
_in_W, _in_U = partial(make_mistakes, ("dJ_dW",)), partial(make_mistakes, ("dJ_dU",))
_DELTA_EQUATION, _RESULT_EQUATION, _STEP_EQUATION = "(17)", {"dJ_dW": "(18)", "dJ_dU": "(19)"}, "(5)"

_G1_JACOBIAN, _LATER_UPDATE, _OUTER_PRODUCT = "net.g1.jacobian(h[t])", "later = delta_G1 @ net.W", "np.outer(delta_G1,"

# the recursion of equation (17): the error that is carried from step to step
RECURSION_MISTAKES = (
    *_in_W_and_U(
        "W_for_its_transpose",
        _DELTA_EQUATION,
        "Which index of W belongs to the later state, and over which one do you sum on the way back?",
        (_LATER_UPDATE, "later = net.W @ delta_G1"),
    ),
    *_in_W_and_U(
        "current_step_only",
        _DELTA_EQUATION,
        "In how many ways can a nudge of h(t) reach the loss?",
        (" + later", ""),
    ),
    *_in_W_and_U(
        "one_step_back_only",
        _DELTA_EQUATION,
        "Does what you carry to the step before hold all that came from later steps?",
        (_LATER_UPDATE, f"later = e @ net.V / T @ {_G1_JACOBIAN} @ net.W"),
    ),
    *_in_W_and_U(
        "later_never_emptied",
        _DELTA_EQUATION,
        "Does what you carry to the step before hold anything twice?",
        (_LATER_UPDATE, "later = later + delta_G1 @ net.W"),
    ),
    *_in_W_and_U(
        "later_counted_twice",
        _DELTA_EQUATION,
        "In how many ways can a nudge of h(t) reach the loss, and how often do you count each?",
        ("+ later", "+ 2 * later"),
    ),
    *_in_W_and_U(
        "walked_forwards",
        _DELTA_EQUATION,
        "From which end of the sequence does an error travel?",
        ("range(T, 0, -1)", "range(1, T + 1)"),
    ),
    *_in_W_and_U(
        "mean_at_every_step_back",
        _DELTA_EQUATION,
        "How often is the loss of the last step divided by T on its way to step 1?",
        ("e @ net.V / T + later", "(e @ net.V + later) / T"),
    ),
    *_in_W_and_U(
        "W_missing_in_the_chain",
        _STEP_EQUATION,
        "What are the two factors of a step back in time?",
        (_LATER_UPDATE, "later = delta_G1"),
    ),
    *_in_W_and_U(
        "norm_clipped",
        _DELTA_EQUATION,
        "What happens to a large error on its way back?",
        (_LATER_UPDATE, f"{_LATER_UPDATE}\n        later *= min(1, 5 / (np.linalg.norm(later) + 1e-12))"),
    ),
    *_in_W_and_U(
        "error_clipped_at_5",
        _DELTA_EQUATION,
        "What happens to a large entry of the error on its way back?",
        (_LATER_UPDATE, "later = np.clip(delta_G1 @ net.W, -5, 5)"),
    ),
)

# the error of the last step, counted once more
_LAST_DELTA = "net.loss.gradient(y_hat[-1], y[-1]) @ net.g2.jacobian(y_hat[-1]) @ net.V / T"
_ADD_HINT = "How often does the loss of the last step come in on the whole walk back?"
LAST_ERROR_MISTAKES = (
    *_in_W_and_U(
        "last_error_added_at_every_step",
        _DELTA_EQUATION,
        _ADD_HINT,
        ("e @ net.V / T + later", f"e @ net.V / T + later + {_LAST_DELTA}"),
    ),
    *_in_W_and_U(
        "last_error_added_at_every_earlier_step",
        _DELTA_EQUATION,
        _ADD_HINT,
        ("e @ net.V / T + later", f"e @ net.V / T + later + (t < T) * ({_LAST_DELTA})"),
    ),
    *_in_W_and_U(
        "last_error_twice",
        _DELTA_EQUATION,
        "What has already come from later steps when you begin the walk back at step T?",
        ("later = np.zeros(len(net.W))", f"later = {_LAST_DELTA}"),
    ),
)

# the slope of g1
ACTIVATION_DERIVATIVE_MISTAKES = (
    *_in_W_and_U(
        "slope_missing",
        _STEP_EQUATION,
        "Between a state and what W and U made of the past stands one more function: where is its slope?",
        (f"delta_G1 = delta @ {_G1_JACOBIAN}", "delta_G1 = delta"),
    ),
    *_in_W_and_U(
        "slope_forgotten_at_k",
        _RESULT_EQUATION,
        "What stands between h(t) and the weights that made it, at the very end of each chain?",
        (_OUTER_PRODUCT, "np.outer(delta,"),
    ),
    *_in_W_and_U(
        "slope_missing_in_the_chain",
        _STEP_EQUATION,
        "What are the two factors of a step back in time?",
        (_LATER_UPDATE, "later = delta @ net.W"),
    ),
    *_in_W_and_U(
        "slope_twice_in_the_chain",
        _STEP_EQUATION,
        "How many slopes of g1 does one step back in time pass through?",
        (_LATER_UPDATE, f"later = delta_G1 @ {_G1_JACOBIAN} @ net.W"),
    ),
    *_in_W_and_U(
        "slope_twice_at_k",
        _RESULT_EQUATION,
        "How many slopes of g1 stand at the very end of each chain?",
        (_OUTER_PRODUCT, f"np.outer(delta_G1 @ {_G1_JACOBIAN},"),
    ),
    *_in_W_and_U(
        "slope_of_the_step_before",
        _DELTA_EQUATION,
        "At which state is the slope of g1 taken when you walk back from h(t) to h(t-1)?",
        (_G1_JACOBIAN, "net.g1.jacobian(h[t - 1])"),
    ),
    *_in_W_and_U(
        "slope_of_the_next_step",
        _DELTA_EQUATION,
        "At which state is the slope of g1 taken when you walk back from h(t) to h(t-1)?",
        (_G1_JACOBIAN, "net.g1.jacobian(h[min(t + 1, T)])"),
    ),
    *_in_W_and_U(
        "slope_of_the_pre_activation",
        _DELTA_EQUATION,
        "Does a jacobian want what went into its activation, or what came out of it, and what is h?",
        (_G1_JACOBIAN, "net.g1.jacobian(net.g1.function(h[t]))"),
    ),
    *_in_W_and_U(
        "tanh_slope_hard_coded",
        _DELTA_EQUATION,
        "Which activation does the network bring along, and the slope of which one do you use?",
        (f"@ {_G1_JACOBIAN}", "* (1 - h[t] ** 2)"),
    ),
    *_in_W_and_U(
        "sigmoid_slope_hard_coded",
        _DELTA_EQUATION,
        "Which activation does the network bring along, and the slope of which one do you use?",
        (f"@ {_G1_JACOBIAN}", "* h[t] * (1 - h[t])"),
    ),
    *_in_W_and_U(
        "relu_slope_hard_coded",
        _DELTA_EQUATION,
        "Which activation does the network bring along, and the slope of which one do you use?",
        (f"@ {_G1_JACOBIAN}", "* (h[t] > 0)"),
    ),
    *_in_W_and_U(
        "diagonal_of_g1_only",
        _DELTA_EQUATION,
        "Must the Jacobian of an activation be diagonal?",
        (f"@ {_G1_JACOBIAN}", f"* np.diag({_G1_JACOBIAN})"),
    ),
    *_in_W_and_U(
        "g1_jacobian_transposed",
        _DELTA_EQUATION,
        "On which side of its Jacobian does a row stand, and does it matter?",
        (f"delta @ {_G1_JACOBIAN}", f"{_G1_JACOBIAN} @ delta"),
    ),
)

# the outer product at the end: equation (18)
STATE_MISTAKES = (
    *_in_W(
        "h0_dropped",
        "(18)",
        "What was W multiplied with at the first step?",
        ("range(T, 0, -1)", "range(T, 1, -1)"),
    ),
    *_in_W(
        "wraps_around_in_dJ_dW",
        "(18)",
        "Which row of h is h(0), and what does Python read at the row -1?",
        ("h[t - 1]", "h[t - 2]"),
    ),
    *_in_W(
        "last_state_at_the_first_step",
        "(18)",
        "Which state does the first step begin from, and which one does Python read at the row -1?",
        ("h[t - 1]", "h[t - 1 if t > 1 else -1]"),
    ),
    *_in_W(
        "wraps_around_in_all",
        "(18)",
        "Which row of h is h(1), and what does Python read at the row -1?",
        (_G1_JACOBIAN, "net.g1.jacobian(h[t - 1])"),
        ("delta_G1, h[t - 1]", "delta_G1, h[t - 2]"),
    ),
    *_in_W(
        "state_of_this_step",
        "(18)",
        "What was W multiplied with when h(t) was made?",
        ("h[t - 1]", "h[t]"),
    ),
    *_in_W(
        "h0_for_all",
        "(18)",
        "What was W multiplied with when h(2) was made?",
        ("h[t - 1]", "h[0]"),
    ),
    *_in_W(
        "states_summed_before_the_product",
        "(18)",
        "Is a sum of products the product of the sums?",
        ("h[t - 1]", "h[:-1].sum(axis=0)"),
    ),
    *_in_W(
        "gradient_of_W_transposed",
        "(18)",
        "Which of the two vectors of the outer product belongs to the rows of W?",
        ("return dW", "return dW.T"),
    ),
    *_in_W(
        "activation_of_the_state",
        "(18)",
        "What exactly is W multiplied with in the equation of the state?",
        ("h[t - 1]", "net.g1.function(h[t - 1])"),
    ),
)

# the same in equation (19)
INPUT_MISTAKES = (
    *_in_U(
        "first_input_dropped",
        "(19)",
        "What was U multiplied with at the first step?",
        ("range(T, 0, -1)", "range(T, 1, -1)"),
    ),
    *_in_U(
        "input_wraps_around",
        "(19)",
        "Which row of x is x(1), and what does Python read at the row -1?",
        ("x[t - 1]", "x[t - 2]"),
    ),
    *_in_U(
        "last_input_at_the_first_step",
        "(19)",
        "Which input does the first step read, and which one does Python read at the row -1?",
        ("x[t - 1]", "x[t - 1 if t > 1 else -1]"),
    ),
    *_in_U(
        "input_of_the_next_step",
        "(19)",
        "Which row of x is x(1), and which is x(T)?",
        ("x[t - 1]", "(x[t] if t < T else 0 * x[0])"),
    ),
    *_in_U(
        "first_input_for_all",
        "(19)",
        "What was U multiplied with when h(2) was made?",
        ("x[t - 1]", "x[0]"),
    ),
    *_in_U(
        "last_input_for_all",
        "(19)",
        "What was U multiplied with when h(1) was made?",
        ("x[t - 1]", "x[-1]"),
    ),
    *_in_U(
        "inputs_from_the_end",
        "(19)",
        "On the walk back, which input meets which error?",
        ("x[t - 1]", "x[T - t]"),
    ),
    *_in_U(
        "inputs_summed_before_the_product",
        "(19)",
        "Is a sum of products the product of the sums?",
        ("x[t - 1]", "x.sum(axis=0)"),
    ),
)

THROUGH_TIME_MISTAKES = (
    *RECURSION_MISTAKES,
    *LAST_ERROR_MISTAKES,
    *ACTIVATION_DERIVATIVE_MISTAKES,
    *STATE_MISTAKES,
    *INPUT_MISTAKES,
)
