"""A recorded computation as a diagram."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from ...engine import Value
from ...graph import Graph
from ...tell.notation import as_given, label_text, number
from ..showing import DPI, Shown
from ..themes import find_theme, regroup, slim
from .dot import DIRECTIONS, Sheet
from .folding import fold, frames_of, neurons, readable
from .rendering import render
from .tikz import tikz

if TYPE_CHECKING:
    import graphviz

MAX_NODES_AND_EDGES = 2500  # laying out more takes longer than anybody waits


def draw(
    result: Value,
    *,
    parameters: Iterable[Value] | None = None,
    products: bool | None = None,
    collapse: str | None = None,
    layers: bool = False,
    textbook: bool = False,
    rankdir: str = "LR",
    theme: str = "auto",
) -> Diagram:
    """The computation of `result` as a diagram, drawn by Graphviz.

    A node is a value: its operation inside, its name below.  Its number stands above the wire that
    leaves it and, after `backward`, its gradient below; where a wire forks, each branch carries
    its own contribution to the sum.

    Args:
        result: the value to look back from.
        parameters: the leaves that training moves; by default those with a label that starts with
            w, b or θ.
        products: whether to open each `dot` into its products; by default if the opened graph is
            still readable.
        collapse: "neuron" draws each neuron as one node Σ│σ, whose weights are the widths and
            colours of its links; of more than 16 beside each other, those in the middle become
            one node ⋮.  "nothing" draws every node.  By default, unless `products` is set, a graph
            of more than 150 nodes or 300 edges is folded until one can read it: its neurons, or
            what repeats itself, such as time steps, of which the middle becomes one node ⋯.
        layers: whether to put a frame around the neurons of each layer.
        textbook: whether a cross entropy or a softmax is drawn as a book prints it, with every
            probability, instead of as it is computed.
        rankdir: "LR" draws from left to right, "TB" from top to bottom.
        theme: "light" or "dark"; by default SVG and HTML follow the page, and the rest is light.

    Raises:
        ValueError: if there is no such theme or direction, if there is no neuron to collapse or to
            frame, or if there is far more to draw than anybody can read.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> draw(w * x + b)
    Diagram of v5, 5 nodes; show it in a notebook, or .save("graph.svg")
    """
    if collapse not in (None, "neuron", "nothing"):
        raise ValueError(f"cannot collapse {collapse!r}; choose one of neuron, nothing")
    if rankdir not in DIRECTIONS:
        raise ValueError(f"rankdir cannot be {rankdir!r}; choose one of {', '.join(DIRECTIONS)}")
    opened = False if collapse == "neuron" else products
    graph = Graph.at_present(result, parameters=parameters, products=opened, textbook=textbook)
    if collapse == "neuron":
        graph = neurons(graph)
    elif collapse is None and products is None:
        graph = fold(graph)
    return Diagram(graph, theme, layers, rankdir)


class Diagram(Shown):
    """A picture of a graph, with its numbers at the time of the call of `draw`.

    It shows itself in Jupyter and marimo, and in what nbconvert makes of a notebook.

    >>> picture = draw(Value(2, "x") ** 2)
    >>> picture.source.splitlines()[0]
    'digraph {'

    Attributes:
        source: the DOT text, the same in every run.
    """

    _file = "graph.svg"
    _kinds = (".svg", ".png", ".pdf", ".tex", ".dot")

    def __init__(
        self,
        graph: Graph,
        theme: str = "auto",
        layers: bool = False,
        rankdir: str = "LR",
        room: int = 0,
    ) -> None:
        edges = sum(len(node.inputs) for node in graph.nodes)
        if len(graph) + edges > MAX_NODES_AND_EDGES:
            raise ValueError(
                f"{len(graph)} nodes with {edges} edges are more than one can read, and "
                f"together more than the {MAX_NODES_AND_EDGES} laid out in seconds; draw a part: "
                "an earlier value, one sample, one step"
            )
        self._theme = find_theme(theme)
        frames = frames_of(graph) if layers else {}
        self.source: str = Sheet(graph, self._theme, frames, rankdir, room).source()
        size = f"of {graph.names[graph.result]}, {len(graph)} nodes"
        self._about, self._name = f"Computational graph {size}", f"Diagram {size}"
        self._quick = readable(graph)
        self._titles = {f"n{i}": _title(graph, node) for i, node in enumerate(graph.nodes)}
        self._names = {f"n{i}": graph.names[node] for i, node in enumerate(graph.nodes)}
        self._names[""] = graph.names[graph.result]

    @cached_property
    def svg(self) -> str:
        """The picture as self-contained SVG text; a RuntimeError says how to install Graphviz."""
        svg = regroup(self._render("svg"), self._theme, self._about, self._titles)
        return slim(svg, self._theme.dark) if self._theme.dark else svg

    @property
    def graphviz(self) -> graphviz.Source:
        """The DOT text as an object of the graphviz package, to change or to render elsewhere."""
        import graphviz

        return graphviz.Source(self.source)

    def _render(self, kind: str, dpi: float = DPI) -> bytes:
        if kind == "dot":
            return self.source.encode()
        if kind == "tex":
            return tikz(self._render("svg"), self._theme, self._names).encode()
        return render(self.source, kind, dpi=dpi, quick=self._quick)


def graph_bundle(graph: Graph, **_: object) -> dict[str, str]:
    """What a graph shows in a notebook: its drawing, folded, with its own numbers; or a line."""
    try:
        shown = Diagram(fold(graph))._repr_mimebundle_()
    except (RuntimeError, ValueError):  # no Graphviz, or more than one can read
        shown = {}
    return shown | {"text/plain": repr(graph)}


def _title(graph: Graph, node: Value) -> str:
    """A description of a node, for tooltips and screen readers."""
    name = label_text(graph.names[node])
    data = number(node.data) if node.inputs else as_given(node.data)
    if node.op is None:
        text = f"{graph.kind(node)} {name} = {data}"
    else:
        inputs = ", ".join(label_text(graph.names[x]) for x in node.inputs)
        text = f"{name} = {node.op.name}({inputs}) = {data}"
    return f"{text}, gradient {number(node.grad)}" if graph.has_gradients else text
