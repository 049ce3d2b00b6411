"""Known mistakes between the loss and the hidden state, equations (7) and (8), in all three gradients or in `dJ_dV`."""

from __future__ import annotations

from functools import partial

from mutants import make_mistakes

_in_all = partial(make_mistakes, ("dJ_dV", "dJ_dW", "dJ_dU"))
_in_V, _in_W_and_U = partial(make_mistakes, ("dJ_dV",)), partial(make_mistakes, ("dJ_dW", "dJ_dU"))
_MEAN_EQUATION, _ERROR_EQUATION, _OUTER_PRODUCT_EQUATION = "(7)", "(8)", "(8)"
_RESULT_EQUATION = {"dJ_dV": "(8)", "dJ_dW": "(18)", "dJ_dU": "(19)"}

_LOSS_GRADIENT, _G2_JACOBIAN = "net.loss.gradient(y_hat[t - 1], y[t - 1])", "net.g2.jacobian(y_hat[t - 1])"
_LAST_ERROR = "net.loss.gradient(y_hat[-1], y[-1]) @ net.g2.jacobian(y_hat[-1])"
_OWN_STEP_DELTA = "delta = e @ net.V / T"
_BACKWARD_RANGE = "range(T, 0, -1)"

# the slope of the loss, and of the output's activation
ERROR_MISTAKES = (
    *_in_all(
        "slope_of_g2_missing",
        _ERROR_EQUATION,
        "What stands between the slope of the loss and the scores V h(t) + b_y?",
        (f"{_LOSS_GRADIENT} @ {_G2_JACOBIAN}", _LOSS_GRADIENT),
    ),
    *_in_all(
        "slope_of_g2_twice",
        _ERROR_EQUATION,
        "How many times does the slope of g2 stand in the error of one step?",
        (_G2_JACOBIAN, f"{_G2_JACOBIAN} @ {_G2_JACOBIAN}"),
    ),
    *_in_all(
        "slope_of_the_loss_missing",
        _ERROR_EQUATION,
        "How much does the loss change when an output does, and where do you ask for that?",
        (_LOSS_GRADIENT, "np.ones(len(net.V))"),
    ),
    *_in_all(
        "y_hat_minus_y",
        _ERROR_EQUATION,
        "For which pairs of activation and loss is the error the difference of output and target, and for which not?",
        (f"{_LOSS_GRADIENT} @ {_G2_JACOBIAN}", "y_hat[t - 1] - y[t - 1]"),
    ),
    *_in_all(
        "squared_error_hard_coded",
        _ERROR_EQUATION,
        "Which loss does the network bring along, and the slope of which one do you use?",
        (_LOSS_GRADIENT, "(y_hat[t - 1] - y[t - 1])"),
    ),
    *_in_all(
        "cross_entropy_hard_coded",
        _ERROR_EQUATION,
        "Which loss does the network bring along, and the slope of which one do you use?",
        (_LOSS_GRADIENT, "-(y[t - 1] / y_hat[t - 1])"),
    ),
    *_in_all(
        "binary_cross_entropy_hard_coded",
        _ERROR_EQUATION,
        "Which loss does the network bring along, and the slope of which one do you use?",
        (_LOSS_GRADIENT, "((y_hat[t - 1] - y[t - 1]) / (y_hat[t - 1] * (1 - y_hat[t - 1])))"),
    ),
    *_in_all(
        "binary_without_its_second_half",
        _ERROR_EQUATION,
        "How many summands has the binary cross-entropy, and which of them depend on the output?",
        (_LOSS_GRADIENT, f"(-y[t - 1] / y_hat[t - 1] if 'cross_entropy' in net.loss.name else {_LOSS_GRADIENT})"),
    ),
    *_in_all(
        "factor_2",
        _ERROR_EQUATION,
        "Which number stands before the squared error in this exercise, and what is left of it in the slope?",
        (_LOSS_GRADIENT, f"(2 * (y_hat[t - 1] - y[t - 1]) if net.loss.name == 'squared_error' else {_LOSS_GRADIENT})"),
    ),
    *_in_all(
        "sign_flipped",
        _ERROR_EQUATION,
        "Does J grow or shrink when you take a small step along your gradient?",
        (_LOSS_GRADIENT, f"-{_LOSS_GRADIENT}"),
    ),
    *_in_all(
        "output_and_target_exchanged",
        _ERROR_EQUATION,
        "Which argument does the gradient of the loss want first?",
        (_LOSS_GRADIENT, "net.loss.gradient(y[t - 1], y_hat[t - 1])"),
    ),
    *_in_all(
        "diagonal_of_g2_only",
        _ERROR_EQUATION,
        "Which entries of a softmax move when a single score does?",
        (f"{_LOSS_GRADIENT} @ {_G2_JACOBIAN}", f"{_LOSS_GRADIENT} * np.diag({_G2_JACOBIAN})"),
    ),
    *_in_all(
        "g2_jacobian_transposed",
        _ERROR_EQUATION,
        "On which side of its Jacobian does a row stand, and does it matter?",
        (f"{_LOSS_GRADIENT} @ {_G2_JACOBIAN}", f"{_G2_JACOBIAN} @ {_LOSS_GRADIENT}"),
    ),
    *_in_all(
        "softmax_slope_hard_coded",
        _ERROR_EQUATION,
        "Which output activation does the network bring along, and the slope of which one do you use?",
        (_G2_JACOBIAN, "(np.diag(y_hat[t - 1]) - np.outer(y_hat[t - 1], y_hat[t - 1]))"),
    ),
    *_in_all(
        "sigmoid_slope_of_g2_hard_coded",
        _ERROR_EQUATION,
        "Which output activation does the network bring along, and the slope of which one do you use?",
        (f"@ {_G2_JACOBIAN}", "* y_hat[t - 1] * (1 - y_hat[t - 1])"),
    ),
    *_in_all(
        "g2_slope_of_the_pre_activation",
        _ERROR_EQUATION,
        "Does a jacobian want what went into its activation, or what came out of it, and what is y_hat?",
        (_G2_JACOBIAN, "net.g2.jacobian(net.g2.function(y_hat[t - 1]))"),
    ),
    # which step
    *_in_all(
        "first_target_for_all",
        _ERROR_EQUATION,
        "Which target is the output of step 2 compared with?",
        (_LOSS_GRADIENT, "net.loss.gradient(y_hat[t - 1], y[0])"),
    ),
    *_in_all(
        "last_target_for_all",
        _ERROR_EQUATION,
        "Which target is the output of step 1 compared with?",
        (_LOSS_GRADIENT, "net.loss.gradient(y_hat[t - 1], y[-1])"),
    ),
    *_in_all(
        "target_of_the_step_before",
        _ERROR_EQUATION,
        "Which row of y is y(1), and what does Python read at the row -1?",
        (_LOSS_GRADIENT, "net.loss.gradient(y_hat[t - 1], y[t - 2])"),
    ),
    *_in_all(
        "target_of_the_next_step",
        _ERROR_EQUATION,
        "Which row of y is y(1)?",
        (_LOSS_GRADIENT, "net.loss.gradient(y_hat[t - 1], y[t % T])"),
    ),
    *_in_all(
        "output_of_the_step_before",
        _ERROR_EQUATION,
        "Which row of y_hat is the output of step 1, and what does Python read at the row -1?",
        (
            f"{_LOSS_GRADIENT} @ {_G2_JACOBIAN}",
            "net.loss.gradient(y_hat[t - 2], y[t - 1]) @ net.g2.jacobian(y_hat[t - 2])",
        ),
    ),
    *_in_all(
        "last_error_for_all",
        _ERROR_EQUATION,
        "Which outputs and which targets is the error of step 1 made of?",
        (f"{_LOSS_GRADIENT} @ {_G2_JACOBIAN}", _LAST_ERROR),
    ),
)

