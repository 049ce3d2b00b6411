"""Known mistakes between the loss and the hidden state, equations (7) and (8), in all three gradients or in `dJ_dV`."""

from __future__ import annotations

from mutants import mistake

_ALL = ("dJ_dV", "dJ_dW", "dJ_dU")
_V, _THROUGH_TIME = ("dJ_dV",), ("dJ_dW", "dJ_dU")
_MEAN, _ERROR, _OUTER = "(7)", "(8)", "(8)"
_LAST = {"dJ_dV": "(8)", "dJ_dW": "(18)", "dJ_dU": "(19)"}

_LOSS, _SLOPE = "net.loss.gradient(y_hat[t - 1], y[t - 1])", "net.g2.jacobian(y_hat[t - 1])"
_NOW = "delta = e @ net.V / T"
_BACK = "range(T, 0, -1)"

# the slope of the loss, and of the output's activation
ERROR = (
    *mistake(
        _ALL,
        "slope_of_g2_missing",
        _ERROR,
        "What stands between the slope of the loss and the scores V h(t) + b_y?",
        (f"{_LOSS} @ {_SLOPE}", _LOSS),
    ),
    *mistake(
        _ALL,
        "slope_of_g2_twice",
        _ERROR,
        "How many times does the slope of g2 stand in the error of one step?",
        (_SLOPE, f"{_SLOPE} @ {_SLOPE}"),
    ),
    *mistake(
        _ALL,
        "slope_of_the_loss_missing",
        _ERROR,
        "How much does the loss change when an output does, and where do you ask for that?",
        (_LOSS, "np.ones(len(net.V))"),
    ),
    *mistake(
        _ALL,
        "y_hat_minus_y",
        _ERROR,
        "For which pairs of activation and loss is the error the difference of output and target, and for which not?",
        (f"{_LOSS} @ {_SLOPE}", "y_hat[t - 1] - y[t - 1]"),
    ),
    *mistake(
        _ALL,
        "squared_error_hard_coded",
        _ERROR,
        "Which loss does the network bring along, and the slope of which one do you use?",
        (_LOSS, "(y_hat[t - 1] - y[t - 1])"),
    ),
    *mistake(
        _ALL,
        "cross_entropy_hard_coded",
        _ERROR,
        "Which loss does the network bring along, and the slope of which one do you use?",
        (_LOSS, "-(y[t - 1] / y_hat[t - 1])"),
    ),
    *mistake(
        _ALL,
        "binary_cross_entropy_hard_coded",
        _ERROR,
        "Which loss does the network bring along, and the slope of which one do you use?",
        (_LOSS, "((y_hat[t - 1] - y[t - 1]) / (y_hat[t - 1] * (1 - y_hat[t - 1])))"),
    ),
    *mistake(
        _ALL,
        "binary_without_its_second_half",
        _ERROR,
        "How many summands has the binary cross-entropy, and which of them depend on the output?",
        (_LOSS, f"(-y[t - 1] / y_hat[t - 1] if 'cross_entropy' in net.loss.name else {_LOSS})"),
    ),
    *mistake(
        _ALL,
        "factor_2",
        _ERROR,
        "Which number stands before the squared error in this exercise, and what is left of it in the slope?",
        (_LOSS, f"(2 * (y_hat[t - 1] - y[t - 1]) if net.loss.name == 'squared_error' else {_LOSS})"),
    ),
    *mistake(
        _ALL,
        "sign_flipped",
        _ERROR,
        "Does J grow or shrink when you take a small step along your gradient?",
        (_LOSS, f"-{_LOSS}"),
    ),
    *mistake(
        _ALL,
        "output_and_target_exchanged",
        _ERROR,
        "Which argument does the gradient of the loss want first?",
        (_LOSS, "net.loss.gradient(y[t - 1], y_hat[t - 1])"),
    ),
    *mistake(
        _ALL,
        "diagonal_of_g2_only",
        _ERROR,
        "Which entries of a softmax move when a single score does?",
        (f"{_LOSS} @ {_SLOPE}", f"{_LOSS} * np.diag({_SLOPE})"),
    ),
    *mistake(
        _ALL,
        "g2_jacobian_transposed",
        _ERROR,
        "On which side of its Jacobian does a row stand, and does it matter?",
        (f"{_LOSS} @ {_SLOPE}", f"{_SLOPE} @ {_LOSS}"),
    ),
    *mistake(
        _ALL,
        "softmax_slope_hard_coded",
        _ERROR,
        "Which output activation does the network bring along, and the slope of which one do you use?",
        (_SLOPE, "(np.diag(y_hat[t - 1]) - np.outer(y_hat[t - 1], y_hat[t - 1]))"),
    ),
    *mistake(
        _ALL,
        "sigmoid_slope_of_g2_hard_coded",
        _ERROR,
        "Which output activation does the network bring along, and the slope of which one do you use?",
        (f"@ {_SLOPE}", "* y_hat[t - 1] * (1 - y_hat[t - 1])"),
    ),
    *mistake(
        _ALL,
        "g2_slope_of_the_pre_activation",
        _ERROR,
        "Does a jacobian want what went into its activation, or what came out of it, and what is y_hat?",
        (_SLOPE, "net.g2.jacobian(net.g2.function(y_hat[t - 1]))"),
    ),
    # which step
    *mistake(
        _ALL,
        "first_target_for_all",
        _ERROR,
        "Which target is the output of step 2 compared with?",
        (_LOSS, "net.loss.gradient(y_hat[t - 1], y[0])"),
    ),
    *mistake(
        _ALL,
        "last_target_for_all",
        _ERROR,
        "Which target is the output of step 1 compared with?",
        (_LOSS, "net.loss.gradient(y_hat[t - 1], y[-1])"),
    ),
    *mistake(
        _ALL,
        "target_of_the_step_before",
        _ERROR,
        "Which row of y is y(1), and what does Python read at the row -1?",
        (_LOSS, "net.loss.gradient(y_hat[t - 1], y[t - 2])"),
    ),
    *mistake(
        _ALL,
        "target_of_the_next_step",
        _ERROR,
        "Which row of y is y(1)?",
        (_LOSS, "net.loss.gradient(y_hat[t - 1], y[t % T])"),
    ),
    *mistake(
        _ALL,
        "output_of_the_step_before",
        _ERROR,
        "Which row of y_hat is the output of step 1, and what does Python read at the row -1?",
        (f"{_LOSS} @ {_SLOPE}", "net.loss.gradient(y_hat[t - 2], y[t - 1]) @ net.g2.jacobian(y_hat[t - 2])"),
    ),
)

