"""Tests of the stubs: code that draws runs, does nothing, and unpacks its results; `slope` of the checks measures."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from autograder.sandbox.guest import slope as guest_slope
from autograder.sandbox.guest.stub_modules import NullObject, StubFinder, TqdmStub
from autograder.student import slope as student_slope
from tests import naive_gradients

_, network = naive_gradients.load_reference()

LINES = [
    "import matplotlib; matplotlib.use('Agg'); matplotlib.__version__.split('.')",
    "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.xlabel('t'); plt.show(); plt.savefig('a.png')",
    "from matplotlib import pyplot as plt; fig, ax = plt.subplots(); ax.plot([1]); fig.tight_layout()",
    "from matplotlib.pyplot import subplots; fig, ax = subplots(figsize=(3, 2))",
    "fig, axes = plt.subplots(2, 3); axes[0, 1].plot([1]); [a.set_title('a') for a in axes.flat]; axes.shape[1] + 1",
    "fig, (left, right) = plt.subplots(1, 2, sharey=True); left.imshow([[1]]); right.set_xlim(0, 1)",
    "fig, axes = plt.subplots(nrows=2, squeeze=False); axes[1, 0].grid(True)",
    "ax = plt.figure().subplots(); ax.axhline(0)",
    "line, = plt.plot([1, 2]); line.set_data([1], [2])",
    "one, two = plt.plot([1], [2], 'r', [1], [3], 'b')",
    "n, bins, patches = plt.hist([1, 2]); n.max(); bins[0]; [p.set_alpha(1) for p in patches]",
    "handles, labels = ax.get_legend_handles_labels(); low, high = plt.xlim()",
    "wedges, texts = plt.pie([1]); wedges, texts, auto = plt.pie([1], autopct='%d')",
    "with plt.style.context('ggplot'): plt.plot([1])",
    "with plt.rc_context({'a': 1}) as a, plt.xkcd(): pass",
    "plt.rcParams['figure.figsize'] = (3, 2); plt.rcParams.update({'a': 1}); del plt.rcParams['a']",
    "colors = plt.cm.viridis(np.linspace(0, 1, 3)); colors[0]; list(zip(colors, [1, 2]))",
    "from mpl_toolkits.mplot3d import Axes3D; ax = plt.figure().add_subplot(111, projection='3d')",
    "import seaborn as sns; sns.set_theme(); sns.heatmap(np.eye(2), annot=True).set(title='a')",
    "import plotly.express as px, plotly.graph_objects as go; go.Figure(data=[px.line(x=[1])]).show()",
    "from IPython.display import display, HTML, Math, clear_output; display(HTML('a')); clear_output(wait=True)",
    "from IPython import get_ipython; get_ipython().run_line_magic('matplotlib', 'inline')",
    "import ipywidgets as widgets; from ipywidgets import interact; interact(lambda a: a, a=(0, 1))",
    "class Box(widgets.VBox): pass\nBox([1]).children",
    "from google.colab import files, drive; drive.mount('/content/drive'); uploaded = files.upload(); 'a' in uploaded",
    "low, high = plt.imshow([[1]]).get_clim(); (a, b), c = low, high; first, *rest = plt.new_in_2031()",
    "assert list(fig.axes) == [] and [*fig.axes] == [] and not list(zip(fig.axes, [1]))\nfor a in fig.axes: 1/0",
    "assert isinstance(ax, plt.Axes) and not isinstance(1, plt.Axes) and not isinstance(ax, np.ndarray)",
    "from checks import check, hint; check('forward'); hint()",
    "error = np.abs(hint() - np.ones(3)).max(); assert error < 1e-6, f'{error:.2e} is too large'; float(error)",
    "2 * error + 1 - error / 2; -error; round(error, 3); int(error); np.linalg.norm(error); print(error)",
    "from tqdm import tqdm, trange; assert list(tqdm([1, 2], desc='a')) == [1, 2] and list(trange(1, 3)) == [1, 2]",
    "from tqdm.notebook import tqdm; assert len(tqdm([1, 2])) == 2",
    "from tqdm.auto import trange\nwith trange(3) as bar:\n    for i in bar: bar.set_description('a')",
    "from tqdm.contrib import tenumerate; assert list(tenumerate('ab', 1, desc='a')) == [(1, 'a'), (2, 'b')]",
    "from tqdm.contrib import tmap, tzip; assert list(tzip([1, 2], [3])) == [(1, 3)] and list(tmap(abs, [-1])) == [1]",
    "from tqdm.contrib.itertools import product; assert list(product([1, 2], [3], desc='a')) == [(1, 3), (2, 3)]",
    "from tqdm.contrib.concurrent import thread_map; assert thread_map(abs, [-1, 2], max_workers=2) == [1, 2]",
    "import tqdm; bar = tqdm.tqdm(total=3); bar.update(1); bar.n += 1; bar.close(); tqdm.tqdm.write('a')",
    "import copy; copy.deepcopy(fig); hash(fig); repr(fig); fig == fig or 1/0",
    "from matplotlib.animation import FuncAnimation; HTML(FuncAnimation(fig, print).to_jshtml())",
]


@pytest.fixture(scope="module")
def errors() -> dict[str, str]:
    """Return the error of each line that raised, all of them run in one process with the stubs alone."""
    program = (
        "import sys, warnings; import numpy as np\n"
        "from autograder.sandbox.guest import stub_modules; stub_modules.install()\n"
        "warnings.simplefilter('error')\n"
        "space = {'np': np}\n"
        "for number, line in enumerate(eval(sys.stdin.read())):\n"
        "    try:\n        exec(line, space)\n"
        "    except BaseException as error:\n        sys.stderr.write(f'{number}\\t{error!r}\\n')\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, input=repr(LINES), capture_output=True, text=True, check=True, timeout=60)
    records = (line.split("\t") for line in done.stderr.splitlines())
    return {LINES[int(number)]: error for number, error in records}


@pytest.mark.parametrize("line", LINES)
def test_code_of_students_runs(line, errors):
    assert errors.get(line) is None


@pytest.mark.parametrize("name", ["numpy", "tqdmish", "check", "googlemaps", "network"])
def test_no_other_module_is_replaced(name):
    assert StubFinder().find_spec(name) is None


def test_numpy_does_not_take_a_stub_for_an_array():
    assert isinstance(np.add(np.ones(2), NullObject()), NullObject)


def test_slope_measures_as_in_the_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, network.__name__, network)
    checks = StubFinder().create_module(ModuleSpec("checks", None))
    arrays = {name: np.eye(2) for name in ("U", "W", "V")} | {name: np.zeros(2) for name in ("b_h", "b_y")}
    net = network.arguments(arrays, {"g1": "tanh", "g2": "identity", "loss": "squared_error"})["net"]
    x, y, h0 = np.ones((1, 2)), np.zeros((1, 2)), np.zeros(2)

    def forward(net, x, h0):
        return x, x @ net.V

    arguments = (network.J, forward, net, x, y, h0)
    np.testing.assert_allclose(checks.slope("net.V", *arguments), np.ones((2, 2)), rtol=1e-6)
    np.testing.assert_allclose(checks.slope("net.W", *arguments), np.zeros((2, 2)))


def test_tqdm_passes_items_through():
    items = [object(), object()]
    assert list(TqdmStub(items)) == items
    assert list(TqdmStub()) == []


def test_the_copy_of_slope_equals_the_original():
    """The guest imports no other room, so it has a copy."""

    def functions(module):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        return {node.name: ast.dump(node) for node in tree.body if isinstance(node, ast.FunctionDef)}

    assert functions(guest_slope) == functions(student_slope)
    assert guest_slope.STEP == student_slope.STEP
