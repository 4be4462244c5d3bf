"""A network as its neurons: circles split Σ│activation, links with weight, gradient or update.

All lengths are points, 72 to an inch; y points upwards and is 0 in the middle of the columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from ...engine import Value
from ...formulas import np
from ...graph import MAX_SHOWN, Graph, shorten
from ...ops import OPS
from ...tell.languages import formula_latex
from ...tell.notation import as_given, folded, label_latex, label_places, number
from ..layers import Layers, Model, RecordedNeuron, find_layers, is_model, title
from ..showing import MATH, SANS, TEXT, Picture, mathtext, settable
from ..themes import Theme, find_theme, stroke
from .pen import LETTER, LINES, Pen, Segment, Text, digits, place, sign

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.path import Path

Item: TypeAlias = "Value | RecordedNeuron"  # an input or a neuron
Link: TypeAlias = tuple[Value, Segment]

KINDS = ("weight", "gradient", "update")
PAGE = 736.0  # the width up to which a drawing keeps its size on a page of 760 pixels
NAME = 12.0  # points, of a name
THICK = 4.5  # of the strongest link
EXTRA_GAPS = (0, 40, 80)  # between columns, to make room for labels
ABOVE, BELOW = 18, 15  # what a label reaches to either side of its link


class Optimizer(Protocol):
    """What moves parameters: `after` gives the state after a step, and changes nothing."""

    parameters: list[Value]

    def after(self, data: Any, grad: Any, /) -> Any: ...


def draw_network(
    network: Value | Sequence[Value] | Model,
    *,
    links: str | None = None,
    optimizer: Optimizer | None = None,
    theme: str = "auto",
    parameters: Iterable[Value] | None = None,
) -> Picture:
    """A network as a picture: neurons, links, values and gradients.

    A neuron is a circle with its Σ on the left and its activation on the right; its bias is a
    dashed 1 below it.  Values are green, gradients below them rust, once `backward` was called.
    Width and colour of a link show its weight, gradient or update on a square-root scale; where
    numbers do not fit, that is all, and the bias is a dot.  Of more than 16 neurons in a layer, or
    more layers than fit a page, those in the middle become dots, with the range of what they hide.

    Args:
        network: an output or a loss for one sample; or all outputs; or a model, with its weights
            alone.  It is a ValueError if no neurons are found.
        links: "weight"; "gradient", of a model the one in `grad`, such as that of a batch; or
            "update", what the next step adds to each weight: with an optimizer, what its `step`
            would do now; without, −∂E/∂w, to be multiplied by η.  By default the gradient of a
            result after its `backward`, and else the weight.
        optimizer: whose next step to show; nothing changes in it.
        theme: "light" or "dark"; by default SVG and HTML follow the page.
        parameters: its weights and biases; by default the leaves labelled as in the lecture.

    >>> from micrograd_lab import Adam
    >>> from micrograd_lab.nn import MLP
    >>> model = MLP(2, [3, 1], seed=1)
    >>> picture = draw_network(model, theme="dark")
    >>> model([0.5, 1.0]).backward()
    >>> picture = draw_network(model, optimizer=Adam(model.parameters()))
    """
    colours = find_theme(theme)
    sample = not is_model(network)
    wanted = True if isinstance(network, Value) and links in ("gradient", "update") else None
    layers = find_layers(network, parameters=parameters, gradients=wanted)
    shown = find_links(layers.graph, links, optimizer, sample=sample)
    *counts, last = [len(layers.inputs), *map(len, layers.layers)]
    about = f"Network of {', '.join(map(str, counts))} and {last} nodes"
    widest = max(*counts, last)
    sizes = [LARGE, LARGE._replace(names=False)] if widest <= 4 else []
    for size in [*sizes, *[MEDIUM] * (sample and widest <= MAX_SHOWN), SMALL]:
        figure = Drawing(layers, shown, colours, size, sample=sample).figure()
        if figure and (size is SMALL or figure.get_size_inches()[0] * 72 <= PAGE):
            break
    assert figure, "the last size fits"
    return Picture(figure, about, colours)


class Size(NamedTuple):
    """Lengths in a drawing, and what there is room for."""

    radius: float
    input: float  # radius of an input
    row: float  # from neuron to neuron
    gap: float  # at most, between columns
    numbers: bool = False  # in the neurons
    labels: bool = False  # names in and above circles, numbers beside links
    names: bool = False  # of links


LARGE = Size(radius=50, input=32, row=205, gap=130, numbers=True, labels=True, names=True)
MEDIUM = Size(radius=25, input=12, row=64, gap=170, numbers=True)
SMALL = Size(radius=12, input=10, row=38, gap=200)


class Links(NamedTuple):
    """An amount for each weight and bias."""

    kind: str
    amounts: Mapping[Value, float]
    symbol: str
    meaning: str
    largest: float  # without its sign


class Drawing:
    """Finds a place for everything, then draws it."""

    def __init__(
        self, layers: Layers, links: Links, theme: Theme, size: Size, *, sample: bool
    ) -> None:
        self.layers = layers
        self.links = links
        self.theme = theme
        self.size = size
        self.sample = sample  # without one, the values are unknown
        self.pen: Pen = Pen(theme)
        self.strokes: dict[Value, Line2D] = {}  # of each weight that is drawn
        self.gradients: bool = sample and layers.graph.has_gradients
        grads = {p: p.grad for p in layers.graph.parameters} if self.gradients else {}
        # numbers below links
        self.below: Mapping[Value, float] = grads if links.kind == "weight" else links.amounts
        moves = links.kind == "update"
        self.below_colour: str = theme.shapes["parameter"][0] if moves else theme.grad
        self.columns: list[list[Item]] = [[*layers.inputs], *map(list[Item], layers.layers)]
        self.rows: list[list[Item | None]] = [shorten(column) for column in self.columns]
        ends = [[self._beside(item) for item in self.rows[k] if item is not None] for k in (0, -1)]
        self.sides: list[float] = [max(map(self.pen.length, beside)) for beside in ends]
        free = PAGE - 32 - sum(self.sides) - 150 * bool(layers.result) - 2 * size.radius
        most = max(int(free / (2 * size.radius + 26)) + 1, 4)
        self.order: list[int | None] = shorten(range(len(self.columns)), most)
        self.pitch: float = min(free / max(len(self.order) - 1, 1), 2 * size.radius + size.gap)
        self.x: dict[Item, float] = {}
        self.y: dict[Item | int, float] = {}  # of items, and of the dots in a column, by its number
        tall = 76 if self.pitch > 90 else 116  # dots, and what they hide
        for k, rows in enumerate(self.rows):
            heights = [tall if item is None else size.row for item in rows]
            y = sum(heights) / 2
            for item, height in zip(rows, heights):
                self.y[k if item is None else item] = y - height / 2
                y -= height

    def figure(self, *, legend: bool = True) -> Figure | None:
        """Columns from left to right, titles above, a legend below; None if it does not fit."""
        size, pen, quiet = self.size, self.pen, self.theme.quiet
        x, before, heads = -self.pitch, None, []
        for k, after in zip(self.order, [*self.order[1:], None]):
            x += self.pitch
            if k is not None:
                if (found := self._column(k, before, x)) is None:
                    return None
                x = found
                heads.append((x, title(k, len(self.columns) - 1) if k else "input layer", k))
            elif size is not SMALL or before is None or after is None:
                return None
            else:
                hidden = [*chain.from_iterable(self.columns[before + 1 : after])]
                self._dots(x, 0, "⋯", f"{after - before - 1} more layers:", hidden)
            before = k
        left, right = -size.radius - self.sides[0], x + size.radius + self.sides[1]
        bottom = min(self.y.values()) - size.row / 2
        if self.layers.result:
            x, right, lowest = self._error(self.layers.result, x + size.radius)
            bottom = min(bottom, lowest)
            heads.append((x, "error", 0))
        top, lines = max(self.y.values()) + size.radius + (34 if size.labels else 14), 0
        for x, words, k in heads:
            style = SANS | {"fontweight": "bold", "va": "bottom"}
            words = folded(words, (self.pitch - 8) / LETTER)
            pen.text(x, top + 16 * (not size.labels), TEXT, quiet, style | {"text": words})
            lines = max(lines, words.count("\n") + 1 + (not size.labels))
            symbols = {n.symbol for n in self.columns[k] if isinstance(n, RecordedNeuron)}
            if len(symbols) == 1 and not size.labels:
                pen.text(x, top + 5, TEXT, quiet, sign(*symbols))
        if legend:
            x, bottom = self._legend(left, bottom - 16)
            right = max(right, x)
        for note in self.layers.graph.notes:
            words = folded(note, (max(right, 600) - left) / LETTER)
            bottom -= 14 * (words.count("\n") + 1) + 2
            text = TEXT, self.theme.ink, SANS | {"text": words, "va": "bottom"}
            right = max(right, pen.row(left, bottom, [text]))
        return pen.finish(left - 14, bottom - 14, right + 14, top + 14 * lines + 14)

    def _column(self, k: int, before: int | None, x: float) -> float | None:
        """Draw column k at x, or to the right of it where labels need room; its x, if there is."""
        labelled = self.size.labels and before is not None
        for extra in EXTRA_GAPS if labelled else (0,):
            self.x |= {item: x + extra for item in self.rows[k] if item is not None}
            if not labelled or self._labels(k):
                break
        else:
            return None
        links = self._links(k)
        for weight, line in sorted(links, key=lambda link: abs(self.links.amounts[link[0]])):
            self._stroke(weight, line)
        for item in self.rows[k]:
            if isinstance(item, RecordedNeuron):
                self._neuron(item)
            elif item is not None:
                self._input(item)
        if k in self.y:
            hidden = [item for item in self.columns[k] if item not in self.x]
            self._dots(x, self.y[k], "⋮", f"{len(hidden)} more:", hidden)
        return x + extra

    def _labels(self, k: int) -> bool:
        """Write the labels of the links from the column before; whether there is room."""
        links, length = self._links(k, self.rows[k - 1]), self.pen.length
        parts = [self._parts(weight) for weight, _ in links]
        lengths = [max(length(name + value), length(below)) for name, value, below in parts]
        around = [box for column in (k - 1, k) for box in self._around(column)]
        starts = place([line for _, line in links], lengths, ABOVE, BELOW, around)
        for (weight, line), written, long, start in zip(links, parts, lengths, starts or ()):
            half = self.look(self.links.amounts[weight])[0] / 2
            turned, end = {"rotation": math.degrees(line.angle)}, start + long
            places = (start, half + 10), (end, half + 8), (end, -half - 7.5)
            for texts, at, ha in zip(written, places, ("left", "right", "right")):
                for size, colour, style in texts:
                    self.pen.text(*line.at(*at), size, colour, style | turned, ha=ha)
        return starts is not None

    def _links(self, k: int, sources: Iterable[Item | None] | None = None) -> list[Link]:
        """The weights into column k with their lines, rim to rim; all, or those from `sources`."""
        links = []
        for neuron in self.rows[k]:
            if isinstance(neuron, RecordedNeuron):
                for weight, x in zip(neuron.weights, neuron.inputs):
                    source = self.layers.owner.get(x, x)
                    if source in (self.x if sources is None else sources):
                        links.append((weight, self._line(source, neuron)))
        return links

    def _line(self, source: Item, target: Item) -> Segment:
        """From rim to rim; in a crowd from the right end of one circle to the left of the other."""
        a, b = ((self.x[item], self.y[item]) for item in (source, target))
        radius = self.size.radius if isinstance(source, RecordedNeuron) else self.size.input
        if not self.size.labels:
            return Segment((a[0] + radius, a[1]), (b[0] - self.size.radius, b[1]), THICK)
        whole = Segment(a, b, THICK)
        return replace(whole, start=whole.at(radius), end=whole.at(whole.length - self.size.radius))

    def _stroke(self, weight: Value, line: Segment, **more: Any) -> None:
        width, colour = self.look(self.links.amounts[weight])
        self.strokes[weight] = self.pen.line(replace(line, width=width), colour, **more)

    def look(self, amount: float) -> tuple[float, str]:
        """Width and colour of a link; in a crowd, weak ones fade."""
        thick = THICK if self.size.labels else 0.8 * THICK
        width, colour = stroke(amount, self.links.largest, self.theme, thick)
        share = 1 if self.size.labels else 0.3 + 0.7 * width / thick
        return width, self.theme.mix(self.theme.page, colour, share)

    def _parts(self, parameter: Value) -> tuple[list[Text], list[Text], list[Text]]:
        """Its name and the numbers above and below its link, where each is to be written."""
        named, amount = self.size.names and parameter.label, self.below.get(parameter)
        name = [(NAME, self.theme.quiet, mathtext(parameter.label))] if named else []
        below = [] if amount is None else [(TEXT, self.below_colour, digits(number(amount)))]
        return name, [(TEXT, self.theme.value, digits(as_given(parameter.data)))], below

    def _around(self, k: int) -> list[Path]:
        """The labels above and below the neurons of column k, which no link may touch."""
        boxes = []
        for item in self.rows[k]:
            if isinstance(item, RecordedNeuron):
                x, y, radius = self.x[item], self.y[item], self.size.radius
                line = Segment((x, y), (x + 1, y))
                if item.out.label or item.sum.label:
                    boxes.append(line.box(-30, 60, radius + 2, radius + 22))
                if item.bias:
                    name, *numbers = map(self.pen.length, self._parts(item.bias))
                    wide = name + 36 + max(numbers)
                    boxes.append(line.box(-18 - name, wide, -radius - 48, -radius - 20))
        return boxes

    def _beside(self, item: Item) -> list[Text]:
        """Name and number of an input or an output, where they do not fit into its circle."""
        neuron = isinstance(item, RecordedNeuron)
        if self.size.labels or (neuron and self.layers.result):
            return []
        node = item.out if isinstance(item, RecordedNeuron) else item
        texts = [(NAME, self.theme.ink, mathtext(node.label))] if node.label else []
        if self.sample and not (self.size.numbers and neuron):
            texts.append((TEXT, self.theme.value, digits(as_given(node.data))))
        return texts

    def _input(self, item: Value) -> None:
        x, y, radius = self.x[item], self.y[item], self.size.input
        self.pen.circle(x, y, radius, *self.theme.shapes["input"])
        self.pen.row(x - radius - 5, y, self._beside(item), ha="right")
        if self.size.labels:
            texts = [self.pen.name(item.label, 1.7 * radius, 16)] if item.label else []
            if self.sample:
                texts.append(self.pen.amount(item.data, 1.7 * radius, self.theme.value, given=True))
            self.pen.stack(x, y, texts, 22)

    def _neuron(self, neuron: RecordedNeuron) -> None:
        x, y, radius, labels = self.x[neuron], self.y[neuron], self.size.radius, self.size.labels
        last = neuron.layer == len(self.columns) - 1
        line, fill = self.theme.shapes["computed" if last else "parameter"]
        if neuron.bias:
            self._bias(neuron.bias, x, y)
        self.pen.circle(x, y, radius, line, fill)
        if last:
            self.pen.row(x + radius + 5, y, self._beside(neuron))
        halves, room = [(neuron.out, "Σ" * labels, x)], 1.52 * radius
        if labels and neuron.symbol:
            rule = Segment((x, y - radius), (x, y + radius), 0.8)
            self.pen.line(rule, line, zorder=LINES + 1.5)
            apart, room = 0.47 * radius, 0.77 * radius
            halves = [(neuron.sum, "Σ", x - apart), (neuron.out, neuron.symbol, x + apart)]
        for node, symbol, middle in halves if self.size.numbers else ():
            texts = []
            if symbol:
                size = 15 if len(symbol) == 1 else max(TEXT, 13.0 - len(symbol) / 2)
                texts.append((size, self.theme.quiet, sign(symbol)))
            amounts = [(node.data, self.theme.value), (node.grad, self.theme.grad)]
            for amount, colour in amounts[: self.sample + self.gradients]:
                texts.append(self.pen.amount(amount, room, colour))
            self.pen.stack(middle, y, texts, 17 if labels else 13)
            if labels and node.label:
                self.pen.text(middle, y + radius + 12, *self.pen.name(node.label, 1.2 * room, NAME))

    def _bias(self, bias: Value, x: float, y: float) -> None:
        """The dashed 1 and its link below a neuron; a dot in its colour where there is no room."""
        if not self.size.labels:
            stem = Segment((x, y), (x, y - self.size.radius - 7))
            self._stroke(bias, stem, marker="o", markevery=[1], markersize=5, markeredgewidth=0)
            return
        stem = Segment((x, y), (x, y - self.size.radius - 34))
        self._stroke(bias, stem)
        y = stem.end[1]
        line, fill = self.theme.shapes["input"]
        self.pen.circle(x, y, 10.5, line, fill, linestyle=(0, (2.5, 1.5)), linewidth=1)
        self.pen.text(x, y, TEXT, self.theme.ink, SANS | {"text": "1"})
        name, value, below = self._parts(bias)
        self.pen.row(x - 15, y, name, ha="right")
        self.pen.row(x + 16, y + 7 * len(below), value)
        self.pen.row(x + 16, y - 7, below)

    def _dots(self, x: float, y: float, dots: str, words: str, hidden: Sequence[Item]) -> None:
        """Dots for what is not drawn, and the range of its weights."""
        amounts, inside = [], set(hidden)
        for neuron in chain.from_iterable(self.layers.layers):
            for weight, source in zip(neuron.weights, neuron.inputs):
                if neuron in inside or source in inside:
                    amounts.append(abs(self.links.amounts[weight]))
        if amounts:
            ends = [number(end, digits=2) for end in (min(amounts), max(amounts))]
            words += f" |{self.links.symbol}| {' to '.join(dict.fromkeys(ends))}"
        self.pen.text(x, y + 26, 20, self.theme.quiet, SANS | {"text": dots})
        style = SANS | {"text": folded(words, min(self.pitch - 4, 96) / LETTER), "va": "top"}
        patch = {"color": self.theme.page, "pad": 1}
        self.pen.text(x, y + 14, TEXT, self.theme.quiet, style, bbox=patch)

    def _error(self, result: Value, x: float) -> tuple[float, float, float]:
        """Draw the box of the result, and the targets; its middle, right end and lowest point."""
        theme, pen = self.theme, self.pen
        texts: list[Text] = [(17, theme.ink, mathtext(result.label))] if result.label else []
        texts.append((12, theme.value, digits(number(result.data))))
        if formula := formula_of(self.layers):
            texts.append((13, theme.quiet, {"text": f"${formula}$", **MATH}))
        wide = max([60.0, *(pen.length([text]) for text in texts)]) + 14
        high = 25.0 * len(texts) + 10
        x += 70 if self.size.labels else 50
        middle = x + wide / 2
        pen.box(middle, 0, wide, high, *theme.shapes["result"])
        self.pen.stack(middle, 0, texts, 25)
        for item in self.rows[-1]:
            if item is not None:
                end = x, max(-high * 0.35, min(high * 0.35, self.y[item] * 0.3))
                whole = Segment((self.x[item], self.y[item]), end)
                pen.line(Segment(whole.at(self.size.radius), end), theme.wire)
        y = -high / 2 - 18
        for target in shorten(self.layers.targets):
            if target is None:
                pen.text(middle, y, 12, theme.quiet, SANS | {"text": "⋮"})
            else:
                name, value = mathtext(target.label), digits(f"= {as_given(target.data)}")
                pen.row(middle - 6, y, [(NAME, theme.ink, name)], ha="right")
                pen.row(middle, y, [(TEXT, theme.value, value)])
            y -= 17
        return middle, x + wide, y

    def _legend(self, x: float, y: float) -> tuple[float, float]:
        """Explain the colours, on lines from y downwards; the right end and the bottom."""
        pen, theme, left, links = self.pen, self.theme, x, self.links
        samples = []
        if self.sample or self.size.labels:
            samples.append(("0.4", theme.value, "value" if self.sample else "weight w"))
        if self.gradients and (self.size.numbers or links.kind != "update"):
            samples.append(("0.07", theme.grad, "gradient"))
        if self.size.labels and links.kind == "update":
            samples.append(("0.01", self.below_colour, "next step Δw"))
        for text, colour, meaning in samples:
            words = TEXT, theme.quiet, SANS | {"text": meaning}
            x = pen.row(x, y, [(TEXT, colour, digits(text)), words]) + 16
        y -= 22 * bool(samples)
        scale = f"width and colour: {links.meaning}{'' if links.largest else ', which is 0'}"
        x = pen.row(left, y, [(TEXT, theme.quiet, SANS | {"text": scale})]) + 10
        for share in (-1, -0.25, 0, 0.25, 1) if links.largest else ():
            width, colour = self.look(share * links.largest)
            pen.line(Segment((x, y), (x + 28, y), width), colour, solid_capstyle="round")
            amount = number(share * links.largest, digits=2)
            pen.text(x + 14, y - 14, TEXT, theme.quiet, SANS | {"text": amount})
            x += 54
        return x - 16, y - 20


def formula_of(layers: Layers) -> str:
    """The result as LaTeX in outputs y and targets t, equal terms as a Σ of one; empty if long."""
    formulas: dict[Value, str] = {}
    for node in layers.tail:
        terms = [formulas.get(x) or _letter(x, layers) for x in node.inputs]
        assert node.op is not None
        if node.op in (OPS["add"], OPS["sum"]) and len(set(terms)) == 1:
            formulas[node] = rf"\Sigma\,{terms[0]}"
            continue
        letters = dict(zip("xyz", terms)) | {"n": f"{node.op.n:g}" if node.op.n else ""}
        long = node.op.variadic or len("".join(terms)) > 60
        formulas[node] = "" if long else settable(formula_latex(node.op.shown[0], letters))
        if not formulas[node] or "cases" in formulas[node]:  # which mathtext cannot set
            return ""
    return formulas[layers.graph.result]


def _letter(node: Value, layers: Layers) -> str:
    """A letter for an output, a target or another leaf, from its name; or its number."""
    role = "y" if node in layers.owner else "t" if node in layers.targets else ""
    letter = label_latex(label_places(node.label, lambda text, *_: text)[""])
    if node.label and not letter.startswith(r"\text"):
        return letter
    return role or ("x" if node.label else as_given(node.data))


def find_links(
    graph: Graph, kind: str | None, optimizer: Optimizer | None, *, sample: bool
) -> Links:
    """The amounts that links of this kind have."""
    recorded = sample and graph.has_gradients
    if kind is None:
        kind = "update" if optimizer else "gradient" if recorded else "weight"
    if kind not in KINDS:
        raise ValueError(f"links is {kind!r}; choose one of {', '.join(KINDS)}")
    if optimizer is not None and not hasattr(optimizer, "after"):
        raise TypeError(f"optimizer must be an SGD, Adam or AdamW, got {optimizer!r:.60}")
    if optimizer and kind != "update":
        raise ValueError(f"an optimizer says nothing about links={kind!r}; take links='update'")
    name = graph.names[graph.result] if sample and graph.result.label else "E"
    slope = f"∂{name}/∂w" if len(name) < 6 else "∂E/∂w"
    amounts = {p: p.data if kind == "weight" else p.grad for p in graph.parameters}
    symbol, meaning = ("w", "weight w") if kind == "weight" else (slope, f"gradient {slope}")
    if kind == "update":
        symbol, meaning = "Δw", f"next step Δw = −η·{slope}, for η = 1"
        amounts = {p: -grad for p, grad in amounts.items()}
        if optimizer:
            meaning = f"next step Δw of {type(optimizer).__name__}"
            amounts = _steps(graph, optimizer)
    if not (kind == "weight" or recorded or any(amounts.values())):
        raise ValueError("the network has no gradients yet; call backward on its loss first")
    sizes = (abs(amount) for amount in amounts.values() if math.isfinite(amount))
    return Links(kind, amounts, symbol, meaning, max(sizes, default=0.0))


def _steps(graph: Graph, optimizer: Optimizer) -> dict[Value, float]:
    """By how much the next step moves each parameter."""
    data, grad = np.array([(p.data, p.grad) for p in optimizer.parameters]).T
    steps = (optimizer.after(data, grad).numbers - data).tolist()
    moved = {graph.twins.get(p, p): step for p, step in zip(optimizer.parameters, steps)}
    if graph.parameters.isdisjoint(moved):
        raise ValueError(f"none of the optimizer's {len(data)} parameters are in this network")
    return {p: moved.get(p, 0.0) for p in graph.parameters}
