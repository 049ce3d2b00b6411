# %% [markdown]
# # The heat equation, step by step
#
# A rod is cut into $N$ pieces with temperatures $u$ $(N,)$. In each step a piece takes heat from its neighbours:
#
# $$ u_i \leftarrow u_i + r\,(u_{i-1} - 2 u_i + u_{i+1}) \tag{1} $$
#
# What are the neighbours of the ends? If they are `"fixed"`, the ends keep their temperature. In a `"ring"` the two
# ends are neighbours of each other.

# %% setup
import numpy as np


# %% solution="heat" points=3
def heat(u, r, steps, ends):
    """Return the temperatures at all times, U (steps + 1, N), where U[0] is u: equation (1).

    u (N,) are the temperatures at the start, r is how much goes over in a step, ends is "fixed" or "ring".
    """
    ### BEGIN SOLUTION
    U = [u]
    for _ in range(steps):
        old = U[-1]
        new = old + r * (np.roll(old, 1) - 2 * old + np.roll(old, -1))
        if ends == "fixed":
            new[[0, -1]] = old[[0, -1]]
        U.append(new)
    return np.array(U)
    ### END SOLUTION


# %% teacher
from autograder.exercise.teacher import check, mistake


def case(rng, N, steps, ends="fixed"):
    return dict(u=rng.normal(size=N), r=0.2, steps=steps, ends=ends)


SIZES = [dict(N=3, steps=1), dict(N=4, steps=2, ends="ring"), dict(N=7, steps=5), dict(N=12, steps=30, ends="ring")]

CHECKS = [check("heat", "A long time", sizes=[dict(N=5, steps=60)], points=1)]

MISTAKES = [
    mistake(
        "heat", "start_forgotten", "How many rows has U, and which is the first?", replace="U = [u]", by="U = [0 * u]"
    ),
    mistake("heat", "ends_not_kept", "What do the ends do?", replace='ends == "fixed"', by="False"),
    mistake("heat", "factor_forgotten", "How often does the piece itself count?", replace=" - 2 * old", by=" - old"),
]
