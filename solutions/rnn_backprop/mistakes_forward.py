"""Known mistakes in `forward`, equations (1) and (2)."""

from __future__ import annotations

from mutants import mistake

_FORWARD = ("forward",)
_STATE, _OUTPUT = "(1)", "(2)"

_START = "h, y_hat = [h0], []"
_AS_ARRAYS = "np.array(h), np.array(y_hat)"

FORWARD = (
    # the weights
    *mistake(
        _FORWARD,
        "forward_with_W_transposed",
        _STATE,
        "Which index of W belongs to the new state, and which to the old one?",
        ("net.W @ h[t - 1]", "h[t - 1] @ net.W"),
    ),
    *mistake(
        _FORWARD,
        "W_forgotten",
        _STATE,
        "How does a state learn what the state before it was?",
        ("net.W @ h[t - 1] + ", ""),
    ),
    *mistake(
        _FORWARD,
        "U_forgotten",
        _STATE,
        "Would your states change if the inputs did?",
        (" + net.U @ x[t - 1]", ""),
    ),
    *mistake(
        _FORWARD,
        "circled_plus_as_a_product",
        _STATE,
        "What does the notebook say about the circle with a plus in it?",
        ("net.W @ h[t - 1] + net.U @ x[t - 1]", "(net.W @ h[t - 1]) * (net.U @ x[t - 1])"),
    ),
    # the biases
    *mistake(
        _FORWARD,
        "b_h_forgotten",
        _STATE,
        "Count the summands inside g1: how many are there in the equation, and how many in your code?",
        (" + net.b_h", ""),
    ),
    *mistake(
        _FORWARD,
        "b_h_twice",
        _STATE,
        "How often does each summand stand inside g1?",
        ("+ net.b_h", "+ 2 * net.b_h"),
    ),
    *mistake(
        _FORWARD,
        "b_y_forgotten",
        _OUTPUT,
        "Count the summands inside g2: how many are there in the equation, and how many in your code?",
        (" + net.b_y", ""),
    ),
    *mistake(
        _FORWARD,
        "bias_after_activation",
        _STATE,
        "What stands inside the brackets of g1, and what outside?",
        ("x[t - 1] + net.b_h)", "x[t - 1]) + net.b_h"),
    ),
    *mistake(
        _FORWARD,
        "output_bias_after_activation",
        _OUTPUT,
        "What stands inside the brackets of g2, and what outside?",
        ("h[t] + net.b_y)", "h[t]) + net.b_y"),
    ),
    # the activations
    *mistake(
        _FORWARD,
        "activation_twice",
        _STATE,
        "What exactly is W multiplied with in the equation of the state?",
        ("net.W @ h[t - 1]", "net.W @ net.g1.function(h[t - 1])"),
    ),
    *mistake(
        _FORWARD,
        "activation_of_an_activation",
        _STATE,
        "How many activations does a state go through on its way from one step to the next?",
        ("net.g1.function(", "net.g1.function(net.g1.function("),
        ("net.b_h)", "net.b_h))"),
    ),
    *mistake(
        _FORWARD,
        "g1_forgotten",
        _STATE,
        "With tanh, can any of your states be larger than 1?",
        ("net.g1.function(", "("),
    ),
    *mistake(
        _FORWARD,
        "g2_forgotten",
        _OUTPUT,
        "Does each row of your y_hat sum to 1 when g2 is the softmax?",
        ("net.g2.function(", "("),
    ),
    *mistake(
        _FORWARD,
        "tanh_in_forward",
        _STATE,
        "Which activation does the network bring along, and which one do you apply?",
        ("net.g1.function(", "np.tanh("),
    ),
    *mistake(
        _FORWARD,
        "sigmoid_in_forward",
        _STATE,
        "Which activation does the network bring along, and which one do you apply?",
        ("net.g1.function(", "1 / (1 + np.exp(-("),
        ("net.b_h))", "net.b_h))))"),
    ),
    *mistake(
        _FORWARD,
        "softmax_in_forward",
        _OUTPUT,
        "Which output activation does the network bring along, and which one do you apply?",
        (
            "y_hat.append(net.g2.function(net.V @ h[t] + net.b_y))",
            "scores = np.exp(net.V @ h[t] + net.b_y)\n        y_hat.append(scores / np.sum(scores))",
        ),
    ),
    *mistake(
        _FORWARD,
        "softmax_over_all_steps",
        _OUTPUT,
        "Over which entries of y_hat do the probabilities sum to 1: those of one step, or those of all?",
        ("net.g2.function(", "("),
        (_AS_ARRAYS, "np.array(h), net.g2.function(np.ravel(y_hat)).reshape(len(x), -1)"),
    ),
    *mistake(
        _FORWARD,
        "pre_activation_carried_on",
        _STATE,
        "What goes on to the next step: the state, or what the activation was applied to?",
        (_START, _START + "\n    a = h0"),
        (
            "h.append(net.g1.function(net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h))",
            "a = net.W @ a + net.U @ x[t - 1] + net.b_h\n        h.append(net.g1.function(a))",
        ),
    ),
    *mistake(
        _FORWARD,
        "output_of_the_pre_activation",
        _OUTPUT,
        "What is V multiplied with: the state, or what the activation was applied to?",
        ("net.V @ h[t]", "net.V @ (net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h)"),
    ),
    # the start
    *mistake(
        _FORWARD,
        "h0_not_used",
        _STATE,
        "Which state does the first step begin from?",
        ("net.W @ h[t - 1]", "net.W @ (h[t - 1] if t > 1 else 0 * h0)"),
    ),
    *mistake(
        _FORWARD,
        "h0_zero_in_h",
        _STATE,
        "What stands in the first row of h, and which state does the first step begin from?",
        (_START, "h, y_hat = [0 * h0], []"),
    ),
    *mistake(
        _FORWARD,
        "h0_activated",
        _STATE,
        "What do you do to h(0) before the first step?",
        (_START, "h, y_hat = [net.g1.function(h0)], []"),
    ),
    *mistake(
        _FORWARD,
        "h0_at_every_step",
        _STATE,
        "Which state does the second step begin from?",
        ("net.W @ h[t - 1]", "net.W @ h0"),
    ),
    *mistake(
        _FORWARD,
        "wraps_around_in_forward",
        _STATE,
        "In which row of h does h(0) stand, and what does Python read at the row -1?",
        (_AS_ARRAYS, "np.array(h[1:] + h[:1]), np.array(y_hat)"),
    ),
    # which step
    *mistake(
        _FORWARD,
        "first_input_for_all",
        _STATE,
        "Which input does step 2 read?",
        ("x[t - 1]", "x[0]"),
    ),
    *mistake(
        _FORWARD,
        "input_of_the_step_before",
        _STATE,
        "Which row of x is x(1), and what does Python read at the row -1?",
        ("x[t - 1]", "x[t - 2]"),
    ),
    *mistake(
        _FORWARD,
        "input_of_the_next_step",
        _STATE,
        "Which row of x is x(1)?",
        ("x[t - 1]", "x[min(t, len(x) - 1)]"),
    ),
    *mistake(
        _FORWARD,
        "inputs_from_the_end",
        _STATE,
        "In which order does the forward pass read the inputs?",
        ("x[t - 1]", "x[-t]"),
    ),
    *mistake(
        _FORWARD,
        "output_of_the_state_before",
        _OUTPUT,
        "Is the output of step t made from the state before that step, or after it?",
        ("net.V @ h[t]", "net.V @ h[t - 1]"),
    ),
    *mistake(
        _FORWARD,
        "last_state_for_all_outputs",
        _OUTPUT,
        "Which state is each output made from?",
        (_AS_ARRAYS, "np.array(h), np.array([y_hat[-1]] * len(x))"),
    ),
)
