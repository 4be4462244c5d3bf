"""The stepper's HTML: the finished picture, and a script that divides it into steps.

The fragment is self-contained: an `<img>`, the steps as JSON, the styles and the script.  Where
scripts may not run, the `<img>` remains.

Read ``tell/steps.py`` before this file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from ..drawing.graph.diagram import Diagram
from ..drawing.svg import image
from ..engine import Value
from ..graph import Graph
from ..saving import check_suffix, write_whole
from .styles import slim, variables
from .walk import Walk

MAX_NODES = 650  # a longer page is slow, and nobody walks through it

_LESS = (
    f"step through a part of at most {MAX_NODES}: one neuron, one sample, or a result computed "
    "from fewer values"
)


def step(
    result: Value, *, quiz: bool = False, parameters: Iterable[Value] | None = None
) -> Stepper:
    """Walk through `result`: forward from value to value, then backward from gradient to gradient.

    Computes on a copy of the graph: no `grad` changes, and `backward` need not have been called.
    A graph of more than 150 nodes or 300 edges is folded as `draw` folds it: a neuron becomes one
    node, and its operations one step.

    Args:
        result: the value to look back from.
        quiz: hide the gradients, and ask for each of them.
        parameters: the leaves that training moves; by default those with a label that starts with
            w, b or θ.

    Raises:
        TypeError: if `result` is not a value.
        ValueError: if there are more than 650 nodes, even once folded.
        RuntimeError: if there is no Graphviz to draw the picture.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> step(w * x + b)
    Stepper of v5, 5 nodes; show it in a notebook, or .save("page.html")
    """
    if not isinstance(result, Value):
        raise TypeError(f"result must be a Value, got {type(result).__name__} {result!r:.60}")
    graph = Graph.at_present(result, parameters=parameters, gradients=False)
    return Stepper(graph, quiz=quiz)


class Stepper:
    """A picture to step through.  It shows itself in Jupyter, VS Code and marimo.

    Attributes:
        html: a self-contained fragment, for your own page.

    >>> walk = step(Value(2, "x") ** 2, quiz=True)
    >>> walk.html.splitlines()[0]
    '<div class="micrograd-stepper">'
    """

    def __init__(self, graph: Graph, *, quiz: bool = False) -> None:
        about = f"of {graph.names[graph.result]}, {len(graph)} nodes"
        self._about = about.encode(errors="replace").decode()  # half a surrogate pair is no text
        self._title = escape(f"Steps {self._about}")
        walk = _walk(graph, quiz)
        picture = slim(Diagram(walk.picture).svg)
        if quiz:
            picture = picture.replace("</style>", "text.grad{opacity:0}</style>", 1)
        html = _text("fragment.html").format(
            style=variables() + _text("stepper.css"),
            picture=image(picture, f"Computational graph {self._about}"),
            data=_inside_script({"quiz": quiz, **walk.data}),
            script=_text("stepper.js"),
        )
        self.html: str = html.encode(errors="replace").decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a page that works offline to `path`, in full or not at all.

        Raises:
            ValueError: if the name does not end in .html or .htm.
            OSError: if the file cannot be written.
        """
        check_suffix(path, ".html", ".htm")
        write_whole(path, self._page().encode())

    def _page(self) -> str:
        return _text("page.html").format(title=self._title, fragment=self.html)

    def _repr_html_(self) -> str:
        return self.html

    def _mime_(self) -> tuple[str, str]:  # marimo runs scripts in a frame only
        frame = _text("frame.html")
        return "text/html", frame.format(page=escape(self._page()), title=self._title)

    def __repr__(self) -> str:
        return f'Stepper {self._about}; show it in a notebook, or .save("page.html")'


def _walk(graph: Graph, quiz: bool) -> Walk:
    """Both passes through `graph`."""
    walk = Walk(graph, quiz=quiz)
    if (shown := len(walk.picture)) > MAX_NODES:
        if quiz:
            raise ValueError(f"a quiz about {shown} nodes is too long; {_LESS}")
        folded = "" if shown == len(graph) else f", and {shown} once folded,"
        raise ValueError(f"{len(graph)} nodes{folded} are too many; {_LESS}")
    return walk


def _inside_script(data: dict[str, Any]) -> str:
    """`data` as JSON in which nothing can end the script element around it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("</", r"<\/").replace("<!", r"\u003c!")


@cache
def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
