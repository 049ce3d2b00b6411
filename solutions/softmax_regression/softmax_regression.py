# %% [markdown]
# # Softmax regression
#
# This is a warm-up of about half an hour. You program a model that sorts inputs into classes, its loss, and the
# gradient of the loss; and then you check that gradient, in a way that works for every gradient you will ever write.
# Three functions:
#
# | function | what it computes | where |
# |:--|:--|:--|
# | `predict` | how likely each class is, for each input | exercise 1 |
# | `loss` | how far that is from the truth, as one number | exercise 2 |
# | `dJ_dW` | the gradient of the loss with respect to the weights | exercise 3 |
#
# ### How to work with this notebook
#
# - Run the cells from the top (Shift+Enter), beginning with the set-up cell below.
# - Write your code in place of each line `raise NotImplementedError(...)`. The cell below it, such as
#   `check("predict")`, says at once whether your function is right and, if not, where to look. Run it as often as you
#   like.
# - If you are stuck, `hint("predict")` tells a little, and a little more each time.
# - Every check hands in all that a function needs, so a slip in one exercise spoils no other.
# - Your functions return new `float64` numbers and arrays, and leave their arguments as they were.

# %% setup
import numpy as np

# %% [markdown]
# ## 1. The model
#
# There are $N$ inputs with $D$ features each, the rows of `X` $(N, D)$, and $K$ classes. The model has one row of
# weights for each class, `W` $(K, D)$, and one bias, `b` $(K,)$. Each input $x_n$ gets a score for each class,
#
# $$ a_n = W x_n + b \tag{1} $$
#
# and the *softmax* turns the scores of an input into probabilities, which are positive and add up to 1:
#
# $$ \hat y_{nk} = \frac{e^{a_{nk}}}{\sum_{j=1}^{K} e^{a_{nj}}} \tag{2} $$
#
# A score of 1000 is no rarity, and $e^{1000}$ is more than a `float64` can hold. But nothing changes in (2) if the
# same number is taken from all scores of an input (try it on paper), such as the largest of them. Then no exponential
# is larger than 1.
#
# ### Exercise 1: `predict`


# %% solution="predict"
def predict(W, b, X):
    """The probabilities y_hat (N, K): equations (1) and (2).

    W     the weights (K, D)
    b     the biases (K,)
    X     the inputs (N, D), one in each row
    """
    ### BEGIN SOLUTION
    a = X @ W.T + b
    e = np.exp(a - a.max(axis=1, keepdims=True))
    y_hat = e / e.sum(axis=1, keepdims=True)
    return y_hat
    ### END SOLUTION


# %% hints="predict"
# 1. The scores of all inputs are one array of shape (N, K). Which product of `X` and `W` has that shape?
# 2. The sum in (2) is over the classes of one input: one sum for each row. `keepdims=True` keeps it a column, which is
#    divided row by row.
# 3. Take from each row its largest score before you raise e to it, and use the result above and below the fraction
#    bar.

# %% [markdown]
# ## 2. The loss
#
# The truth about input $n$ is a row of `y` $(N, K)$: a 1 for its class and 0 for the others. A good model gives that
# class a probability near 1. The *cross-entropy* punishes what is missing, and $J$ is its mean over all inputs:
#
# $$ J = -\frac{1}{N} \sum_{n=1}^{N} \sum_{k=1}^{K} y_{nk} \log \hat y_{nk} \tag{3} $$
#
# ### Exercise 2: `loss`


# %% solution="loss"
def loss(y_hat, y):
    """The loss J, a single number: equation (3).

    y_hat the probabilities (N, K) that a model gives
    y     the truth (N, K), a 1 in each row
    """
    ### BEGIN SOLUTION
    J = -np.sum(y * np.log(y_hat)) / len(y)
    return J
    ### END SOLUTION


# %% hints="loss"
# 1. Of each row of `y * np.log(y_hat)`, which entries are not 0?
# 2. J is a mean over inputs. `np.mean` of an array (N, K) divides by more than that.

