"""A small GPT in scalars, for any kind of value that has + * ** exp log and relu.

The sizes are those of Andrej Karpathy's microgpt (2026): 4,192 parameters; RMS norms without
weights, causal attention with 4 heads, an MLP with ReLU, one layer.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

VOCABULARY, WIDTH, HEADS, CONTEXT = 27, 16, 4, 16
SHAPES = {
    "token": (VOCABULARY, WIDTH),
    "place": (CONTEXT, WIDTH),
    "query": (WIDTH, WIDTH),
    "key": (WIDTH, WIDTH),
    "value": (WIDTH, WIDTH),
    "out": (WIDTH, WIDTH),
    "up": (4 * WIDTH, WIDTH),
    "down": (WIDTH, 4 * WIDTH),
    "head": (VOCABULARY, WIDTH),
}
WORD = [0, 5, 13, 13, 1, 0]  # ".emma.", as letters counted from a = 1


class ChildrenAndSlopes:
    """A value in forty lines, of the kind that microgpt has: each operation written out."""

    __slots__ = ("children", "data", "grad", "slopes")

    def __init__(self, data: float, children: tuple = (), slopes: tuple = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.children = children
        self.slopes = slopes

    def __add__(self, other: Any) -> ChildrenAndSlopes:
        other = other if isinstance(other, ChildrenAndSlopes) else ChildrenAndSlopes(other)
        return ChildrenAndSlopes(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Any) -> ChildrenAndSlopes:
        other = other if isinstance(other, ChildrenAndSlopes) else ChildrenAndSlopes(other)
        return ChildrenAndSlopes(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, n: float) -> ChildrenAndSlopes:
        return ChildrenAndSlopes(self.data**n, (self,), (n * self.data ** (n - 1),))

    def log(self) -> ChildrenAndSlopes:
        return ChildrenAndSlopes(math.log(self.data), (self,), (1 / self.data,))

    def exp(self) -> ChildrenAndSlopes:
        f = math.exp(self.data)
        return ChildrenAndSlopes(f, (self,), (f,))

    def relu(self) -> ChildrenAndSlopes:
        return ChildrenAndSlopes(max(0.0, self.data), (self,), (float(self.data > 0),))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> ChildrenAndSlopes:
        return self * -1

    def __sub__(self, other: Any) -> ChildrenAndSlopes:
        return self + (-other)

    def __truediv__(self, other: Any) -> ChildrenAndSlopes:
        return self * other**-1

    def backward(self) -> None:
        order, reached = [], set()

        def visit(node: ChildrenAndSlopes) -> None:
            if node not in reached:
                reached.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for child, slope in zip(node.children, node.slopes):
                child.grad += slope * node.grad


def parameters(value: Callable[[float], Any]) -> dict[str, list[list[Any]]]:
    """Matrices of values, a row for each output."""
    drawn = random.Random(42)
    return {
        name: [[value(drawn.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
        for name, (rows, columns) in SHAPES.items()
    }


def loss(p: dict[str, list[list[Any]]], word: list[int]) -> Any:
    """The mean cross entropy of each next letter of `word`."""
    keys: list[list[Any]] = []
    values: list[list[Any]] = []
    losses = []
    for place, (letter, following) in enumerate(pairwise(word)):
        x = normed([a + b for a, b in zip(p["token"][letter], p["place"][place])])
        query, key, value = (product(p[name], normed(x)) for name in ("query", "key", "value"))
        keys.append(key)
        values.append(value)
        x = added(x, product(p["out"], attention(query, keys, values)))
        hidden = [h.relu() for h in product(p["up"], normed(x))]
        x = added(x, product(p["down"], hidden))
        losses.append(-softmax(product(p["head"], x))[following].log())
    return sum(losses[1:], losses[0]) * (1 / len(losses))


def attention(query: list[Any], keys: list[list[Any]], values: list[list[Any]]) -> list[Any]:
    """What each head reads of the values so far, head beside head."""
    size, read = WIDTH // HEADS, []
    for start in range(0, WIDTH, size):
        head = slice(start, start + size)
        scores = [inner(query[head], key[head]) * size**-0.5 for key in keys]
        weights = softmax(scores)
        read += [inner(weights, [v[i] for v in values]) for i in range(start, start + size)]
    return read


def product(matrix: list[list[Any]], x: list[Any]) -> list[Any]:
    return [inner(row, x) for row in matrix]


def inner(a: list[Any], b: list[Any]) -> Any:
    first, *rest = (x * y for x, y in zip(a, b))
    return sum(rest, first)


def added(a: list[Any], b: list[Any]) -> list[Any]:
    return [x + y for x, y in zip(a, b)]


def normed(x: list[Any]) -> list[Any]:
    """x over its root mean square."""
    scale = (inner(x, x) * (1 / len(x)) + 1e-5) ** -0.5
    return [a * scale for a in x]


def softmax(scores: list[Any]) -> list[Any]:
    largest = max(score.data for score in scores)
    powers = [(score - largest).exp() for score in scores]
    whole = sum(powers[1:], powers[0])
    return [power / whole for power in powers]
