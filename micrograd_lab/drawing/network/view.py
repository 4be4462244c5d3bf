"""A network as its neurons: circles split Σ│activation, links with weight and gradient.

    >>> from micrograd_lab import Value
    >>> from micrograd_lab.nn import MLP
    >>> y = MLP(2, [2, 1], activation=["sigmoid", "sigmoid"], seed=7)([0.12, 0.3])
    >>> error = (y - Value(1, "t")).half_square()
    >>> error.label = "E"
    >>> error.backward()
    >>> picture = draw_network(error)

All lengths are points, 72 to an inch; y points upwards and is 0 in the middle of the columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from ...engine import Value
from ...ops import OPS
from ...tell.languages import formula_latex
from ...tell.notation import as_given, label_latex, label_places, number
from ..figures import DIGITS, MATH, SANS, Picture, mathtext, settable
from ..layers import Layers, Model, RecordedNeuron, find_layers, is_model, shorten, title
from ..themes import Theme, find_theme, mix
from .pen import LINES, Pen
from .placing import Polygon, Segment, place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Item: TypeAlias = "Value | RecordedNeuron"  # an input or a neuron

EXTRA_GAPS = (0, 40, 80, 130, 180, 240)  # points between columns, to make room for labels
ABOVE, BELOW = 20, 15  # points that a label reaches to either side of its link
THICK, THIN = 6.5, 0.8  # points, the widths of links with the largest gradient and with none


def draw_network(
    network: Value | Sequence[Value] | Model,
    *,
    theme: str = "light",
    parameters: Iterable[Value] | None = None,
) -> Picture:
    """A network as a picture: neurons, links, values and gradients.

    A neuron is a circle with its Σ on the left and its activation on the right; its bias is a
    dashed 1 below it.  Values are green.  After `backward`, gradients stand below them, and the
    width and colour of a link show the gradient of its weight on a square-root scale: a vanishing
    gradient is visible at a glance.  Where labels do not fit, width and colour are all there is.
    Of more than 16 neurons in a layer, or 16 layers, those in the middle become dots.

    Args:
        network: an output or a loss of the network; or all its outputs; or a model, drawn with
            its weights and their gradients alone, such as the gradients of a batch.
        theme: "light" or "dark".
        parameters: its weights and biases; by default the leaves labelled as in the lecture.

    Raises:
        ValueError: if there are no neurons, or the network was applied to several samples.

    >>> from micrograd_lab.nn import MLP
    >>> picture = draw_network(MLP(2, [3, 1]), theme="dark")
    """
    colours = find_theme(theme)
    layers = find_layers(network, parameters=parameters)
    *sizes, last = [len(layers.inputs), *map(len, layers.layers)]
    about = f"Network of {', '.join(map(str, sizes))} and {last} nodes"
    drawing = _Drawing(layers, colours, sample=not is_model(network))
    return Picture(drawing.figure(), about)


@dataclass(frozen=True)
class Size:
    """Lengths in a drawing, depending on the number of neurons in a column."""

    radius: float
    row: float  # from neuron to neuron
    gap: float  # from circle to circle of the next column
    number: float  # text size in a circle
    digits: int  # of numbers in a circle
    bias: float  # radius of the dashed 1
    labels: bool  # whether names, and numbers outside circles, have room


LARGE = Size(radius=42, row=185, gap=125, number=8.2, digits=3, bias=10.5, labels=True)
SMALL = Size(radius=28, row=72, gap=100, number=6, digits=2, bias=4.5, labels=False)


class _Drawing:
    """Finds a place for everything, then draws it."""

    def __init__(self, layers: Layers, theme: Theme, *, sample: bool) -> None:
        self.layers = layers
        self.theme = theme
        self.sample = sample  # without one, the values are unknown
        parameters = layers.graph.parameters
        self.gradients = layers.graph.has_gradients if sample else any(p.grad for p in parameters)
        self.largest = max((abs(p.grad) for p in parameters if math.isfinite(p.grad)), default=0.0)
        self.pen = Pen(theme)
        self.columns: list[list[Item]] = [[*layers.inputs]]
        self.columns.extend([*layer] for layer in layers.layers)
        self.rows = [shorten(column) for column in self.columns]
        wide = max(map(len, self.rows))
        self.size = LARGE if wide == 1 or (wide <= 4 and len(self.rows) <= 6) else SMALL
        self.x: dict[Item, float] = {}
        self.y = {
            item: ((len(rows) - 1) / 2 - row) * self.size.row
            for rows in self.rows
            for row, item in enumerate(rows)
            if item is not None
        }

    def figure(self) -> Figure:
        """The columns from left to right, then titles above and a legend below."""
        x, before = 0.0, None
        titles = []
        for k in shorten(range(len(self.columns))):
            if k is None:
                x += self.size.radius + 40
                self.pen.text(x, 0, 22, self.theme.quiet, SANS | {"text": "⋯"})
                x += 40 - self.size.radius - self.size.gap
            else:
                x = self._column(k, before, x)
                titles.append((x, title(k, len(self.columns) - 1) if k else "input layer"))
            before = k
        right = x + self.size.radius
        bottom = min(self.y.values()) - self.size.radius - (50 if self.size.labels else 12)
        if self.layers.result:
            x, right, lowest = self._error(self.layers.result, right)
            bottom = min(bottom, lowest)
            titles.append((x, "error"))
        top = max(self.y.values()) + self.size.radius + (50 if self.size.labels else 26)
        for x, words in titles:
            style = SANS | {"text": words, "fontweight": "bold"}
            self.pen.text(x, top, 10.5, self.theme.quiet, style)
        left = -self.size.radius
        right = max(right, x + self.size.radius, self._legend(left, bottom - 24))
        bottom -= 62
        for note in self.layers.graph.notes:
            style = SANS | {"text": note}
            self.pen.text(left, bottom, 9.5, self.theme.ink, style, ha="left")
            right = max(right, left + self.pen.width(9.5, style))
            bottom -= 16
        return self.pen.finish(left - 28, bottom, right + 28, top + 22)

    def _column(self, k: int, before: int | None, x: float) -> float:
        """Draw column k with the links into it; its x, from the x of the column before."""
        if k:
            x = self._fit(k, before, x)
            for weight, line in self._links(k):
                width, colour = self._stroke(weight.grad)
                self.pen.line(replace(line, width=width), colour)
        self._move(k, x)
        for item in self.columns[k]:
            if isinstance(item, RecordedNeuron) and item in self.x:
                self._neuron(item)
            elif isinstance(item, Value) and item in self.x:
                self._input(item)
        if None in self.rows[k]:
            row = self.rows[k].index(None)
            y = ((len(self.rows[k]) - 1) / 2 - row) * self.size.row
            missing = f"{len(self.columns[k]) - len(self.rows[k]) + 1} more"
            self.pen.text(x, y + 8, 20, self.theme.quiet, SANS | {"text": "⋮"})
            self.pen.text(x, y - 14, 8.5, self.theme.quiet, SANS | {"text": missing})
        return x

    def _fit(self, k: int, before: int | None, x: float) -> float:
        """Place column k far enough right for the labels of its links, and write them; its x."""
        near = x + 2 * self.size.radius + self.size.gap
        if before is None:
            self._move(k, near)
            return near
        rows = max(len(self.rows[before]), len(self.rows[k]))
        if not self.size.labels:
            near += 10 * rows
            self._move(k, near)
            return near
        near += 45 * (rows > 1)
        for named, extra in product((True, False), EXTRA_GAPS):
            self._move(k, near + extra)
            links = self._links(k, before)
            lengths = [self._label_length(weight, named) for weight, _ in links]
            around = [box for column in (before, k) for box in self._around(column)]
            starts = place([line for _, line in links], lengths, ABOVE, BELOW, around)
            if starts is not None:
                for (weight, line), start in zip(links, starts):
                    self._label(weight, line, start, named)
                break
        return near + extra

    def _move(self, k: int, x: float) -> None:
        for item in self.rows[k]:
            if item is not None:
                self.x[item] = x

    def _links(self, k: int, before: int | None = None) -> list[tuple[Value, Segment]]:
        """The weights into column k with their lines, rim to rim; all, or those from `before`."""
        links = []
        for neuron in self.rows[k]:
            if not isinstance(neuron, RecordedNeuron):
                continue
            for weight, x in zip(neuron.weights, neuron.inputs):
                source = self.layers.owner.get(x, x)
                if source in self.x and (before is None or source in self.rows[before]):
                    links.append((weight, self._line(source, neuron)))
        return links

    def _line(self, source: Item, target: Item) -> Segment:
        whole = Segment((self.x[source], self.y[source]), (self.x[target], self.y[target]), THICK)
        start, end = self._radius(source), whole.length - self._radius(target)
        return Segment(whole.at(start), whole.at(end), THICK)

    def _radius(self, item: Item) -> float:
        return self.size.radius * (1 if isinstance(item, RecordedNeuron) else 0.63)

    def _around(self, k: int) -> list[Polygon]:
        """The labels above and below the neurons of column k, which no link may touch."""
        boxes = []
        for item in self.rows[k]:
            if isinstance(item, RecordedNeuron):
                x, y, radius = self.x[item], self.y[item], self.size.radius
                if item.out.label or item.sum.label:
                    boxes.append(rectangle(x - 28, y + radius + 2, x + 28, y + radius + 20))
                if item.bias:
                    below = y - radius - 34
                    name, value, grad = self._widths(item.bias, 9)
                    boxes.append(
                        rectangle(x - 18 - name, below - 14, x + 18 + max(value, grad), below + 14)
                    )
        return boxes

    def _input(self, item: Value) -> None:
        x, y, radius = self.x[item], self.y[item], self._radius(item)
        self.pen.circle(x, y, radius, *self.theme.shapes["input"])
        apart = radius * 0.36 if self.sample and item.label else 0
        if item.label:
            name = mathtext(item.label)
            self._text(x, y + apart, radius * 0.55, self.theme.ink, name, radius * 1.6)
        if self.sample:
            value = digits(as_given(item.data))
            self._text(x, y - apart, self.size.number, self.theme.value, value, radius * 1.6)

    def _neuron(self, neuron: RecordedNeuron) -> None:
        x, y, radius = self.x[neuron], self.y[neuron], self.size.radius
        hidden = neuron.layer < len(self.columns) - 1
        line, fill = self.theme.shapes["parameter"] if hidden else self.theme.shapes["computed"]
        if neuron.bias:
            self._bias(neuron.bias, x, y)
        self.pen.circle(x, y, radius, line, fill)
        halves = [(neuron.sum, "Σ", x)]
        if neuron.symbol:
            self.pen.line(
                Segment((x, y - radius), (x, y + radius)), line, zorder=LINES + 1.5, linewidth=0.8
            )
            apart = radius * 0.47
            halves = [(neuron.sum, "Σ", x - apart), (neuron.out, neuron.symbol, x + apart)]
        for node, symbol, middle in halves:
            size = radius * (0.33 if self.sample else 0.4) * (0.75 if len(symbol) > 1 else 1)
            texts = [(size, self.theme.quiet, sign(symbol))]
            if self.sample:
                numbers = [(self.theme.value, node.data), (self.theme.grad, node.grad)]
                for colour, amount in numbers[: 1 + self.gradients]:
                    style = digits(number(amount, digits=self.size.digits))
                    texts.append((self.size.number, colour, style))
            line_height = radius * (0.36 if len(texts) == 3 else 0.43)
            for row, (size, colour, style) in enumerate(texts):
                height = ((len(texts) - 1) / 2 - row) * line_height
                room = self._room(height, len(halves))
                self._text(middle, y + height, size, colour, style, room)
            if self.size.labels and node.label:
                name, room = mathtext(node.label), radius * (0.92 if len(halves) > 1 else 2)
                self._text(middle, y + radius + 11, 11, self.theme.ink, name, room)

    def _room(self, height: float, halves: int) -> float:
        """The width for a text at a height above or below the middle of a circle or its half."""
        radius = self.size.radius
        chord = math.sqrt(radius**2 - (abs(height) + self.size.number / 2) ** 2) - 2
        if halves == 1:
            return 2 * chord - 4
        middle = radius * 0.47
        return 2 * min(middle - 1.5, chord - middle)

    def _text(
        self, x: float, y: float, size: float, colour: str, style: dict[str, Any], room: float
    ) -> None:
        """Write a text, shrunk to the width of `room` if need be."""
        self.pen.text(x, y, size * min(1.0, room / self.pen.width(size, style)), colour, style)

    def _bias(self, bias: Value, x: float, y: float) -> None:
        """The dashed 1 and its link; to the lower left where there is no room below."""
        size, theme = self.size, self.theme
        width, colour = self._stroke(bias.grad)
        angle = -math.pi / 2 if size.labels else -math.pi * 3 / 4
        reach = size.radius + (34 if size.labels else 9)
        stem = Segment((x, y), (x + reach * math.cos(angle), y + reach * math.sin(angle)))
        self.pen.line(replace(stem, width=width), colour)
        x, y = stem.end
        line, fill = theme.shapes["input"]
        self.pen.circle(x, y, size.bias, line, fill, linestyle=(0, (2.5, 1.5)), linewidth=1)
        self.pen.text(x, y, size.bias * 0.9, theme.ink, SANS | {"text": "1"})
        if size.labels:
            name = mathtext(bias.label)
            self.pen.text(x - 16, y, 9.5, theme.quiet, name, ha="right")
            words = digits(as_given(bias.data))
            self.pen.text(x + 16, y + 7 * self.gradients, 9, theme.value, words, ha="left")
            if self.gradients:
                self.pen.text(x + 16, y - 7, 9, theme.grad, digits(number(bias.grad)), ha="left")

    def _widths(self, parameter: Value, size: float) -> tuple[float, float, float]:
        """The widths of its name, and of its number and its gradient in that size."""
        return (
            self.pen.width(9.5, mathtext(parameter.label)) if parameter.label else 0,
            self.pen.width(size, digits(as_given(parameter.data))),
            self.pen.width(size, digits(number(parameter.grad))) if self.gradients else 0,
        )

    def _label_length(self, weight: Value, named: bool) -> float:
        name, value, grad = self._widths(weight, 9.5)
        return max((name + 12 if named and weight.label else 0) + value, grad)

    def _label(self, weight: Value, line: Segment, start: float, named: bool) -> None:
        """Name and value above the link, gradient below, all turned along it."""
        theme, turned = self.theme, {"rotation": math.degrees(line.angle)}
        length = self._label_length(weight, named)
        half = self._stroke(weight.grad)[0] / 2
        if named and weight.label:
            at = line.at(start, half + 10)
            self.pen.text(*at, 9.5, theme.quiet, mathtext(weight.label) | turned, ha="left")
        at = line.at(start + length, half + 8)
        value = digits(as_given(weight.data)) | turned
        self.pen.text(*at, 9.5, theme.value, value, ha="right")
        if self.gradients:
            at = line.at(start + length, -half - 7.5)
            self.pen.text(*at, 9.5, theme.grad, digits(number(weight.grad)) | turned, ha="right")

    def _stroke(self, grad: float) -> tuple[float, str]:
        """Width and colour of a link."""
        if not self.gradients or not self.largest or not grad or math.isnan(grad):
            return (1.2 if not self.gradients else THIN), self.theme.wire
        strength = math.sqrt(min(abs(grad) / self.largest, 1.0))
        end = self.theme.grad if grad > 0 else self.theme.shapes["parameter"][0]
        return THIN + (THICK - THIN) * strength, mix(self.theme.wire, end, 0.35 + 0.65 * strength)

    def _error(self, result: Value, x: float) -> tuple[float, float, float]:
        """Draw the box of the result, and the targets; its middle, right end and lowest point."""
        theme = self.theme
        line, fill = theme.shapes["result"]
        lines = [(17, theme.ink, mathtext(result.label))] if result.label else []
        lines.append((11, theme.value, digits(number(result.data))))
        formula = formula_of(self.layers)
        if formula:
            lines.append((10, theme.quiet, {"text": f"${formula}$", **MATH}))
        wide = max([60.0, *(self.pen.width(size, style) for size, _, style in lines)]) + 26
        high = sum(size * 1.75 for size, _, _ in lines) + 10
        x += 100
        middle = x + wide / 2
        self.pen.box(middle, 0, wide, high, line, fill)
        y = high / 2 - 5
        for size, colour, style in lines:
            self.pen.text(middle, y - size * 0.875, size, colour, style)
            y -= size * 1.75
        for item in self.rows[-1]:
            if item is not None:
                end = x, max(-high * 0.35, min(high * 0.35, self.y[item] * 0.3))
                whole = Segment((self.x[item], self.y[item]), end)
                self.pen.line(Segment(whole.at(self.size.radius), end), theme.wire)
        y = -high / 2 - 18
        for target in shorten(self.layers.targets):
            if target is None:
                self.pen.text(middle, y, 12, theme.quiet, SANS | {"text": "⋮"})
            else:
                self.pen.text(middle - 10, y, 11, theme.ink, mathtext(target.label), ha="right")
                self.pen.text(middle, y, 9.5, theme.quiet, SANS | {"text": "="})
                self.pen.text(
                    middle + 10, y, 9.5, theme.value, digits(as_given(target.data)), ha="left"
                )
            y -= 17
        return middle, x + wide, y

    def _legend(self, x: float, y: float) -> float:
        """Explain the colours on a line at y; the x at which the line ends."""
        pen, quiet = self.pen, self.theme.quiet
        items = []
        if self.sample or self.size.labels:
            items.append(("0.4", self.theme.value, "value" if self.sample else "weight"))
        if items and self.gradients:
            items.append(("0.07", self.theme.grad, "gradient"))
        for text, colour, meaning in items:
            pen.text(x, y, 9.5, colour, digits(text), ha="left")
            x += pen.width(9.5, digits(text)) + 6
            pen.text(x, y, 9.5, quiet, SANS | {"text": meaning}, ha="left")
            x += pen.width(9.5, SANS | {"text": meaning}) + 22
        if self.gradients and self.largest:
            scale = SANS | {"text": "link width and colour: gradient"}
            pen.text(x + 10, y, 9.5, quiet, scale, ha="left")
            x += pen.width(9.5, scale) + 26
            for share in (-1, -0.25, 0, 0.25, 1):
                width, colour = self._stroke(share * self.largest)
                pen.line(Segment((x, y), (x + 28, y), width), colour, solid_capstyle="round")
                amount = number(share * self.largest, digits=2)
                pen.text(x + 14, y - 14, 8, quiet, SANS | {"text": amount})
                x += 54
        return x - 26


def formula_of(layers: Layers) -> str:
    """The result as LaTeX in outputs y and targets t; empty if it is long.

    A sum of equal terms is a Σ of one of them, whose letters have no subscripts.
    """
    formulas: dict[Value, str] = {}
    for node in layers.tail:
        terms = [formulas.get(x) or _letter(x, layers) for x in node.inputs]
        assert node.op is not None
        if node.op in (OPS["add"], OPS["sum"]) and len(set(terms)) == 1:
            formulas[node] = rf"\Sigma\,{terms[0]}"
        elif node.op.variadic or len("".join(terms)) > 60:
            return ""
        else:
            letters = dict(zip("xyz", terms)) | {"n": f"{node.op.n:g}" if node.op.n else ""}
            formulas[node] = settable(formula_latex(node.op.shown[0], letters))
            if "cases" in formulas[node]:  # which mathtext cannot set
                return ""
    return formulas[layers.graph.result]


def _letter(node: Value, layers: Layers) -> str:
    """A letter for an output, a target or another leaf, from its name; or its number."""
    role = "y" if node in layers.owner else "t" if node in layers.targets else ""
    letter = label_latex(label_places(node.label, lambda text, *_: text)[""])
    if node.label and not letter.startswith(r"\text"):
        return letter
    return role or ("x" if node.label else as_given(node.data))


def sign(symbol: str) -> dict[str, Any]:
    """The symbol of an operation, as mathematics if it is a letter."""
    return mathtext(symbol) if len(symbol) == 1 else SANS | {"text": symbol, "parse_math": False}


def digits(text: str) -> dict[str, Any]:
    """A number, in the font for numbers."""
    return DIGITS | {"text": text}


def rectangle(left: float, bottom: float, right: float, top: float) -> Polygon:
    return [(left, bottom), (right, bottom), (right, top), (left, top)]