# %% [markdown]
# ## 3. The gradient
#
# To learn, the model moves its weights downhill: against the gradient of $J$. We need one slope for each weight, so
# $dJ/dW$ has the shape of $W$. The chain rule goes from $J$ to $\hat y$, to the scores $a$, and to $W$.
#
# **From the loss to the scores.** Equation (2) has a neat derivative,
# $\partial \hat y_{nk} / \partial a_{nj} = \hat y_{nk}\,(\delta_{kj} - \hat y_{nj})$, where $\delta_{kj}$ is 1 for
# $k = j$ and 0 otherwise. Put into the derivative of (3), nearly everything cancels, because the $y_{nk}$ of an input
# add up to 1:
#
# $$ \frac{\partial J}{\partial a_{nj}}
#    = -\frac{1}{N} \sum_{k} \frac{y_{nk}}{\hat y_{nk}}\, \hat y_{nk}\,(\delta_{kj} - \hat y_{nj})
#    = \frac{1}{N}\,(\hat y_{nj} - y_{nj}) \tag{4} $$
#
# What the model says minus what is true: that is all that is left.
#
# **From the scores to the weights.** By equation (1), $W_{kd}$ moves the score $a_{nk}$ by $x_{nd}$, of every input
# $n$. So the paths through all inputs are added up:
#
# $$ \frac{dJ}{dW_{kd}} = \sum_{n=1}^{N} \frac{\partial J}{\partial a_{nk}}\, x_{nd}
#    = \frac{1}{N} \sum_{n=1}^{N} (\hat y_{nk} - y_{nk})\, x_{nd} \tag{5} $$
#
# ### Exercise 3: `dJ_dW`


# %% solution="dJ_dW" slope_of="W" points=2
def dJ_dW(X, y, y_hat):
    """The gradient dJ/dW, of shape (K, D): equation (5).

    X     the inputs (N, D)
    y     the truth (N, K)
    y_hat the probabilities (N, K), as a right predict makes them
    """
    ### BEGIN SOLUTION
    return (y_hat - y).T @ X / len(X)
    ### END SOLUTION


# %% hints="dJ_dW"
# 1. Equation (5) for a single input is a column times a row: the error of each class times each feature. Which shape
#    is that?
# 2. A sum over n of products is what a matrix product does. Which of the two arrays must be transposed so that it sums
#    over n?

# %% [markdown]
# ## 4. What a gradient check is
#
# How would you know that (5) is right if nobody had told you? A slope can be *measured*. Move one weight a little up
# and a little down, and see how $J$ changes:
#
# $$ \frac{dJ}{dW_{kd}} \approx \frac{J(W_{kd} + \varepsilon) - J(W_{kd} - \varepsilon)}{2\,\varepsilon} \tag{6} $$
#
# This needs no calculus at all, only a right `predict` and `loss`. It is too slow to learn with, since it computes $J$
# twice for each weight, and it is never quite exact. But a derived gradient that is right agrees with it to six digits
# or more, and one that is wrong does not. To compare the two is a *gradient check*.


# %%
def measured(W, b, X, y, step=1e-5):
    """The slope of J by each weight, from equation (6)."""
    slopes = np.empty_like(W)
    for k, d in np.ndindex(*W.shape):
        move = np.zeros_like(W)
        move[k, d] = step
        up, down = (loss(predict(moved, b, X), y) for moved in (W + move, W - move))
        slopes[k, d] = (up - down) / (2 * step)
    return slopes


def gradient_check(N=5, D=3, K=4):
    """The relative difference of your gradient from the measured one, for a random model and random inputs."""
    rng = np.random.default_rng(0)
    W, b, X = rng.normal(size=(K, D)), rng.normal(size=K), rng.normal(size=(N, D))
    y = np.eye(K)[rng.integers(0, K, size=N)]
    derived, slopes = dJ_dW(X, y, predict(W, b, X)), measured(W, b, X, y)
    return np.max(abs(derived - slopes)) / np.max(abs(slopes))


# When all three functions are written, take away the "# " before the next line and run the cell again:
# print(gradient_check())

# %% [markdown]
# The number should be far below one in a million. Now spoil your `dJ_dW` on purpose, say by forgetting the $1/N$, and
# look at the number again; then try a larger `step`, and a much smaller one. With 1e-1 the curve is no longer straight
# between the two points. With 1e-13 hardly any digit is left of the difference of two numbers that are nearly equal.
# In between lies a wide range where a gradient check works.
#
# Nor need you write it again. `slope`, which the set-up cell imports, measures the slope of any function by any of its
# arguments: `slope("W", J, W, b, X, y)`, where `J(W, b, X, y)` is a function of yours.
#
# ### Before you hand it in
#
# Put your `dJ_dW` right again, restart the kernel, run all cells, and look at the three checks once more. Then save.

# %% teacher
from autograder.exercise.teacher import check, mistake


