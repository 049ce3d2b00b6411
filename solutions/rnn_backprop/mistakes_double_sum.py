"""Known mistakes in the double sum, equations (14) and (15), in `dJ_dW` and `dJ_dU` alike."""

from __future__ import annotations

from mutants import DOUBLE_SUM, mistake

_BOTH = ("dJ_dW", "dJ_dU")
_SUM, _PRODUCT, _LINKS = "(14)", "(15)", "(5)"

_FACTOR = "net.g1.jacobian(h[j]) @ net.W"

# the product of equation (15), in the double sum
PRODUCT = (
    *mistake(
        _BOTH,
        "product_reversed",
        _PRODUCT,
        "Which of the Jacobians stands on the left: the earliest or the latest?",
        ("range(t, k, -1)", "range(k + 1, t + 1)"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "product_one_too_long",
        _PRODUCT,
        "How many factors has the product for k = t, and how many for k = t - 1?",
        ("range(t, k, -1)", "range(t, k - 1, -1)"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "product_one_too_short",
        _PRODUCT,
        "How many factors has the product for k = t - 1, and which is the last one on the right?",
        ("range(t, k, -1)", "range(t, k + 1, -1)"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "product_ends_before_t",
        _PRODUCT,
        "How many factors has the product for k = t - 1, and which is the first one on the left?",
        ("range(t, k, -1)", "range(t - 1, k, -1)"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "power_of_one_jacobian",
        _PRODUCT,
        "Is the Jacobian of a step back the same at every step?",
        (_FACTOR, "net.g1.jacobian(h[t]) @ net.W"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "power_of_the_first_jacobian",
        _PRODUCT,
        "Is the Jacobian of a step back the same at every step?",
        (_FACTOR, "net.g1.jacobian(h[k]) @ net.W"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "entrywise_product",
        _PRODUCT,
        "Which product of two matrices does the chain rule mean, and which one does the * of numpy form?",
        ("np.eye(len(net.W))", "np.ones_like(net.W) if t > k else np.eye(len(net.W))"),
        (f"product @ {_FACTOR}", f"product * ({_FACTOR})"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "sum_of_jacobians",
        _PRODUCT,
        "Are the Jacobians along one way added or multiplied?",
        ("np.eye(len(net.W))", "np.zeros_like(net.W) if t > k else np.eye(len(net.W))"),
        (f"product @ {_FACTOR}", f"product + {_FACTOR}"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "step_jacobian_transposed",
        _LINKS,
        "Which of the two states of a step back belongs to the rows of its Jacobian?",
        (_FACTOR, f"({_FACTOR}).T"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "slope_after_W",
        _LINKS,
        "On which side of W does the slope of g1 stand in a step back?",
        (_FACTOR, "net.W @ net.g1.jacobian(h[j])"),
        of=DOUBLE_SUM,
    ),
)

# the sum over k of equation (14), in the double sum
SUM = (
    *(
        entry
        for steps in range(3, 9)
        for entry in mistake(
            _BOTH,
            f"window_of_{steps}",
            _SUM,
            "From the last step of a long sequence, how far back do you go?",
            ("range(1, t + 1)", f"range(max(1, t - {steps - 1}), t + 1)"),
            of=DOUBLE_SUM,
        )
    ),
    *mistake(
        _BOTH,
        "sum_begins_at_2",
        _SUM,
        "With which k does the sum begin?",
        ("range(1, t + 1)", "range(min(2, t), t + 1)"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "sum_begins_at_0",
        _SUM,
        "With which k does the sum begin, and was h(0) made with these weights?",
        ("range(1, t + 1)", "range(0, t + 1)"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "sum_ends_before_t",
        _SUM,
        "With which k does the sum end, and what is an empty product?",
        ("range(1, t + 1)", "range(1, t)"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "first_step_only",
        _SUM,
        "At how many steps do the weights come in?",
        ("range(1, t + 1)", "range(1, 2)"),
        of=DOUBLE_SUM,
    ),
    *mistake(
        _BOTH,
        "early_steps_counted_twice",
        _SUM,
        "Is dh(k)/dW the whole derivative or the immediate one, with the state before held fixed?",
        (" / T", " * (t - k + 1) / T"),
        of=DOUBLE_SUM,
    ),
)

DOUBLE = (*PRODUCT, *SUM)
