"""The text of a diagram in DOT, the language of Graphviz.

A value is two nodes of the DOT graph: `n7` is the shape, with the operation inside and the name
below, and `w7` is the wire that leaves it, a table of two rows with a rule between them, so that
the numbers cannot leave their wire.  Where a wire forks, `c9_0` on a branch is another such table,
with the contribution of node 9 to its input 0.  Equal `id`s become one group of the SVG.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

from ...engine import Value
from ...graph import MAX_READABLE_NODES, Graph
from ...ops import Op
from ...tell.notation import as_given, number
from ..layers import title
from ..themes import Theme
from .collapsing import MAX_BRANCHES, Collapsed
from .labels import DIGITS, WORDS, cell, name, symbol, table, text

if TYPE_CHECKING:
    import graphviz

CIRCLE_WIDTH = 36  # points
MAX_NOTE_CHARACTERS = 75  # in a line below the legend
NAME_HEIGHT = 22  # points, of a name below its circle
RIM = 5  # points by which the rim of a circle curves inwards where edges end
MAX_PORTS = 4  # edges that end side by side on a rim; more would not fit


def dot_source(graph: Graph, theme: Theme, frames: Mapping[Value, int]) -> str:
    """The diagram of `graph` as DOT text, with a frame around the nodes of each layer."""
    sheet = _Sheet(graph, theme)
    for layer in sorted(set(frames.values())):
        inside = [node for node in graph.nodes if frames.get(node) == layer]
        sheet.frame(layer, title(layer, max(frames.values())), inside)
    return sheet.source()


class _Sheet:
    """The DOT text of one diagram, written node by node."""

    def __init__(self, graph: Graph, theme: Theme) -> None:
        import graphviz

        self.graph = graph
        self.theme = theme
        self.position = {node: i for i, node in enumerate(graph.nodes)}
        self.readers = graph.readers()
        self.collapsed = isinstance(graph, Collapsed)
        self.several = graph.several if isinstance(graph, Collapsed) else set()
        most = max(len(node.inputs) for node in graph.nodes)
        crowded = self.collapsed and most > MAX_PORTS
        apart = 75 if crowded else min(max(10, most), 75)  # edges that meet need room
        hasty = {"nslimit": "0.1", "nslimit1": "1", "mclimit": "0.1"}  # a tangle takes minutes
        self.dot: graphviz.Digraph = graphviz.Digraph(
            graph_attr={
                "rankdir": "LR", "ranksep": f"{apart / 50:g}",
                "nodesep": "0.1", "pad": "0.15", "margin": "0",
                "splines": "line" if crowded else "true",
                "bgcolor": theme.page, "outputorder": "edgesfirst",
                "label": self.legend(), "labelloc": "b", "labeljust": "l",
                **(hasty if len(graph) > MAX_READABLE_NODES else {}),
            },
            node_attr={
                "fontname": WORDS, "fontsize": "11", "penwidth": "1.3", "margin": "0",
                "shape": "none", "width": "0", "height": "0",
            },
            edge_attr={"color": theme.wire, "arrowsize": "0.65"},
        )  # fmt: skip

    def source(self) -> str:
        """The DOT text."""
        for i, node in enumerate(self.graph.nodes):
            self.node(i, node)
            grad = number(node.grad) if self.graph.has_gradients else ""
            value = number(node.data) if node.inputs else as_given(node.data)
            if node in self.several:
                value = grad = ""
            self.wire(f"w{i}", value, grad, group=f"w{i}")
            self.dot.edge(f"n{i}", f"w{i}:r:w", arrowhead="none", weight="20", id=f"w{i}")
        for j, node in enumerate(self.graph.nodes):
            self.edges(j, node)
        end = f"w{self.position[self.graph.result]}"
        self.dot.node("end", "", id=end)
        self.dot.edge(f"{end}:r:e", "end", id=end)
        return str(self.dot.source)

    def frame(self, layer: int, title: str, nodes: list[Value]) -> None:
        """A frame around nodes and the wires that leave them."""
        words = text(title, WORDS, 11, self.theme.quiet, "B")
        looks = {"label": f"<{words}>", "labelloc": "t", "labeljust": "c", "id": f"layer{layer}"}
        looks |= {"color": self.theme.shapes["constant"][0], "style": "rounded"}
        with self.dot.subgraph(name=f"cluster{layer}", graph_attr=looks) as inside:
            for node in nodes:
                inside.node(f"n{self.position[node]}")
                inside.node(f"w{self.position[node]}")

    def node(self, i: int, node: Value) -> None:
        """The shape of a value: a leaf has its name inside, another node its operation."""
        kind = self.graph.kind(node)
        line, fill = self.theme.shapes[kind]
        looks = {"id": f"n{i}", "class": kind, "color": line, "fillcolor": fill, "style": "filled"}
        if node.op is None:
            looks |= {"shape": "ellipse", "width": "0.64", "height": "0.42"}
            if kind == "parameter":
                looks |= {"shape": "box", "width": "0.55", "margin": "0.06,0"}
                looks["style"] = "rounded,filled"
            label = self.name(node, 16)
        else:
            width, label = self.circle(node, node.op)
            looks |= {"shape": "circle", "fixedsize": "shape", "width": f"{width / 72:.2f}"}
            if not self.free(node):
                looks["ordering"] = "in"
        self.dot.node(f"n{i}", f"<{label}>", **looks)

    def circle(self, node: Value, op: Op) -> tuple[int, str]:
        """The width of a circle, and the label in it and below it, centred on the circle."""
        long = op.symbol.isalpha() or len(op.symbol) > 5
        size = 17 if len(op.symbol) < 3 else 11 if long else 12
        inside = symbol(op, size, self.theme.ink)
        width = max(CIRCLE_WIDTH, 14 + (5 if len(op.symbol) < 6 else 7) * len(op.symbol))
        ports = self.ports(node)
        if ports:
            left = cell(_rim(ports, width), width=RIM)
            inside = cell(inside, width=width - 2 * RIM, height=width)
            inside = table(left + inside + cell(width=RIM), width=width, height=width)
        rows = [cell(inside, height=width)]
        below = self.name(node, 15)
        if below:
            rows = [cell(height=NAME_HEIGHT), *rows, cell(below, height=NAME_HEIGHT)]
        return width, table(*rows)

    def name(self, node: Value, size: int) -> str:
        """The name of a value; none for the unnamed products of a `dot`."""
        words = self.graph.names[node]
        if not node.label and not re.fullmatch(r"v\d+", words):
            return ""
        return name(words, size, self.theme.ink if node.label else self.theme.quiet)

    def wire(self, at: str, above: str, below: str, *, group: str, size: int = 11) -> None:
        """A stretch of wire with a number above and one below, at the DOT node `at`."""
        width = max(20, max(len(above), len(below)) * size * 5 // 8)
        # Graphviz ends an edge a point before its port
        rule = table(cell(width=1) + cell(port="r", width=width - 2, height=1) + cell(width=1))
        label = table(
            cell(text(above, DIGITS, size, self.theme.value, "B"), height=15),
            cell(rule, bgcolor=self.theme.wire, height=1),
            cell(text(below, DIGITS, size, self.theme.grad, "B"), height=15),
        )
        self.dot.node(at, f"<{label}>", id=group)

    def edges(self, j: int, node: Value) -> None:
        """The edges into a node: from its inputs' wires, by way of the contributions to forks."""
        forks = [self.forks(x) for x in node.inputs]
        crowd = self.collapsed and len(forks) > MAX_PORTS
        # ranks to the rim: with company a curve needs room, but a crowd goes straight
        last = 2 if len(forks) > 1 and not crowd else 1
        straight = last + any(forks)  # as long as over a contribution
        ports = self.ports(node)
        for k, x in enumerate(node.inputs):
            group = f"e{j}_{k}"
            tail = f"w{self.position[x]}:r:e"
            head = f"n{j}:i{k % ports}:w" if ports else f"n{j}"
            if forks[k]:
                self.wire(
                    f"c{j}_{k}", "", number(self.graph.contribution(node, k)), group=group, size=9
                )
                self.dot.edge(tail, f"c{j}_{k}:r:w", arrowhead="none", id=group)
                self.dot.edge(f"c{j}_{k}:r:e", head, minlen=f"{last}", id=group)
            else:
                self.dot.edge(tail, head, minlen=f"{straight}", id=group)

    def forks(self, x: Value) -> bool:
        """Whether the branches of a wire carry their contributions."""
        readers = [reader for reader, _ in self.readers[x]]
        if self.collapsed and len(readers) > MAX_BRANCHES:
            return False
        return (
            self.graph.has_gradients and len(readers) > 1 and self.several.isdisjoint((x, *readers))
        )

    def ports(self, node: Value) -> int:
        """The number of ports on the rim for the edges into a node, the first input's on top."""
        if self.free(node) or len(node.inputs) == 1:
            return 0  # each edge ends where it meets the circle
        return len(node.inputs) if len(node.inputs) <= MAX_PORTS else 1

    def free(self, node: Value) -> bool:
        """Whether a node's inputs may be drawn in any order, which saves crossings."""
        forks = any(len(self.readers[x]) > 1 for x in node.inputs)
        return forks and len(set(node.inputs)) > 1 and _commutes(node.op)

    def legend(self) -> str:
        """A line that explains the shapes and colours that occur."""
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
            what = " gradient"
            if self.graph.result.grad == 1:  # otherwise of a later result
                cells += cell(text(" ∂", WORDS, 11, theme.quiet))
                cells += cell(name(self.graph.names[self.graph.result], 13, theme.quiet))
                what = "/∂value"
            cells += cell(text(f"{what} (below, flows ←)", WORDS, 11, theme.quiet))
        notes = [
            cell(text(line, WORDS, 11, theme.ink, longest=MAX_NOTE_CHARACTERS), align="left")
            for note in self.graph.notes
            for line in wrap(note, MAX_NOTE_CHARACTERS)
        ]
        return f"<{table(cell(table(cells), align='left'), *notes) if notes else table(cells)}>"


def _commutes(op: Op | None) -> bool:
    """Whether x and y can change places in the row's formula."""
    if op is None or len(op.partials) != 2:
        return False
    x, y = op.partials
    return y == re.sub(r"\b[xy]\b", lambda letter: "y" if letter[0] == "x" else "x", x)


def _rim(ports: int, width: int) -> str:
    """A cell for each port, which begins where the circle does at that height."""
    radius, row = width / 2, width // (ports + 1)
    rest = cell(height=(width - row * ports) // 2)
    rows = []
    for k in range(ports):
        height = row * (k - (ports - 1) / 2)
        gap = round(radius - (radius**2 - height**2) ** 0.5)
        port = cell(port=f"i{k}", width=RIM - gap, height=row)
        rows.append(cell(table((cell(width=gap) if gap else "") + port)))
    return table(rest, *rows, rest)
