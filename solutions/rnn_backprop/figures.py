"""Draw the figures of the exercise into figures/ (`make figures`); only the measured seconds differ between runs.

The figures are committed, and embedded at release: a notebook cell that computed them would give the solution away.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from network import ACTIVATIONS, LOSSES, RNN, mean_loss
from PIL import Image

# the set-up cell imports it
sys.modules["checks"] = SimpleNamespace(**dict.fromkeys(("case", "check", "expected", "hint", "progress", "slope")))
import learning
import rnn_backprop

Array = np.ndarray
FOLDER = Path(__file__).parent / "figures"
BLUE, RED, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#606060"  # Okabe and Ito's, for colour-blind readers too

mpl.rcParams.update(
    {
        "figure.dpi": 100,
        "figure.facecolor": "white",  # opaque: the page behind may be dark
        "font.size": 12,
        "mathtext.fontset": "cm",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#E4E4E4",
        "lines.linewidth": 1.8,
        "lines.markersize": 6,
    }
)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for draw in (unrolled, paths, cost, memory, gradient_check, lengths, clipping):
        file = FOLDER / f"{draw.__name__}.png"
        canvas = FigureCanvasAgg(draw())
        canvas.draw()
        # Few colours make small files, and the notebook embeds them all.
        Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(96).save(file, optimize=True)
        print(f"figures/{file.name}: {file.stat().st_size} bytes")


def unrolled() -> Figure:
    """Draw the network over four steps, with the rows of the arrays below the steps they belong to."""
    figure, axes = _blank(7.6, 5.1, (-1.6, 4.6), (-4.05, 1.75))
    for t in range(5):
        axes.text(t, -1.85, f"$t = {t}$", ha="center", va="center", color=GREY, fontsize=13)
        _node(axes, t, 0, f"h({t})", BLUE)
        if t:
            _node(axes, t, 1.3, rf"\hat y({t})", GREEN)
            _node(axes, t, -1.2, f"x({t})", RED)
            _arrow(axes, (t - 0.78, 0), (t - 0.22, 0), "W", (t - 0.5, 0.2))
            _arrow(axes, (t, -0.96), (t, -0.25), "U", (t + 0.15, -0.62))
            _arrow(axes, (t, 0.25), (t, 1.05), "V", (t + 0.15, 0.63))
    axes.plot([-1.55, 4.5], [-2.1, -2.1], color="#BBBBBB", linewidth=1)
    for row, (array, first, rows, color) in enumerate(
        [("h", 0, 5, BLUE), ("x", 1, 4, RED), ("y_hat", 1, 4, GREEN), ("y", 1, 4, GREY)]
    ):
        height = -2.4 - 0.45 * row
        axes.text(-1.5, height, f"{array}: {rows} rows", va="center", family="monospace", color=color)
        for index in range(rows):
            box = {"boxstyle": "square,pad=0.3", "facecolor": "white", "edgecolor": color}
            label = f"{array}[{index}]"
            axes.text(first + index, height, label, ha="center", va="center", family="monospace", fontsize=11, bbox=box)
    return figure


def paths() -> Figure:
    """Draw the three paths from W to J(3), with a factor on each edge."""
    figure, axes = _blank(7.6, 3.9, (-0.62, 5.3), (-2.45, 1.85))
    stations = ["h(0)", "h(1)", "h(2)", "h(3)", r"\hat y(3)", "J(3)"]
    for x, label in enumerate(stations):
        _node(axes, x, 1.4, label, BLUE if x < 4 else GREEN)
        if x:
            _arrow(axes, (x - 0.75, 1.4), (x - 0.25, 1.4))
            axes.plot([x, x], [-1.95, 1.1], color="#D8D8D8", linewidth=1, zorder=0)
    for row, (k, color, style) in enumerate([(3, BLUE, "-"), (2, RED, "--"), (1, GREEN, ":")]):
        height = 0.5 - 1.1 * row
        axes.plot([k - 0.55, k, 4.9], [height - 0.42, height, height], color=color, linestyle=style, linewidth=2.4)
        axes.plot([4.93], [height], color=color, marker=">", markersize=9)
        axes.plot(range(k, 5), [height] * (5 - k), color=color, marker="o", linestyle="none", markersize=7)
        axes.text(k - 0.6, height - 0.44, "$W$", ha="right", va="center", color=color, fontsize=15)
        axes.text(-0.5, height, f"$k = {k}$", va="center", color=color, fontsize=15)
        chain = [rf"\partial {stations[x]}/\partial {stations[x - 1]}" for x in range(k + 1, 5)]
        factors = [rf"\partial h({k})/\partial W", *chain, r"dJ(3)/d\hat y(3)"]
        for place, factor in enumerate(factors):
            position = (k + place - 0.5, height + 0.2) if place else (k + 0.1, height - 0.42)
            plain = {"facecolor": "white", "edgecolor": "none", "pad": 2}
            axes.text(*position, f"${factor}$", ha="center", va="center", color=color, fontsize=12.5, bbox=plain)
    return figure


def cost() -> Figure:
    """Plot the seconds for dJ/dW over the number of steps: the double sum in two versions, and BPTT."""
    steps = np.array([4, 8, 16, 32, 64, 128])
    methods: list[tuple[str, str, str, int, Callable[..., Array]]] = [
        ("double sum, each product formed anew", RED, "s", 3, partial(_double_sum, recompute_products=True)),
        ("double sum, products carried along", GREEN, "^", 2, partial(_double_sum, recompute_products=False)),
        ("back-propagation through time", BLUE, "o", 1, rnn_backprop.dJ_dW),
    ]
    examples = [_example(int(T), H=20) for T in steps]
    figure, axes = _plot("number of steps $T$", "seconds for $dJ/dW$")
    for label, color, marker, exponent, method in methods:
        seconds = np.array([_min_seconds(method, example) for example in examples])
        axes.loglog(steps, seconds, color=color, marker=marker, label=label)
        # a dotted line of the expected slope, a little below the last measurements
        guide = seconds[-1] * (steps[-3:] / steps[-1]) ** float(exponent) * 0.45
        axes.loglog(steps[-3:], guide, color=GREY, linestyle=":", linewidth=1.4)
        power = f"$T^{exponent}$" if exponent > 1 else "$T$"
        axes.annotate(power, (steps[-1], guide[-1]), xytext=(6, -4), textcoords="offset points", color=GREY)
    axes.set_xticks(steps, [str(T) for T in steps])
    axes.minorticks_off()
    axes.legend(frameon=False)
    return figure


def memory() -> Figure:
    """Plot the norm of dh(t)/dh(k) over t - k, for three spectral radii of W."""
    H, first, span = 50, 10, 40
    rng = np.random.default_rng(1)
    W = rng.normal(size=(H, H))
    W /= np.max(np.abs(np.linalg.eigvals(W)))
    U, x = rng.normal(size=(H, 3)), 0.1 * rng.normal(size=(first + span, 3))
    figure, axes = _plot("steps in between, $t - k$", r"$\Vert\, dh(t)\,/\,dh(k)\, \Vert$")
    for radius, color, marker in [(2.0, RED, "s"), (1.0, GREEN, "^"), (0.5, BLUE, "o")]:
        net = _tanh_net(U, radius * W, np.ones((1, H)), "identity")
        h, _ = rnn_backprop.forward(net, x, np.zeros(H))
        product, norms = np.eye(H), [1.0]
        for t in range(first + 1, first + span + 1):
            product = net.g1.jacobian(h[t]) @ net.W @ product
            norms.append(float(np.linalg.norm(product, 2)))
        axes.semilogy(norms, color=color, marker=marker, markevery=4, label=rf"$\rho(W) = {radius}$")
        axes.semilogy(radius ** np.arange(span + 1), color=color, linestyle=":", linewidth=1.2)
    axes.plot([], [], color=GREY, linestyle=":", linewidth=1.2, label=r"$\rho(W)^{t-k}$")
    axes.set(ylim=(1e-13, 1e9), yticks=10.0 ** np.arange(-12, 9, 4))
    axes.legend(frameon=False, loc="lower left")
    return figure


def gradient_check() -> Figure:
    """Plot the error of a gradient check over the step, for a right gradient and for a truncated one."""
    net, x, y, h, _ = example = _example(6, H=5)
    right = rnn_backprop.dJ_dW(*example)
    truncated = _double_sum(*example, recompute_products=False, max_steps_back=1)
    step_sizes = np.logspace(-12, -1, 34)
    numerical = [_central_differences(net, x, y, h[0], size) for size in step_sizes]
    figure, axes = _plot(r"step $\varepsilon$", "relative error (22)")
    for label, color, marker, gradient in [
        ("cut off after one step back", RED, "s", truncated),
        ("right", BLUE, "o", right),
    ]:
        errors = [np.max(np.abs(gradient - slope)) / np.max(np.abs(slope)) for slope in numerical]
        axes.loglog(step_sizes, errors, color=color, marker=marker, label=label)
    axes.text(1e-9, 2e-8, r"rounding, like $10^{-16}/\varepsilon$", color=GREY, ha="right")
    axes.text(0.25, 2e-8, r"curvature, like $\varepsilon^2$", color=GREY, ha="right")
    axes.legend(frameon=False, loc="center right", bbox_to_anchor=(0.98, 0.8))
    return figure


def lengths() -> Figure:
    """Draw what the cell with compare_lengths draws, after 250 updates of each network."""
    runs = learning.runs_of_lengths((5, 10, 20), seed=0)
    before = {run.label: learning.terms(run, _FUNCTIONS) for run in runs}
    figure: Figure = learning.loss_figure(_trained(runs, 250), before)
    return figure


def clipping() -> Figure:
    """Draw what the cell with compare_clipping draws once `clip` is written, after 150 updates of both."""
    figure: Figure = learning.loss_figure(_trained(learning.runs_of_clipping(learning.shrink), 150), {})
    return figure


_FUNCTIONS = rnn_backprop.forward, rnn_backprop.dJ_dV, rnn_backprop.dJ_dW, rnn_backprop.dJ_dU


def _trained(runs: list[learning.Run], updates: int) -> list[learning.Run]:
    for run in runs:
        for _ in range(updates):
            run.update(_FUNCTIONS)
        print(f"{run.label}: loss {run.recent:.3f}, largest {max(run.losses):.1f}")
    return runs


def _double_sum(
    net: RNN, x: Array, y: Array, h: Array, y_hat: Array, recompute_products: bool, max_steps_back: int | None = None
) -> Array:
    """Return dJ/dW as the double sum, truncated to `max_steps_back`; each product anew with `recompute_products`."""
    T = len(x)
    total = np.zeros_like(net.W)
    G1 = [net.g1.jacobian(h[t]) for t in range(T + 1)]
    for t in range(1, T + 1):
        row = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1]) @ net.V / T
        product = np.eye(len(net.W))
        for k in range(t, 0 if max_steps_back is None else max(0, t - 1 - max_steps_back), -1):
            if recompute_products:
                product = np.eye(len(net.W))
                for j in range(t, k, -1):
                    product = product @ G1[j] @ net.W
            total += np.outer(row @ product @ G1[k], h[k - 1])
            product = product @ G1[k] @ net.W
    return total


def _central_differences(net: RNN, x: Array, y: Array, h0: Array, step: float) -> Array:
    """Return dJ/dW by central differences (21)."""

    def J(W: Array) -> float:
        perturbed = replace(net, W=W)
        return mean_loss(perturbed, rnn_backprop.forward(perturbed, x, h0)[1], y)

    gradient = np.empty_like(net.W)
    for index in np.ndindex(net.W.shape):
        perturbation = np.zeros_like(net.W)
        perturbation[index] = step
        gradient[index] = (J(net.W + perturbation) - J(net.W - perturbation)) / (2 * step)
    return gradient


def _example(T: int, H: int) -> tuple[RNN, Array, Array, Array, Array]:
    rng = np.random.default_rng(0)
    D, K = 3, 4
    net = _tanh_net(rng.normal(size=(H, D)), rng.normal(size=(H, H)) / np.sqrt(H), rng.normal(size=(K, H)), "softmax")
    x, y, h0 = rng.normal(size=(T, D)), rng.normal(size=(T, K)), rng.normal(size=H)
    return net, x, y, *rnn_backprop.forward(net, x, h0)


def _tanh_net(U: Array, W: Array, V: Array, g2: str) -> RNN:
    zeros = np.zeros(len(W)), np.zeros(len(V))
    return RNN(U, W, V, *zeros, ACTIVATIONS["tanh"], ACTIVATIONS[g2], LOSSES["squared_error"])


def _min_seconds(method: Callable[..., Array], example: tuple[object, ...]) -> float:
    """Return the time of the fastest of several runs: other load on the machine can only add to it."""
    times = []
    while len(times) < 3 or (sum(times) < 0.5 and len(times) < 50):
        start = perf_counter()
        method(*example)
        times.append(perf_counter() - start)
    return min(times)


def _blank(width: float, height: float, x: tuple[float, float], y: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1), xlim=x, ylim=y)
    axes.axis("off")
    return figure, axes


def _plot(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.6, 4.4), layout="constrained")
    return figure, figure.add_subplot(xlabel=x, ylabel=y)


def _node(axes: Axes, x: float, y: float, label: str, color: str) -> None:
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": color, "linewidth": 1.8}
    axes.text(x, y, f"${label}$", ha="center", va="center", fontsize=15, bbox=box, zorder=3)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], label: str = "", at: tuple[float, float] = (0, 0)
) -> None:
    style = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.4}
    axes.annotate("", end, start, arrowprops=style)
    if label:
        axes.text(*at, f"${label}$", ha="center", va="center", color=GREY, fontsize=14)


if __name__ == "__main__":
    main()
