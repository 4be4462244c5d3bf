"""A recorded computation as a diagram."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from ...engine import Value
from ...graph import READABLE, Graph
from ...saving import write_whole
from ...tell.notation import as_given, number
from ..svg import image, regrouped
from ..themes import THEMES
from .collapsing import Collapsed, frames_of
from .dot import dot_source
from .rendering import render

DRAWABLE = 8000  # nodes and edges together; laying out more takes minutes


def draw(
    result: Value,
    *,
    parameters: Iterable[Value] | None = None,
    products: bool | None = None,
    collapse: str | None = None,
    layers: bool = False,
    theme: str = "light",
) -> Diagram:
    """The computation of `result` as a diagram, drawn by Graphviz.

    A node is a value: its operation inside, its name below.  Its number stands above the wire that
    leaves it and, after `backward`, its gradient below; where a wire forks, each branch carries
    its own contribution to the sum.

    Args:
        result: the value to look back from.
        parameters: the leaves that training moves; if not given, those with a label that starts
            with w, b or θ.
        products: whether each `dot` is opened into its products; if not given, when the opened
            graph is still readable.
        collapse: "neuron" draws each neuron as one node Σ│σ, without its weights; of more than
            16 beside each other, those in the middle become one node ⋮.  "nothing" draws every
            node.  If neither this nor `products` is given:
            neurons are collapsed when there are more than 150 nodes.
        layers: whether the neurons of each layer get a frame around them.
        theme: "light" or "dark".

    Raises:
        ValueError: if there is no such theme, if there is no neuron to collapse or to frame, or
            if there is far more to draw than can be read.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> draw(w * x + b)
    Diagram of v5, 5 nodes; show it in a notebook, or .save("graph.svg")
    """
    if theme not in THEMES:
        raise ValueError(f"there is no theme {theme!r}; choose one of {', '.join(THEMES)}")
    if collapse not in (None, "neuron", "nothing"):
        raise ValueError(f"cannot collapse {collapse!r}; choose one of neuron, nothing")
    graph = Graph(result, parameters=parameters, products=products)
    if collapse == "neuron":
        graph = Collapsed(Graph(result, parameters=parameters, products=False))
    elif collapse is None and products is None and len(graph) > READABLE:
        with suppress(ValueError):  # not a network, so drawn node by node
            graph = Collapsed(graph)
    edges = sum(len(node.inputs) for node in graph.nodes)
    if len(graph) + edges > DRAWABLE:
        raise ValueError(
            f"{len(graph)} nodes with {edges} edges are far more than anybody can read; "
            'draw a part: an earlier value, one sample, or a network with collapse="neuron"'
        )
    return Diagram(graph, theme, frames_of(graph) if layers else {})


class Diagram:
    """A picture of a graph with the numbers it had when `draw` was called.

    It shows itself in Jupyter and marimo.

    >>> picture = draw(Value(2, "x") ** 2)
    >>> picture.source.splitlines()[0]
    'digraph {'

    Attributes:
        source: the DOT text, the same in every run.
    """

    def __init__(
        self, graph: Graph, theme: str = "light", frames: Mapping[Value, int] | None = None
    ) -> None:
        self._theme = THEMES[theme]
        self.source: str = dot_source(graph, self._theme, frames or {})
        self._about = f"of {graph.names[graph.result]}, {len(graph)} nodes"
        self._titles = {f"n{i}": _title(graph, node) for i, node in enumerate(graph.nodes)}

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text that needs nothing else.

        Raises:
            RuntimeError: if there is no Graphviz; the message says what to install.
        """
        drawn = render(self.source, "svg")
        return regrouped(drawn, self._theme, f"Computational graph {self._about}", self._titles)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as SVG, PNG, PDF or DOT, as the name of the file says.

        Raises:
            ValueError: if the name ends in something else.
            RuntimeError: if there is no Graphviz.
            OSError: if the file cannot be written; nothing is left half-written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".dot":
            content = self.source.encode()
        elif suffix == ".svg":
            content = self.svg.encode()
        elif suffix in (".png", ".pdf"):
            content = render(self.source, suffix[1:])
        else:
            raise ValueError(
                f"{path.name!r} ends in {path.suffix!r}; "
                "a diagram is saved as .svg, .png, .pdf or .dot"
            )
        write_whole(path, content)
        return path

    def _repr_html_(self) -> str:
        return image(self.svg, f"Computational graph {self._about}")

    def _mime_(self) -> tuple[str, str]:
        return "text/html", self.svg

    def __repr__(self) -> str:
        return f'Diagram {self._about}; show it in a notebook, or .save("graph.svg")'


def _title(graph: Graph, node: Value) -> str:
    """What a node is, for somebody who points at it or cannot see it."""
    name, data = graph.names[node], number(node.data) if node.inputs else as_given(node.data)
    if node.op is None:
        text = f"{graph.kind(node)} {name} = {data}"
    else:
        inputs = ", ".join(graph.names[x] for x in node.inputs)
        text = f"{name} = {node.op.name}({inputs}) = {data}"
    return f"{text}, gradient {number(node.grad)}" if graph.has_gradients else text
