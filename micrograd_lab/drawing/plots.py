"""Curves of activations, losses and gradients; and the plane, divided by a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..context import ieee
from ..engine import Value
from ..formulas import np
from ..ops import OPS, Op
from ..replaying import replay
from ..rows import array, table
from ..tell.languages import formula_latex
from ..tell.notation import label_places, number
from .layers import Model, find_layers, is_model
from .showing import MATH, SANS, TEXT, Picture, mathtext, new_figure, settable, style_axes
from .themes import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from numpy.typing import ArrayLike

Classifier: TypeAlias = "Callable[[list[Value]], Value | Sequence[Value]]"

MAX_FORMULA = 120  # characters of LaTeX on a line
MAX_X = 4.0  # activations are drawn from -4 to 4


class Losses(Protocol):
    """A history: the loss of each epoch, and perhaps the loss of validation samples."""

    loss: list[float]
    validation: list[float]


def plot_activation(*names: str, theme: str = "auto", ax: Axes | None = None) -> Picture:
    """Activations and their derivatives, with their formulas, all from the op table.

    Args:
        names: operations of one input, else a ValueError says which there are; by default all.
        theme: "light" or "dark"; by default SVG and HTML follow the page.
        ax: axes of a figure of your own to draw in, for one name.

    Source: Lecture 7, "activation function", a table of six with their derivatives.

    >>> picture = plot_activation("sigmoid", "tanh")
    >>> [axes.get_title(loc="left") for axes in picture.figure.axes]
    ['sigmoid', 'tanh']
    """
    colours = find_theme(theme, adapts=not ax)
    known = [op.name for op in OPS.values() if op.unary]
    for name in names:
        if name not in known:
            raise ValueError(f"no operation {name!r} of one input; there are {', '.join(known)}")
    names = names or tuple(known)
    if ax and len(names) > 1:
        raise ValueError(f"{len(names)} activations in one ax; give one of them")
    across = min(len(names), 3)
    down = math.ceil(len(names) / across)
    width, height = 238 * across + 20, 230 * down + 10
    figure = axes_of(ax, colours, 0)[1] if ax else new_figure(width, height, colours)
    grid = figure.add_gridspec(
        down, across, left=40 / width, right=1 - 24 / width, bottom=32 / height,
        top=1 - 74 / height, hspace=0.75, wspace=0.28,
    )  # fmt: skip
    for i, name in enumerate(names):
        _activation(ax or figure.add_subplot(grid[i]), OPS[name], colours)
    return Picture(figure, f"Curves of {', '.join(names)}", colours)


def _activation(axes: Axes, op: Op, theme: Theme) -> None:
    style_axes(axes, theme)
    f, slope = (_one_line(op, formula) for formula in op.shown)
    lines = 1 if len(slope) < MAX_FORMULA else 2
    if lines == 2:  # at the + after a bracket
        slope = slope.replace(r"\right) + ", "\\right)$\n$\\quad + ", 1)
    pad = 28 + 14 * lines
    axes.set_title(op.name, loc="left", color=theme.ink, fontsize=12, pad=pad, **SANS)
    points = [-MAX_X + MAX_X * i / 200 for i in range(401)]
    with ieee():
        curve = [getattr(Value(x), op.name)() for x in points]
    slopes = [y.slopes[0] + 0 * y.data for y in curve]  # none where f has no value
    for formula, numbers, colour, dashes, height in (
        (f"$f(x) = {f}$", [y.data for y in curve], theme.value, (None, None), 1.05 + 0.13 * lines),
        (f"$f′(x) = {slope}$", slopes, theme.grad, (4, 1.5), 1.05),
    ):
        axes.plot(*_with_gaps(points, numbers), color=colour, linewidth=2, dashes=dashes)
        size = max(TEXT, 11 * min(1.0, 80 / len(formula)))
        axes.text(0, height, formula, color=colour, fontsize=size, transform=axes.transAxes, **MATH)
    axes.axhline(0, color=theme.wire, linewidth=0.6, zorder=0)
    axes.axvline(0, color=theme.wire, linewidth=0.6, zorder=0)
    axes.set(xlim=(-MAX_X, MAX_X), ylim=(-1.6, 3))
    axes.set(xticks=[-4, -2, 0, 2, 4], yticks=[-1, 0, 1, 2, 3])


def _with_gaps(x: Any, y: Any) -> tuple[Any, Any]:
    """The points, with a gap where the curve jumps: rises far more than two points away."""
    rise = np.abs(np.diff(y))
    near = np.pad(rise, 2)
    jumps = 1 + np.flatnonzero((rise > 0.2) & (rise > 5 * np.fmax(near[:-4], near[4:])))
    return np.insert(x, jumps, np.take(x, jumps - 1)), np.insert(y, jumps, math.nan)


def _one_line(op: Op, formula: str) -> str:
    """A formula that mathtext can set, its cases side by side."""
    letters = {"f": "f(x)"} | ({"n": f"{op.n:g}"} if op.n is not None else {})
    text = formula_latex(formula, letters)
    begin, end = r"\begin{cases} ", r" \end{cases}"
    if text.startswith(begin):
        text = text[len(begin) : -len(end)].replace(r" & \text{otherwise}", r"\;\mathrm{otherwise}")
        text = text.replace(" & ", r"\;\mathrm{if}\;").replace(r" \\ ", r",\;")
    return settable(text)


def plot_history(history: Losses, *, theme: str = "auto", ax: Axes | None = None) -> Picture:
    """The loss of each epoch of a `fit`, on the training and on the validation samples.

    For `theme` and `ax` see `plot_activation`.  A history without epochs is a ValueError.

    >>> from micrograd_lab import History
    >>> picture = plot_history(History(loss=[2.0, 1.0, 0.5], validation=[2.1, 1.3, 1.4]))
    """
    colours = find_theme(theme, adapts=not ax)
    axes, figure = axes_of(ax, colours, 280, 0.12, 0.17, 0.85, 0.76)
    draw_losses(axes, history, colours)
    return Picture(figure, f"Loss of {len(history.loss)} epochs", colours)


def plot_training(
    model: Classifier, points: ArrayLike, labels: ArrayLike, history: Losses, *, theme: str = "auto"
) -> Picture:
    """`plot_decision_boundary` and `plot_history` side by side.

    >>> from micrograd_lab import MLP, fit, gate
    >>> model, xor = MLP(2, [2, 1], activation="tanh", seed=1), gate("xor")
    >>> picture = plot_training(model, *xor, fit(model, *xor, epochs=3))
    """
    colours = find_theme(theme)
    figure = new_figure(736, 360, colours)
    places = (0.073, 0.15, 0.4, 0.82), (0.55, 0.15, 0.435, 0.82)
    left, right = (style_axes(figure.add_axes(place), colours) for place in places)
    draw_boundary(left, model, Plane(points, labels, model, 60), colours)
    draw_losses(right, history, colours)
    return Picture(figure, "Decision boundary and loss", colours)


def draw_losses(axes: Axes, history: Losses, colours: Theme) -> None:
    if not history.loss:
        raise ValueError("0 epochs; there is no loss to plot")
    curves = [("loss", history.loss, colours.shapes["parameter"][0])]
    if history.validation:
        curves.append(("validation", history.validation, colours.grad))
    for name, losses, colour in curves:
        axes.plot(range(1, len(losses) + 1), losses, color=colour, linewidth=1.8, label=name)
    losses = curves[-1][1]
    best = min(range(len(losses)), key=lambda epoch: (math.isnan(losses[epoch]), losses[epoch]))
    least = f"least: {number(losses[best])} after epoch {best + 1}"
    axes.plot(best + 1, losses[best], "o", color=curves[-1][2], markersize=6, label=least)
    every = [loss for _, losses, _ in curves for loss in losses if math.isfinite(loss)] or [0.0]
    if min(every) > 0 and max(every) > 20 * min(every):
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=min(0, *every))
    plain_legend(axes, colours)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("epoch", color=colours.quiet, fontsize=TEXT, **SANS)


def plot_gradient_flow(
    models: Model | Mapping[str, Model], *, theme: str = "auto", ax: Axes | None = None
) -> Picture:
    """The size of the gradient in each layer: where it vanishes, the line falls.

    A dot is the mean of `|∂E/∂w|` over the weights and biases of a layer; the bar behind it runs
    from the smallest above 0 to the largest; the scale is logarithmic.

    Args:
        models: a network, or several by name; it is a ValueError if one has no gradients yet, or
            parameters without a layer.
        theme, ax: as of `plot_activation`.

    Source: Lecture 7, "vanishing gradient problem".

    >>> from micrograd_lab import MLP
    >>> model = MLP(2, [4] * 6 + [1], activation="sigmoid", seed=1)
    >>> model([0.5, -0.5]).backward()
    >>> picture = plot_gradient_flow({"sigmoid": model})
    """
    colours = find_theme(theme, adapts=not ax)
    argument: object = models  # from a caller without a type checker
    if not (is_model(argument) or isinstance(argument, Mapping)) or not argument:
        raise TypeError(f"models must be a network or several by name, got {models!r:.60}")
    networks = models if isinstance(models, Mapping) else {"": models}
    flows = {name: _gradient_sizes(model, name) for name, model in networks.items()}
    axes, figure = axes_of(ax, colours, 310, 0.14, 0.17, 0.83, 0.68)
    draw_flow(axes, flows, colours)
    return Picture(figure, "Gradient by layer", colours)


def draw_flow(axes: Axes, flows: Mapping[str, dict[int, list[float]]], colours: Theme) -> None:
    """Draw the sizes of gradients in `axes`, by the name of the network and by the layer."""
    from matplotlib.lines import Line2D

    axes.set_yscale("log")
    for i, (name, layers) in enumerate(flows.items()):
        shade = colours.series[i % len(colours.series)]
        reached = {k + 0.12 * (i - (len(flows) - 1) / 2): x for k, x in layers.items() if any(x)}
        for k, sizes in reached.items():
            ends = [min(filter(None, sizes)), max(sizes)]
            axes.plot([k] * 2, ends, color=shade, linewidth=4, alpha=0.25)
        means = [sum(sizes) / len(sizes) for sizes in reached.values()]
        axes.plot([*reached], means, "o-", color=shade, linewidth=1.8, markersize=5, label=name)
    deepest = max(max(layers) for layers in flows.values())
    axes.set_xlim(0.5, deepest + 0.5)
    axes.set_xticks(range(1, deepest + 1) if deepest <= 20 else range(0, deepest + 1, 5))
    title = "Size of the gradients of each layer's parameters"
    axes.set_title(title, loc="left", color=colours.ink, fontsize=TEXT, pad=24, **SANS)
    axes.set_xlabel("layer: 1 reads the inputs", color=colours.quiet, fontsize=TEXT, **SANS)
    axes.set_ylabel("|∂E/∂w|", color=colours.quiet, fontsize=TEXT, **SANS)
    if any(flows):
        axes.add_artist(plain_legend(axes, colours))
    mean = Line2D([], [], color=colours.quiet, marker="o")
    bar = Line2D([], [], color=colours.quiet, linewidth=4, alpha=0.4)
    names = ["mean", "smallest above 0 to largest"]
    above: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.98), "ncols": 2}
    plain_legend(axes, colours, [mean, bar], names, **above)


def _gradient_sizes(model: Model, name: str) -> dict[int, list[float]]:
    """|gradient| of every parameter, by the layer in its label."""
    layers: dict[int, list[float]] = {}
    for p in model.parameters():
        layer = label_places(p.label, lambda text, *_: text).get("sup", "").strip("()")
        if not layer.isdigit():
            raise ValueError(f"parameter {p.label!r} has no layer; label it like w_{{1,2}}^{{(3)}}")
        layers.setdefault(int(layer), []).append(abs(p.grad))
    if not any(size for sizes in layers.values() for size in sizes):
        which = f"network {name!r}" if name else "the network"
        raise ValueError(f"{which} has no gradients yet; call backward on its loss first")
    return layers


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
    jumps.  It is dashed for each neuron of the first hidden layer, and solid for the output, which
    combines those lines.  With several outputs, a region belongs to the largest.

    Args:
        model: an `MLP`, or any function from two values to a value or a list of values.
        points: two numbers each.
        labels: the class of each: a number, a name, or a row with a 1 at the index of the class.
        resolution: the number of grid points in each direction at which the model is evaluated.
        theme, ax: as of `plot_activation`.

    Raises:
        ValueError: if a point is not two finite numbers, or there is not one label per point.
        TypeError: if points or labels are nothing like that, or `model` returns no values.

    Source: Lecture 7, "role of hidden layers".

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
    """Points in a plane with their classes, and a grid of points around them."""

    classes: Any
    names: list[str]
    x: Any
    y: Any

    def __init__(self, points: Any, labels: Any, model: Classifier | None, resolution: int) -> None:
        self.at: Any = table(points, "point").astype(float)
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
        self.low: Any = self.at.min(axis=0) - margin  # a corner of the grid
        self.high: Any = self.at.max(axis=0) + margin
        self.x, self.y = np.linspace(self.low, self.high, resolution).T

    def scores(self, model: Classifier) -> Any:
        """The Σ of each output of `model` at every point of the grid: (y, x, output)."""
        grid = np.stack(np.meshgrid(self.x, self.y), axis=2).reshape(-1, 2)
        inputs = [Value(0.0, "x_1"), Value(0.0, "x_2")]
        scores = replay(lambda *x: _scores(model([*x])), inputs, []).outputs(grid)
        return scores.reshape(len(self.y), len(self.x), -1)


def draw_boundary(axes: Axes, model: Classifier, plane: Plane, colours: Theme) -> None:
    scores, shades = plane.scores(model), colours.series
    if scores.shape[2] == 1:
        _two_regions(axes, plane, scores[:, :, 0], colours)
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
    """Draw the points, and below the axes their classes and the meaning of the lines."""
    from matplotlib.lines import Line2D

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
    marks, names = axes.get_legend_handles_labels()
    if hidden:
        marks.append(Line2D([], [], color=colours.quiet, linewidth=1.2, dashes=(4, 3)))
        names.append("hidden neurons: Σ = 0")
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1)}
    plain_legend(axes, colours, marks[:6], names[:6], ncols=len(marks[:6]), **below)


def _scores(outputs: Any) -> list[Value]:
    """The Σ of each output: the input of its activation, or the output itself."""
    values = [outputs] if isinstance(outputs, Value) else outputs
    if not isinstance(values, Sequence) or not all(isinstance(y, Value) for y in values):
        raise TypeError(f"the model must return a Value or a list of them, got {outputs!r:.60}")
    return [y.inputs[0] if len(y.inputs) == 1 else y for y in values]


def _classes(labels: Any, model: Any) -> tuple[Any, list[str]]:
    """The class of each point as a number, and the names of the classes if they are texts."""
    found = array(labels, "label")
    if found.dtype.kind not in "US":
        found = table(found, "label")
        return found.argmax(axis=1) if found.shape[1] > 1 else found[:, :1].reshape(-1), []
    names = [str(name) for name in getattr(model, "classes", ())]  # that it was fitted to
    if not set(found.tolist()) <= set(names):
        names = np.unique(found).tolist()
    return np.array([names.index(name) for name in found.tolist()]), names


def _two_regions(axes: Axes, plane: Plane, score: Any, theme: Theme) -> None:
    """Tint the two sides of a score of 0, more for larger scores, and draw the line between."""
    if not np.isfinite(score).any():
        return
    usual = float(np.nanmedian(np.abs(score))) or 1.0
    level = score / (np.abs(score) + usual)  # from -1 to 1
    levels = np.linspace(-1, 1, 9)
    sides = [(theme.series[int(x > 0)], abs(x)) for x in (levels[:-1] + levels[1:]) / 2]
    tints = [theme.mix(theme.page, colour, 0.08 + 0.3 * size) for colour, size in sides]
    axes.contourf(plane.x, plane.y, level, levels=levels, colors=tints)
    if np.nanmin(score) < 0 < np.nanmax(score):
        axes.contour(plane.x, plane.y, score, levels=[0], colors=[theme.ink], linewidths=2)


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
            alone = [min((math.dist(at, other) for other in taken), default=0) for at in places]
            taken.append(places[alone.index(max(alone))])
            words = mathtext(label) | {"ha": "center", "va": "center", "zorder": 4}
            patch = {"facecolor": theme.page, "edgecolor": "none", "pad": 1.5, "alpha": 0.75}
            text = words.pop("text")
            axes.text(*taken[-1], text, color=theme.ink, fontsize=11, bbox=patch, **words)


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


def axes_of(
    ax: Axes | None, theme: Theme, height: float, *place: float, width: float = 460
) -> tuple[Axes, Figure]:
    """`ax`, or else axes at this place of a new figure, in the colours of `theme`; the figure."""
    figure = ax.get_figure(root=True) if ax else new_figure(width, height, theme)
    assert figure, "axes are in a figure"
    return style_axes(ax or figure.add_axes((*place,)), theme), figure  # type: ignore[arg-type]


def plain_legend(axes: Axes, theme: Theme, *entries: Any, **more: Any) -> Legend:
    font = {"family": "DejaVu Sans", "size": TEXT}
    return axes.legend(*entries, frameon=False, labelcolor=theme.quiet, prop=font, **more)
