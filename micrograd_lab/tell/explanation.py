"""The whole derivation of one gradient, as the lecture lays it out on its slides.

A gradient is a product of local derivatives along the way from a value to the result, and where
ways part, the sum over them.  A derivative that several ways share is derived once and then called
by its name, so a derivation grows with the graph and not with the number of ways through it.

Read ``steps.py`` before this file: its edges are the factors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from ..engine import Value
from ..graph import Graph, without_gradients
from .notation import label_latex
from .steps import Edge, backward_steps, forward_step
from .writing import LATEX, TEXT, Writing

# how many are written out; of more than that, the first and the last
FACTORS = 12
TERMS = 12
PARTS = 80

Some = TypeVar("Some")


def explain(result: Value, wrt: Value) -> Explanation:
    """∂(result)/∂(wrt), derived factor by factor, and checked by a difference on the last line.

    `backward` need not have been called, and no `grad` changes.

    Args:
        result: where the derivation starts.
        wrt: any value that the result was computed from.

    Returns:
        What prints itself, typesets itself in a notebook, and has `latex` and `markdown`.

    Raises:
        TypeError: if one of them is not a value.
        ValueError: if the result was not computed from `wrt`.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> g = w * x
    >>> g.label = "g"
    >>> f = g + b
    >>> f.label = "f"
    >>> print(explain(f, w))
    ∂f/∂w = ∂g/∂w × ∂f/∂g
        ∂f/∂g = 1, as f = g + b = −10 + 3 = −7
        ∂g/∂w = x = 5, as g = w × x = −2 × 5 = −10
        = 5 × 1 = 5
    <BLANKLINE>
    ∂f/∂w = 5 ≈ (f(w + h) − f(w − h)) ÷ (2 × h) = 5.000000, with h = 0.00001
    """
    original = Graph(result, products=False)
    if not isinstance(wrt, Value):
        raise TypeError(f"a gradient is that of a value, not of {type(wrt).__name__} {wrt!r:.60}")
    if wrt not in original.names:
        name = wrt.label or repr(wrt)
        leaves = [original.names[node] for node in original.nodes if not node.inputs]
        known = ", ".join(_ends(leaves, 8)) + (", …" if len(leaves) > 8 else "")
        raise ValueError(f"{original.names[result]} was not computed from {name}, but from {known}")
    graph = Graph(without_gradients(result), products=False)
    node = graph.nodes[original.nodes.index(wrt)]
    return Explanation(graph, _parts(graph, node), Difference.measured(graph, node))


@dataclass(frozen=True, repr=False)
class Explanation:
    """A derivation in parts, the last being that of the gradient asked for."""

    graph: Graph
    parts: tuple[Part, ...]
    difference: Difference

    def __str__(self) -> str:
        return "\n\n".join("\n".join(map(_text, lines)) for lines in self._lines(TEXT))

    __repr__ = __str__

    @property
    def latex(self) -> str:
        """The derivation as one `aligned` environment."""
        parts = [" \\\\[0.4em]\n".join(map(_latex, lines)) for lines in self._lines(LATEX)]
        return "\\begin{aligned}\n" + " \\\\[1.4em]\n".join(parts) + "\n\\end{aligned}"

    @property
    def markdown(self) -> str:
        """The derivation as nested lists, with the mathematics between dollar signs."""
        return "\n".join(_markdown(line) for lines in self._lines(LATEX) for line in lines)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"

    def _lines(self, writing: Writing) -> list[list[Line]]:
        """The lines of each part in one writing."""
        parts = [part.lines(self.graph, writing) for part in _ends(self.parts, PARTS)]
        if missing := len(self.parts) - len(parts):
            parts.insert(PARTS // 2, [Line(0, words=f"… {missing} more parts of this kind …")])
        if len(parts) > 1:
            parts.insert(0, parts[-1][:1])  # what is to be shown
        return [*parts, [self.difference.line(self.graph, writing)]]


@dataclass(frozen=True)
class Part:
    """One derivative of the result: a product, or a sum of products.

    Attributes:
        node: the value it is by.
        ways: the products, one for each way on from the node; none for the result itself.
    """

    node: Value
    ways: tuple[Way, ...]

    def lines(self, graph: Graph, writing: Writing) -> list[Line]:
        """What is derived, how, and the number that it comes to."""
        of, by = graph.names[graph.result], graph.names[self.node]
        slope = writing.slope(of, by)
        if not self.ways:
            return [Line(0, slope, ("1",))]
        if len(self.ways) == 1:
            return self.ways[0].lines(graph, writing, slope, 0)
        branches = [writing.slope(of, by, name) for name in self._branches(graph)]
        shares = [writing.number(way.links[0].contribution) for way in self.ways]
        derived = [
            way.lines(graph, writing, branch, 1)
            for branch, way in zip(_ends(branches, TERMS), _ends(self.ways, TERMS))
        ]
        if missing := len(self.ways) - len(derived):
            derived.insert(TERMS // 2, [Line(1, words=f"… {missing} more branches …")])
            branches = [*branches[: TERMS // 2], writing.dots, *branches[-TERMS // 2 :]]
            shares = [*shares[: TERMS // 2], writing.dots, *shares[-TERMS // 2 :]]
        total = writing.number(self.node.grad)
        return [
            Line(0, slope, (writing.sum(*branches),)),
            *(line for lines in derived for line in lines),
            Line(1, "", (writing.sum(*shares), total)),
        ]

    def _branches(self, graph: Graph) -> list[str]:
        """What each way goes through: the neuron, as the lecture has it, or the next value."""
        names = []
        for way in self.ways:
            first, *then = (link.node for link in way.links[:2])
            through = then[0] if then and _activates(then[0]) else first
            names.append("direct" if through is graph.result else graph.names[through])
        return names


@dataclass(frozen=True)
class Way:
    """A product of local derivatives.

    Attributes:
        links: what it leads along, from the node on.
        rest: the value whose gradient, derived before, is the last factor; None at the result.
    """

    links: tuple[Link, ...]
    rest: Value | None

    def lines(self, graph: Graph, writing: Writing, slope: str, depth: int) -> list[Line]:
        """`slope` as a product, the factors from the result's side on, and the product's number."""
        facts, symbols, numbers = [], [], []
        for link in _ends(self.links, FACTORS):
            facts.append(link.line(graph, writing, depth + 1))
            symbols.append(facts[-1].left)
            numbers.append(facts[-1].right[-1])
        if missing := len(self.links) - len(facts):
            facts.insert(FACTORS // 2, Line(depth + 1, words=f"… {missing} more factors …"))
            symbols.insert(FACTORS // 2, writing.dots)
            numbers.insert(FACTORS // 2, writing.dots)
        if self.rest:
            symbols.append(writing.slope(graph.names[graph.result], graph.names[self.rest]))
            numbers.append(writing.number(self.rest.grad))
        if len(symbols) == 1:
            return [facts[0]._replace(depth=depth, left=slope)]
        share = writing.number(self.links[0].contribution)
        return [
            Line(depth, slope, (writing.times.join(symbols),)),
            *reversed(facts),
            Line(depth + 1, "", (writing.product(*numbers), share)),
        ]


@dataclass(frozen=True)
class Link:
    """From a value to one that reads it: one edge, or more where it is read more than once."""

    edges: tuple[Edge, ...]

    @property
    def node(self) -> Value:
        """The value that reads."""
        return self.edges[0].node

    @property
    def contribution(self) -> float:
        """What goes back along it."""
        return sum(edge.contribution for edge in self.edges)

    def line(self, graph: Graph, writing: Writing, depth: int) -> Line:
        """The local derivative, and what it is the derivative of."""
        written = [edge.written(writing) for edge in self.edges]
        right = [
            writing.sum(*(line.symbols for line in written)),
            writing.sum(*(line.numbers for line in written)),
            written[0].local,
        ]
        if len(written) > 1:
            right[-1] = writing.number(sum(edge.local for edge in self.edges))
        made = forward_step(graph, self.node).written(writing)
        because = made[:2] if self.edges[0].op.variadic else made
        return Line(depth, written[0].derivative, _once(right), _once(because))


@dataclass(frozen=True)
class Difference:
    """The slope at a value, measured by moving it a little both ways.

    Attributes:
        node: the value.
        h: how far it is moved.
        slope: what is measured; a number that is not finite where it cannot be.
    """

    node: Value
    h: float
    slope: float

    @classmethod
    def measured(cls, graph: Graph, node: Value) -> Difference:
        """The slope of the graph's result at `node`, without moving the node itself."""
        if not math.isfinite(node.data):
            return cls(node, math.nan, math.nan)
        # small beside the number itself: 1/x bends within a distance of x
        size = min(max(abs(node.data) / 1000, 1e-9), max(abs(node.data), 1.0) / 100_000)
        h = 10.0 ** math.floor(math.log10(size if node.data else 1e-5))
        above, below = node.data + h, node.data - h
        try:
            change = graph.evaluate({node: above}) - graph.evaluate({node: below})
        except ValueError:  # outside the domain of an operation
            return cls(node, h, math.nan)
        return cls(node, h, change / (above - below))

    def line(self, graph: Graph, writing: Writing) -> Line:
        """The gradient beside the slope."""
        of, by = graph.names[graph.result], graph.names[self.node]
        f, x = writing.name(of), writing.name(by)
        if not math.isfinite(self.slope):
            return Line(0, words=f"no check by a difference: {of} has no finite number nearby")
        nearby = {"a": f"{f}({x} + h)", "b": f"{f}({x} {writing.minus} h)"}
        ratio = writing.formula("(a - b) / (2 * h)", nearby)
        close = math.isclose(
            self.slope,
            self.node.grad,
            rel_tol=1e-4,
            abs_tol=1e-8 * max(abs(graph.result.data), 1.0),
        )
        ours, measured = (writing.number(x, digits=7) for x in (self.node.grad, self.slope))
        return Line(
            left=writing.slope(of, by),
            right=(f"{ours} {'≈' if close else '≠'} {ratio}", measured),
            words=f"with h = {self.h:.9f}".rstrip("0").rstrip("."),
        )


