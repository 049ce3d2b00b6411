# %% [markdown]
# # Logistic regression
#
# A model says how likely it is that $y = 1$, given the features $x$. Over the $N$ rows of `X` $(N, D)$:
#
# $$ \hat y = \sigma(X w + b), \qquad \sigma(a) = \frac{1}{1 + e^{-a}} \tag{1} $$
#
# $$ J = -\frac{1}{N} \sum_{n=1}^{N} y_n \log \hat y_n + (1 - y_n) \log(1 - \hat y_n) \tag{2} $$
#
# Write both equations, and then the slope of $J$ by the weights, which is shorter than it looks.

# %% setup
import numpy as np


# %% solution="predict"
def predict(w, b, X):
    """Return the probabilities y_hat (N,): equation (1)."""
    ### BEGIN SOLUTION
    y_hat = 1 / (1 + np.exp(-(X @ w + b)))
    return y_hat
    ### END SOLUTION


# %% solution="loss"
def loss(y_hat, y):
    """Return J, a single number: equation (2)."""
    ### BEGIN SOLUTION
    J = -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))
    return J
    ### END SOLUTION


# %% [markdown]
# By the chain rule, each row contributes its error times its features:
#
# $$ \frac{dJ}{dw} = \frac{1}{N} \sum_{n=1}^{N} (\hat y_n - y_n)\, x_n \tag{3} $$


# %% solution="dJ_dw" slope_of="w" points=2
def dJ_dw(X, y, y_hat):
    """Return dJ/dw (D,): equation (3)."""
    ### BEGIN SOLUTION
    return X.T @ (y_hat - y) / len(y)
    ### END SOLUTION


# %% hints="dJ_dw"
# 1. What does a single row contribute, and what is its shape?
# 2. The sum over all rows is a product of a matrix and a vector.

# %% teacher
from autograder.exercise.teacher import mistake


def case(rng, N, D, balanced=True):
    w, b, X = rng.normal(size=D), rng.normal(), rng.normal(size=(N, D))
    y = np.arange(N) % 2 if balanced else np.ones(N)
    return dict(w=w, b=b, X=X, y=y, y_hat=predict(w, b, X))


def objective(w, b, X, y):
    return loss(predict(w, b, X), y)


SIZES = [dict(N=1, D=1), dict(N=3, D=2), dict(N=20, D=5, balanced=False)]

MISTAKES = [
    mistake("dJ_dw", "mean_forgotten", "Is J a sum or a mean?", replace=" / len(y)", by=""),
    mistake("dJ_dw", "error_reversed", "Which way does J grow?", replace="y_hat - y", by="y - y_hat"),
    mistake("predict", "bias_forgotten", "What does the model say for x = 0?", replace=" + b", by=""),
]
