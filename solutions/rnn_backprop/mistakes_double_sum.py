"""Known mistakes in the double sum, equations (14) and (15), in `dJ_dW` and `dJ_dU` alike."""

from __future__ import annotations

from functools import partial

from mutants import DOUBLE_SUM_FILE, make_mistakes

_in_W_and_U = partial(make_mistakes, ("dJ_dW", "dJ_dU"), source_file=DOUBLE_SUM_FILE)
_SUM_EQUATION, _PRODUCT_EQUATION, _STEP_EQUATION = "(14)", "(15)", "(5)"

_STEP_JACOBIAN = "net.g1.jacobian(h[j]) @ net.W"

# the product of equation (15), in the double sum
PRODUCT_MISTAKES = (
    *_in_W_and_U(
        "product_reversed",
        _PRODUCT_EQUATION,
        "Which of the Jacobians stands on the left: the earliest or the latest?",
        ("range(t, k, -1)", "range(k + 1, t + 1)"),
    ),
    *_in_W_and_U(
        "product_one_too_long",
        _PRODUCT_EQUATION,
        "How many factors has the product for k = t, and how many for k = t - 1?",
        ("range(t, k, -1)", "range(t, k - 1, -1)"),
    ),
    *_in_W_and_U(
        "product_one_too_short",
        _PRODUCT_EQUATION,
        "How many factors has the product for k = t - 1, and which is the last one on the right?",
        ("range(t, k, -1)", "range(t, k + 1, -1)"),
    ),
    *_in_W_and_U(
        "product_ends_before_t",
        _PRODUCT_EQUATION,
        "How many factors has the product for k = t - 1, and which is the first one on the left?",
        ("range(t, k, -1)", "range(t - 1, k, -1)"),
    ),
    *_in_W_and_U(
        "product_one_step_too_early",
        _PRODUCT_EQUATION,
        "At which state does the product begin on the left, and at which one does it end on the right?",
        (_STEP_JACOBIAN, "net.g1.jacobian(h[j - 1]) @ net.W"),
    ),
    *_in_W_and_U(
        "product_one_step_too_late",
        _PRODUCT_EQUATION,
        "At which state does the product begin on the left, and at which one does it end on the right?",
        (_STEP_JACOBIAN, "net.g1.jacobian(h[min(j + 1, T)]) @ net.W"),
    ),
    *_in_W_and_U(
        "slope_of_the_step_before_at_k",
        _PRODUCT_EQUATION,
        "At which state is the slope of g1 taken that stands at the very end of each chain?",
        ("net.g1.jacobian(h[k])", "net.g1.jacobian(h[k - 1])"),
    ),
    *_in_W_and_U(
        "power_of_one_jacobian",
        _PRODUCT_EQUATION,
        "Is the Jacobian of a step back the same at every step?",
        (_STEP_JACOBIAN, "net.g1.jacobian(h[t]) @ net.W"),
    ),
    *_in_W_and_U(
        "power_of_the_first_jacobian",
        _PRODUCT_EQUATION,
        "Is the Jacobian of a step back the same at every step?",
        (_STEP_JACOBIAN, "net.g1.jacobian(h[k]) @ net.W"),
    ),
    *_in_W_and_U(
        "entrywise_product",
        _PRODUCT_EQUATION,
        "Which product of two matrices does the chain rule mean, and which one does the * of numpy form?",
        ("np.eye(len(net.W))", "np.ones_like(net.W) if t > k else np.eye(len(net.W))"),
        (f"product @ {_STEP_JACOBIAN}", f"product * ({_STEP_JACOBIAN})"),
    ),
    *_in_W_and_U(
        "sum_of_jacobians",
        _PRODUCT_EQUATION,
        "Are the Jacobians along one way added or multiplied?",
        ("np.eye(len(net.W))", "np.zeros_like(net.W) if t > k else np.eye(len(net.W))"),
        (f"product @ {_STEP_JACOBIAN}", f"product + {_STEP_JACOBIAN}"),
    ),
    *_in_W_and_U(
        "step_jacobian_transposed",
        _STEP_EQUATION,
        "Which of the two states of a step back belongs to the rows of its Jacobian?",
        (_STEP_JACOBIAN, f"({_STEP_JACOBIAN}).T"),
    ),
    *_in_W_and_U(
        "slope_after_W",
        _STEP_EQUATION,
        "On which side of W does the slope of g1 stand in a step back?",
        (_STEP_JACOBIAN, "net.W @ net.g1.jacobian(h[j])"),
    ),
)

# the sum over k of equation (14), in the double sum
SUM_MISTAKES = (
    *(
        entry
        for steps in range(3, 9)
        for entry in _in_W_and_U(
            f"window_of_{steps}",
            _SUM_EQUATION,
            "From the last step of a long sequence, how far back do you go?",
            ("range(1, t + 1)", f"range(max(1, t - {steps - 1}), t + 1)"),
        )
    ),
    *(
        entry
        for steps in range(1, 4)
        for name, wrong in (
            (f"only_the_term_{steps}_back", f"range(t - {steps}, t - {steps} + 1) if t > {steps} else ()"),
            (f"only_the_term_up_to_{steps}_back", f"range(max(1, t - {steps}), max(1, t - {steps}) + 1)"),
        )
        for entry in _in_W_and_U(
            name,
            _SUM_EQUATION,
            "Over which k do you sum for one loss, and how many terms has that sum?",
            ("range(1, t + 1)", wrong),
        )
    ),
    *_in_W_and_U(
        "sum_begins_at_2",
        _SUM_EQUATION,
        "With which k does the sum begin?",
        ("range(1, t + 1)", "range(min(2, t), t + 1)"),
    ),
    *_in_W_and_U(
        "sum_begins_at_0",
        _SUM_EQUATION,
        "With which k does the sum begin, and was h(0) made with these weights?",
        ("range(1, t + 1)", "range(0, t + 1)"),
    ),
    *_in_W_and_U(
        "sum_ends_before_t",
        _SUM_EQUATION,
        "With which k does the sum end, and what is an empty product?",
        ("range(1, t + 1)", "range(1, t)"),
    ),
    *_in_W_and_U(
        "first_step_only",
        _SUM_EQUATION,
        "At how many steps do the weights come in?",
        ("range(1, t + 1)", "range(1, 2)"),
    ),
    *_in_W_and_U(
        "early_steps_counted_twice",
        _SUM_EQUATION,
        "Is dh(k)/dW the whole derivative or the immediate one, with the state before held fixed?",
        (" / T", " * (t - k + 1) / T"),
    ),
)

DOUBLE_SUM_MISTAKES = (*PRODUCT_MISTAKES, *SUM_MISTAKES)
