"""The forward and the backward pass as events: one per node, shown before it happens.

An event shows its node in the words of the lecture: the formula, the formula with numbers in it,
the result.  The engine's chain rule is the only one: `propagate` carries a backward step out, and
the numbers that the step announces are what `propagate` did to a copy of the edge.

Read ``engine.py`` and ``graph.py`` before this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

from ..context import moved
from ..engine import Value, propagate
from ..graph import Graph
from ..ops import Op
from .languages import HTML, LATEX, TEXT, Writing, shown, spell_out, with_number

Line = TypeVar("Line")


def forward_steps(result: Value | Graph) -> Iterator[ForwardStep]:
    """How each value was computed, in order; of a `Graph`, with opened dot products if it has them.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> f = w * x + b
    >>> for step in forward_steps(f):
    ...     print(step)
    v4 = w × x = −2 × 5 = −10
    v5 = v4 + b = −10 + 3 = −7
    """
    graph = _graph(result)
    notes = graph.notes
    for node in graph.nodes:
        if node.inputs:
            yield replace(forward_step(graph, node), notes=tuple(notes))
            notes = []


def forward_step(graph: Graph, node: Value) -> ForwardStep:
    """How one value was computed."""
    return ForwardStep(graph, node, node.data, tuple(x.data for x in node.inputs))


def backward_steps(result: Value | Graph) -> Iterator[BackwardStep]:
    """The chain rule, one step per computed node, from the result back to the leaves.

    A step takes effect when the iterator moves on, and at the end `grad` is what `backward` leaves:
    leaves add to what they have.  A step shows the gradients of this pass alone, from 0.  In a
    `Graph` with opened dot products, they arrive at the leaves and at the graph's own copies.  If
    leaves have moved since the result was recorded, the steps are those of a copy at their present
    numbers, which the first one says, and no `grad` of the original changes.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> f = w * x + b
    >>> f.label = "f"
    >>> for step in backward_steps(f):
    ...     print(step)
    ∂f/∂v4 += 1 × 1 = 1
    ∂f/∂b += 1 × 1 = 1
    ∂f/∂w += 1 × 5 = 5
    ∂f/∂x += 1 × (−2) = −2
    >>> w.grad
    5.0
    """
    graph = _graph(result)
    computed = [node for node in graph.nodes if node.inputs]
    for node in computed:
        node.grad = 0.0
    graph.result.grad += 1.0
    notes = tuple(graph.notes)
    own: dict[Value, float] = {}  # the gradients of this pass; a leaf's `grad` may hold more
    for node in reversed(computed):
        yield BackwardStep(graph, node, node.data, node.grad, _edges(graph, node, own), notes)
        propagate((node,))
        notes = ()


class Told:
    """What prints as lines, and typesets them in a notebook."""

    def lines(self, writing: Writing) -> list[str]:
        raise NotImplementedError

    def __str__(self) -> str:
        return "\n".join(self.lines(TEXT))

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return shown(self.lines, repr(self))


class Written(Told, Generic[Line]):
    """What has a line in each form of mathematics: its parts as `text`, `html` and `latex`."""

    graph: Graph
    node: Value

    def line(self, writing: Writing) -> Line:
        raise NotImplementedError

    def in_words(
        self, numbers: Sequence[float], letters: Mapping[str, int], writing: Writing
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The names, and the numbers as text, of the inputs that the letters stand for."""
        names, texts = {}, {}
        for letter, i in letters.items():
            x = self.node.inputs[i]
            names[letter] = writing.name(self.graph.names[x])
            texts[letter] = (writing.number if x.inputs else writing.as_given)(numbers[i])
        return names, texts

    text: cached_property[Line] = cached_property(lambda self: self.line(TEXT))
    html: cached_property[Line] = cached_property(lambda self: self.line(HTML))
    latex: cached_property[Line] = cached_property(lambda self: self.line(LATEX))


@dataclass(frozen=True)
class ForwardStep(Written["ForwardLine"]):
    """One node of the forward pass."""

    graph: Graph = field(repr=False)  # names the nodes
    node: Value
    data: float
    inputs: tuple[float, ...]  # the data of each
    notes: tuple[str, ...] = ()  # on the first step, where numbers differ from the recorded ones

    def line(self, writing: Writing) -> ForwardLine:
        """The parts of the line."""
        name, data = writing.name(self.graph.names[self.node]), writing.number(self.data)
        if moved(self.node):  # its inputs do not give this number
            return ForwardLine(name, data, data, data)
        op = self.node.op
        assert op is not None, "only a computed value has a step"
        formula, letters = spell_out(op, len(self.inputs))
        formula = with_number(formula, op.n)
        own = {"dots": writing.dots, "own": writing.name(op.name)}
        symbols, numbers = self.in_words(self.inputs, letters, writing)
        in_symbols = writing.formula(formula, symbols | own)
        return ForwardLine(name, in_symbols, writing.formula(formula, numbers | own), data)

    def lines(self, writing: Writing) -> list[str]:
        line = " = ".join(dict.fromkeys(self.line(writing)))
        line += writing.words(", set by hand") if moved(self.node) else ""
        return [*map(writing.words, self.notes), line]