class Line(NamedTuple):
    """One line of a derivation: an equation with the reason for it, or words alone.

    Attributes:
        depth: how far it is indented.
        left: the left side; empty where a line goes on with the equation above.
        right: what it is equal to, one after another.
        because: the equation that it follows from, side by side.
        words: what is said after the equation.
    """

    depth: int = 0
    left: str = ""
    right: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    words: str = ""

    @property
    def equation(self) -> str:
        """All sides of it."""
        return " = ".join((self.left, *self.right)).strip()


def _text(line: Line) -> str:
    because = f"as {' = '.join(line.because)}" if line.because else ""
    return "    " * line.depth + ", ".join(filter(None, (line.equation, because, line.words)))


def _latex(line: Line) -> str:
    row = "& " + r"\quad " * line.depth + line.equation
    if line.because:
        row += rf" && \text{{as }} {' = '.join(line.because)}"
    if line.words:
        row += " " + "&& " * bool(line.right) + label_latex(line.words)
    return row


def _markdown(line: Line) -> str:
    equation = f"${line.equation}$" if line.right else ""
    because = f"as ${' = '.join(line.because)}$" if line.because else ""
    return "  " * line.depth + "- " + ", ".join(filter(None, (equation, because, line.words)))


def _parts(graph: Graph, at: Value) -> tuple[Part, ...]:
    """What has to be derived for the gradient at `at`, from the result's side on.

    A value has a part of its own if it is where ways part or meet, or the output of a neuron,
    which the lecture names; along what is left there is one way on from each value.
    """
    onward: dict[Value, list[Link]] = {at: []}
    parting: set[Value] = {at}
    edges = {step.node: step.edges for step in backward_steps(graph)}
    for node in graph.nodes:
        arriving: dict[Value, list[Edge]] = {}
        for edge in edges.get(node, ()):
            if edge.receiver in onward:
                arriving.setdefault(edge.receiver, []).append(edge)
        for x, alike in arriving.items():
            onward[x].append(Link(tuple(alike)))
            onward[node] = []
        if len(arriving) > 1 or (arriving and _activates(node)):
            parting.add(node)
    parting.update(node for node, on in onward.items() if len(on) > 1)
    parting -= {graph.result} - {at}
    ways = {
        node: tuple(_way(link, onward, parting) for link in onward[node])
        for node in onward
        if node in parting
    }
    parts: dict[Value, Part] = {}
    waiting = [at]
    while waiting:  # what a part needs comes before it, in the order in which it is read
        node = waiting[-1]
        needed = [way.rest for way in ways[node] if way.rest and way.rest not in parts]
        waiting.extend(reversed(needed))
        if not needed:
            parts[waiting.pop()] = Part(node, ways[node])
    return tuple(parts.values())


def _way(link: Link, onward: dict[Value, list[Link]], parting: set[Value]) -> Way:
    """Along `link` to the next value that has a part of its own, or to the result."""
    links = [link]
    while links[-1].node not in parting and onward[links[-1].node]:
        links += onward[links[-1].node]
    return Way(tuple(links), links[-1].node if links[-1].node in parting else None)


def _activates(node: Value) -> bool:
    """Whether `node` is the output of a neuron: an activation of a Σ."""
    (*_, x) = node.inputs
    return len(node.inputs) == 1 and x.op is not None and x.op.variadic


def _ends(items: Sequence[Some], most: int) -> Sequence[Some]:
    """The first and the last of `items`, `most` together; all if there are not more."""
    if len(items) <= most:
        return items
    return [*items[: most // 2], *items[-(most // 2) :]]


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    """`texts` without what is said a second time."""
    return tuple(dict.fromkeys(texts))
