"""A recorded loss for other numbers, node by node in the scalar engine.

A program is right where every number is finite.  Elsewhere the engine decides: whether there is an
error, which node it is at, and what comes of infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from ..calculus import dot, total
from ..domain import is_ieee
from ..engine import Value, method, recorded
from ..graph import Graph
from ..ops import OPS, Op


def by_samples(
    loss: Value,
    inputs: Sequence[Value],
    parameters: Mapping[Value, float],
    rows: Sequence[Sequence[float]],
) -> tuple[float, list[float]]:
    """The mean loss over `rows` and its gradient by the `parameters`, as the engine computes them.

    Raises:
        ValueError: at the first node that is outside its domain or not a number, unless within
            `ieee()`.
    """
    names = Graph(loss, products=False).names
    leaves = [Value(number, parameter.label) for parameter, number in parameters.items()]
    losses = []
    for sample, row in enumerate(rows):
        made: dict[Value, Value] = dict(zip(parameters, leaves))
        made |= {value: Value(x, value.label) for value, x in zip(inputs, row)}
        for node in recorded(loss):
            where = f"sample {sample}, {names[node]}" if inputs else names[node]
            if node not in made:
                made[node] = _again(node, made, where)
            if math.isnan(made[node].data) and not is_ieee():
                raise ValueError(f"{where}: {_reason(node, made)}")
        made[loss].backward()
        losses.append(made[loss].data)
    return sum(losses) / len(losses), [leaf.grad / len(losses) for leaf in leaves]


def _again(node: Value, made: Mapping[Value, Value], where: str) -> Value:
    """`node` computed from what its inputs are now."""
    if node.op is None:
        return Value(node.data, node.label)
    try:
        again = _function(node.op)(*[made[x] for x in node.inputs])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    again.label = node.label
    return again


@cache
def _function(op: Op) -> Callable[..., Value]:
    if op is OPS["dot"]:
        return _dot
    return (lambda *inputs: total(inputs)) if op.variadic else method(op)


def _dot(*inputs: Value) -> Value:
    pairs = OPS["dot"].pairs(len(inputs))
    return dot(inputs[:pairs], inputs[pairs : 2 * pairs], *inputs[2 * pairs :])


def _reason(node: Value, made: Mapping[Value, Value]) -> str:
    if node.op is None:
        return "it is nan; replay within ieee() to go on with it"
    read = ", ".join(f"{made[x].data:g}" for x in node.inputs)
    return f"{node.op.name} of {read} is nan; replay within ieee() to go on with it"
