"""Known mistakes in `forward`, equations (1) and (2)."""

from __future__ import annotations

from functools import partial

from mutants import make_mistakes

_in_forward = partial(make_mistakes, ("forward",))
_STATE_EQUATION, _OUTPUT_EQUATION = "(1)", "(2)"

_START = "h, y_hat = [h0], []"
_RESULT = "np.array(h), np.array(y_hat)"

FORWARD_MISTAKES = (
    # the weights
    *_in_forward(
        "forward_with_W_transposed",
        _STATE_EQUATION,
        "Which index of W belongs to the new state, and which to the old one?",
        ("net.W @ h[t - 1]", "h[t - 1] @ net.W"),
    ),
    *_in_forward(
        "W_forgotten",
        _STATE_EQUATION,
        "How does a state learn what the state before it was?",
        ("net.W @ h[t - 1] + ", ""),
    ),
    *_in_forward(
        "U_forgotten",
        _STATE_EQUATION,
        "Would your states change if the inputs did?",
        (" + net.U @ x[t - 1]", ""),
    ),
    *_in_forward(
        "circled_plus_as_a_product",
        _STATE_EQUATION,
        "What does the notebook say about the circle with a plus in it?",
        ("net.W @ h[t - 1] + net.U @ x[t - 1]", "(net.W @ h[t - 1]) * (net.U @ x[t - 1])"),
    ),
    # the biases
    *_in_forward(
        "b_h_forgotten",
        _STATE_EQUATION,
        "Count the summands inside g1: how many are there in the equation, and how many in your code?",
        (" + net.b_h", ""),
    ),
    *_in_forward(
        "b_h_twice",
        _STATE_EQUATION,
        "How often does each summand stand inside g1?",
        ("+ net.b_h", "+ 2 * net.b_h"),
    ),
    *_in_forward(
        "b_y_forgotten",
        _OUTPUT_EQUATION,
        "Count the summands inside g2: how many are there in the equation, and how many in your code?",
        (" + net.b_y", ""),
    ),
    *_in_forward(
        "bias_after_activation",
        _STATE_EQUATION,
        "What stands inside the brackets of g1, and what outside?",
        ("x[t - 1] + net.b_h)", "x[t - 1]) + net.b_h"),
    ),
    *_in_forward(
        "output_bias_after_activation",
        _OUTPUT_EQUATION,
        "What stands inside the brackets of g2, and what outside?",
        ("h[t] + net.b_y)", "h[t]) + net.b_y"),
    ),
    # the activations
    *_in_forward(
        "activation_twice",
        _STATE_EQUATION,
        "What exactly is W multiplied with in the equation of the state?",
        ("net.W @ h[t - 1]", "net.W @ net.g1.function(h[t - 1])"),
    ),
    *_in_forward(
        "activation_of_an_activation",
        _STATE_EQUATION,
        "How many activations does a state go through on its way from one step to the next?",
        ("net.g1.function(", "net.g1.function(net.g1.function("),
        ("net.b_h)", "net.b_h))"),
    ),
    *_in_forward(
        "g1_forgotten",
        _STATE_EQUATION,
        "With tanh, can any of your states be larger than 1?",
        ("net.g1.function(", "("),
    ),
    *_in_forward(
        "g2_forgotten",
        _OUTPUT_EQUATION,
        "Does each row of your y_hat sum to 1 when g2 is the softmax?",
        ("net.g2.function(", "("),
    ),
    *_in_forward(
        "tanh_in_forward",
        _STATE_EQUATION,
        "Which activation does the network bring along, and which one do you apply?",
        ("net.g1.function(", "np.tanh("),
    ),
    *_in_forward(
        "sigmoid_in_forward",
        _STATE_EQUATION,
        "Which activation does the network bring along, and which one do you apply?",
        ("net.g1.function(", "1 / (1 + np.exp(-("),
        ("net.b_h))", "net.b_h))))"),
    ),
    *_in_forward(
        "softmax_in_forward",
        _OUTPUT_EQUATION,
        "Which output activation does the network bring along, and which one do you apply?",
        (
            "y_hat.append(net.g2.function(net.V @ h[t] + net.b_y))",
            "scores = np.exp(net.V @ h[t] + net.b_y)\n        y_hat.append(scores / np.sum(scores))",
        ),
    ),
    *_in_forward(
        "softmax_over_all_steps",
        _OUTPUT_EQUATION,
        "Over which entries of y_hat do the probabilities sum to 1: those of one step, or those of all?",
        ("net.g2.function(", "("),
        (_RESULT, "np.array(h), net.g2.function(np.ravel(y_hat)).reshape(len(x), -1)"),
    ),
    *_in_forward(
        "pre_activation_carried_on",
        _STATE_EQUATION,
        "What goes on to the next step: the state, or what the activation was applied to?",
        (_START, _START + "\n    a = h0"),
        (
            "h.append(net.g1.function(net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h))",
            "a = net.W @ a + net.U @ x[t - 1] + net.b_h\n        h.append(net.g1.function(a))",
        ),
    ),
    *_in_forward(
        "output_of_the_pre_activation",
        _OUTPUT_EQUATION,
        "What is V multiplied with: the state, or what the activation was applied to?",
        ("net.V @ h[t]", "net.V @ (net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h)"),
    ),
    # the start
    *_in_forward(
        "h0_not_used",
        _STATE_EQUATION,
        "Which state does the first step begin from?",
        ("net.W @ h[t - 1]", "net.W @ (h[t - 1] if t > 1 else 0 * h0)"),
    ),
    *_in_forward(
        "h0_zero_in_h",
        _STATE_EQUATION,
        "What stands in the first row of h, and which state does the first step begin from?",
        (_START, "h, y_hat = [0 * h0], []"),
    ),
    *_in_forward(
        "h0_activated",
        _STATE_EQUATION,
        "What do you do to h(0) before the first step?",
        (_START, "h, y_hat = [net.g1.function(h0)], []"),
    ),
    *_in_forward(
        "h0_at_every_step",
        _STATE_EQUATION,
        "Which state does the second step begin from?",
        ("net.W @ h[t - 1]", "net.W @ h0"),
    ),
    *_in_forward(
        "wraps_around_in_forward",
        _STATE_EQUATION,
        "In which row of h does h(0) stand, and what does Python read at the row -1?",
        (_RESULT, "np.array(h[1:] + h[:1]), np.array(y_hat)"),
    ),
    # which step
    *_in_forward(
        "first_input_for_all",
        _STATE_EQUATION,
        "Which input does step 2 read?",
        ("x[t - 1]", "x[0]"),
    ),
    *_in_forward(
        "input_of_the_step_before",
        _STATE_EQUATION,
        "Which row of x is x(1), and what does Python read at the row -1?",
        ("x[t - 1]", "x[t - 2]"),
    ),
    *_in_forward(
        "input_of_the_next_step",
        _STATE_EQUATION,
        "Which row of x is x(1)?",
        ("x[t - 1]", "x[min(t, len(x) - 1)]"),
    ),
    *_in_forward(
        "inputs_from_the_end",
        _STATE_EQUATION,
        "In which order does the forward pass read the inputs?",
        ("x[t - 1]", "x[-t]"),
    ),
    *_in_forward(
        "output_of_the_state_before",
        _OUTPUT_EQUATION,
        "Is the output of step t made from the state before that step, or after it?",
        ("net.V @ h[t]", "net.V @ h[t - 1]"),
    ),
    *_in_forward(
        "last_state_for_all_outputs",
        _OUTPUT_EQUATION,
        "Which state is each output made from?",
        (_RESULT, "np.array(h), np.array([y_hat[-1]] * len(x))"),
    ),
)
