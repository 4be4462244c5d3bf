"""The plane, divided by a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ...engine import Value
from ...replaying import replay
from ...rows import array, table
from ...tell.notation import number
from ..figures import Picture, axes_of, mathtext, plain_legend
from ..layers import find_layers
from ..themes import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

Classifier: TypeAlias = "Callable[[list[Value]], Value | Sequence[Value]]"


def plot_decision_boundary(
    model: Classifier,
    points: ArrayLike,
    labels: ArrayLike,
    *,
    resolution: int = 60,
    theme: str = "auto",
    ax: Axes | None = None,
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
        theme: "light" or "dark"; by default SVG and HTML follow the page.
        ax: axes of a figure of your own to draw in.

    Raises:
        ValueError: if a point is not two finite numbers, or there is not one label per point.
        TypeError: if points or labels are nothing like that, or `model` returns no values.

    Source:
        Lecture 7, "role of hidden layers".

    >>> from micrograd_lab import MLP, moons
    >>> model = MLP(2, [3, 1], seed=1)
    >>> picture = plot_decision_boundary(model, *moons(20, seed=1), resolution=10)
    """
    colours = find_theme(theme, adapts=not ax)
    axes, figure = axes_of(ax, colours, 400, 0.15, 0.15, 0.82, 0.82, width=420)
    draw_boundary(axes, model, Plane(points, labels, model, resolution), colours)
    return Picture(figure, "Decision boundary", colours)


def plot_points(points: ArrayLike, labels: ArrayLike) -> Picture:
    """The points of a plane, in the colours of their classes."""
    colours = find_theme("auto")
    axes, figure = axes_of(None, colours, 380, 0.15, 0.16, 0.82, 0.81, width=400)
    _draw_points(axes, Plane(points, labels, None, 2), colours, hidden=False, one_output=True)
    return Picture(figure, "Points and their classes", colours)


class Plane:
    """Points in a plane with their classes, and a grid of points around them.

    Attributes:
        at, classes, names: the points, the class of each as a number, and its name if it is a text.
        low, high: the corners of the grid.
    """

    def __init__(self, points: Any, labels: Any, model: Classifier | None, resolution: int) -> None:
        import numpy as np

        self.at: Any = table(points, "point").astype(float)
        self.classes: Any
        self.names: list[str]
        self.classes, self.names = _classes(labels, model)
        count = len(self.at)
        if count != len(self.classes) or not count:
            raise ValueError(f"{count} points and {len(self.classes)} labels; give one per point")
        if self.at.shape[1] != 2:
            point = self.at[0].tolist()
            raise ValueError(f"point 0 is {point!r:.60}; a plane needs two finite numbers")
        if resolution < 2:
            raise ValueError(f"resolution is {resolution}; it needs to be at least 2")
        margin = 0.15 * np.maximum(np.ptp(self.at, axis=0), 1e-3)
        self.low: Any = self.at.min(axis=0) - margin
        self.high: Any = self.at.max(axis=0) + margin
        self.x: Any
        self.y: Any
        self.x, self.y = np.linspace(self.low, self.high, resolution).T

    def scores(self, model: Classifier) -> Any:
        """The Σ of each output of `model` at every point of the grid: (y, x, output)."""
        import numpy as np

        grid = np.stack(np.meshgrid(self.x, self.y), axis=2).reshape(-1, 2)
        inputs = [Value(0.0, "x_1"), Value(0.0, "x_2")]
        scores = replay(lambda *x: _scores(model([*x])), inputs, []).outputs(grid)
        return scores.reshape(len(self.y), len(self.x), -1)


def draw_boundary(axes: Axes, model: Classifier, plane: Plane, colours: Theme) -> None:
    """Draw the boundary of `model` in `axes`."""
    import numpy as np

    scores = plane.scores(model)
    shades = colours.series
    if scores.shape[2] == 1:
        _two_regions(axes, plane.x, plane.y, scores[:, :, 0], shades, colours)
    else:
        for k in range(scores.shape[2]):
            before = scores[:, :, :k].max(axis=2, initial=np.nanmin(scores, initial=0) - 1)
            lead = scores[:, :, k] - before  # drawn over those before, so that there is no gap
            shade = colours.mix(colours.page, shades[k % len(shades)], 0.3)
            axes.contourf(plane.x, plane.y, lead, levels=[0, np.inf], colors=[shade])
    hidden = hidden_lines(model, plane)
    _draw_hidden(axes, hidden, colours)
    _draw_points(axes, plane, colours, bool(hidden), one_output=scores.shape[2] == 1)


