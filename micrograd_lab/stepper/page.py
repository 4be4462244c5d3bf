"""The stepper's HTML: the finished picture, and what a script needs to take it apart into steps.

The fragment is an `<img>`, the steps as JSON, the styles and the script, and needs nothing else.
Where scripts may not run, the `<img>` is what one sees.

Read ``steps.py`` before this file.
"""

from __future__ import annotations

import json
import math
import os
import re
from base64 import b64encode
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from ..draw.diagram import Diagram
from ..engine import Value
from ..formulas import evaluate
from ..graph import Graph
from ..notation import number, parts
from ..saving import write_whole
from ..steps import BackwardStep, Edge, ForwardStep, backward_steps, forward_steps
from ..writing import HTML, Writing
from .picture import slim, variables

READABLE = 650  # nodes; a page of more is too long to walk through

_FRAGMENT = """\
<div class="micrograd-stepper">
<style>{style}</style>
<img src="data:image/svg+xml;base64,{picture}" alt="{alt}" style="max-width:100%">
<script type="application/json">{data}</script>
<script>{script}</script>
</div>
"""
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>:root {{ color-scheme: light dark; }} body {{ margin: 12px; }}</style>
</head>
<body>
{fragment}</body>
</html>
"""
_FRAME = (
    '<iframe srcdoc="{page}" title="{title}" style="border:0;width:100%;height:620px"></iframe>'
)


def step(
    result: Value, *, quiz: bool = False, parameters: Iterable[Value] | None = None
) -> Stepper:
    """`result` to walk through: its values going forward, then its gradients going backward.

    Computes on a copy of the graph, so no `grad` changes, and needs no call of `backward`.

    Args:
        result: the value to look back from.
        quiz: hide the gradients, and ask for each of them.
        parameters: the leaves that training moves; if not given, those with a label that starts
            with w, b or θ.

    Raises:
        TypeError: if `result` is not a value.
        ValueError: if there are more nodes than one can walk through.
        RuntimeError: if there is no Graphviz to draw the picture.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> step(w * x + b)
    Stepper of v5, 5 nodes; show it in a notebook, or .save("page.html")
    """
    if not isinstance(result, Value):
        raise TypeError(f"step walks through a value, not {type(result).__name__} {result!r:.60}")
    memo: dict[int, Any] = {}
    copy = deepcopy(result, memo)
    if parameters is not None:
        parameters = [memo.get(id(parameter), parameter) for parameter in parameters]
    graph = Graph(copy, parameters=parameters)
    if len(graph) > READABLE:
        raise ValueError(
            f"{len(graph)} nodes are more than one can walk through; step through a part of at "
            f"most {READABLE}: one neuron, one sample, or a result computed from fewer values"
        )
    for node in graph.nodes:
        node.grad = 0.0
    return Stepper(graph, quiz=quiz)


class Stepper:
    """A picture that can be stepped through.  It shows itself in Jupyter, VS Code and marimo.

    Attributes:
        html: the fragment, for a page of one's own; it needs nothing else.

    >>> walk = step(Value(2, "x") ** 2, quiz=True)
    >>> walk.html.splitlines()[0]
    '<div class="micrograd-stepper">'
    """

    def __init__(self, graph: Graph, *, quiz: bool = False) -> None:
        data = _Data(graph).steps()  # which leaves the gradients for the picture
        about = f"of {graph.names[graph.result]}, {len(graph)} nodes"
        self._about = about.encode(errors="replace").decode()  # half a surrogate pair is no text
        picture = slim(Diagram(graph).svg)
        if quiz:
            picture = picture.replace("</style>", "text.grad{opacity:0}</style>", 1)
        html = _FRAGMENT.format(
            style=variables() + _text("stepper.css"),
            picture=b64encode(picture.encode()).decode(),
            alt=escape(f"Computational graph {self._about}"),
            data=_inside_script({"quiz": quiz, **data}),
            script=_text("stepper.js"),
        )
        self.html = html.encode(errors="replace").decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a page to `path` that works offline, whole or not at all.

        Raises:
            OSError: if the file cannot be written.
        """
        write_whole(path, self._page().encode())

    def _page(self) -> str:
        return _PAGE.format(title=escape(f"Steps {self._about}"), fragment=self.html)

    def _repr_html_(self) -> str:
        return self.html

    def _mime_(self) -> tuple[str, str]:  # marimo runs scripts in a frame only
        page = escape(self._page())
        return "text/html", _FRAME.format(page=page, title=escape(f"Steps {self._about}"))

    def __repr__(self) -> str:
        return f'Stepper {self._about}; show it in a notebook, or .save("page.html")'