def case(rng, N, D, K, scale=1):
    W, b, X = scale * rng.normal(size=(K, D)), rng.normal(size=K), rng.normal(size=(N, D))
    y = np.eye(K)[rng.permutation(N) % K]
    return dict(W=W, b=b, X=X, y=y, y_hat=predict(W, b, X))


def objective(W, b, X, y):
    return loss(predict(W, b, X), y)


# A single input hides the mean, two classes hide the sum over classes, and equal sizes hide a transposed matrix.
SIZES = [dict(N=1, D=1, K=2), dict(N=4, D=2, K=3), dict(N=3, D=3, K=3), dict(N=2, D=5, K=4), dict(N=9, D=2, K=2)]

MISTAKES = [
    mistake(
        "predict",
        "shift_forgotten",
        "How large may a score be before the exponential overflows?",
        replace=" - a.max(axis=1, keepdims=True)",
        by="",
    ),
    mistake(
        "predict",
        "softmax_over_inputs",
        "Which numbers add up to 1, those of an input or those of a class?",
        source="""def predict(W, b, X):
    e = np.exp(X @ W.T + b)
    return e / e.sum(axis=0)""",
    ),
    mistake(
        "predict",
        "softmax_over_everything",
        "How many probabilities add up to 1?",
        replace="e.sum(axis=1, keepdims=True)",
        by="e.sum()",
    ),
    mistake("predict", "bias_forgotten", "Count the summands of a score.", replace=" + b", by=""),
    mistake("predict", "bias_subtracted", "Which way does a larger bias move a score?", replace="+ b", by="- b"),
    mistake(
        "predict",
        "not_normalised",
        "What do the probabilities of an input add up to?",
        replace=" / e.sum(axis=1, keepdims=True)",
        by="",
    ),
    mistake(
        "predict",
        "exponential_forgotten",
        "What is softmax without e?",
        source="""def predict(W, b, X):
    a = X @ W.T + b
    return a / a.sum(axis=1, keepdims=True)""",
    ),
    mistake(
        "predict",
        "sigmoid",
        "Is each class decided by itself?",
        source="""def predict(W, b, X):
    return 1 / (1 + np.exp(-(X @ W.T + b)))""",
    ),
    mistake("loss", "sum_instead_of_mean", "Is J a sum or a mean?", replace=" / len(y)", by=""),
    mistake(
        "loss",
        "mean_over_all_entries",
        "How many summands does the mean divide by?",
        replace="np.sum(y * np.log(y_hat)) / len(y)",
        by="np.mean(y * np.log(y_hat))",
    ),
    mistake("loss", "sign_forgotten", "Is a loss positive or negative?", replace="-np.sum", by="np.sum"),
    mistake(
        "loss",
        "logarithm_forgotten",
        "What is done to a probability before it is added up?",
        replace="np.log(y_hat)",
        by="y_hat",
    ),
    mistake(
        "loss",
        "other_classes_counted",
        "Which entries of a row does the cross-entropy look at?",
        replace="y * np.log(y_hat)",
        by="y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)",
    ),
    mistake("loss", "logarithm_of_base_2", "Which logarithm is it?", replace="np.log(", by="np.log2("),
    mistake("dJ_dW", "sum_instead_of_mean", "Is J a sum or a mean?", replace=" / len(X)", by=""),
    mistake("dJ_dW", "error_reversed", "Downhill or uphill?", replace="y_hat - y", by="y - y_hat"),
    mistake("dJ_dW", "truth_forgotten", "What is left if the model is right?", replace="(y_hat - y)", by="y_hat"),
    mistake(
        "dJ_dW",
        "softmax_slope_twice",
        "What has cancelled in equation (4)?",
        replace="(y_hat - y)",
        by="((y_hat - y) * y_hat * (1 - y_hat))",
    ),
    mistake(
        "dJ_dW", "mean_over_classes_too", "How many summands does the mean divide by?", replace="len(X)", by="y.size"
    ),
    mistake("dJ_dW", "mean_over_features", "What does N count?", replace="len(X)", by="X.shape[1]"),
    mistake(
        "dJ_dW",
        "last_input_only",
        "How many inputs does W act on?",
        replace="(y_hat - y).T @ X",
        by="np.outer((y_hat - y)[-1], X[-1])",
    ),
]

CHECKS = [
    check("predict", "Scores that are large: nothing overflows", sizes=[dict(N=4, D=3, K=3, scale=10_000)], points=0.5),
]
