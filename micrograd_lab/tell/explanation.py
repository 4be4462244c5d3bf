"""The whole derivation of one gradient, as the lecture lays it out on its slides.

A gradient is a product of local derivatives along the path from a value to the result; where paths
branch, it is the sum over the branches.  A derivative that several paths share is derived once and
then used by name, so a derivation grows with the graph, not with the number of paths through it.

Read ``steps.py`` before this file: its edges are the factors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ..engine import Value
from ..graph import Graph, shorten
from .languages import LATEX, TEXT, Writing
from .notation import label_latex
from .steps import Edge, backward_steps, forward_step

# longer products, sums and derivations show their beginning and their end
MAX_FACTORS = MAX_TERMS = 13
MAX_PARTS = 81

Link: TypeAlias = tuple[Edge, ...]  # to a value, which may read the one before several times


def explain(result: Value, wrt: Value, *, textbook: bool = False) -> Explanation:
    """Derive ∂(result)/∂(wrt) factor by factor; the last line checks it by a finite difference.

    The derivation prints as text, typesets itself, and has `latex` and `markdown`.  `backward` need
    not have been called, and no `grad` changes.

    Args:
        result: where the derivation starts.
        wrt: any value that the result was computed from; else it is a ValueError.
        textbook: whether a cross entropy or a softmax is derived as a book prints it.

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
    graph = Graph.at_present(result, products=False, gradients=False, textbook=textbook)
    if not isinstance(wrt, Value):
        raise TypeError(f"wrt must be a Value, got {type(wrt).__name__} {wrt!r:.60}")
    if wrt not in graph.twins:
        of, name = graph.names[graph.result], wrt.label or repr(wrt)
        leaves = [graph.names[node] for node in graph.nodes if not node.inputs]
        known = ", ".join(name or "…" for name in shorten(leaves, 9))
        raise ValueError(f"{of} was not computed from {name}, but from {known}")
    return Explanation(graph, _paths(graph, graph.twins[wrt]))


@dataclass(frozen=True, repr=False, eq=False)
class Explanation:
    """A derivation in parts; the last part derives the gradient that was asked for."""

    graph: Graph  # a copy, at the present numbers
    # for each derivative of the result the products that it is the sum of, one for each path onward
    paths: dict[Value, tuple[Path, ...]]

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
        lines = (line for part in self._lines(LATEX) for line in part)
        return "\n".join(_text(line, "  ", "- ", "$") for line in lines)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"

    def _lines(self, writing: Writing) -> list[list[Line]]:
        """The lines of each part."""
        more = [Line(words=f"… {len(self.paths) - MAX_PARTS + 1} more parts of this kind …")]
        nodes = shorten([*self.paths], MAX_PARTS)
        parts = [self._part(node, writing) if node else more for node in nodes]
        if len(parts) > 1:
            parts.insert(0, parts[-1][:1])  # the claim, before its derivation
        if self.graph.notes:
            parts.insert(0, [Line(words=note) for note in self.graph.notes])
        return [*parts, [_check(self.graph, [*self.paths][-1], writing)]]

    def _part(self, node: Value, writing: Writing) -> list[Line]:
        """The derivative at `node`, its derivation and its number."""
        paths = self.paths[node]
        of, by = self.graph.names[self.graph.result], self.graph.names[node]
        slope = writing.slope(of, by)
        if not paths:
            return [Line(0, slope, ("1",))]
        if len(paths) == 1:
            return paths[0].lines(self.graph, writing, slope, 0)
        branches, shares, lines = [], [], []
        for path in shorten(paths, MAX_TERMS):
            branches.append(writing.slope(of, by, path.name(self.graph)) if path else writing.dots)
            shares.append(writing.number(path.contribution) if path else writing.dots)
            more = Line(1, words=f"… {len(paths) - MAX_TERMS + 1} more branches …")
            lines += path.lines(self.graph, writing, branches[-1], 1) if path else [more]
        total = Line(1, "", (writing.sum(*shares), writing.number(node.grad)))
        return [Line(0, slope, (writing.sum(*branches),)), *lines, total]


@dataclass(frozen=True)
class Path:
    """A product of local derivatives."""

    links: tuple[Link, ...]  # one after another, starting at the node
    rest: Value | None  # whose gradient, derived earlier, is the last factor; None at the result

    @property
    def contribution(self) -> float:
        """What the path hands back to its node."""
        return sum(edge.contribution for edge in self.links[0])

    def name(self, graph: Graph) -> str:
        """Its neuron, as in the lecture, or its next value."""
        first, *then = (link[0].node for link in self.links[:2])
        through = then[0] if then and _activates(then[0]) else first
        return "direct" if through is graph.result else graph.names[through]

    def lines(self, graph: Graph, writing: Writing, slope: str, depth: int) -> list[Line]:
        """`slope` as a product, its factors starting from the result, and the product's number."""
        more = Line(depth + 1, words=f"… {len(self.links) - MAX_FACTORS + 1} more factors …")
        links = shorten(self.links, MAX_FACTORS)
        facts = [_fact(link, graph, writing, depth + 1) if link else more for link in links]
        symbols = [fact.left or writing.dots for fact in facts]
        numbers = [fact.right[-1] if fact.right else writing.dots for fact in facts]
        if self.rest:
            symbols.append(writing.slope(graph.names[graph.result], graph.names[self.rest]))
            numbers.append(writing.number(self.rest.grad))
        if len(symbols) == 1:
            return [facts[0]._replace(depth=depth, left=slope)]
        equation = Line(depth, slope, (writing.times.join(symbols),))
        share = writing.product(*numbers), writing.number(self.contribution)
        return [equation, *reversed(facts), Line(depth + 1, "", share)]


