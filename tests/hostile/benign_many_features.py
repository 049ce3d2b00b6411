# tries: nothing: it uses much of numpy and of the standard library, as honest work may
# stopped by: nothing
# starts as: honest
# loses: nothing
# holds at: A B C D E
import collections
import contextlib
import copy
import csv
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import heapq
import inspect
import io
import itertools
import json
import logging
import math
import operator
import os
import pathlib
import pickle
import random
import re
import statistics
import string
import sys
import tempfile
import textwrap
import time
import timeit
import traceback
import typing
import unittest
import warnings

import matplotlib.pyplot as plt
import numpy as np
from numpy.testing import assert_allclose

log = logging.getLogger(__name__)
logging.basicConfig(level=logging.INFO)
log.info("started %s", datetime.datetime.now())


@dataclasses.dataclass(frozen=True, order=True)
class Sizes:
    T: int
    H: int = 3
    names: list[str] = dataclasses.field(default_factory=list, compare=False)


class Way(enum.Enum):
    FORWARD = enum.auto()
    BACKWARD = enum.auto()


class Cell(typing.NamedTuple):
    h: np.ndarray
    t: int


# %%
a = np.random.default_rng(0).standard_normal((600, 600))
assert (a @ a.T).shape == (600, 600)
assert_allclose(np.linalg.inv(a[:50, :50]) @ a[:50, :50], np.eye(50), atol=1e-6)
assert_allclose(np.einsum("ij,jk->ik", a[:20, :30], a[:30, :10]), a[:20, :30] @ a[:30, :10])
q, r = np.linalg.qr(a[:40, :40])
u, s, vt = np.linalg.svd(a[:40, :40])
np.linalg.eig(a[:30, :30]), np.linalg.cholesky(a @ a.T + 700 * np.eye(600)), np.linalg.norm(a)
assert_allclose(np.fft.ifft(np.fft.fft(a[0])).real, a[0])
np.random.seed(1)
np.random.rand(3), np.sort(a, axis=1), np.cumsum(a), np.unique(np.round(a)), np.polyfit(range(9), range(9), 2)
np.savetxt(io.StringIO(), a[:3, :3]), np.array2string(a[:3, :3]), np.vectorize(math.sin)(a[:3, :3])
with np.errstate(divide="ignore"):
    np.log(np.zeros(2))
np.log(np.zeros(2))
np.tensordot(a[:5, :5], a[:5, :5]), np.kron(a[:3, :3], np.eye(2)), np.linalg.lstsq(a[:9, :3], a[:9, 0], rcond=None)


# %%
@functools.lru_cache(maxsize=None)
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@contextlib.contextmanager
def timed(what: str) -> typing.Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - start:.3f} s", file=sys.stderr)


with timed("sums"):
    assert fibonacci(80) == 23416728348467685
assert pickle.loads(pickle.dumps(Sizes(5))) == Sizes(5) == copy.deepcopy(Sizes(5))
assert json.loads(json.dumps({"way": Way.FORWARD.name})) == {"way": "FORWARD"}
assert re.sub(r"(?P<d>\d+)", r"<\g<d>>", "h3") == "h<3>"
assert collections.Counter("abca").most_common(1) == [("a", 2)]
assert list(itertools.accumulate(range(4), operator.add)) == [0, 1, 3, 6]
assert statistics.mean([1, 2, 3]) == 2 and fractions.Fraction(1, 3) + decimal.Decimal(0).as_integer_ratio()[0]
assert heapq.nsmallest(2, [3, 1, 2]) == [1, 2]
assert "def slowly" in inspect.getsource(slowly) if "slowly" in globals() else "def fibonacci" in inspect.getsource(fibonacci)
assert list(csv.reader(["a,b"])) == [["a", "b"]] and textwrap.dedent("  a") == "a" and string.ascii_letters
random.seed(3)
random.shuffle(list(range(9)))
timeit.timeit("1 + 1", number=10)
warnings.warn("a warning is no mistake", stacklevel=1)
print("σ", a[0, 0], Cell(a[0], 1).t, sep="\t", flush=True)
log.warning("done")
try:
    1 / 0
except ZeroDivisionError:
    traceback.print_exc()


class Tests(unittest.TestCase):
    def test_shape(self):
        self.assertEqual(a.shape, (600, 600))


result = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(Tests))
assert result.wasSuccessful()

# %%
try:
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "a.txt").write_text("a")
    with open("notes.txt", "w") as file:
        file.write("notes")
    np.save("a.npy", a)
    os.makedirs("figures", exist_ok=True)
except OSError:  # PermissionError, or no folder at all
    pass
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
left.plot(a[0], label="row")
right.imshow(a)
plt.title("weights")
plt.legend()
plt.savefig("figure.png")
plt.show()

# %%
Hidden = collections.namedtuple("Hidden", "errors t")


def backward(net, y, h, y_hat):
    T = len(y)
    errors = [net.loss.gradient(y_hat[t], y[t]) @ net.g2.jacobian(y_hat[t]) / T for t in range(T)]
    later = np.zeros(h.shape[1])
    for t in reversed(range(T)):
        later = (errors[t] @ net.V + later) @ net.g1.jacobian(h[t + 1])
        yield Hidden(later, t)
        later = later @ net.W


def dJ_dW(net, x, y, h, y_hat):
    with timed("dJ_dW"), warnings.catch_warnings():
        warnings.simplefilter("error")
        return functools.reduce(np.add, (np.outer(one.errors, h[one.t]) for one in backward(net, y, h, y_hat)))


def dJ_dU(net, x, y, h, y_hat):
    assert [field.name for field in dataclasses.fields(Sizes)] == ["T", "H", "names"]
    pairs = {one.t: np.einsum("i,j->ij", one.errors, x[one.t]) for one in backward(net, y, h, y_hat)}
    return np.sum([pairs[t] for t in sorted(pairs, key=operator.neg)], axis=0)
