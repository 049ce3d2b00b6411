"""What the four functions are good for: networks that learn to remember, by your own gradients, drawn as they train.

Each function here belongs to one cell of the notebook, and draws only there: while nbgrader runs the notebook, in
tests and in scripts it does nothing. Training ends with the clock, however many updates fit, or when it is interrupted.
"""

from __future__ import annotations

import base64
import html
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from network import ACTIVATIONS, LOSSES, RNN, mean_loss

Functions = tuple[Callable[..., Any], ...]  # forward, dJ_dV, dJ_dW, dJ_dU
Gradients = dict[str, np.ndarray]

SYMBOLS = 2  # one of them is to be remembered
STATES, RATE, LIMIT = 8, 0.5, 1.0
CHANCE = np.log(SYMBOLS)  # the loss of guessing
LEARNED, LAST = 0.02, 20  # a run has learned when its last losses are that small on average
REDRAWN = 0.7  # seconds between two pictures


# --- The cells ----------------------------------------------------------------------------------------------------


def draw_states(g1: str = "tanh", radius: float = 0.9, T: int = 40, H: int = STATES, seed: int = 0) -> None:
    """Draw the states of a random network over time: an input at step 1, and none after it."""
    if _in_a_notebook():
        states = random_states(g1, radius, T, H, seed)
        figure, axes = _figure(1)
        axes[0].plot(states)
        axes[0].set(xlabel="step t", ylabel="h(t), a line for each state", title=f"{g1}, spectral radius {radius:g}")
        _show(figure, f"The {H} states of a random {g1} network over {T} steps, W with the spectral radius {radius:g}")


def learn(*functions: Callable[..., Any], n: int = 5, seconds: float = 8.0, seed: int = 0) -> None:
    """Train one network to remember the first of n inputs, until it does or the time is up, and draw its loss."""
    _train_and_draw([Run(f"n = {n}", n, random_network(seed), seed)], functions, seconds, stop_early=True)


def compare_lengths(
    *functions: Callable[..., Any], lengths: Sequence[int] = (5, 10, 20), seconds: float = 7.0, seed: int = 0
) -> None:
    """Train a network for each length, all with the same time, and draw what reaches the first step of the gradient."""
    _train_and_draw(runs_of_lengths(lengths, seed), functions, seconds, draw_terms=True)


def compare_clipping(
    *functions: Callable[..., Any],
    clip: Callable[[Gradients, float], Gradients],
    seconds: float = 3.0,
) -> None:
    """Train one network twice, with gradients as they are and as `clip(gradients, 1.0)` returns them."""
    _train_and_draw(runs_of_clipping(clip), functions, seconds)


# --- Training -----------------------------------------------------------------------------------------------------


def shrink(gradients: Gradients, most: float) -> Gradients:
    """Clip gradients: shrink all by one factor, so that their common norm is at most `most`."""
    norm = _norm(gradients.values())
    return {name: gradient * min(1.0, most / norm) if norm else gradient for name, gradient in gradients.items()}


@dataclass
class Run:
    """A network in training: its losses so far, and the seconds that they took."""

    label: str
    n: int
    net: RNN
    seed: int
    clip: Callable[[Gradients, float], Gradients] = shrink
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    @property
    def recent(self) -> float:
        """The mean of the last losses, of which there must be one."""
        return float(np.mean(self.losses[-LAST:]))

    @property
    def has_learned(self) -> bool:
        """Whether the last losses are small."""
        return len(self.losses) >= LAST and self.recent < LEARNED

    @property
    def status(self) -> str:
        """How far it is, in words."""
        count = len(self.losses)
        return f"loss {self.recent:.2f} after {count} update{'s' if count > 1 else ''}" if count else "no update yet"

    def update(self, functions: Functions) -> None:
        """Follow the gradient of J once: over one sequence for each symbol, with the student's functions."""
        start = time.monotonic()
        loss, total = 0.0, {name: np.zeros_like(getattr(self.net, name)) for name in "VWU"}
        for symbol in range(SYMBOLS):
            x, y = sequence(self.n, symbol, self.rng)
            h, y_hat = functions[0](self.net, x, np.zeros(STATES))
            loss += self.n * mean_loss(self.net, y_hat, y) / SYMBOLS  # J is a mean over n steps, and one of them counts
            for name, gradient in zip("VWU", functions[1:], strict=True):
                total[name] = total[name] + self.n * gradient(self.net, x, y, h, y_hat) / SYMBOLS
        step = self.clip(total, LIMIT)
        self.net = replace(self.net, **{name: getattr(self.net, name) - RATE * step[name] for name in "VWU"})
        self.losses.append(float(loss))
        self.seconds += time.monotonic() - start


