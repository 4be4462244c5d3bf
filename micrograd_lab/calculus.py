"""What takes several values at once: sums, dot products, the largest, and gradients as values."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

from .context import Number, recording
from .engine import Value, method, record, recorded
from .formulas import compiled
from .ops import OPS, Op
from .protocols import ready, settle

__all__ = [
    "clip", "dot", "embedding", "gradients", "logaddexp", "logsumexp", "maximum", "minimum", "take",
    "total", "where",
]  # fmt: skip

_SUM, _DOT, _TAKE = OPS["sum"], OPS["dot"], OPS["take"]


def total(values: Iterable[Number]) -> Value:
    """The sum of any number of values as one node, Σ.

    >>> total([Value(1), Value(2), 3]).data
    6.0
    """
    inputs = tuple(map(as_value, values))
    if not inputs:
        return Value(0.0)
    return record(float(sum(v._data for v in inputs)), _SUM, inputs, (1.0,) * len(inputs))


def dot(weights: Sequence[Number], inputs: Sequence[Number], bias: Number | None = None) -> Value:
    """The lecture's linear summation function Σ weightᵢ · inputᵢ + bias, as one node.

    It is a ValueError if there are not as many inputs as weights, or none.

    Source: Lecture 7, "Backpropagation in a neuron": a = w₁z₁ + w₂z₂ + w₃z₃.

    >>> dot([Value(0.15), Value(0.2)], [0.12, 0.3], 0.1)
    Value(0.178, grad=0)
    """
    if len(weights) != len(inputs) or not len(weights):
        raise ValueError(f"{len(weights)} weights but {len(inputs)} inputs; give one weight each")
    try:
        x, y = [v._data for v in weights], [v._data for v in inputs]  # type: ignore[attr-defined]
        data = sum(map(operator.mul, x, y))
        if bias is None:
            return record(data, _DOT, (*weights, *inputs), (*y, *x))
        data += bias._data  # type: ignore[attr-defined]
        return record(data, _DOT, (*weights, *inputs, bias), (*y, *x, 1.0))
    except (AttributeError, TypeError):  # some are numbers
        lifted = None if bias is None else as_value(bias)
        return dot([*map(as_value, weights)], [*map(as_value, inputs)], lifted)


def maximum(*values: Number) -> Value:
    """The largest of two or more values, joined by pairs; at a tie each of a pair gets half.

    Unlike Python's ``max`` it records no choice: with other numbers another may be the largest.
    Fewer than two values are a ValueError.

    >>> a, b = Value(2, "a"), Value(2, "b")
    >>> maximum(a, b).backward()
    >>> a.grad, b.grad
    (0.5, 0.5)
    """
    return _by_pairs("maximum", OPS["maximum"], values, fewest=2)


def minimum(*values: Number) -> Value:
    """The smallest of two or more values, as `maximum` is the largest.

    >>> minimum(Value(2), Value(-1), 5)
    Value(-1, grad=0)
    """
    return _by_pairs("minimum", OPS["minimum"], values, fewest=2)


def clip(x: Number, low: Number, high: Number) -> Value:
    """`x` between two bounds: the least of `high` and the larger of `x` and `low`.

    Within and at the bounds the gradient is that of `x`, outside of them the bound's.

    >>> x = Value(7, "x")
    >>> clip(x, 0, 5), clip(x, 0, 10)
    (Value(5, grad=0), Value(7, grad=0))
    """
    return method(OPS["clip"])(x, low, high)


def where(c: Number, a: Number, b: Number) -> Value:
    """`a` where `c` is above 0, else `b`; the other one gets no gradient, and neither does `c`.

    Both have been computed.  Unlike Python's ``if`` it records no choice.

    >>> x = Value(-3, "x")
    >>> where(x, x**2, 10 * x)
    Value(-30, grad=0)
    """
    return method(OPS["where"])(c, a, b)


def logaddexp(a: Number, b: Number) -> Value:
    """ln(exp(a) + exp(b)), the smooth maximum of two values; no exponential overflows.

    >>> logaddexp(Value(1000), 1000)
    Value(1000.69, grad=0)
    """
    return logsumexp((a, b))


def logsumexp(values: Sequence[Number]) -> Value:
    """ln Σ exp(value), the smooth maximum of at least one value; no exponential overflows.

    >>> logsumexp([Value(1000), Value(1000)])
    Value(1000.69, grad=0)
    """
    return _by_pairs("logsumexp", OPS["logaddexp"], values, fewest=1)


def take(values: Sequence[Number], index: Number) -> Value:
    """The one of `values` whose number is `index`, counted from 0, as one node.

    Unlike ``values[3]`` it records all of them, so that a replay may take another for each sample.

    >>> a, b, i = Value(5, "a"), Value(7, "b"), Value(1, "i")
    >>> take([a, b], i).backward()
    >>> a.grad, b.grad, i.grad
    (0.0, 1.0, 0.0)
    """
    inputs = (*map(as_value, (index, *values)),)
    at, name, last = inputs[0]._data, inputs[0].label, len(values) - 1
    if last < 0:
        raise ValueError("take of 0 values; give at least 1")
    if not (at.is_integer() and 0 <= at <= last):
        raise ValueError(
            f"the index{name and f' {name}'} is {at:.15g}; give a whole number from 0 to {last}"
        )
    slopes = [0.0] * len(inputs)
    slopes[1 + int(at)] = 1.0
    return record(inputs[1 + int(at)]._data, _TAKE, inputs, tuple(slopes))


def embedding(rows: Sequence[Sequence[Number]], index: Number) -> list[Value]:
    """The row of a table, such as that of a letter, with the number `index`: a value per column.

    It is a ValueError if the index is no row's, or the rows differ in length.

    >>> rows = [[Value(0.5), Value(-1)], [Value(0.25), Value(2)]]
    >>> [v.data for v in embedding(rows, Value(1, "letter"))]
    [0.25, 2.0]
    """
    if len(lengths := {*map(len, rows)}) > 1:
        raise ValueError(f"rows of {min(lengths)} and {max(lengths)} values; give as many in each")
    index = as_value(index)
    return [take(column, index) for column in zip(*rows)]


def apply(op: Op, inputs: Sequence[Value]) -> Value:
    """What `op` computes from other inputs, recorded."""
    if not op.variadic:
        return method(op)(*inputs)
    if op is _TAKE:
        return take(inputs[1:], inputs[0])
    if not (pairs := op.pairs(len(inputs))):
        return total(inputs)
    return dot(inputs[:pairs], inputs[pairs : 2 * pairs], *inputs[2 * pairs :])


def gradients(result: Value, wrt: Sequence[Value]) -> list[Value]:
    """∂(result)/∂(each of `wrt`) as values, which can be differentiated again.

    The chain rule of `propagate`, on values instead of numbers; no `grad` changes.

    >>> x = Value(2.0)
    >>> (slope,) = gradients(x**3, [x])
    >>> (curvature,) = gradients(slope, [x])
    >>> slope.data, curvature.data
    (12.0, 12.0)
    """
    order = recorded(result)
    settle(order)
    depends = set(map(as_value, wrt))
    depends.update(node for node in order if not depends.isdisjoint(node.inputs))
    upstream = {result: Value(1.0)}
    with recording():
        for node in reversed(order):
            if node.op is None or node not in upstream or depends.isdisjoint(node.inputs):
                continue
            ready((node,))
            for i, x in enumerate(node.inputs):
                if x in depends and (node.slopes[i] or not node.op.gate or node.op is _TAKE):
                    slope = _slope(node, node.op, i)
                    share = upstream[node] if slope == 1 else slope * upstream[node]
                    upstream[x] = upstream[x] + share if x in upstream else share
    return [upstream[value] if value in upstream else Value(0.0) for value in wrt]


def _slope(node: Value, op: Op, i: int) -> Any:
    """∂(node)/∂(input i) by its formula, or as a value that has no slopes where that has none."""
    if op is _TAKE and i:  # with another index, another slope is 1
        return take([float(i == k) for k in range(1, len(node.inputs))], node.inputs[0])
    try:
        partial, letters = op.partial(i, node.inputs)
        return eval(compiled(partial), _ON_VALUES, letters | {"f": node, "n": op.n})
    except (NameError, ValueError):
        return Value(node.slopes[i], node.inputs, f"∂{op.name}/∂{'xyz'[i] if i < 3 else i}")


def _by_pairs(name: str, op: Op, numbers: Sequence[Number], *, fewest: int) -> Value:
    """`numbers` joined by pairs of neighbours, then pairs of pairs: as deep as log₂ of them."""
    pair, values = method(op), [*map(as_value, numbers)]
    if len(values) < fewest:
        raise ValueError(f"{name} of {len(values)} values; give at least {fewest}")
    while len(values) > 1:
        odd = values[len(values) - len(values) % 2 :]
        values = [*map(pair, values[::2], values[1::2]), *odd]
    return values[0]


def as_value(number: Number) -> Value:
    """`number` itself if it is a value, else a leaf that holds it."""
    return number if isinstance(number, Value) else Value(number)


_ON_VALUES: dict[str, Any] = {
    op.name: lambda x, op=op: method(op)(as_value(x)) for op in OPS.values() if op.unary
} | {"pow": lambda x, y: as_value(x) ** y, "max": maximum}
