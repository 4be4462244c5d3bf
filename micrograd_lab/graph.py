"""The values that a result was computed from, in order and with names.

The drawing, the stepper, the explanation and the replay all number and name nodes here, so that
`v7` or `z_1` is the same node in each of them.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from .calculus import apply
from .context import Guard, aside, guards_of, moved, recording, set_aside
from .engine import Value, propagate, record, recorded
from .ops import OPS
from .protocols import settle
from .saving import check_suffix, packed, unpacked, write_whole

__all__ = ["Graph"]

DEPARTED = " when this was recorded, which the present numbers do not"
MAX_READABLE_NODES = 150  # nodes; beyond this nobody reads a drawing node by node
MAX_SHOWN = 16  # neurons in a layer, or layers, that are drawn one by one

Item = TypeVar("Item")


class Graph:
    """The recorded computation of `result`.

    Args:
        result: the value to look back from.
        parameters: the leaves that training moves; by default those whose label starts with w, b
            or θ.
        products: whether to open each `dot` into its products and a Σ, as the lecture draws it, in
            copies of the computed values; by default if the opened graph is still readable.

    Attributes:
        result: where `backward` starts.
        nodes: every value, each after its inputs.
        names: the name of each node: its label, or `v` and its number; the second node labelled
            `w` is `w (v5)`, the second product of `z_1` is `z_1.2`.
        notes: where the present numbers differ from the recorded ones, in words.
        twins: for a graph at the present numbers, the copy of each value.
        guards: there, the comparisons that picked the recorded branch, and how each went, in words.

    >>> w, x = Value(-2, "w"), Value(5, "x")
    >>> graph = Graph(w * x + 3)
    >>> [graph.names[node] for node in graph.nodes]
    ['w', 'x', 'v3', 'v4', 'v5']
    """

    def __init__(
        self,
        result: Value,
        *,
        parameters: Iterable[Value] | None = None,
        products: bool | None = None,
    ) -> None:
        if not isinstance(result, Value):
            raise TypeError(
                f"result must be a Value, got {type(result).__name__} {result!r:.60}"
                + "; max(0, x) may be 0, maximum(0, x) not" * (type(result) is int)
            )
        self.notes: list[str] = []
        self.twins: dict[Value, Value] = {}
        self.guards: dict[Guard, str] = {}
        self._recorded = result
        self.result: Value = result
        self.nodes: list[Value] = recorded(result)
        settle(self.nodes)
        self.names: dict[Value, str] = {}
        taken: set[str] = set()
        for number, node in enumerate(self.nodes, start=1):
            name = node.label or f"v{number}"
            while name in taken:
                name = f"{name} (v{number})"
            self.names[node] = name
            taken.add(name)
        leaves = [node for node in self.nodes if not node.inputs]
        if parameters is None:
            parameters = [x for x in leaves if re.match(r"\$?(\\\w+\{)*([wbθ]|\\theta)", x.label)]
        self.parameters: frozenset[Value] = frozenset(parameters)
        for w in self.parameters:
            if not isinstance(w, Value):
                raise TypeError(f"a parameter must be a Value, got {type(w).__name__} {w!r:.60}")
        opened = len(self.nodes) + sum(f.op.pairs(len(f.inputs)) for f in self.nodes if f.op)
        if products or (products is None and len(self.nodes) < opened <= MAX_READABLE_NODES):
            self._open()

    @classmethod
    def at_present(
        cls,
        result: Value,
        *,
        parameters: Iterable[Value] | None = None,
        products: bool | None = None,
        gradients: bool | None = None,
        textbook: bool = False,
    ) -> Graph:
        """The graph of a copy of `result` that is true at one point: where its leaves are now.

        If a leaf has moved since `result` was recorded, what depends on it is computed afresh, and
        `notes` says so.  A computed value that was assigned to keeps its number.  The gradients are
        the copy's own, ∂(result)/∂(each node): no sum over several calls or results.

        Args:
            gradients: whether to compute them; by default, if `backward` has reached the result.
            textbook: whether a loss or a softmax is computed as a book prints it, exp, Σ, ÷ and ln,
                instead of as it was recorded, so that no exponential overflows.

        Raises:
            ValueError: if the present numbers leave the domain of an operation.

        >>> w, x = Value(2, "w"), Value(5, "x")
        >>> f = w * x
        >>> w.data = 10
        >>> graph = Graph.at_present(f)
        >>> graph.result.data, graph.notes
        (50.0, ['w has moved since this was recorded; shown at its present number'])
        """
        original = cls(result, products=False)
        with recording():
            twins = _twins(original.nodes, textbook)
        if original.has_gradients if gradients is None else gradients:
            twins[result].backward()
        if parameters is not None:
            parameters = [twins.get(parameter, parameter) for parameter in parameters]
        graph = cls(twins[result], parameters=parameters, products=products)
        graph.twins = twins
        graph.guards = _guards(original, twins)
        departed = [told for guard, told in graph.guards.items() if not guard.holds]
        graph.notes = [*_moves(original), *(f"{told}{DEPARTED}" for told in departed)]
        if gradients is None and graph.has_gradients and not textbook:
            graph.notes += _other_gradients(original, twins)
        return graph

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        counts = f"{len(self)} nodes, {len(self.parameters)} parameters"
        return f"Graph of {self.names[self.result]}: {counts}"

    @property
    def has_gradients(self) -> bool:
        """Whether `backward` has been called on the result."""
        return self.result.grad != 0

    def kind(self, node: Value) -> str:
        """The part of `node`: "parameter", "input", "constant", "computed" or "result"."""
        if node.inputs:
            return "result" if node is self.result else "computed"
        if node in self.parameters:
            return "parameter"
        return "input" if node.label else "constant"

    def readers(self) -> dict[Value, list[tuple[Value, int]]]:
        """For each node the values computed from it, as (value, position among its inputs)."""
        readers: dict[Value, list[tuple[Value, int]]] = {node: [] for node in self.nodes}
        for node in self.nodes:
            for i, x in enumerate(node.inputs):
                readers[x].append((node, i))
        return readers

    def evaluate(self, changed: Mapping[Value, float], *, along: bool = False) -> float:
        """The result's number if the nodes in `changed` had other numbers; changes no node.

        Leaves that moved have their present numbers; a computed value that was set by hand keeps
        its own, or with `along` moves from there with its inputs, as gradients do.  It is a
        ValueError if one of them is not a node of this graph, or a number leaves a domain.

        >>> w, x = Value(-2, "w"), Value(5, "x")
        >>> Graph(w * x + 3).evaluate({w: -1.0})
        -2.0
        """
        data = dict(changed)
        for node in data.keys() - set(self.nodes):
            raise ValueError(f"{node!r} is not a node of this graph; give one of its {len(self)}")
        for node in self.nodes:
            if node in data or (moved(node) and not along):
                continue
            if node.op and any(x in data or moved(x) > node.serial for x in node.inputs):
                data[node] = apply(node.op, [Value(data.get(x, x.data)) for x in node.inputs]).data
                if moved(node):
                    now = apply(node.op, [Value(x.data) for x in node.inputs])
                    data[node] += node.data - now.data
        return data.get(self.result, self.result.data)

    def contribution(self, node: Value, i: int) -> float:
        """The contribution of `node` to its input `i`, local × upstream, by the engine's rule."""
        x = record(0.0, None, (), ())
        propagate([record(node.data, node.op, (x,), (node.slopes[i],), node.grad)])
        return x.grad

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recorded nodes as JSON, in full or not at all; `load` reads them.

        Not in the file: the textbook form of a loss, a subclass of `Value`, an optimizer's state.
        A name that does not end in .json is a ValueError.

        >>> path = getfixture("tmp_path") / "graph.json"
        >>> w, x = Value(-2, "w"), Value(5, "x")
        >>> Graph(w * x + 3).save(path)
        >>> Graph.load(path).result
        Value(-7, grad=0)
        """
        check_suffix(path, ".json")
        write_whole(path, packed(self._recorded, self.parameters).encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Graph:
        """The graph in a file that `save` wrote, each `dot` as one node; nothing in it is run.

        It is a ValueError if the file is damaged, with the node, or if it needs an operation that
        was not made here, with the call that makes it.
        """
        try:
            result, parameters = unpacked(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        return cls(result, parameters=parameters, products=False)

    def _open(self) -> None:
        """Replace each dot product by its products and a Σ, with the recorded numbers."""
        twins: dict[Value, Value] = {}
        nodes: list[Value] = []
        for node in self.nodes:
            inputs, products = tuple(twins[x] for x in node.inputs), []
            pairs = node.op.pairs(len(inputs)) if node.op else 0
            for i in range(pairs):
                y, x = node.slopes[i], node.slopes[i + pairs]
                factors = inputs[i], inputs[i + pairs]
                products.append(record(x * y, OPS["mul"], factors, (y, x), node.grad))
                self.names[products[i]] = f"{self.names[node]}.{i + 1}"
            twins[node] = twin = copy(node) if inputs else node
            twin.inputs = (*products, *inputs[2 * pairs :])
            if products:
                twin.op, twin.slopes = OPS["sum"], (1.0,) * len(twin.inputs)
            self.names[twin] = self.names[node]
            nodes += [*products, twin]
        self.nodes = nodes
        self.result = twins[self.result]


def _twins(nodes: list[Value], textbook: bool) -> dict[Value, Value]:
    """Copies of `nodes` without gradients, computed afresh where an input has moved since."""
    twins: dict[Value, Value] = {}
    fresh: set[Value] = set()
    for node in nodes:
        inputs = tuple(twins[x] for x in node.inputs)
        twin = record(node.data, node.op, inputs, node.slopes, 0.0, node.label)
        if textbook and (written := aside(node).get("textbook")):
            form, leaves = written
            twin = form(*(twins[x] for x in leaves))
            twin.label = node.label
            fresh.add(node)
        elif node.op and any(x in fresh or moved(x) > node.serial for x in node.inputs):
            fresh.add(node)
            now = apply(node.op, inputs)
            twin.slopes = now.slopes
            if not moved(node):
                twin = now
                twin.label = node.label
        if node.op and moved(node):
            set_aside(twin, moved=twin.serial)
        twins[node] = twin
    return twins


def _moves(graph: Graph) -> list[str]:
    """Which leaves have moved since something was computed from them, and what was set by hand."""
    notes = []
    late = {x for node in graph.nodes for x in node.inputs if moved(x) > node.serial}
    if leaves := [graph.names[x] for x in graph.nodes if x in late and not x.inputs]:
        one = len(leaves) == 1
        have, at = ("has", "its present number") if one else ("have", "their present numbers")
        notes.append(f"{listed(leaves)} {have} moved since this was recorded; shown at {at}")
    if by_hand := [graph.names[node] for node in graph.nodes if node.inputs and moved(node)]:
        notes.append(f"{listed(by_hand)} {'was' if len(by_hand) == 1 else 'were'} set by hand")
    return notes


def _guards(graph: Graph, twins: Mapping[Value, Value]) -> dict[Guard, str]:
    """The comparisons that picked the recorded branch, between the twins, each in words."""
    guards = {}
    for guard in (guard for node in graph.nodes for guard in guards_of(node)):
        left, right = (twins.get(x, x) for x in (guard.left, guard.right))
        guards[replace(guard, left=left, right=right)] = guard.told(graph.names)
    return guards


def _other_gradients(graph: Graph, twins: Mapping[Value, Value]) -> list[str]:
    """The leaves whose `grad` is no gradient of this result alone."""
    leaves = [x for x in graph.nodes if x.label and not x.inputs and x.grad]
    others = [x for x in leaves if not math.isclose(x.grad, twins[x].grad, rel_tol=1e-9)]
    told = listed([f"{graph.names[x]}.grad" for x in others])
    hold = "holds" if len(others) == 1 else "hold"
    return [f"{told} {hold} more than this: other calls, samples or results"] * bool(others)


def shorten(items: Sequence[Item], most: int = MAX_SHOWN) -> list[Item | None]:
    """All the items if they are at most so many; else the first and the last, and None between."""
    if len(items) <= most:
        return list(items)
    return [*items[: most // 2], None, *items[most // 2 + 1 - most :]]


def listed(names: list[str]) -> str:
    """A few names in a row, as "w, b" or "a, b, c and 2 more"."""
    more = f" and {len(names) - 3} more" if len(names) > 4 else ""
    return ", ".join(names[: 3 if more else 4]) + more
