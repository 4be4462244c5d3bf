"""The stepper's HTML: the finished picture, and a script that computes its record again.

The fragment is self-contained: an `<img>`, the record as JSON, the styles, and the script with the
op table.  Where scripts may not run, the `<img>` remains.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from html import escape
from typing import Any, TypeAlias

from ..context import moved
from ..drawing.graph.diagram import Diagram
from ..drawing.graph.folding import Folded, fold
from ..drawing.showing import Shown, img, page, resource
from ..drawing.themes import variables
from ..engine import Value
from ..graph import DEPARTED, Graph
from ..ops import OPS, Op
from ..protocols import Given
from ..rows import check_rows
from ..tell.languages import HTML, formula_javascript, formula_template, spell_out, with_number
from ..tell.notation import label_html
from ..tell.steps import backward_steps, forward_step

Place: TypeAlias = "str | tuple[Any, ...]"  # a pass, a value in it or None, and a note
Found: TypeAlias = Callable[[Value], int]  # the number of a node that a caller named
PASSES = ("forward", "backward", "update")
SCRIPTS = (
    "arithmetic", "columns", "writing", "walk", "telling", "quiz", "picture", "boundary", "frame",
    "stepper",
)  # fmt: skip
ROOM = 8  # characters of every number: it will change
MAX_NODES = 650  # a longer page is slow, and nobody walks through it

REFUSAL = " is an operation of the program's own; the page has no formula for it"
_LESS = (
    f"step through a part of at most {MAX_NODES}: one neuron, one sample, or a result computed "
    "from fewer values"
)


def step(
    result: Value,
    *,
    quiz: bool | str | Value | Sequence[str | Value] = False,
    data: Any = None,
    inputs: Value | Sequence[Value] = (),
    parameters: Iterable[Value] | None = None,
    rate: float = 0.5,
    chapters: Mapping[str, Place] | None = None,
    textbook: bool = False,
) -> Stepper:
    """Walk through `result`: forward from value to value, backward from gradient to gradient, and
    then one step of gradient descent.

    Every leaf can be changed on the page, by a click on its number or a drag; all numbers follow.
    Computes on a copy of the graph: no `grad` changes, and `backward` need not have been called.
    A graph of more than 150 nodes or 300 edges is folded as `draw` folds it: a neuron becomes one
    node, and its operations one step.

    Args:
        result: the value to look back from.
        quiz: whether to hide the gradients and to ask for each that is not merely handed on; or
            what to ask for: passes, "forward", "backward" and "update", and values; "trivial" for
            what is merely handed on too.
        data: samples to choose from: rows of numbers for `inputs`; lists, an array or a frame.
        inputs: the leaves that a sample sets, targets included.  Of two inputs and one target, in
            this order, the page shows the decision boundary.
        parameters: the leaves that training moves; by default those with a label that starts with
            w, b or θ.
        rate: η of the update; below 0 the update climbs, with a plus sign.
        chapters: places to go to, by title: a pass; a pass and a value in it, or None; or these and
            a note to show there.
        textbook: whether a cross entropy or a softmax is computed as a book prints it.

    Raises:
        TypeError: if `result` or an input is not a value, or the data are no rows of numbers.
        ValueError: if there are more than 650 nodes, even once folded; if a sample, a chapter or a
            question is about what is not in the graph; or if a row has not one number per input.
        RuntimeError: if there is no Graphviz to draw the picture.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> step(w * x + b)
    Stepper of v5, 5 nodes; show it in a notebook, or .save("page.html")
    """
    graph = Graph.at_present(result, parameters=parameters, gradients=False, textbook=textbook)
    quiz = [quiz] if isinstance(quiz, str | Value) else quiz
    asks = ["backward"] if quiz is True else [*quiz] if quiz else []
    samples = [inputs] if isinstance(inputs, Value) else [*inputs], data
    return Stepper(graph, asks=asks, samples=samples, chapters=chapters, rate=rate)


class Stepper(Shown):
    """A picture to step through.  It shows itself in Jupyter, VS Code and marimo.

    >>> walk = step(Value(2, "x") ** 2, quiz=True)
    >>> walk.html.splitlines()[0]
    '<div class="micrograd-stepper">'
    """

    _file, _kinds = "page.html", (".html", ".htm", *Diagram._kinds)

    def __init__(self, graph: Graph, *, asks: Sequence[str | Value] = (), **others: Any) -> None:
        size = f"of {graph.names[graph.result]}, {len(graph)} nodes"
        self._size = size.encode(errors="replace").decode()  # half a surrogate pair is no text
        self._about, self._name = f"Steps {self._size}", f"Stepper {self._size}"
        self._quiz = bool(asks)
        self.names: list[str] = [*graph.names.values()]  # of the nodes, in the page's order
        if asks:
            self._beside = {}  # these pictures show the gradients
        for _ in backward_steps(graph):
            pass  # each step takes effect
        picture, data = walk(graph, asks, **others)
        if (shown := len(picture)) > MAX_NODES:
            if asks:
                raise ValueError(f"a quiz about {shown} nodes is too long; {_LESS}")
            folded = "" if shown == len(graph) else f", and {shown} once folded,"
            raise ValueError(f"{len(graph)} nodes{folded} are too many; {_LESS}")
        self._diagram = Diagram(picture, room=ROOM)
        record = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        script = "\n".join(resource(f"{name}.js", __package__) for name in SCRIPTS)
        script = re.sub(r"^\s*//.*\n|^\s+", "", script, flags=re.MULTILINE)  # the code alone
        html = resource("fragment.html", __package__).format(
            style=resource("picture.css")
            + f"\n:host {{ {variables()} }}\n"
            + resource("stepper.css", __package__),
            picture=img(self.svg, f"Computational graph {self._size}"),
            data=record.replace("</", r"<\/").replace("<!", r"\u003c!"),  # ends no script element
            script=f"(() => {{\n{script}\nstart({rows()});\n}})();",
        )
        self._html: str = html.encode(errors="replace").decode()

    @property
    def html(self) -> str:
        """A self-contained fragment, for your own page."""
        return self._html

    @property
    def embed(self) -> str:
        """The page in a frame of its own, for slides and for sites with styles of their own."""
        whole, title = page(self.html, self._about), escape(self._about)
        return resource("frame.html", __package__).format(page=escape(whole), title=title)

    @cached_property
    def svg(self) -> str:
        """The picture without its steps; for a quiz without its gradients."""
        picture = re.sub(r"<title>.*?</title>", "", self._diagram.svg, flags=re.DOTALL)
        hidden = "text.grad{opacity:0}</style>"
        return picture.replace("</style>", hidden, 1) if self._quiz else picture

    def _render(self, kind: str, dpi: float = 96) -> bytes:
        if kind in ("html", "htm"):
            return page(self.html, self._about).encode()
        return self._diagram._render(kind, dpi)

    def _mime_(self) -> tuple[str, str]:  # marimo runs scripts in a frame only
        return "text/html", self.embed


def walk(
    graph: Graph,
    asks: Sequence[str | Value] = (),
    samples: tuple[Sequence[Value], Any] = ((), None),
    chapters: Mapping[str, Place] | None = None,
    rate: float = 0.5,
) -> tuple[Graph, dict[str, Any]]:
    """The graph to draw, `graph` or `graph` folded, and what ``walk.js`` reads.

    A large graph is folded, unless for a quiz, which asks for every gradient.
    """
    position = {node: i for i, node in enumerate(graph.nodes)}
    places = {graph.names[node]: i for node, i in position.items()}  # its copies share a name
    forms: dict[Any, int] = {}

    def at(x: Value) -> int | str:
        """The number of a node, or the text of the number of what is none."""
        return places.get(graph.names.get(x, ""), str(_json(x.data)))

    def found(x: Value) -> int:
        if not isinstance(x, Value):
            raise TypeError(f"name a Value of this graph, not {type(x).__name__} {x!r:.60}")
        if (i := places.get(graph.names.get(graph.twins.get(x, x), ""))) is None:
            of = graph.names[graph.result]
            raise ValueError(f"{x!r} is not a node of the graph of {of}; name one that is")
        return i

    nodes = [_node(node, position, forms) for node in graph.nodes]
    computed = [[math.isfinite(x.data) for x in (f, *f.inputs)] for f in graph.nodes if f.inputs]
    data: dict[str, Any] = {
        "ieee": any(all(inputs) and not f for f, *inputs in computed),
        "nodes": nodes,
        "forms": [templates(op, count) for op, count in forms],
        "names": _names(graph),
        "result": position[graph.result],
        "parameters": sorted(position[x] for x in graph.parameters if x in position),
        "guards": [
            [at(guard.left), guard.sign, at(guard.right), guard.held, escape(told + DEPARTED)]
            for guard, told in graph.guards.items()
        ],
        "several": {},
    }
    if asks:
        words = [it for it in asks if isinstance(it, str)]
        if unknown := [word for word in words if word not in (*PASSES, "trivial")]:
            known = ", ".join(PASSES)
            raise ValueError(f"cannot ask for {unknown[0]!r}; name {known}, trivial or values")
        data["asks"] = {
            "passes": [it for it in PASSES if it in words] or ["backward"],
            "nodes": [found(it) for it in asks if isinstance(it, Value)],
            "trivial": "trivial" in words,
        }
    if samples[0] or samples[1] is not None:
        data["samples"] = _samples(graph, *samples, found)
    data["chapters"] = [_place(title, at, found) for title, at in (chapters or {}).items()]
    if not (math.isfinite(rate) and rate):
        raise ValueError(f"the rate is {rate:g}; give η, such as 0.5, or −η for a plus sign")
    data |= {"eta": abs(rate), "sign": -1 if rate > 0 else 1}
    picture = graph if asks else fold(graph)
    if isinstance(picture, Folded):
        data |= _folds(graph, picture, position)
    return picture, data


def _folds(graph: Graph, picture: Folded, position: dict[Value, int]) -> dict[str, Any]:
    """Where the picture shows each node, what its nodes read, and the weights of its neurons."""
    place = {node: i for i, node in enumerate(picture.nodes)}
    shown = [picture.drawn.get(x) for x in graph.nodes]
    neurons = {}
    for node, neuron in picture.neurons.items():
        if node not in picture.several:
            pairs = zip(neuron.inputs, neuron.weights)
            weights = [position[w] for x, w in pairs if picture.drawn[x] not in picture.several]
            neurons[place[node]] = [position[neuron.sum], weights]
    return {
        "drawn": [-1 if node is None else place[node] for node in shown],
        "picture": [[place[x] for x in node.inputs] for node in picture.nodes],
        "several": {i: escape(picture.names[x]) for x, i in place.items() if x in picture.several},
        "neurons": neurons,
    }


def _samples(graph: Graph, inputs: Sequence[Value], rows: Any, found: Found) -> dict[str, Any]:
    """The samples, and which leaves they set."""
    if rows is None:
        raise ValueError(
            f"{len(inputs)} inputs without data; give a row of {len(inputs)} numbers per sample"
        )
    if not inputs:
        raise ValueError("data without inputs; name the leaves of a row, as inputs=[x_1, x_2, t]")
    at = [*map(found, inputs)]
    for i, x in zip(at, inputs):
        if graph.nodes[i].inputs:
            raise ValueError(f"{x!r} is computed; a sample sets leaves")
        if at.count(i) > 1:
            raise ValueError(f"{x!r} is named twice among the inputs")
    numbers = check_rows(rows, len(inputs), in_lists=True)
    for i, row in enumerate(numbers):
        for x, it in zip(inputs, row):
            if not math.isfinite(it):
                raise ValueError(f"row {i} has {it} for {x!r}; leave it out, or put a number there")
    return {"inputs": at, "rows": numbers}


def _place(title: str, at: Place, found: Found) -> dict[str, Any]:
    """Where a chapter begins: a pass, and perhaps a node in it; and its note."""
    name, value, note = (*(at if isinstance(at, tuple | list) else (at,)), None, None)[:3]
    if name not in PASSES:
        raise ValueError(f"chapter {title!r} is in {name!r}; it can be in {', '.join(PASSES)}")
    told: dict[str, Any] = {"title": escape(title), "pass": name}
    told |= {} if value is None else {"node": found(value)}
    return told | ({"note": escape(str(note))} if note else {})


def _node(node: Value, position: dict[Value, int], forms: dict[Any, int]) -> dict[str, Any]:
    if node.op is None:
        return {"data": _json(node.data)}
    form = forms.setdefault((node.op, len(node.inputs)), len(forms))
    told: dict[str, Any] = {"form": form, "inputs": [position[x] for x in node.inputs]}
    told |= {} if node.op.n is None else {"n": _json(node.op.n)}
    told |= {"set": True, "data": _json(node.data)} if moved(node) else {}
    if isinstance(node.op, Given):
        told |= {"data": _json(node.data), "slopes": [*map(_json, node.slopes)]}
    return told


def _names(graph: Graph) -> list[str]:
    """The name of each node as HTML; a product of a dot is called by its factors."""
    names = {name: label_html(name) for name in graph.names.values()}
    writing = replace(HTML, name=lambda x: names.get(x) or label_html(x))
    for node in graph.nodes:
        name = graph.names[node]
        if node.inputs and not node.label and not re.fullmatch(r"v\d+", name):
            names[name] = f"({forward_step(graph, node).line(writing).symbols})"
    return [names[graph.names[node]] for node in graph.nodes]


def _json(x: float) -> float | str:
    """`x`, or as JavaScript calls it if JSON has no such number."""
    return x if math.isfinite(x) else str(x).replace("inf", "Infinity").replace("nan", "NaN")


def rows() -> str:
    """The rows of the table as a JavaScript object, for ``arithmetic.js``."""
    return "{\n" + ",\n".join(f"{json.dumps(op.name)}: {_row(op)}" for op in OPS.values()) + "\n}"


def _row(op: Op) -> str:
    def function(formula: str, letters: str = "m, x, y, z, n, f") -> str:
        return f"({letters}) => {formula_javascript(formula)}"

    letters = ", ".join(["m", *"xyz"[: len(op.partials)]]) if op.n is None else "m, x, y, z, n"
    if not op.variadic:
        parts = {"value": function(op.formula, letters)}
    elif term := re.match(r"sum\((.*)\)", op.formula):
        parts = {"sum": function(term[1], "m, x, y")}
    else:
        parts = {"take": "true"}
    parts["partials"] = f"[{', '.join(map(function, op.partials))}]"
    if op.textbook:
        parts["byHand"] = f"[{', '.join(map(function, op.textbook[1:]))}]"
    if op.domain:
        parts |= {"domain": function(op.domain, "m, x, y, z, n"), "needs": json.dumps(op.domain)}
    if op.gate:
        parts["gate"] = "true"
    return "{" + ", ".join(f"{name}: {text}" for name, text in parts.items()) + "}"


@cache
def templates(op: Op, count: int) -> dict[str, Any]:
    """How the page writes a node of so many inputs: its formula, and each of its partials."""
    formula, letters = spell_out(op, count)
    name = escape(op.name)
    formula = formula_template(with_number(formula, op.n), {"dots": "…", "own": name})
    partials = [with_number(text, op.n) for text in op.shown[1:]]
    shown = [[formula_template(text, {}), text.isidentifier()] for text in partials]
    told = {"refuses": name + REFUSAL} if isinstance(op, Given) else {"op": op.name}
    return {"formula": formula, "letters": letters, "partials": shown, **told}
