"""The data of the stepper's script: every step, as HTML with escaped labels.

A step belongs to one node of the picture.  Where that node is a whole neuron, the step has the
events of all the operations in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from itertools import groupby
from typing import Any

from ..drawing.graph.folding import Folded, fold
from ..engine import Value
from ..graph import Graph
from ..tell.notation import label_html, number
from ..tell.steps import BackwardStep, Edge, ForwardStep, backward_steps, forward_steps
from ..tell.writing import HTML, Writing

MAX_LINES = 17  # of one event: a neuron with eight inputs


class Walk:
    """Both passes through `graph`, for the script.  Leaves the gradients of the result.

    A large graph is folded, unless for a quiz, which asks for every gradient.

    Attributes:
        picture: the graph to draw: `graph`, or `graph` folded.
        data: the HTML `names` of the nodes that events mention, the number of the `result` among
            them, and the `steps`.  A step has the node of the picture that it stands `at`, the
            `wires` into it, its `events`, and the `grads` that it changes in the picture.
    """

    def __init__(self, graph: Graph, *, quiz: bool = False) -> None:
        forward, backward = list(forward_steps(graph)), list(backward_steps(graph))
        if not backward:
            graph.result.grad = 1.0
        self._graph = graph
        self.picture: Graph = graph if quiz else fold(graph)
        picture = self.picture
        self._drawn = {node: node for node in graph.nodes}
        self._several: set[Value] = set()
        if isinstance(picture, Folded):
            self._drawn, self._several = picture.drawn, picture.several
        self._max_lines = None if quiz else MAX_LINES
        self._at = {node: i for i, node in enumerate(self.picture.nodes)}
        self._index = {node: i for i, node in enumerate(graph.nodes)}
        self._mentioned: dict[int, str] = {}
        self._names = {name: label_html(name) for name in graph.names.values()}
        self._writing: Writing = replace(HTML, name=lambda x: self._names.get(x) or label_html(x))
        seed = self._at[self.picture.result]
        self.data: dict[str, Any] = {
            "result": self._number(graph.result),
            "steps": [
                {"pass": "start"},
                *self._steps("forward", forward),
                {"pass": "seed", "at": seed, "grads": [[seed, "1"]]},
                *self._steps("backward", backward),
            ],
            "names": {i: self._names[name] for i, name in self._mentioned.items()},
        }

    def _number(self, node: Value) -> int:
        """The number of a node in the data, which then includes its name."""
        self._mentioned[self._index[node]] = self._graph.names[node]
        return self._index[node]

    def _steps(
        self, name: str, events: Iterable[ForwardStep | BackwardStep]
    ) -> Iterator[dict[str, Any]]:
        """The steps of a pass, with one step for all events at the same node of the picture."""
        for node, group in groupby(events, lambda event: self._drawn.get(event.node)):
            if node is None or not node.inputs:
                continue  # the picture lacks it, or has it as a leaf
            here = list(group)
            step = {
                "pass": name,
                "at": self._at[node],
                "wires": [self._at[x] for x in node.inputs],
                "grads": [*self._changes(here)],
            }
            if node in self._several:
                yield step | {"events": [], "several": escape(self.picture.names[node])}
            else:
                yield step | {"events": [self._event(event) for event in here]}

    def _changes(self, events: list[ForwardStep | BackwardStep]) -> Iterator[tuple[int, str]]:
        """The nodes of the picture whose gradients the events change, each with its new number."""
        for event in events:
            for edge in event.edges if isinstance(event, BackwardStep) else ():
                node, x = self._drawn[event.node], self._drawn.get(edge.receiver)
                if x not in (None, node) and x not in self._several:
                    yield self._at[x], number(edge.after)

    def _event(self, event: ForwardStep | BackwardStep) -> dict[str, Any]:
        if isinstance(event, BackwardStep):
            edges = event.edges[: self._max_lines]
            return {
                "node": self._number(event.node),
                "grad": number(event.upstream),
                "exact": _exact(event.upstream),
                "edges": [self._edge(edge) for edge in edges],
                "more": len(event.edges) - len(edges),
            }
        line, name = event.line(self._writing), self._graph.names[event.node]
        if not event.node.label and not re.fullmatch(r"v\d+", name):  # a product of a dot
            self._names[name] = f"({line.symbols})"
        return {
            "node": self._number(event.node),
            "symbols": line.symbols,
            "numbers": line.numbers,
            "data": line.data,
        }

    def _edge(self, edge: Edge) -> dict[str, Any]:
        line = edge.line(self._writing)
        shown = ("symbols", "numbers", "local", "contribution", "before", "after")
        exact = [_exact(x) for x in (edge.local, edge.before, edge.contribution, edge.after)]
        return {
            "to": self._number(edge.receiver),
            **{part: getattr(line, part) for part in shown},
            "exact": exact,
            "byHand": _exact(edge.by_hand),
        }


def _exact(x: float) -> float | None:
    """`x` to six digits, as JSON can hold it."""
    return float(f"{x:.6g}") if math.isfinite(x) else None
