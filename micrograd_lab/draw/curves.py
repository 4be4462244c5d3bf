"""Curves: activations, the boundary a network draws, how a fit went, how gradients flow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..engine import Value
from ..formulas import latex
from ..nn import Module
from ..notation import number, parts
from ..ops import OPS, Op
from .layers import find_layers
from .network import mixed
from .picture import MATH, SANS, Picture, mathtext, new_figure, settable, style_axes, theme_called
from .themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

Model: TypeAlias = "Callable[[list[Value]], Value | Sequence[Value]]"

REACH = 4.0  # an activation is drawn from -4 to 4


class Losses(Protocol):
    """A history: the loss of each epoch, and perhaps that of validation samples."""

    loss: list[float]
    validation: list[float]


def plot_activation(*names: str, theme: str = "light") -> Picture:
    """Activations and their derivatives, with their formulas, all from the op table.

    Args:
        names: operations of one input; if none is given, every one in the table.
        theme: "light" or "dark".

    Raises:
        ValueError: if an operation is not in the table or has more inputs than one.

    Source:
        Lecture 7, "activation function", a table of six with their derivatives.

    >>> picture = plot_activation("sigmoid", "tanh")
    >>> [axes.get_title(loc="left") for axes in picture.figure.axes]
    ['sigmoid', 'tanh']
    """
    colours = theme_called(theme)
    known = [op.name for op in OPS.values() if len(op.partials) == 1 and not op.variadic]
    for name in names:
        if name not in known:
            raise ValueError(f"no operation {name!r} of one input; there are {', '.join(known)}")
    names = names or tuple(known)
    across = min(len(names), 3)
    down = math.ceil(len(names) / across)
    figure = new_figure(240 * across + 20, 230 * down + 10, colours)
    grid = figure.add_gridspec(
        down, across, left=40 / (240 * across + 20), right=1 - 24 / (240 * across + 20),
        bottom=32 / (230 * down + 10), top=1 - 74 / (230 * down + 10), hspace=0.75, wspace=0.28,
    )  # fmt: skip
    for i, name in enumerate(names):
        _activation(figure.add_subplot(grid[i // across, i % across]), OPS[name], colours)
    return Picture(figure)


def _activation(axes: Axes, op: Op, theme: Theme) -> None:
    style_axes(axes, theme)
    axes.set_title(op.name, loc="left", color=theme.ink, fontsize=12, pad=42, **SANS)
    points = [_at(op, -REACH + REACH * i / 200) for i in range(401)]
    for which, colour, text in ((1, theme.value, "f(x)"), (2, theme.grad, "f′(x)")):
        x, y = _unjoined([point[0] for point in points], [point[which] for point in points])
        dashes = (None, None) if which == 1 else (4, 1.5)
        axes.plot(x, y, color=colour, linewidth=2, dashes=dashes)
        formula = f"${text} = {_one_line(op, op.shown[which - 1])}$"
        height = 1.18 if which == 1 else 1.05
        axes.text(0, height, formula, color=colour, fontsize=11, transform=axes.transAxes, **MATH)
    axes.axhline(0, color=theme.wire, linewidth=0.6, zorder=0)
    axes.axvline(0, color=theme.wire, linewidth=0.6, zorder=0)
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(-1.6, 3)
    axes.set_xticks([-4, -2, 0, 2, 4])
    axes.set_yticks([-1, 0, 1, 2, 3])


def _at(op: Op, x: float) -> tuple[float, float, float]:
    """x, the value and the slope there; NaN outside the domain."""
    try:
        made = getattr(Value(x), op.name)()
    except ValueError:
        return x, math.nan, math.nan
    return x, made.data, made.locals[0]


def _unjoined(x: list[float], y: list[float]) -> tuple[list[float], list[float]]:
    """The points with a gap wherever the curve jumps: by far more than two points away."""
    rises = [abs(b - a) for a, b in pairwise(y)]
    xs, ys = x[:1], y[:1]
    for i, rise in enumerate(rises):
        if rise > 0.2 and rise > 5 * max(
            [*rises[max(i - 2, 0) : max(i - 1, 0)], *rises[i + 2 : i + 3]]
        ):
            xs.append(x[i])
            ys.append(math.nan)
        xs.append(x[i + 1])
        ys.append(y[i + 1])
    return xs, ys


def _one_line(op: Op, formula: str) -> str:
    """A formula as mathtext can set it: cases beside each other."""
    letters = {"f": "f(x)"} | ({"n": f"{op.n:g}"} if op.n is not None else {})
    text = latex(formula, letters)
    begin, end = r"\begin{cases} ", r" \end{cases}"
    if text.startswith(begin):
        cases = [case.split(" & ") for case in text[len(begin) : -len(end)].split(r" \\ ")]
        *first, (last, _) = cases
        said = [rf"{value}\;\mathrm{{if}}\;{condition},\;" for value, condition in first]
        text = "".join(said) + rf"{last}\;\mathrm{{otherwise}}"
    return settable(text)


def plot_decision_boundary(
    model: Model,
    points: Sequence[Sequence[float]],
    labels: Sequence[Any],
    *,
    resolution: int = 60,
    theme: str = "light",
) -> Picture:
    """The plane as `model` divides it, with the points and what each hidden neuron contributes.

    The boundary of a neuron is where its Σ is 0: there a sigmoid is ½, a tanh is 0 and a step
    jumps.  The line of each neuron of the first hidden layer is dashed; the boundary of the output
    neuron, put together from those lines, is solid.  With several outputs, a region belongs to the
    largest.

    Args:
        model: an `MLP`, or any function from two numbers to a value or a list of values.
        points: two numbers each.
        labels: the class of each: a number, or a row with a 1 in the place of the class.
        resolution: at how many places the model is evaluated, across and up.
        theme: "light" or "dark".

    Raises:
        ValueError: if a point has not two numbers, or there are not as many labels as points.

    Source:
        Lecture 7, "role of hidden layers".

    >>> from micrograd_lab import MLP, moons
    >>> model = MLP(2, [3, 1], seed=1)
    >>> picture = plot_decision_boundary(model, *moons(20, seed=1), resolution=10)
    """
    colours = theme_called(theme)
    figure = new_figure(420, 400, colours)
    _boundary(figure, model, points, labels, resolution, colours)
    return Picture(figure)


def _boundary(
    figure: FigureBase,
    model: Model,
    points: Sequence[Sequence[float]],
    labels: Sequence[Any],
    resolution: int,
    colours: Theme,
) -> None:
    import numpy as np

    if len(points) != len(labels) or not len(points):
        raise ValueError(f"{len(points)} points and {len(labels)} labels; give one label per point")
    for i, point in enumerate(points):
        if len(point) != 2:
            raise ValueError(f"point {i} has {len(point)} numbers; a plane has 2")
    axes = figure.add_axes((0.15, 0.13, 0.82, 0.83))
    style_axes(axes, colours)
    at = np.asarray(points, dtype=float)
    margin = 0.15 * np.maximum(np.ptp(at, axis=0), 1e-3)
    low, high = at.min(axis=0) - margin, at.max(axis=0) + margin
    x, y = (np.linspace(low[i], high[i], resolution) for i in (0, 1))
    scores = np.array([[_scores(model([Value(a), Value(b)])) for a in x] for b in y])
    shades = [colours.shapes["parameter"][0], colours.grad, *_MORE]
    if scores.shape[2] == 1:
        _two_regions(axes, x, y, scores[:, :, 0], shades, colours)
    else:
        for k in range(scores.shape[2]):
            lead = scores[:, :, k] - np.delete(scores, k, axis=2).max(axis=2)
            shade = mixed(colours.page, shades[k % len(shades)], 0.3)
            axes.contourf(x, y, lead, levels=[0, np.inf], colors=[shade])
    lines = _hidden_lines(axes, model, low, high, colours)
    classes = [_class(label) for label in labels]
    for k, kind in enumerate(sorted(set(classes))):
        chosen = at[[i for i, other in enumerate(classes) if other == kind]]
        shade = shades[(k if scores.shape[2] == 1 else int(kind)) % len(shades)]
        axes.scatter(
            chosen[:, 0], chosen[:, 1], s=26, marker="os^Dv"[k % 5], color=shade,
            edgecolors=colours.page, linewidths=0.7, zorder=3, label=number(kind),
        )  # fmt: skip
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    for axis, name in ((axes.xaxis, "x_1"), (axes.yaxis, "x_2")):
        words = mathtext(name)
        axis.set_label_text(words.pop("text"), color=colours.ink, fontsize=12, **words)
    _legend(figure, axes, lines, colours)


_MORE = ("#3d8f4f", "#8458b3", "#b08a1e", "#c2478b", "#2f8f9d", "#7a6652", "#5c6bc0", "#7f8c2d")


def _scores(outputs: Value | Sequence[Value]) -> list[float]:
    """The Σ of each output: what went into its activation, or itself."""
    made = [outputs] if isinstance(outputs, Value) else outputs
    return [(y.inputs[0] if len(y.inputs) == 1 else y).data for y in made]


def _class(label: Any) -> float:
    """A label as a number: of a row with several entries, the place of the largest."""
    if not hasattr(label, "__len__"):
        return float(label)
    row = [float(entry) for entry in label]
    return row[0] if len(row) == 1 else float(row.index(max(row)))


def _two_regions(
    axes: Axes, x: Any, y: Any, score: Any, shades: Sequence[str], theme: Theme
) -> None:
    """Tint the two sides of a score of 0, more where it is larger, and draw the line between."""
    import numpy as np

    usual = float(np.nanmedian(np.abs(score))) or 1.0
    level = score / (np.abs(score) + usual)  # from -1 to 1
    steps = np.linspace(-1, 1, 9)
    tints = [
        mixed(theme.page, shades[int(middle > 0)], 0.08 + 0.3 * abs(middle))
        for middle in (steps[:-1] + steps[1:]) / 2
    ]
    axes.contourf(x, y, level, levels=steps, colors=tints)
    if np.nanmin(score) < 0 < np.nanmax(score):
        axes.contour(x, y, score, levels=[0], colors=[theme.ink], linewidths=2)


def _hidden_lines(axes: Axes, model: Model, low: Any, high: Any, theme: Theme) -> bool:
    """Draw where Σ is 0 for each neuron of the first hidden layer; whether there is one."""
    x = [Value((a + b) / 2, f"x_{i}") for i, (a, b) in enumerate(zip(low, high), start=1)]
    made = model(x)
    outputs = [made] if isinstance(made, Value) else made
    parameters = model.parameters() if hasattr(model, "parameters") else None
    try:
        found = find_layers(outputs, parameters=parameters)
    except ValueError:  # no network, though it divides the plane
        return False
    if len(found.layers) < 2:
        return False
    taken: list[tuple[float, float]] = []
    for neuron in found.layers[0]:
        weights = {input: w.data for w, input in zip(neuron.weights, neuron.inputs)}
        w1, w2 = (weights.get(value, 0.0) for value in x)
        ends = _across(w1, w2, neuron.bias.data if neuron.bias else 0.0, low, high)
        if not ends:
            continue
        axes.plot(*zip(*ends), color=theme.quiet, linewidth=1.2, dashes=(4, 3), zorder=2)
        if neuron.out.label and len(found.layers[0]) <= 6:
            (x0, y0), (x1, y1) = ends
            places = [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for t in (0.08, 0.92, 0.3, 0.7)]
            free = [min((math.dist(at, other) for other in taken), default=0) for at in places]
            a, b = places[free.index(max(free))]
            taken.append((a, b))
            words = mathtext(neuron.out.label)
            axes.text(
                a, b, words.pop("text"), color=theme.ink, fontsize=11, ha="center", va="center",
                bbox={"facecolor": theme.page, "edgecolor": "none", "pad": 1.5, "alpha": 0.75},
                zorder=4, **words,
            )  # fmt: skip
    return True


def _across(
    w1: float, w2: float, w0: float, low: Any, high: Any
) -> list[tuple[float, float]] | None:
    """Where the line w1·x + w2·y + w0 = 0 enters and leaves the page; None if it misses it."""
    ends = set()
    if w2:
        ends |= {(float(x), -(w1 * x + w0) / w2) for x in (low[0], high[0])}
    if w1:
        ends |= {(-(w2 * y + w0) / w1, float(y)) for y in (low[1], high[1])}
    slack = 1e-9 * (high - low)
    inside = [end for end in sorted(ends) if all(low - slack <= end) and all(end <= high + slack)]
    return [inside[0], inside[-1]] if len(inside) > 1 else None


def _legend(figure: FigureBase, axes: Axes, hidden: bool, theme: Theme) -> None:
    """Below the axes: the classes, and which line is whose."""
    from matplotlib.lines import Line2D

    marks, names = axes.get_legend_handles_labels()
    if axes.collections and hidden:
        marks.append(Line2D([], [], color=theme.quiet, linewidth=1.2, dashes=(4, 3)))
        names.append("hidden neurons: Σ = 0")
    marks, names = marks[:6], names[:6]
    figure.legend(
        marks, names, loc="lower center", ncols=len(marks), frameon=False, labelcolor=theme.quiet,
        prop={"family": "DejaVu Sans", "size": 9}, borderaxespad=0.1,
    )  # fmt: skip


def plot_history(history: Losses, *, theme: str = "light") -> Picture:
    """The loss, epoch by epoch, and that of the validation samples.

    Args:
        history: what `fit` returns.
        theme: "light" or "dark".

    Raises:
        ValueError: if there is no epoch in it.

    >>> from micrograd_lab.training import History
    >>> picture = plot_history(History(loss=[2.0, 1.0, 0.5], validation=[2.1, 1.3, 1.4]))
    """
    colours = theme_called(theme)
    figure = new_figure(460, 280, colours)
    _losses(figure, history, colours)
    return Picture(figure)


def plot_training(
    model: Model,
    points: Sequence[Sequence[float]],
    labels: Sequence[Any],
    history: Losses,
    *,
    theme: str = "light",
) -> Picture:
    """What was learned, beside how: `plot_decision_boundary` and `plot_history` in one picture.

    >>> from micrograd_lab import MLP, fit, gate
    >>> model, xor = MLP(2, [2, 1], activation="tanh", seed=1), gate("xor")
    >>> picture = plot_training(model, *xor, fit(model, *xor, epochs=3))
    """
    colours = theme_called(theme)
    figure = new_figure(860, 400, colours)
    left, right = figure.subfigures(1, 2, width_ratios=[420, 440], squeeze=False)[0]
    _boundary(left, model, points, labels, 60, colours)
    _losses(right, history, colours)
    return Picture(figure)


def _losses(figure: FigureBase, history: Losses, colours: Theme) -> None:
    if not history.loss:
        raise ValueError("0 epochs; there is no loss to plot")
    axes = figure.add_axes((0.12, 0.17, 0.85, 0.76))
    style_axes(axes, colours)
    curves = [("loss", history.loss, colours.shapes["parameter"][0])]
    if history.validation:
        curves.append(("validation", history.validation, colours.grad))
    for name, losses, colour in curves:
        axes.plot(range(1, len(losses) + 1), losses, color=colour, linewidth=1.8, label=name)
    losses = curves[-1][1]
    best = losses.index(min(losses))
    axes.plot(
        best + 1, losses[best], "o", color=curves[-1][2], markersize=6,
        label=f"least: {number(losses[best])} after epoch {best + 1}",
    )  # fmt: skip
    every = [loss for _, losses, _ in curves for loss in losses]
    if min(every) > 0 and max(every) > 20 * min(every):
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=min(0, *every))
    _plain_legend(axes, colours)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("epoch", color=colours.quiet, fontsize=10, **SANS)


def plot_gradient_flow(models: Module | Mapping[str, Module], *, theme: str = "light") -> Picture:
    """The size of the gradient in each layer: where it vanishes, the line falls.

    A dot is the mean of |∂E/∂w| over the weights and biases of a layer, the bar behind it reaches
    from the smallest to the largest; the scale is logarithmic.

    Args:
        models: a network after `backward`, or several by name.
        theme: "light" or "dark".

    Raises:
        ValueError: if a network has no gradients yet, or its parameters have no layer.

    Source:
        Lecture 7, "vanishing gradient problem".

    >>> from micrograd_lab import MLP
    >>> model = MLP(2, [4] * 6 + [1], activation="sigmoid", seed=1)
    >>> model([0.5, -0.5]).backward()
    >>> picture = plot_gradient_flow({"sigmoid": model})
    """
    colours = theme_called(theme)
    named = {"": models} if isinstance(models, Module) else dict(models)
    figure = new_figure(460, 280, colours)
    axes = figure.add_axes((0.14, 0.17, 0.83, 0.76))
    style_axes(axes, colours)
    shades = [colours.shapes["parameter"][0], colours.grad, *_MORE]
    axes.set_yscale("log")
    deepest = 0
    for i, (name, model) in enumerate(named.items()):
        shade = shades[i % len(shades)]
        layers = _gradient_sizes(model, name)
        shift = 0.12 * (i - (len(named) - 1) / 2)
        means = [(k + shift, sum(sizes) / len(sizes)) for k, sizes in layers.items() if any(sizes)]
        for k, sizes in layers.items():
            if any(sizes):
                ends = [min(size for size in sizes if size), max(sizes)]
                axes.plot([k + shift] * 2, ends, color=shade, linewidth=4, alpha=0.25)
        axes.plot(*zip(*means), "o-", color=shade, linewidth=1.8, markersize=5, label=name)
        deepest = max(deepest, *layers)
    axes.set_xticks(range(1, deepest + 1) if deepest <= 20 else range(0, deepest + 1, 5))
    axes.set_xlabel("layer", color=colours.quiet, fontsize=10, **SANS)
    axes.set_ylabel("mean of |∂E/∂w|", color=colours.quiet, fontsize=10, **SANS)
    if any(named):
        _plain_legend(axes, colours)
    return Picture(figure)


def _gradient_sizes(model: Module, name: str) -> dict[int, list[float]]:
    """|gradient| of every parameter, by the layer that its label says."""
    layers: dict[int, list[float]] = {}
    for parameter in model.parameters():
        layer = {place: text for text, place in parts(parameter.label)}.get("sup", "")
        if not layer.strip("()").isdigit():
            raise ValueError(
                f"parameter {parameter.label!r} has no layer; label it like w_{{1,2}}^{{(3)}}"
            )
        layers.setdefault(int(layer.strip("()")), []).append(abs(parameter.grad))
    if not any(size for sizes in layers.values() for size in sizes):
        which = f"network {name!r}" if name else "the network"
        raise ValueError(f"{which} has no gradients yet; call backward on its loss first")
    return layers


def _plain_legend(axes: Axes, theme: Theme) -> None:
    axes.legend(
        frameon=False, labelcolor=theme.quiet, prop={"family": "DejaVu Sans", "size": 9}, loc="best"
    )
