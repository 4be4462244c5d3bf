"""The values that a result was computed from, in order and with names.

The drawing, the stepper, the explanation and the replay all number and name nodes here, so that
`v7` or `z_1` is the same node in each of them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from copy import copy, deepcopy

from .domain import outside, recording
from .engine import Value, propagate, record, recorded
from .formulas import evaluate
from .ops import OPS, Op

__all__ = ["Graph"]

MAX_READABLE_NODES = 150  # nodes; beyond this nobody reads a drawing node by node


class Graph:
    """The recorded computation of `result`.

    Args:
        result: the value to look back from.
        parameters: the leaves that training moves; by default those with a label that starts with
            w, b or θ, the lecture's names for weights and biases.
        products: whether to open each `dot` into its products and a Σ, as the lecture draws it;
            by default if the opened graph is still readable.  An opened graph has copies of the
            computed values and the original leaves.

    Attributes:
        result: where `backward` starts.
        nodes: every value, each after its inputs.
        names: the name of each node: its label, or `v` and its number; the second node labelled
            `w` is `w (v5)`, the second product of `z_1` is `z_1.2`.

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
            raise TypeError(f"result must be a Value, got {type(result).__name__} {result!r:.60}")
        self.result: Value = result
        self.nodes: list[Value] = recorded(result)
        self.names: dict[Value, str] = _names(self.nodes)
        leaves = [node for node in self.nodes if not node.inputs]
        if parameters is None:
            parameters = [leaf for leaf in leaves if re.match(r"[wbθ]|\\theta", leaf.label)]
        self.parameters: frozenset[Value] = frozenset(parameters)
        for w in self.parameters:
            if not isinstance(w, Value):
                raise TypeError(f"a parameter must be a Value, got {type(w).__name__} {w!r:.60}")
        opened = len(self.nodes) + sum(_pairs(node) for node in self.nodes)
        if products or (products is None and len(self.nodes) < opened <= MAX_READABLE_NODES):
            self._open()

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def has_gradients(self) -> bool:
        """Whether `backward` has been called on the result."""
        return self.result.grad != 0

    def kind(self, node: Value) -> str:
        """The part of `node`: "parameter", "input", "constant", "computed" or "result"."""
        if node is self.result and node.inputs:
            return "result"
        if node.inputs:
            return "computed"
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

    def evaluate(self, changed: Mapping[Value, float]) -> float:
        """The result's number if the nodes in `changed` had other numbers; changes no node.

        Raises:
            ValueError: if one of them is not a node of this graph, or a number leaves a domain.

        >>> w, x = Value(-2, "w"), Value(5, "x")
        >>> Graph(w * x + 3).evaluate({w: -1.0})
        -2.0
        """
        data = dict(changed)
        for node in data.keys() - set(self.nodes):
            raise ValueError(f"{node!r} is not a node of this graph; give one of its {len(self)}")
        for node in self.nodes:
            if node.op and node not in data and any(x in data for x in node.inputs):
                data[node] = _recompute(node.op, [data.get(x, x.data) for x in node.inputs])
        return data.get(self.result, self.result.data)

    def contribution(self, node: Value, i: int) -> float:
        """The contribution of `node` to its input `i`, local × upstream, by the engine's rule."""
        x = record(0.0, None, (), ())
        propagate([record(node.data, node.op, (x,), (node.slopes[i],), node.grad)])
        return x.grad

    def _open(self) -> None:
        """Replace each dot product by its products and a Σ, with the recorded numbers."""
        twins: dict[Value, Value] = {}
        nodes: list[Value] = []
        for node in self.nodes:
            inputs = tuple(twins[x] for x in node.inputs)
            pairs = _pairs(node)
            if not inputs:
                twin = node
            elif pairs:
                products = []
                for i in range(pairs):
                    y, x = node.slopes[i], node.slopes[i + pairs]
                    product = record(x * y, OPS["mul"], (inputs[i], inputs[i + pairs]), (y, x))
                    product.grad = node.grad
                    self.names[product] = f"{self.names[node]}.{i + 1}"
                    products.append(product)
                nodes.extend(products)
                terms = (*products, *inputs[2 * pairs :])
                twin = record(node.data, OPS["sum"], terms, (1.0,) * len(terms))
            else:
                twin = copy(node)
                twin.inputs = inputs
            twin.grad, twin.label = node.grad, node.label
            self.names[twin] = self.names[node]
            twins[node] = twin
            nodes.append(twin)
        self.nodes = nodes
        self.result = twins[self.result]


def without_gradients(result: Value) -> Value:
    """A copy of the whole graph, on which `backward` leaves the original alone."""
    with recording():
        twin = deepcopy(result)
    for node in recorded(twin):
        node.grad = 0.0
    return twin


def _recompute(op: Op, inputs: list[float]) -> float:
    """The number that `op` gives for other inputs."""
    try:
        if op.variadic:
            pairs = op.pairs(len(inputs))
            products = map(operator.mul, inputs[:pairs], inputs[pairs : 2 * pairs])
            return float(sum(products) + sum(inputs[2 * pairs :]))
        letters = dict(zip("xy", inputs))
        return float(evaluate(op.formula, letters | ({} if op.n is None else {"n": op.n})))
    except (ArithmeticError, ValueError) as error:
        return outside(op, tuple(map(Value, inputs)), error)[0]


def _names(nodes: list[Value]) -> dict[Value, str]:
    names: dict[Value, str] = {}
    taken: set[str] = set()
    for number, node in enumerate(nodes, start=1):
        name = node.label or f"v{number}"
        while name in taken:
            name = f"{name} (v{number})"
        names[node] = name
        taken.add(name)
    return names


def _pairs(node: Value) -> int:
    return node.op.pairs(len(node.inputs)) if node.op and node.op.variadic else 0