def _draw_points(axes: Axes, plane: Plane, colours: Theme, hidden: bool, one_output: bool) -> None:
    shades = colours.series
    for k, kind in enumerate(sorted(set(plane.classes.tolist()))):
        members = plane.at[plane.classes == kind]
        shade = shades[(k if one_output else int(kind)) % len(shades)]
        axes.scatter(
            members[:, 0], members[:, 1], s=26, marker="os^Dv"[k % 5], color=shade,
            edgecolors=colours.page, linewidths=0.7, zorder=3,
            label=plane.names[kind] if plane.names else number(kind),
        )  # fmt: skip
    axes.set(xlim=(plane.low[0], plane.high[0]), ylim=(plane.low[1], plane.high[1]))
    for axis, name in ((axes.xaxis, "x_1"), (axes.yaxis, "x_2")):
        words = mathtext(name)
        axis.set_label_text(words.pop("text"), color=colours.ink, fontsize=12, **words)
    _legend(axes, hidden, colours)


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
        theme.mix(theme.page, shades[int(middle > 0)], 0.08 + 0.3 * abs(middle))
        for middle in (levels[:-1] + levels[1:]) / 2
    ]
    axes.contourf(x, y, level, levels=levels, colors=tints)
    if np.nanmin(score) < 0 < np.nanmax(score):
        axes.contour(x, y, score, levels=[0], colors=[theme.ink], linewidths=2)


def hidden_lines(model: Classifier, plane: Plane) -> list[tuple[str, Any]]:
    """For each neuron of the first hidden layer its name, and the ends of the line where Σ is 0."""
    middle = (plane.low + plane.high) / 2
    x = [Value(number, f"x_{i}") for i, number in enumerate(middle.tolist(), start=1)]
    output = model(x)
    outputs = [output] if isinstance(output, Value) else output
    parameters = model.parameters() if hasattr(model, "parameters") else None
    try:
        network = find_layers(outputs, parameters=parameters)
    except ValueError:  # a classifier without neurons
        return []
    lines = []
    for neuron in network.layers[0] if len(network.layers) > 1 else ():
        weights = {x: w.data for w, x in zip(neuron.weights, neuron.inputs)}
        twins = network.graph.twins
        w1, w2 = (weights.get(twins.get(value, value), 0.0) for value in x)
        ends = _across(w1, w2, neuron.bias.data if neuron.bias else 0.0, plane.low, plane.high)
        if ends:
            lines.append((neuron.out.label, ends))
    return lines


def _draw_hidden(axes: Axes, lines: list[tuple[str, Any]], theme: Theme) -> None:
    taken: list[tuple[float, float]] = []
    for label, ends in lines:
        axes.plot(*zip(*ends), color=theme.quiet, linewidth=1.2, dashes=(4, 3), zorder=2)
        if label and len(lines) <= 6:
            (x0, y0), (x1, y1) = ends
            places = [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for t in (0.08, 0.92, 0.3, 0.7)]
            free = [min((math.dist(at, other) for other in taken), default=0) for at in places]
            a, b = places[free.index(max(free))]
            taken.append((a, b))
            words = mathtext(label)
            axes.text(
                a, b, words.pop("text"), color=theme.ink, fontsize=11, ha="center", va="center",
                bbox={"facecolor": theme.page, "edgecolor": "none", "pad": 1.5, "alpha": 0.75},
                zorder=4, **words,
            )  # fmt: skip


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


def _legend(axes: Axes, hidden: bool, theme: Theme) -> None:
    """Below the axes: the classes, and the meaning of the lines."""
    from matplotlib.lines import Line2D

    marks, names = axes.get_legend_handles_labels()
    if axes.collections and hidden:
        marks.append(Line2D([], [], color=theme.quiet, linewidth=1.2, dashes=(4, 3)))
        names.append("hidden neurons: Σ = 0")
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1)}
    plain_legend(axes, theme, marks[:6], names[:6], ncols=len(marks[:6]), **below)