# the sum over the steps, and its mean
MEAN = (
    *mistake(_ALL, "mean_missing", _MEAN, "Is J the sum of the losses of all steps, or their mean?", (" / T", "")),
    *mistake(
        _ALL,
        "mean_twice",
        _MEAN,
        "How often do you divide by the number of steps on the way of one term?",
        (" / T", " / T / T"),
    ),
    *mistake(
        _ALL,
        "mean_of_outputs_instead_of_steps",
        _MEAN,
        "Over what is the mean in J taken, and what is the length of that?",
        (" / T", " / y.shape[1]"),
    ),
    *mistake(
        _ALL,
        "mean_over_all_entries",
        _MEAN,
        "Over what is the mean in J taken, and what is the length of that?",
        (" / T", " / y.size"),
    ),
    *mistake(
        _ALL,
        "mean_over_states",
        _MEAN,
        "How many rows has h, and how many losses are there?",
        (" / T", " / len(h)"),
    ),
    *mistake(
        _ALL,
        "mean_over_the_steps_so_far",
        _MEAN,
        "Is the number that you divide by the same at every step?",
        (" / T", " / t"),
    ),
    *mistake(
        _V,
        "last_loss_only",
        _MEAN,
        "Which of the losses J(1), ..., J(T) does V act on?",
        ("range(1, T + 1)", "range(T, T + 1)"),
    ),
    *mistake(
        _THROUGH_TIME,
        "last_loss_only",
        "(17)",
        "Which of the losses J(1), ..., J(T) send something back?",
        (_NOW, f"{_NOW} * (t == T)"),
    ),
    *mistake(
        _V,
        "last_loss_alone",
        _MEAN,
        "Is this the slope of J, or of the loss of one step?",
        ("range(1, T + 1)", "range(T, T + 1)"),
        (" / T", ""),
    ),
    *mistake(
        _THROUGH_TIME,
        "last_loss_alone",
        "(17)",
        "Is this the slope of J, or of the loss of one step?",
        (_NOW, "delta = e @ net.V * (t == T)"),
    ),
    *mistake(
        _V,
        "last_step_not_counted",
        _MEAN,
        "At which t does your loop over the steps end?",
        ("range(1, T + 1)", "range(1, T)"),
    ),
    *mistake(
        _THROUGH_TIME,
        "last_step_not_counted",
        "(17)",
        "At which t does your walk through the steps begin?",
        (_BACK, "range(T - 1, 0, -1)"),
    ),
    *mistake(
        _V,
        "first_loss_not_counted",
        _MEAN,
        "At which t does your loop over the steps begin?",
        ("range(1, T + 1)", "range(2, T + 1)"),
    ),
    *mistake(
        _THROUGH_TIME,
        "first_loss_not_counted",
        "(17)",
        "Does the loss of the first step count?",
        (_NOW, f"{_NOW} * (t > 1)"),
    ),
    # the finished sum
    *mistake(
        _ALL,
        "clipped_at_5",
        _LAST,
        "Is what you return still the gradient when that has a large entry?",
        ("return dM", "return np.clip(dM, -5, 5)"),
    ),
    *mistake(
        _ALL,
        "clipped_to_norm_5",
        _LAST,
        "Is what you return still the gradient when that is long?",
        ("return dM", "return dM * min(1, 5 / np.linalg.norm(dM))"),
    ),
    *mistake(
        _ALL,
        "scaled_to_norm_1",
        _LAST,
        "How long is what you return, and how long is a gradient?",
        ("return dM", "return dM / np.linalg.norm(dM)"),
    ),
)

# the outer product at the end of dJ/dV
STATES = (
    *mistake(
        _V,
        "state_of_the_step_before",
        _OUTER,
        "Which row of h is h(t), and which is h(0)?",
        ("h[t]", "h[t - 1]"),
    ),
    *mistake(
        _V,
        "last_state_for_all",
        _OUTER,
        "Which state was V multiplied with at step 1?",
        ("h[t]", "h[-1]"),
    ),
    *mistake(
        _V,
        "states_summed_before_the_product",
        _MEAN,
        "Is a sum of products the product of the sums?",
        ("h[t]", "h[1:].sum(axis=0)"),
    ),
    *mistake(
        _V,
        "V_through_time",
        _MEAN,
        "Does any state depend on V?",
        ("h[t]", "h[1 : t + 1].sum(axis=0)"),
    ),
    *mistake(
        _V,
        "slope_of_g1_in_dJ_dV",
        _OUTER,
        "On the way from the loss back to V, do you pass through g1?",
        ("h[t]", "net.g1.jacobian(h[t]) @ h[t]"),
    ),
    *mistake(
        _V,
        "activation_of_the_state",
        _OUTER,
        "What exactly is V multiplied with in the equation of the output?",
        ("h[t]", "net.g1.function(h[t])"),
    ),
)

OUTPUT = (*ERROR, *MEAN, *STATES)
