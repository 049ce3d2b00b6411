# %% [markdown]
# # A linear classifier
#
# $\hat y = \mathrm{softmax}(W x + b)$ for each of the $N$ rows of `x` $(N, D)$.
#
# ![Two straight lines part the plane into three
# regions.](figures/regions.png)

# %% setup
import numpy as np

try:
    from checks import check, slope  # for the check cells
    from model import mean_loss, softmax  # for the reader's own trials
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(f"{missing.name}.py is not beside this notebook: upload it.") from None


# %% solution="predict"
def predict(model, x):
    """The probabilities y_hat (N, K) of the rows of x (N, D)."""
    ### BEGIN SOLUTION
    return np.array([softmax(model.W @ row + model.b) for row in x])
    ### END SOLUTION


# %% check="predict"
# check("predict")

# %% [markdown]
# Now the gradient of the mean loss.


# %% solution="dJ_dW"
def dJ_dW(model, x, y, y_hat):
    """The gradient of J, of shape (K, D)."""
    n = len(x)
    ### BEGIN SOLUTION
    return (y_hat - y).T @ x / n
    ### END SOLUTION


# %% check="dJ_dW"
# check("dJ_dW")

# %% [markdown] manual="why" points=1.5
# Why is the softmax shifted?
#
# ### BEGIN SOLUTION
# The exponential of a large number overflows, and the shift cancels.
# ### END SOLUTION