class ForwardLine(NamedTuple):
    """`z_1 = 1 ÷ (1 + exp(−a_1)) = 1 ÷ (1 + exp(−0.178)) = 0.544`, in parts."""

    name: str
    symbols: str
    numbers: str
    data: str


@dataclass(frozen=True)
class BackwardStep(Told):
    """One node of the backward pass, which hands its gradient on to its inputs."""

    graph: Graph = field(repr=False)
    node: Value
    data: float
    upstream: float  # ∂(result)/∂(node), complete by now
    edges: tuple[Edge, ...]  # one per input
    notes: tuple[str, ...] = ()  # as of a forward step

    def lines(self, writing: Writing) -> list[str]:
        lines = [line for edge in self.edges for line in edge.lines(writing)]
        return [*map(writing.words, self.notes), *lines]


@dataclass(frozen=True)
class Edge(Written["BackwardLine"]):
    """The part of a backward step that reaches one input."""

    graph: Graph = field(repr=False)
    node: Value
    index: int  # of the input among the node's inputs
    numbers: tuple[float, ...] = field(repr=False)  # the data of all inputs, then of the node
    local: float  # ∂(node)/∂(input)
    upstream: float
    contribution: float  # local × upstream
    before: float  # the gradient of the input, from this pass, without the contribution
    after: float  # and with it

    @property
    def receiver(self) -> Value:
        """The value that receives the contribution."""
        return self.node.inputs[self.index]

    @property
    def op(self) -> Op:
        """The node's row of the table."""
        assert self.node.op is not None, "only a computed value has edges"
        return self.node.op

    @property
    def partial(self) -> str:
        """The textbook formula of the local derivative, in the table's letters."""
        if moved(self.node):
            return f"slope{self.index}"  # a number: the value that was set is not the formula's f
        if self.op.textbook:
            return self.op.textbook[1 + self.index]
        return self.op.partial(self.index, self.numbers[:-1])[0]

    def line(self, writing: Writing) -> BackwardLine:
        """The parts of the two lines."""
        op, graph = self.op, self.graph
        of, name, x = graph.names[graph.result], graph.names[self.node], graph.names[self.receiver]
        partial = with_number(self.partial, op.n)
        letters = op.partial(self.index, range(len(self.numbers) - 1))[1]
        symbols, numbers = self.in_words(self.numbers, letters, writing)
        symbols["f"], numbers["f"] = writing.name(name), writing.number(self.numbers[-1])
        local = writing.number(self.local)
        symbols[f"slope{self.index}"] = numbers[f"slope{self.index}"] = local
        in_numbers = writing.formula(partial, numbers)
        return BackwardLine(
            target=writing.slope(of, x),
            upstream=writing.slope(of, name),
            derivative=writing.slope(name, x),
            symbols=writing.formula(partial, symbols),
            numbers=in_numbers,
            local=in_numbers if partial.isidentifier() else local,
            product=writing.product(writing.number(self.upstream), local),
            contribution=writing.number(self.contribution),
            before=writing.number(self.before),
            after=writing.number(self.after),
        )

    def lines(self, writing: Writing) -> list[str]:
        line = self.line(writing)
        told = f"{line.target}{writing.words(' += ')}{line.product} = {line.contribution}"
        if self.before:
            told += f"{writing.words(', adds to ')}{line.before}{writing.words(' → ')}{line.after}"
        return [told]


class BackwardLine(NamedTuple):
    """The parts of two lines.

    The local derivative: `∂y_1/∂s_1` = `y_1 × (1 − y_1)` = `0.670 × (1 − 0.670)` = `0.221`.
    The chain rule: `∂E/∂s_1` += `∂E/∂y_1` × `∂y_1/∂s_1` = `0.570 × 0.221` = `0.126`, which adds
    to `0` → `0.126`.  A local derivative that is merely read off, `∂s_1/∂z_1` = `w_1` = `0.4`,
    keeps the digits of the input.
    """

    target: str
    upstream: str
    derivative: str
    symbols: str
    numbers: str
    local: str
    product: str
    contribution: str
    before: str
    after: str

    @property
    def derived(self) -> str:
        """The local derivative, its formula, the formula with numbers, and its number."""
        return " = ".join(dict.fromkeys((self.derivative, self.symbols, self.numbers, self.local)))


def _graph(result: Value | Graph) -> Graph:
    """The graph of `result`; if its leaves have moved, that of a copy at their present numbers."""
    if isinstance(result, Graph):
        return result
    now = Graph.at_present(result, products=False, gradients=False)
    return now if now.notes else Graph(result, products=False)


def _edges(graph: Graph, node: Value, own: dict[Value, float]) -> tuple[Edge, ...]:
    """The edges of `node`, each with the effect that `propagate` is about to have on `own`."""
    numbers = (*(x.data for x in node.inputs), node.data)
    edges = []
    for i, (x, local) in enumerate(zip(node.inputs, node.slopes)):
        contribution = graph.contribution(node, i)
        before = own.get(x, 0.0)
        after = own[x] = before + contribution
        edges.append(Edge(graph, node, i, numbers, local, node.grad, contribution, before, after))
    return tuple(edges)