class Line(NamedTuple):
    """One line of a derivation: an equation with the reason for it, or words alone."""

    depth: int = 0  # of its indentation
    left: str = ""  # empty where a line continues the equation above
    right: tuple[str, ...] = ()  # the expressions that it equals, in order
    because: tuple[str, ...] = ()  # the sides of the equation that it follows from
    words: str = ""  # after the equation

    @property
    def equation(self) -> str:
        """All its sides, with = between them."""
        return " = ".join((self.left, *self.right)).strip()


def _text(line: Line, indent: str = "    ", bullet: str = "", dollar: str = "") -> str:
    equation = dollar + line.equation + dollar if line.right else ""
    because = f"as {dollar}{' = '.join(line.because)}{dollar}" if line.because else ""
    text = ", ".join(filter(None, (equation, because, line.words)))
    return indent * line.depth + bullet + text


def _latex(line: Line) -> str:
    row = "& " + r"\quad " * line.depth + line.equation
    if line.because:
        row += rf" && \text{{as }} {' = '.join(line.because)}"
    if line.words:
        row += " " + "&& " * bool(line.right) + label_latex(line.words)
    return row


def _paths(graph: Graph, at: Value) -> dict[Value, tuple[Path, ...]]:
    """The derivatives that the gradient at `at` needs, starting from the result.

    A value has a part of its own where paths branch or meet, and where it is the output of a
    neuron, which the lecture names; every other value has one link onward.
    """
    onward: dict[Value, list[Link]] = {at: []}
    stops: set[Value] = {at}
    edges = {step.node: step.edges for step in backward_steps(graph)}
    for node in graph.nodes:
        arriving: dict[Value, list[Edge]] = {}
        for edge in edges.get(node, ()):
            if edge.receiver in onward:
                arriving.setdefault(edge.receiver, []).append(edge)
        for x, alike in arriving.items():
            onward[x].append(tuple(alike))
            onward[node] = []
        if len(arriving) > 1 or (arriving and _activates(node)):
            stops.add(node)
    stops.update(node for node, links in onward.items() if len(links) > 1)
    stops -= {graph.result} - {at}
    derived: dict[Value, tuple[Path, ...]] = {}
    waiting = [at]
    while waiting:  # the parts that a part needs come before it, in reading order
        node = waiting[-1]
        paths = tuple(_path(link, onward, stops) for link in onward[node])
        needed = [path.rest for path in paths if path.rest and path.rest not in derived]
        waiting.extend(reversed(needed))
        if not needed:
            derived[waiting.pop()] = paths
    return derived


def _path(link: Link, onward: dict[Value, list[Link]], stops: set[Value]) -> Path:
    """Along `link` to the next value that has a part of its own, or to the result."""
    links = [link]
    while (node := links[-1][0].node) not in stops and onward[node]:
        links += onward[node]
    return Path(tuple(links), node if node in stops else None)


def _fact(link: Link, graph: Graph, writing: Writing, depth: int) -> Line:
    """The local derivative of a link, and the equation that it differentiates."""
    lines = [edge.line(writing) for edge in link]
    local = writing.number(sum(edge.local for edge in link)) if len(lines) > 1 else lines[0].local
    symbols = writing.sum(*(line.symbols for line in lines))
    numbers = writing.sum(*(line.numbers for line in lines))
    equation = forward_step(graph, link[0].node).line(writing)
    because = equation[:2] if link[0].op.variadic else equation
    return Line(depth, lines[0].derivative, _once(symbols, numbers, local), _once(*because))


def _check(graph: Graph, node: Value, writing: Writing) -> Line:
    """The gradient at `node` beside the slope, measured by moving it a little to both sides."""
    of, by = graph.names[graph.result], graph.names[node]
    why, h, slope = f"{of} has no finite number nearby", math.nan, math.nan
    if math.isfinite(node.data):
        # small compared with the number itself: 1/x bends within a distance of x
        size = min(max(abs(node.data) / 1000, 1e-9), max(abs(node.data), 1.0) / 100_000)
        h = 10.0 ** math.floor(math.log10(size if node.data else 1e-5))
        above, below = node.data + h, node.data - h
        try:
            f_above, f_below = (graph.evaluate({node: x}, along=True) for x in (above, below))
            slope = (f_above - f_below) / (above - below)
        except ValueError:  # outside the domain of an operation
            pass
        except TypeError as error:  # at an operation of the program's own
            why = str(error)
    if not math.isfinite(slope):
        return Line(words=f"no check by a difference: {why}")
    f, x = writing.name(of), writing.name(by)
    nearby = {"a": f"{f}({x} + h)", "b": f"{f}({x} {writing.minus} h)"}
    ratio = writing.formula("(a - b) / (2 * h)", nearby)
    tolerance = 1e-8 * max(abs(graph.result.data), 1.0)
    close = math.isclose(slope, node.grad, rel_tol=1e-4, abs_tol=tolerance)
    ours, measured = (writing.number(x, digits=7) for x in (node.grad, slope))
    claim = f"{ours} {'≈' if close else '≠'} {ratio}", measured
    words = f"with h = {h:.9f}".rstrip("0").rstrip(".")
    return Line(left=writing.slope(of, by), right=claim, words=words)


def _activates(node: Value) -> bool:
    """Whether `node` is the output of a neuron: an activation of a Σ."""
    (*_, x) = node.inputs
    return len(node.inputs) == 1 and x.op is not None and x.op.variadic


def _once(*texts: str) -> tuple[str, ...]:
    """`texts` without repetitions."""
    return tuple(dict.fromkeys(texts))