class _Data:
    """What the script shows at each step, as HTML in which every label is escaped."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.at = {node: i for i, node in enumerate(graph.nodes)}
        self.names = {name: _name(name) for name in graph.names.values()}
        self.writing: Writing = replace(HTML, name=self.names.__getitem__)

    def steps(self) -> dict[str, Any]:
        """The steps in order, and a name for each node.  Runs `backward_steps`."""
        graph = self.graph
        forward = [self.forward(step) for step in forward_steps(graph)]
        seed = {"pass": "seed", "node": self.at[graph.result]}
        backward = [self.backward(step) for step in backward_steps(graph)]
        if not backward:
            graph.result.grad = 1.0
        return {
            "result": self.at[graph.result],
            "names": [self.names[graph.names[node]] for node in graph.nodes],
            "steps": [{"pass": "start"}, *forward, seed, *backward],
        }

    def forward(self, step: ForwardStep) -> dict[str, Any]:
        line = step.written(self.writing)
        name = self.graph.names[step.node]
        if not step.node.label and not re.fullmatch(r"v\d+", name):  # a product of a dot
            self.names[name] = f"({line.symbols})"
        return {
            "pass": "forward",
            "node": self.at[step.node],
            "inputs": [self.at[input] for input in step.node.inputs],
            "symbols": line.symbols,
            "numbers": line.numbers,
            "data": line.data,
        }

    def backward(self, step: BackwardStep) -> dict[str, Any]:
        return {
            "pass": "backward",
            "node": self.at[step.node],
            "inputs": [self.at[input] for input in step.node.inputs],
            "grad": number(step.upstream),
            "exact": _exact(step.upstream),
            "edges": [self.edge(edge) for edge in step.edges],
        }

    def edge(self, edge: Edge) -> dict[str, Any]:
        line = edge.written(self.writing)
        return {
            "to": self.at[edge.input],
            "symbols": line.symbols,
            "numbers": line.numbers,
            "local": line.local,
            "contribution": line.contribution,
            "before": line.before,
            "after": line.after,
            "exact": [_exact(x) for x in (edge.local, edge.before, edge.contribution, edge.after)],
            "byHand": _exact(_by_hand(edge)),
        }


def _name(label: str) -> str:
    """A label as HTML, escaped, with its index and its superscript above each other."""
    (base, _), *scripts = parts(label)
    italic = len(base.rstrip("′")) == 1 and base[0].isalpha()
    name = f"<i>{escape(base)}</i>" if italic else escape(base)
    placed = "".join(
        f"<{place}>{escape(text)}</{place}>" for text, place in sorted(scripts, key=lambda s: s[1])
    )
    return name + (f'<span class="scripts">{placed}</span>' if len(scripts) == 2 else placed)


def _by_hand(edge: Edge) -> float:
    """The local derivative as one computes it from the numbers that are shown."""
    op = edge.op
    shown = [float(f"{x:.3g}") for x in edge.numbers]
    letters = {
        letter: shown[i] for letter, i in op.partial(edge.index, range(len(shown) - 1))[1].items()
    }
    try:
        return float(evaluate(edge.partial, letters | {"f": shown[-1], "n": op.n}))
    except (ArithmeticError, ValueError):
        return edge.local


def _exact(x: float) -> float | None:
    """`x` to six digits, as JSON can hold it."""
    return float(f"{x:.6g}") if math.isfinite(x) else None


def _inside_script(data: dict[str, Any]) -> str:
    """`data` as JSON in which nothing can end the script element around it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("</", r"<\/").replace("<!", r"\u003c!")


@cache
def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
