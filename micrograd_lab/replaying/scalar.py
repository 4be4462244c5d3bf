"""A recorded loss for other numbers, node by node in the scalar engine.

A program is right where every number is finite.  Elsewhere the engine decides: whether there is an
error, which node it is at, and what comes of infinity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..calculus import apply
from ..domain import is_ieee, recording
from ..engine import Value, recorded
from ..graph import Graph


def by_samples(
    loss: Value,
    inputs: Sequence[Value],
    parameters: Mapping[Value, float],
    rows: Sequence[Sequence[float]],
    first: int = 0,
) -> tuple[float, list[float]]:
    """The mean loss over `rows`, numbered from `first`, and its gradient, by the engine.

    Raises:
        ValueError: at the first node that is outside its domain or not a number, unless within
            `ieee()`.
    """
    names = Graph(loss, products=False).names
    leaves = [Value(number, parameter.label) for parameter, number in parameters.items()]
    losses = []
    with recording():
        for sample, row in enumerate(rows, start=first):
            values: dict[Value, Value] = dict(zip(parameters, leaves))
            values |= {value: Value(x, value.label) for value, x in zip(inputs, row)}
            for node in recorded(loss):
                where = f"sample {sample}, {names[node]}" if inputs else names[node]
                if node not in values:
                    values[node] = _again(node, values, where)
                if math.isnan(values[node].data) and not is_ieee():
                    raise ValueError(f"{where}: {_reason(node, values)}")
            values[loss].backward()
            losses.append(values[loss].data)
    return sum(losses) / len(losses), [leaf.grad / len(losses) for leaf in leaves]


def _again(node: Value, values: Mapping[Value, Value], where: str) -> Value:
    """`node` computed from what its inputs are now."""
    if node.op is None:
        return Value(node.data, node.label)
    try:
        again = apply(node.op, [values[x] for x in node.inputs])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    again.label = node.label
    return again


def _reason(node: Value, values: Mapping[Value, Value]) -> str:
    if node.op is None:
        return "it is nan; replay within ieee() to go on with it"
    read = ", ".join(f"{values[x].data:g}" for x in node.inputs)
    return f"{node.op.name} of {read} is nan; replay within ieee() to go on with it"
