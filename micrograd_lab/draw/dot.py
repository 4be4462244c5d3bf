"""The text of a diagram in DOT, the language of Graphviz.

A value is two nodes of the DOT graph: `n7` is the shape, with the operation inside and the name
below, and `w7` is the wire that leaves it, a table of two rows with a rule between them, so that
the numbers cannot leave their wire.  Where a wire forks, `c9_0` on each branch is another such
table with what node 9 hands back to its input 0.  The `id`s group what belongs together in SVG.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..engine import Value
from ..graph import Graph
from ..notation import given, number
from ..ops import Op
from .labels import DIGITS, WORDS, cell, name, symbol, table, text
from .themes import Theme

if TYPE_CHECKING:
    import graphviz

PORTS = 4  # inputs that have their own place on the rim of a circle; more would not fit


def dot_source(graph: Graph, theme: Theme) -> str:
    """The diagram of `graph` as DOT text."""
    return _Sheet(graph, theme).source()


class _Sheet:
    """Where one diagram is written down, node by node."""

    def __init__(self, graph: Graph, theme: Theme) -> None:
        import graphviz

        self.graph = graph
        self.theme = theme
        self.position = {node: i for i, node in enumerate(graph.nodes)}
        self.readers = graph.readers()
        self.dot: graphviz.Digraph = graphviz.Digraph(
            graph_attr={
                "rankdir": "LR", "ranksep": "0.09", "nodesep": "0.1", "pad": "0.15",
                "bgcolor": theme.page, "outputorder": "edgesfirst",
                "label": self.legend(), "labelloc": "b", "labeljust": "l",
            },
            node_attr={
                "fontname": WORDS, "fontsize": "11", "penwidth": "1.3", "margin": "0",
                "shape": "none", "width": "0", "height": "0",
            },
            edge_attr={"color": theme.wire, "arrowsize": "0.65"},
        )  # fmt: skip

    def source(self) -> str:
        for i, node in enumerate(self.graph.nodes):
            self.node(i, node)
            grad = number(node.grad) if self.graph.has_gradients else ""
            value = number(node.data) if node.inputs else given(node.data)
            self.wire(f"w{i}", value, grad, id=f"w{i}")
            self.dot.edge(f"n{i}", f"w{i}:w", arrowhead="none", weight="20", id=f"w{i}")
        for j, node in enumerate(self.graph.nodes):
            self.edges(j, node)
        end = f"w{self.position[self.graph.result]}"
        self.dot.node("end", "", id=end)
        self.dot.edge(f"{end}:e", "end", minlen="2", id=end)
        return str(self.dot.source)

    def node(self, i: int, node: Value) -> None:
        """The shape of a value: a leaf has its name inside, another node its operation."""
        kind = self.graph.kind(node)
        line, fill = self.theme.shapes[kind]
        looks = {"id": f"n{i}", "class": kind, "color": line, "fillcolor": fill, "style": "filled"}
        if node.op is None:
            looks |= {"width": "0.55", "height": "0.42", "shape": "ellipse"}
            if kind == "parameter":
                looks |= {"shape": "box", "style": "rounded,filled"}
            label = self.name(node, 17)
        else:
            size, across = (
                (17, 35) if len(node.op.symbol) < 3 else (11, 16 + 6 * len(node.op.symbol))
            )
            looks |= {"shape": "circle", "fixedsize": "shape", "width": f"{across / 72:.2f}"}
            if not self.free(node):
                looks["ordering"] = "in"
            label = self.circle(node, symbol(node.op, size, self.theme.ink), across)
        self.dot.node(f"n{i}", f"<{label}>", **looks)

    def circle(self, node: Value, inside: str, across: int) -> str:
        """What stands in a circle and below it, as a table that is centred on the circle."""
        ports = self.ports(node)
        if ports:
            rim = 8
            inside = table(
                cell(_rim(ports, rim, across), width=rim)
                + cell(inside, width=across - 2 * rim)
                + cell(width=rim)
            )
        rows = [cell(inside, height=across)]
        below = self.name(node, 15)
        if below:
            rows = [cell(height=18), *rows, cell(below, height=18)]
        return table(*rows)

    def name(self, node: Value, size: int) -> str:
        """The name of a value; none for the products of a `dot`, which nobody named."""
        words = self.graph.names[node]
        if not node.label and not re.fullmatch(r"v\d+", words):
            return ""
        return name(words, size, self.theme.ink if node.label else self.theme.quiet)

    def wire(self, at: str, above: str, below: str, *, id: str, size: int = 11) -> None:
        label = table(
            cell(text(above, DIGITS, size, self.theme.value, "B"), height=15, width=20),
            cell(text(below, DIGITS, size, self.theme.grad, "B"), height=15),
            rule=self.theme.wire,
        )
        self.dot.node(at, f"<{label}>", id=id)

    def edges(self, j: int, node: Value) -> None:
        """The edges into a node: from its inputs' wires, over what it hands back to each."""
        forks = [self.graph.has_gradients and len(self.readers[x]) > 1 for x in node.inputs]
        straight = "5" if any(forks) else "2"  # as long as over a contribution
        for k, input in enumerate(node.inputs):
            id = f"e{j}_{k}"
            tail = f"w{self.position[input]}:e"
            head = f"n{j}:i{k}:w" if self.ports(node) else f"n{j}"
            if forks[k]:
                self.wire(f"c{j}_{k}", "", number(self.graph.contribution(node, k)), id=id, size=9)
                self.dot.edge(tail, f"c{j}_{k}:w", arrowhead="none", minlen="3", id=id)
                self.dot.edge(f"c{j}_{k}:e", head, minlen="2", id=id)
            else:
                self.dot.edge(tail, head, minlen=straight, id=id)

    def ports(self, node: Value) -> int:
        """How many inputs have their own place on the rim: all in order from the top, or none."""
        return 0 if self.free(node) or len(node.inputs) > PORTS else len(node.inputs)

    def free(self, node: Value) -> bool:
        """Whether a node's inputs may be drawn in any order, which saves crossings."""
        forks = any(len(self.readers[input]) > 1 for input in node.inputs)
        return forks and len(set(node.inputs)) > 1 and _commutes(node.op)

    def legend(self) -> str:
        theme, cells = self.theme, ""
        kinds = {self.graph.kind(node) for node in self.graph.nodes}
        for kind in ("parameter", "input", "constant"):
            if kind in kinds:
                line, fill = theme.shapes[kind]
                box: dict[str, object] = {"border": 1, "style": "ROUNDED", "fixedsize": "TRUE"}
                cells += cell(color=line, bgcolor=fill, width=22, height=14, **box)
                cells += cell(text(f" {kind}   ", WORDS, 11, theme.quiet))
        cells += cell(text("1.2", DIGITS, 11, theme.value, "B"))
        cells += cell(text(" value (above the wire, flows →)   ", WORDS, 11, theme.quiet))
        if self.graph.has_gradients:
            cells += cell(text("3.4", DIGITS, 11, theme.grad, "B"))
            cells += cell(text(" ∂", WORDS, 11, theme.quiet))
            cells += cell(name(self.graph.names[self.graph.result], 13, theme.quiet))
            cells += cell(text("/∂value (below, flows ←)", WORDS, 11, theme.quiet))
        return f"<{table(cells)}>"


def _commutes(op: Op | None) -> bool:
    """Whether x and y can change places in the row's formula."""
    if op is None or len(op.partials) != 2:
        return False
    x, y = op.partials
    return y == re.sub(r"\b[xy]\b", lambda letter: "y" if letter[0] == "x" else "x", x)


def _rim(ports: int, wide: int, across: int) -> str:
    """A cell for each input, which ends where the circle is at its height."""
    radius, step = across / 2, across / (ports + 1.6)
    rows = []
    for k in range(ports):
        height = step * (k - (ports - 1) / 2)
        gap = max(1, round(radius - (radius**2 - height**2) ** 0.5))
        port = cell(port=f"i{k}", width=wide - gap, height=round(step))
        rows.append(cell(table(cell(width=gap) + port), height=round(step)))
    return table(*rows)