# the sum over the steps, and its mean
MEAN_MISTAKES = (
    *_in_all(
        "mean_missing",
        _MEAN_EQUATION,
        "Is J the sum of the losses of all steps, or their mean?",
        (" / T", ""),
    ),
    *_in_all(
        "mean_twice",
        _MEAN_EQUATION,
        "How often do you divide by the number of steps on the way of one term?",
        (" / T", " / T / T"),
    ),
    *_in_all(
        "mean_of_outputs_instead_of_steps",
        _MEAN_EQUATION,
        "Over what is the mean in J taken, and what is the length of that?",
        (" / T", " / y.shape[1]"),
    ),
    *_in_all(
        "mean_over_all_entries",
        _MEAN_EQUATION,
        "Over what is the mean in J taken, and what is the length of that?",
        (" / T", " / y.size"),
    ),
    *_in_all(
        "mean_over_states",
        _MEAN_EQUATION,
        "How many rows has h, and how many losses are there?",
        (" / T", " / len(h)"),
    ),
    *_in_all(
        "mean_over_the_steps_so_far",
        _MEAN_EQUATION,
        "Is the number that you divide by the same at every step?",
        (" / T", " / t"),
    ),
    *_in_V(
        "last_loss_only",
        _MEAN_EQUATION,
        "Which of the losses J(1), ..., J(T) does V act on?",
        ("range(1, T + 1)", "range(T, T + 1)"),
    ),
    *_in_W_and_U(
        "last_loss_only",
        "(17)",
        "Which of the losses J(1), ..., J(T) send something back?",
        (_OWN_STEP_DELTA, f"{_OWN_STEP_DELTA} * (t == T)"),
    ),
    *_in_V(
        "last_loss_alone",
        _MEAN_EQUATION,
        "Is this the slope of J, or of the loss of one step?",
        ("range(1, T + 1)", "range(T, T + 1)"),
        (" / T", ""),
    ),
    *_in_W_and_U(
        "last_loss_alone",
        "(17)",
        "Is this the slope of J, or of the loss of one step?",
        (_OWN_STEP_DELTA, "delta = e @ net.V * (t == T)"),
    ),
    *_in_V(
        "last_step_not_counted",
        _MEAN_EQUATION,
        "At which t does your loop over the steps end?",
        ("range(1, T + 1)", "range(1, T)"),
    ),
    *_in_W_and_U(
        "last_step_not_counted",
        "(17)",
        "At which t does your walk through the steps begin?",
        (_BACKWARD_RANGE, "range(T - 1, 0, -1)"),
    ),
    *_in_V(
        "first_loss_not_counted",
        _MEAN_EQUATION,
        "At which t does your loop over the steps begin?",
        ("range(1, T + 1)", "range(2, T + 1)"),
    ),
    *_in_W_and_U(
        "first_loss_not_counted",
        "(17)",
        "Does the loss of the first step count?",
        (_OWN_STEP_DELTA, f"{_OWN_STEP_DELTA} * (t > 1)"),
    ),
    # the finished sum
    *_in_all(
        "clipped_at_5",
        _RESULT_EQUATION,
        "Is what you return still the gradient when that has a large entry?",
        ("return dM", "return np.clip(dM, -5, 5)"),
    ),
    *_in_all(
        "clipped_to_norm_5",
        _RESULT_EQUATION,
        "Is what you return still the gradient when that is long?",
        ("return dM", "return dM * min(1, 5 / np.linalg.norm(dM))"),
    ),
    *_in_all(
        "scaled_to_norm_1",
        _RESULT_EQUATION,
        "How long is what you return, and how long is a gradient?",
        ("return dM", "return dM / np.linalg.norm(dM)"),
    ),
)

