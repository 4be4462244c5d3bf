"""The plane, divided by a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ...engine import Value
from ...replaying import replay
from ...rows import array, table
from ...tell.notation import number
from ..figures import Picture, mathtext, new_figure, series, style_axes
from ..layers import find_layers
from ..themes import Theme, find_theme, mix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase
    from numpy.typing import ArrayLike

Classifier: TypeAlias = "Callable[[list[Value]], Value | Sequence[Value]]"


def plot_decision_boundary(
    model: Classifier,
    points: ArrayLike,
    labels: ArrayLike,
    *,
    resolution: int = 60,
    theme: str = "light",
) -> Picture:
    """The plane, divided by `model`, with the points and the line of each hidden neuron.

    The boundary of a neuron is where its Σ is 0: there a sigmoid is ½, a tanh is 0 and a step
    jumps.  The line of each neuron of the first hidden layer is dashed; the boundary of the output
    neuron, which combines those lines, is solid.  With several outputs, a region belongs to the
    largest.

    Args:
        model: an `MLP`, or any function from two values to a value or a list of values.
        points: two numbers each.
        labels: the class of each point: a number, a name, or a row with a 1 at the index of the
            class.
        resolution: the number of grid points in each direction at which the model is evaluated.
        theme: "light" or "dark".

    Raises:
        ValueError: if a point is not two finite numbers, or there is not one label per point.
        TypeError: if points or labels are nothing like that, or `model` returns no values.

    Source:
        Lecture 7, "role of hidden layers".

    >>> from micrograd_lab import MLP, moons
    >>> model = MLP(2, [3, 1], seed=1)
    >>> picture = plot_decision_boundary(model, *moons(20, seed=1), resolution=10)
    """
    colours = find_theme(theme)
    figure = new_figure(420, 400, colours)
    draw_boundary(figure, model, points, labels, resolution, colours)
    return Picture(figure, "Decision boundary")


def draw_boundary(
    figure: FigureBase,
    model: Classifier,
    points: Any,
    labels: Any,
    resolution: int,
    colours: Theme,
) -> None:
    """Fill `figure` with the boundary of `model`."""
    import numpy as np

    at, classes, names = table(points, "point").astype(float), *_classes(labels, model)
    if len(at) != len(classes) or not len(at):
        raise ValueError(f"{len(at)} points and {len(classes)} labels; give one label per point")
    if at.shape[1] != 2:
        raise ValueError(f"point 0 is {at[0].tolist()!r:.60}; a plane needs two finite numbers")
    if resolution < 2:
        raise ValueError(f"resolution is {resolution}; it needs to be at least 2")
    axes = figure.add_axes((0.15, 0.13, 0.82, 0.83))
    style_axes(axes, colours)
    margin = 0.15 * np.maximum(np.ptp(at, axis=0), 1e-3)
    low, high = at.min(axis=0) - margin, at.max(axis=0) + margin
    x, y = (np.linspace(low[i], high[i], resolution) for i in (0, 1))
    grid = np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)
    inputs = [Value(0.0, "x_1"), Value(0.0, "x_2")]
    scores = replay(lambda *x: _scores(model([*x])), inputs, []).outputs(grid)
    scores = scores.reshape(resolution, resolution, -1)
    shades = series(colours)
    if scores.shape[2] == 1:
        _two_regions(axes, x, y, scores[:, :, 0], shades, colours)
    else:
        for k in range(scores.shape[2]):
            lead = scores[:, :, k] - np.delete(scores, k, axis=2).max(axis=2)
            shade = mix(colours.page, shades[k % len(shades)], 0.3)
            axes.contourf(x, y, lead, levels=[0, np.inf], colors=[shade])
    lines = _hidden_lines(axes, model, low, high, colours)
    for k, kind in enumerate(np.unique(classes).tolist()):
        members = at[classes == kind]
        shade = shades[(k if scores.shape[2] == 1 else int(kind)) % len(shades)]
        axes.scatter(
            members[:, 0], members[:, 1], s=26, marker="os^Dv"[k % 5], color=shade,
            edgecolors=colours.page, linewidths=0.7, zorder=3,
            label=names[kind] if names else number(kind),
        )  # fmt: skip
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    for axis, name in ((axes.xaxis, "x_1"), (axes.yaxis, "x_2")):
        words = mathtext(name)
        axis.set_label_text(words.pop("text"), color=colours.ink, fontsize=12, **words)
    _legend(figure, axes, lines, colours)


def _scores(outputs: Any) -> list[Value]:
    """The Σ of each output: the input of its activation, or the output itself."""
    values = [outputs] if isinstance(outputs, Value) else outputs
    if not isinstance(values, Sequence) or not all(isinstance(y, Value) for y in values):
        raise TypeError(f"the model must return a Value or a list of them, got {outputs!r:.60}")
    return [y.inputs[0] if len(y.inputs) == 1 else y for y in values]


def _classes(labels: Any, model: Any) -> tuple[Any, list[str]]:
    """The class of each point as a number, and the names of the classes if they are texts.

    A row with a 1 at the index of the class is that index; a text its place among the classes that
    the model was fitted to, or in sorted order.
    """
    import numpy as np

    found = array(labels, "label")
    if found.dtype.kind not in "US":
        found = table(found, "label")
        return found.argmax(axis=1) if found.shape[1] > 1 else found[:, :1].reshape(-1), []
    names = [str(name) for name in getattr(model, "classes", ())]
    if not set(found.tolist()) <= set(names):
        names = np.unique(found).tolist()
    return np.array([names.index(name) for name in found.tolist()]), names


def _two_regions(
    axes: Axes, x: Any, y: Any, score: Any, shades: Sequence[str], theme: Theme
) -> None:
    """Tint the two sides of a score of 0, more for larger scores, and draw the line between."""
    import numpy as np

    if not np.isfinite(score).any():
        return
    usual = float(np.nanmedian(np.abs(score))) or 1.0
    level = score / (np.abs(score) + usual)  # from -1 to 1
    levels = np.linspace(-1, 1, 9)
    tints = [
        mix(theme.page, shades[int(middle > 0)], 0.08 + 0.3 * abs(middle))
        for middle in (levels[:-1] + levels[1:]) / 2
    ]
    axes.contourf(x, y, level, levels=levels, colors=tints)
    if np.nanmin(score) < 0 < np.nanmax(score):
        axes.contour(x, y, score, levels=[0], colors=[theme.ink], linewidths=2)


def _hidden_lines(axes: Axes, model: Classifier, low: Any, high: Any, theme: Theme) -> bool:
    """Draw where Σ is 0 for each neuron of the first hidden layer; whether there is one."""
    x = [Value((a + b) / 2, f"x_{i}") for i, (a, b) in enumerate(zip(low, high), start=1)]
    output = model(x)
    outputs = [output] if isinstance(output, Value) else output
    parameters = model.parameters() if hasattr(model, "parameters") else None
    try:
        network = find_layers(outputs, parameters=parameters)
    except ValueError:  # a classifier without neurons
        return False
    if len(network.layers) < 2:
        return False
    taken: list[tuple[float, float]] = []
    for neuron in network.layers[0]:
        weights = {x: w.data for w, x in zip(neuron.weights, neuron.inputs)}
        twins = network.graph.twins
        w1, w2 = (weights.get(twins.get(value, value), 0.0) for value in x)
        ends = _across(w1, w2, neuron.bias.data if neuron.bias else 0.0, low, high)
        if not ends:
            continue
        axes.plot(*zip(*ends), color=theme.quiet, linewidth=1.2, dashes=(4, 3), zorder=2)
        if neuron.out.label and len(network.layers[0]) <= 6:
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
    """The points where the line w1·x + w2·y + w0 = 0 enters and leaves the page, if it does."""
    ends = set()
    if w2:
        ends |= {(float(x), -(w1 * x + w0) / w2) for x in (low[0], high[0])}
    if w1:
        ends |= {(-(w2 * y + w0) / w1, float(y)) for y in (low[1], high[1])}
    slack = 1e-9 * (high - low)
    inside = [end for end in sorted(ends) if all(low - slack <= end) and all(end <= high + slack)]
    return [inside[0], inside[-1]] if len(inside) > 1 else None


def _legend(figure: FigureBase, axes: Axes, hidden: bool, theme: Theme) -> None:
    """Below the axes: the classes, and the meaning of the lines."""
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
