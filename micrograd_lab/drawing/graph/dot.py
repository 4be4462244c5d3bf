"""The text of a diagram in DOT, the language of Graphviz.

A value is two nodes of the DOT graph: `n7` is the shape, with the operation inside and the name
below, and `w7` is the wire that leaves it, a table of two rows with a rule between them, so that
the numbers cannot leave their wire.  Where a wire forks, `c9_0` on a branch is another such table,
with the contribution of node 9 to its input 0.  Equal `id`s become one group of the SVG.  Words
enter through `text` alone, which escapes them: no label can break a diagram or add to it.

Every text stands in a `Box`, whose size comes from a table of Matplotlib's fonts.  So whoever lays
a picture out, with these fonts, others or none, puts everything in the same place.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from html import escape
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import east_asian_width, normalize

from ...engine import Value
from ...graph import Graph
from ...ops import Op
from ...tell.notation import as_given, folded, label_places, number, printable
from ..layers import title
from ..showing import resource
from ..themes import Theme, stroke
from .folding import MAX_BRANCHES, Folded, readable

if TYPE_CHECKING:
    import graphviz

NAMES, WORDS, DIGITS = "STIXGeneral", "DejaVu Sans", "DejaVu Sans Mono"  # Matplotlib has them
DROP = 3  # points, by which scripts are lower than the name
SCRIPTS = {"sup": 1.05, "sub": 1.3}  # the height of their lines, per point of their size
LINES = {NAMES: 1.65, WORDS: 1.3, DIGITS: 1.3}  # the height of a line, per point of its size
MAX_CHARACTERS = 40  # of a label
_SPACING = dict(zip("\u0302\u0304\u0303\u20d7\u0307\u0308", "ˆˉ˜→˙¨"))  # marks without a letter
CIRCLE_WIDTH = 36  # points
NOTE = 75  # characters, at most, in a line below the legend
NAME_HEIGHT, NAME_GAP = 26, 4  # points, of a name below its circle; before one beside it
RIM = 5  # points by which the rim of a circle curves inwards where edges end
CROWD = 4  # ranks that the edges between two layers span
THICK = 3.5  # points, the width of the edge with the largest weight
MAX_SPAN = 3  # operations between the first and the last use of a leaf; then it is drawn again
MAX_PORTS = 4  # edges that end side by side on a rim; more would not fit
DIRECTIONS = {  # the sides where a wire begins and ends, and where its numbers are
    "LR": ("w", "e", "above the wire, flows →", "below, flows ←"),
    "TB": ("n", "s", "beside the wire, flows ↓", "below it, flows ↑"),
}


class Sheet:
    """The DOT text of one diagram, written node by node."""

    def __init__(
        self, graph: Graph, theme: Theme, frames: Mapping[Value, int], rankdir: str, room: int
    ) -> None:
        import graphviz

        self.graph = graph
        self.theme = theme
        self.frames = frames  # the layer of each node that has a frame around it
        self.down: bool = rankdir == "TB"
        self.into, self.out, self.above, self.below = DIRECTIONS[rankdir]
        self.room = room  # for so many characters at least in every number
        self.position: dict[Value, int] = {node: i for i, node in enumerate(graph.nodes)}
        self.readers = graph.readers()
        self.depth: dict[Value, int] = {}  # operations on the longest way to each node
        for node in graph.nodes:
            self.depth[node] = max((self.depth[x] + 1 for x in node.inputs), default=0)
        self.left: dict[Value, int] = {}  # and from there to the result
        for node in reversed(graph.nodes):
            after = (self.left[reader] + 1 for reader, _ in self.readers[node])
            self.left[node] = max(after, default=0)
        self.folded: bool = isinstance(graph, Folded)
        self.several = graph.several if isinstance(graph, Folded) else set()
        self.neurons = set(graph.neurons) - self.several if isinstance(graph, Folded) else set()
        self.largest: float = max(
            (abs(w) for node in self.neurons for w in node.slopes), default=0.0
        )
        self.repeated: set[Value] = {x for x in graph.nodes if self.repeats(x)}
        most = max(len(node.inputs) for node in graph.nodes)
        crowded = self.folded and most > MAX_PORTS
        apart = 10 if crowded else min(max(10, most), 75)  # edges that meet need room
        # iterations of the layout: without a limit a tangle takes minutes
        limits = (f"{600 / len(graph):.0f}",) * 2 if readable(graph) else ("0.1", "1", "0.1")
        self.dot: graphviz.Digraph = graphviz.Digraph(
            graph_attr={
                "rankdir": rankdir, "ranksep": f"{apart / 50:g}",
                "nodesep": "0.1", "pad": "0.15", "margin": "0",
                "splines": "line" if crowded or not readable(graph) else "true",
                "bgcolor": theme.page, "outputorder": "edgesfirst",
                "label": self.legend(), "labelloc": "b", "labeljust": "l",
                **dict(zip(("nslimit", "nslimit1", "mclimit"), limits)),
            },
            node_attr={
                "fontname": WORDS, "fontsize": "11", "penwidth": "1.3", "margin": "0",
                "shape": "none", "width": "0", "height": "0",
            },
            edge_attr={"color": theme.wire, "arrowsize": "0.65"},
        )  # fmt: skip

    def source(self) -> str:
        """The DOT text."""
        for layer in sorted(set(self.frames.values())):
            self.frame(layer)
        for i, node in enumerate(self.graph.nodes):
            self.node(f"n{i}", node)
            grad = number(node.grad) if self.graph.has_gradients else ""
            value = number(node.data) if node.inputs else as_given(node.data)
            if node in self.several:
                value = grad = ""
            self.wire(f"w{i}", value, grad, group=f"w{i}")
            self.dot.edge(f"n{i}", f"w{i}:r:{self.into}", arrowhead="none", weight="20", id=f"w{i}")
        for j, node in enumerate(self.graph.nodes):
            self.edges(j, node)
        end = f"w{self.position[self.graph.result]}"
        self.dot.node("end", "", id=end)
        self.dot.edge(f"{end}:r:{self.out}", "end", id=end)
        return str(self.dot.source)

    def frame(self, layer: int) -> None:
        """A frame around the nodes of a layer and the wires that leave them."""
        words = text(title(layer, max(self.frames.values())), WORDS, 11, self.theme.quiet, "B")
        looks = {"label": f"<{words.html}>", "labelloc": "t", "labeljust": "c", "margin": "8"}
        looks |= {"color": self.theme.shapes["constant"][0], "style": "rounded"}
        looks["id"] = f"layer{layer}"
        with self.dot.subgraph(name=f"cluster{layer}", graph_attr=looks) as inside:
            for i, node in enumerate(self.graph.nodes):
                if self.frames.get(node) == layer:
                    inside.node(f"n{i}")
                    inside.node(f"w{i}")

    def node(self, at: str, node: Value, style: str = "filled") -> None:
        """The shape of a value: a leaf has its name inside, another node its operation."""
        kind = self.graph.kind(node)
        line, fill = self.theme.shapes[kind]
        looks = {"id": f"n{self.position[node]}", "class": kind, "style": style}
        looks |= {"color": line, "fillcolor": fill}
        if node.op is None:
            looks |= {"shape": "ellipse", "width": "0.64", "height": "0.42"}
            if kind == "parameter":
                looks |= {"shape": "box", "width": "0.55", "margin": "0.06,0"}
                looks["style"] = f"rounded,{style}"
            label = self.name(node, 16).html
        else:
            width, label = self.circle(node, node.op)
            looks |= {"shape": "circle", "fixedsize": "shape", "width": f"{width / 72:.2f}"}
            if not self.free(node):
                looks["ordering"] = "in"
        self.dot.node(at, f"<{label}>", **looks)

    def circle(self, node: Value, op: Op) -> tuple[int, str]:
        """The width of a circle, and the label in it and below it, centred on the circle."""
        long = op.symbol.isalpha() or len(op.symbol) > 5
        size = 17 if len(op.symbol) < 3 else 11 if long else 12
        inside = symbol(op, size, self.theme.ink).html
        width = max(CIRCLE_WIDTH, 14 + (5 if len(op.symbol) < 5 else 7) * len(op.symbol))
        width += width % 2
        rows, _ = self.ports(node)
        if rows:
            rim, end = self.cell(self.rim(rows, width), RIM), self.cell("", RIM)
            inside = self.cell(inside, width - 2 * RIM, width)
            inside = self.table(rim, inside, end, along=True, width=width, height=width)
        parts = [self.cell(inside, None, width)]
        if (beside := self.name(node, 15)).html:
            beside = row(Box(width=NAME_GAP), beside) if self.down else beside
            room = beside.width if self.down else NAME_HEIGHT
            parts = [self.cell("", None, room), *parts, self.cell(beside.html, None, room)]
        return width, self.table(*parts, along=False)

    def name(self, node: Value, size: int) -> Box:
        """The name of a value; none for the unnamed products of a `dot`."""
        words = self.graph.names[node]
        if not node.label and not re.fullmatch(r"v\d+", words):
            return Box()
        return name(words, size, self.theme.ink if node.label else self.theme.quiet)

    def wire(
        self, at: str, above: str, below: str, *, group: str, size: int = 11, **looks: str
    ) -> None:
        """A stretch of wire with a number above and one below, at the DOT node `at`."""
        thick = max(1, round(float(looks.get("penwidth", 1))))
        width = max(20, max(len(above), len(below), self.room) * size * 5 // 8)
        long = 30 if self.down else width
        end = self.cell("", 1)  # Graphviz ends an edge a point before its port
        rule = self.table(end, self.cell("", long - 2, thick, port="r"), end, along=True)
        rule = self.cell(rule, None, thick, bgcolor=looks.get("color", self.theme.wire))
        words = (above, self.theme.value), (below, self.theme.grad)
        align = "left" if self.down else ""
        boxes = (text(each, DIGITS, size, colour, "B", 0, align) for each, colour in words)
        value, grad = (cell(box.html, height=15) for box in boxes)
        beside = rule + cell(width=4) + cell(table(value, grad))
        label = table(beside) if self.down else table(value, rule, grad)
        self.dot.node(at, f"<{label}>", id=group)

    def edges(self, j: int, node: Value) -> None:
        """The edges into a node: from its inputs' wires, by way of the contributions to forks."""
        forks = [self.forks(x) for x in node.inputs]
        crowd = self.folded and len(forks) > MAX_PORTS
        # ranks to the rim: with company a curve needs room
        last = 2 if len(forks) > 1 and not crowd else 1
        straight = last + any(forks)  # as long as over a contribution
        # a frame begins with its weights, so that what comes from the frame before goes further
        further = last + 2 * bool(self.frames)
        _, ports = self.ports(node)
        for k, x in enumerate(node.inputs):
            group, by = f"e{j}_{k}", f"c{j}_{k}"
            tail = f"w{self.position[x]}:r:{self.out}"
            port = f":i{ports[k]}:{self.into}" if ports else ""
            head = f"n{j}:{self.into}" if len(forks) == 1 else f"n{j}{port}"
            crowded = crowd or self.wide(x)
            straightest = x.inputs and not crowded and self.depth[x] + 1 == self.depth[node]
            link = self.link(node, k)
            looks = {"id": group, "weight": "8" if straightest else "1", **link}
            if x in self.repeated and (node, k) != self.readers[x][0]:  # the leaf again, dashed
                self.node(f"n{j}_{k}", x, "dashed,filled")
                self.wire(by, as_given(x.data), self.share(node, k), group=group, size=9)
                lead = {"arrowhead": "none", "id": group, "weight": "20"}
                self.dot.edge(f"n{j}_{k}", f"{by}:r:{self.into}", **lead)
                self.dot.edge(f"{by}:r:{self.out}", head, id=group)
            elif forks[k]:
                self.wire(by, "", self.share(node, k), group=group, size=9, **link)
                self.dot.edge(tail, f"{by}:r:{self.into}", arrowhead="none", **looks)
                self.dot.edge(f"{by}:r:{self.out}", head, minlen=f"{further}", **looks)
            else:
                beside = self.frames and x in self.graph.parameters
                ranks = CROWD if crowded else 1 if beside else straight
                self.dot.edge(tail, head, minlen=f"{ranks}", **looks)

    def share(self, node: Value, k: int) -> str:
        """What a node contributes to the gradient of an input."""
        return number(self.graph.contribution(node, k)) if self.graph.has_gradients else ""

    def link(self, node: Value, k: int) -> dict[str, str]:
        """The looks of an edge into a neuron, whose weight it stands for."""
        if not self.largest or node not in self.neurons or node.inputs[k] in self.several:
            return {}
        width, colour = stroke(node.slopes[k], self.largest, self.theme, THICK)
        return {"penwidth": f"{width:.2f}", "color": colour}

    def repeats(self, x: Value) -> bool:
        """Whether a leaf is drawn at each of its uses: they are many, or far apart."""
        if x.inputs or len(self.readers[x]) < 2 or self.wide(x):
            return False
        left = [self.left[reader] for reader, _ in self.readers[x]]
        return len(left) > MAX_BRANCHES or max(left) - min(left) > MAX_SPAN

    def wide(self, x: Value) -> bool:
        """Whether a value is read by a whole layer of neurons, which stand in one column."""
        depths = [self.depth[reader] for reader, _ in self.readers[x]]
        return self.folded and len(depths) > MAX_BRANCHES and len({*depths}) == 1

    def forks(self, x: Value) -> bool:
        """Whether the branches of a wire carry their contributions."""
        readers = [reader for reader, _ in self.readers[x]]
        forks = self.graph.has_gradients and len(readers) > 1 and not self.wide(x)
        return forks and self.several.isdisjoint((x, *readers))

    def ports(self, node: Value) -> tuple[int, list[int]]:
        """How many places the rim has for the edges into a node, and the place of each."""
        count = len(node.inputs)
        if count < 2 or self.free(node):
            return 0, []  # each edge ends where it meets the circle
        if count > MAX_PORTS:
            return 1, [0] * count
        first, *rest = (self.depth[x] for x in node.inputs)
        if count > 2 or [first] == rest:
            return count, [*range(count)]
        return 3, [1, 2] if first > rest[0] else [0, 1]  # a chain goes straight into the middle

    def rim(self, ports: int, width: int) -> str:
        """A cell for each port, which begins where the circle does at that place."""
        radius, row = width / 2, width // (ports + 1)
        row -= (width - row * ports) % 2  # as much before the ports as after
        rest = self.cell("", None, (width - row * ports) // 2)
        cells = []
        for k in range(ports):
            place = row * (k - (ports - 1) / 2)
            gap = round(radius - (radius**2 - place**2) ** 0.5)
            port = self.cell("", RIM - gap, row, port=f"i{k}")
            cells.append(cell(self.table(*[self.cell("", gap)] * (gap > 0), port, along=True)))
        return self.table(rest, *cells, rest, along=False)

    def table(self, *cells: str, along: bool, **size: int) -> str:
        """Cells one after another as values flow, or beside each other."""
        return table(*cells, **size) if along == self.down else table("".join(cells), **size)

    def cell(self, content: str, long: int | None, wide: int | None = None, **more: object) -> str:
        """A cell so long as values flow, and so wide."""
        sides = ("height", "width") if self.down else ("width", "height")
        sizes = {side: size for side, size in zip(sides, (long, wide)) if size is not None}
        return cell(content, **more, **sizes)

    def free(self, node: Value) -> bool:
        """Whether a node's inputs may be drawn in any order, which saves crossings."""
        forks = any(len(self.readers[x]) > 1 and x not in self.repeated for x in node.inputs)
        return forks and len(set(node.inputs)) > 1 and _commutes(node.op)

    def legend(self) -> str:
        """A line that explains the shapes and colours that occur."""
        theme, quiet, cells = self.theme, self.theme.quiet, ""

        def say(words: str, colour: str = quiet, face: str = WORDS, style: str = "") -> str:
            return cell(text(words, face, 11, colour, style).html)

        kinds = {self.graph.kind(node) for node in self.graph.nodes}
        shown = [kind for kind in ("parameter", "input", "constant") if kind in kinds]
        boxes = [(kind, *theme.shapes[kind], "ROUNDED") for kind in shown]
        if self.repeated:
            boxes.append(("again", quiet, theme.page, "ROUNDED,DASHED"))
        for what, line, fill, style in boxes:
            looks = {"border": 1, "style": style, "fixedsize": "TRUE"}
            cells += cell(color=line, bgcolor=fill, width=22, height=14, **looks)
            cells += say(f" {what}   ")
        cells += say("1.2", theme.value, DIGITS, "B") + say(f" value ({self.above})   ")
        if self.graph.has_gradients:
            cells, what = cells + say("3.4", theme.grad, DIGITS, "B"), " gradient"
            if self.graph.result.grad == 1:  # otherwise of a later result
                cells += say(" ∂") + cell(name(self.graph.names[self.graph.result], 13, quiet).html)
                what = "/∂value"
            cells += say(f"{what} ({self.below})")
        if self.largest:
            for amount, sign in ((1, ">"), (-1, "<")):
                cells += say("   ━", stroke(amount, 1, theme, THICK)[1]) + say(f" weight {sign} 0")
            cells += say(f"   |weight| at most {number(self.largest)}")
        lines = [line for note in self.graph.notes for line in folded(note, NOTE).split("\n")]
        lines = [line[:NOTE] + "…" * (len(line) > NOTE) for line in lines]
        notes = [cell(text(line, WORDS, 11, theme.ink, align="left").html) for line in lines]
        return f"<{table(cell(table(cells), align='left'), *notes) if notes else table(cells)}>"


def _commutes(op: Op | None) -> bool:
    """Whether x and y can change places in the row's formula."""
    if op is None or len(op.partials) != 2:
        return False
    x, y = op.partials
    return y == re.sub(r"\b[xy]\b", lambda letter: "y" if letter[0] == "x" else "x", x)


class Box(NamedTuple):
    """A table of a size in points that Graphviz neither measures nor stretches; or empty room."""

    html: str = ""
    width: int = 0
    height: int = 0


def text(
    words: str, face: str, size: int, colour: str, style: str = "", height: int = 0, align: str = ""
) -> Box:
    """`words` on one line, escaped; `style` is "B" for bold, "I" for italic."""
    words = printable(words)
    if not words.strip():
        return Box()  # Graphviz takes no empty <B></B>
    reach, plain = advances(face + style), advances(face)
    wide = (reach.get(c) or plain.get(c) or 60 + 40 * (east_asian_width(c) in "WF") for c in words)
    width = round(sum(wide) * size / 100)
    height = height or round(LINES[face] * size)
    html = escape(words.replace("\\", "\\\\"))  # Graphviz reads \N as the name of the node
    html = f"<{style}>{html}</{style}>" if style else html
    html = f'<FONT FACE="{face}" POINT-SIZE="{size}" COLOR="{colour}">{html}</FONT>'
    html = cell(html + '<BR ALIGN="left"/>', align="text", valign="top")
    sinks = [cell(height=round(1.5 + size / 10))] if style and face == NAMES else []  # as plain do
    return Box(table(*sinks, html, width=width, height=height, align=align), width, height)


@cache
def advances(face: str) -> dict[str, int]:
    """How far each letter reaches, in hundredths of its size, as tests/drawing/widths.py wrote."""
    letters = json.loads(resource("widths.json", __package__))[face]
    return {letter: int(width) for width in letters for letter in letters[width]}


def row(*boxes: Box, align: str = "") -> Box:
    """Boxes side by side."""
    width, height = sum(box.width for box in boxes), max((box.height for box in boxes), default=0)
    cells = "".join(cell(box.html, width=box.width) for box in boxes if box.width)
    html = table(cells, width=width, height=height, align=align) if cells else ""
    return Box(html, width, height)


def column(*boxes: Box) -> Box:
    """Boxes one below the other."""
    width, height = max(box.width for box in boxes), sum(box.height for box in boxes)
    cells = [cell(box.html, height=box.height) for box in boxes]
    return Box(table(*cells, width=width, height=height), width, height)


def cell(content: str = "", /, **attributes: object) -> str:
    """One cell of a row."""
    return f"<TD{_attributes(attributes)}>{content}</TD>"


def table(*rows: str, **size: object) -> str:
    """Rows of cells without borders; `size` fixes width and height."""
    fixed = {**size, "fixedsize": "TRUE"} if size else {}
    bare = {"border": 0, "cellspacing": 0, "cellpadding": 0} | fixed
    return f"<TABLE{_attributes(bare)}>{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"


def _attributes(values: dict[str, object]) -> str:
    return "".join(f' {name.upper()}="{value}"' for name, value in values.items() if value != "")


def name(label: str, size: int, colour: str) -> Box:
    """A label as in handwriting, its superscript straight above its subscript."""
    boxes: dict[str, list[Box]] = defaultdict(list)
    small = max(9, size * 5 // 8)

    def write(words: str, face: str, place: str) -> str:
        style = {"italic": "I", "bold": "B"}.get(face, "")
        words = words if len(words) <= MAX_CHARACTERS else words[: MAX_CHARACTERS - 1] + "…"
        if place in SCRIPTS:
            height = round(SCRIPTS[place] * small)
            boxes[place].append(text(words, NAMES, small, colour, style, height, "left"))
            return ""
        words = "".join(normalize("NFD", c) if c > "ſ" else c for c in words)  # fonts have ŷ
        parts = re.split(f"(.[{''.join(_SPACING)}])", words)
        boxes[place] += [_accented(part, size, colour, style) for part in parts if part]
        return ""

    label_places(label, write)
    lines = (row(*boxes[place], align="left") for place in SCRIPTS)
    heights = (round(line * small) for line in SCRIPTS.values())
    scripts = (line._replace(height=height) for line, height in zip(lines, heights))
    return row(*boxes[""], column(Box(height=DROP), *scripts), *boxes["suffix"])


def symbol(op: Op, size: int, colour: str) -> Box:
    """The symbol of an operation, with its number in it."""
    base, _, exponent = op.symbol.partition("^")
    above = as_given(op.n) if exponent and op.n is not None else ""
    small = max(9, size * 5 // 8)
    lift, rest = (round(line * small) for line in SCRIPTS.values())
    scripts = column(text(above, NAMES, small, colour, height=lift), Box(height=rest))
    return row(text(base, WORDS, size, colour), scripts)


def _accented(words: str, size: int, colour: str, style: str) -> Box:
    """Words, or a letter with its accent as high above it as it needs."""
    accent = _SPACING.get(words[1:])
    letter = text(words[0] if accent else words, NAMES, size, colour, style)
    if not accent or not letter.html:
        return letter
    rise = 1 if words[0] in "acegmnopqrsuvwxyzαγεηικμνοπρςστυωϵ" else size // 4
    if accent == "→":
        rise, size = rise + 2, size * 3 // 4
    return column(text(accent, NAMES, size, colour, style, height=rise), letter, Box(height=rise))