# the outer product at the end of dJ/dV
STATE_MISTAKES = (
    *_in_V(
        "state_of_the_step_before",
        _OUTER_PRODUCT_EQUATION,
        "Which row of h is h(t), and which is h(0)?",
        ("h[t]", "h[t - 1]"),
    ),
    *_in_V(
        "last_state_for_all",
        _OUTER_PRODUCT_EQUATION,
        "Which state was V multiplied with at step 1?",
        ("h[t]", "h[-1]"),
    ),
    *_in_V(
        "states_summed_before_the_product",
        _MEAN_EQUATION,
        "Is a sum of products the product of the sums?",
        ("h[t]", "h[1:].sum(axis=0)"),
    ),
    *_in_V(
        "V_through_time",
        _MEAN_EQUATION,
        "Does any state depend on V?",
        ("h[t]", "h[1 : t + 1].sum(axis=0)"),
    ),
    *_in_V(
        "slope_of_g1_in_dJ_dV",
        _OUTER_PRODUCT_EQUATION,
        "On the way from the loss back to V, do you pass through g1?",
        ("h[t]", "net.g1.jacobian(h[t]) @ h[t]"),
    ),
    *_in_V(
        "activation_of_the_state",
        _OUTER_PRODUCT_EQUATION,
        "What exactly is V multiplied with in the equation of the output?",
        ("h[t]", "net.g1.function(h[t])"),
    ),
)

OUTPUT_MISTAKES = (*ERROR_MISTAKES, *MEAN_MISTAKES, *STATE_MISTAKES)