def runs_of_lengths(lengths: Sequence[int], seed: int) -> list[Run]:
    """Return a run for each length, all from the same network."""
    return [Run(f"n = {n}", n, random_network(seed), seed) for n in lengths]


def runs_of_clipping(clip: Callable[[Gradients, float], Gradients], n: int = 10, radius: float = 2.0) -> list[Run]:
    """Return two runs of a network whose weights are too large: without clipping, and with `clip`."""
    net = random_network(0, radius)
    plain = Run("as they are", n, net, 0, clip=lambda gradients, _: gradients)
    return [plain, Run("as clip returns them", n, net, 0, clip=clip)]


def train(runs: Sequence[Run], functions: Functions, seconds: float, stop_early: bool = False) -> Iterator[float]:
    """Update the runs for so many seconds, each for as long as the others; yield after each update how much is over."""
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds and not (stop_early and runs[0].has_learned):
        with np.errstate(all="ignore"):
            min(runs, key=lambda run: run.seconds).update(functions)
        yield min(1.0, passed / seconds)


def random_network(seed: int, radius: float = 0.6) -> RNN:
    """A tanh network for the memory task; its W has the spectral radius `radius`."""
    rng = np.random.default_rng(seed)
    return RNN(
        U=0.5 * rng.normal(size=(STATES, SYMBOLS)),
        W=_with_radius(rng.normal(size=(STATES, STATES)), radius),
        V=0.3 * rng.normal(size=(SYMBOLS, STATES)),
        b_h=np.zeros(STATES),
        b_y=np.zeros(SYMBOLS),
        g1=ACTIVATIONS["tanh"],
        g2=ACTIVATIONS["softmax"],
        loss=LOSSES["cross_entropy"],
    )


