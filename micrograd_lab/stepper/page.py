"""The stepper's HTML: the finished picture, and a script that computes its record again.

The fragment is self-contained: an `<img>`, the record as JSON, the styles and the script.  Where
scripts may not run, the `<img>` remains.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from html import escape
from typing import Any

from ..drawing.graph.diagram import Diagram
from ..drawing.showing import Shown, img, page, resource
from ..drawing.themes import variables
from ..engine import Value
from ..graph import Graph
from ..tell.steps import backward_steps
from .walk import Place, rows, walk

SCRIPTS = (
    "arithmetic", "columns", "writing", "walk", "telling", "quiz", "picture", "boundary", "frame",
    "stepper",
)  # fmt: skip
ROOM = 8  # characters of every number: it will change
MAX_NODES = 650  # a longer page is slow, and nobody walks through it

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

    _file, _kinds = "page.html", (".html", ".htm")

    def __init__(self, graph: Graph, *, asks: Sequence[str | Value] = (), **others: Any) -> None:
        size = f"of {graph.names[graph.result]}, {len(graph)} nodes"
        self._size = size.encode(errors="replace").decode()  # half a surrogate pair is no text
        self._about, self._name = f"Steps {self._size}", f"Stepper {self._size}"
        self._quiz = bool(asks)
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