def sequence(n: int, symbol: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One sequence: the symbol at step 1, then noise; it is asked for at step n. The other steps have no target."""
    x, y = 0.3 * rng.normal(size=(n, SYMBOLS)), np.zeros((n, SYMBOLS))
    x[0] = y[-1] = np.eye(SYMBOLS)[symbol]
    return x, y


def terms(run: Run, functions: Functions) -> np.ndarray:
    """The norms of the terms t = 1, ..., n of equation (19), each divided by the last one, as dJ_dU has them.

    dJ/dU is a sum of outer products with x(t). For inputs that are one-hot, each of its columns is one term.
    """
    x, y = sequence(run.n, 0, np.random.default_rng(run.seed))
    h, y_hat = functions[0](run.net, x, np.zeros(STATES))
    net = replace(run.net, U=np.zeros((STATES, run.n)))  # the gradient does not read U
    norms = np.linalg.norm(functions[3](net, np.eye(run.n), y, h, y_hat), axis=0)
    return norms / max(float(norms[-1]), np.finfo(float).tiny)


def random_states(g1: str, radius: float, T: int, H: int, seed: int) -> np.ndarray:
    """The states (T+1, H) of a random network that gets an input at step 1 alone."""
    rng, states = np.random.default_rng(seed), [np.zeros(H)]
    W, first = _with_radius(rng.normal(size=(H, H)), radius), rng.normal(size=H)
    for t in range(T):
        states.append(ACTIVATIONS[g1].function(W @ states[-1] + (first if t == 0 else 0)))
    return np.array(states)


def _with_radius(W: np.ndarray, radius: float) -> np.ndarray:
    return radius * W / np.abs(np.linalg.eigvals(W)).max()


def _norm(arrays: Any) -> float:
    return float(np.sqrt(sum(np.sum(array**2) for array in arrays)))


# --- Drawing ------------------------------------------------------------------------------------------------------


def _in_a_notebook() -> bool:
    """Whether somebody looks: not while nbgrader runs the notebook, and not in tests or scripts."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "NBGRADER_EXECUTION" not in os.environ


def _train_and_draw(
    runs: Sequence[Run], functions: Functions, seconds: float, stop_early: bool = False, draw_terms: bool = False
) -> None:
    if not _in_a_notebook():
        return
    before = {run.label: terms_or_none(run, functions) for run in runs} if draw_terms else {}
    handle, drawn, share = None, 0.0, 0.0
    _figure(1)  # the first one takes a second or more: not of the time for training
    try:
        for share in train(runs, functions, seconds, stop_early):
            if time.monotonic() - drawn > REDRAWN:
                handle = _show(loss_figure(runs, before), _status(runs), handle, share)
                drawn = time.monotonic()
    except KeyboardInterrupt:
        pass  # what has been learned by now is shown below
    except Exception as error:  # noqa: BLE001  # of the student's functions: their checks say more
        print(_why_not(error))
        return
    _show(loss_figure(runs, before), _status(runs), handle, 1.0)


def terms_or_none(run: Run, functions: Functions) -> np.ndarray | None:
    """The terms of a run before it is trained; None if the functions do not work yet, as training will say."""
    try:
        return terms(run, functions)
    except Exception:  # noqa: BLE001  # as above
        return None


def _why_not(error: Exception) -> str:
    if isinstance(error, NotImplementedError):
        return f"This cell needs all four functions: {error}."
    return f"Training stops with {type(error).__name__}: {error}. Do all four checks pass?"


def _status(runs: Sequence[Run]) -> str:
    """What a picture shows, in words."""
    phrases = (f"{run.label}: {run.status}" for run in runs)
    return f"{'; '.join(phrases)}. Guessing has the loss {CHANCE:.2f}."


def _figure(columns: int) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # late: it takes a second, and only drawing needs it
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * columns, 3.0), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def loss_figure(runs: Sequence[Run], before: Mapping[str, np.ndarray | None]) -> Any:
    """The losses of all runs; beside them, if there are `terms`, how much of the gradient comes from each step."""
    figure, axes = _figure(2 if before else 1)
    styles = ("-", "--", ":")  # colour is never alone
    for run, style in zip(runs, styles, strict=False):
        smooth = [float(np.mean(run.losses[max(0, i - 9) : i + 1])) for i in range(len(run.losses))]
        axes[0].plot(smooth, style, label=run.label)
        if (sizes := before.get(run.label)) is not None:
            axes[1].semilogy(np.arange(run.n)[::-1], np.maximum(sizes, 1e-12), style, marker=".", label=run.label)
    axes[0].axhline(CHANCE, color="grey", linewidth=0.8)
    axes[0].set(xlabel="updates", ylabel="loss (mean of 10)", title="Remember the first input", ylim=(-0.05, 1.5))
    axes[0].set_xlim(left=0)
    axes[0].legend(loc="upper right")
    if before:
        axes[1].set(xlabel="steps back from the last", ylabel="size, beside the last", title="Terms of dJ/dU at first")
        axes[1].legend(loc="lower left")
    return figure


def _show(figure: Any, words: str, handle: Any = None, share: float | None = None) -> Any:
    """Show a figure with a progress bar and the same in words, in place of an older one; return what to replace."""
    from IPython.display import HTML, display  # late: there is one in a notebook alone

    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    data, text = base64.b64encode(picture.getvalue()).decode("ascii"), html.escape(words)
    bar = "" if share is None else f'<progress value="{share:.2f}" max="1"></progress> '
    content = f'<p>{bar}{text}</p><img alt="{text}" style="max-width: 100%" src="data:image/png;base64,{data}">'
    shown = HTML(content)
    if handle is None:
        return display(shown, display_id=True)
    handle.update(shown)
    return handle
