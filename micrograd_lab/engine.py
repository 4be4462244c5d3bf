"""A number that remembers how it was made, and the chain rule.

Every operation on a `Value` makes a new one and writes down three things: which operation it was,
which values went in, and the local derivative for each of them.  That record is the computational
graph.  `backward` walks it from the result to the leaves and does one thing at every edge:

    input.grad += local * upstream

The operations are rows of the table in ``ops.py``; read that file first.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, SupportsFloat

from .formulas import compiled
from .ops import OPS, Op
from .recording import Arithmetic, Number, ieee, next_serial, real, serve

__all__ = ["Value", "dot", "gradients", "ieee", "propagate", "record", "recorded", "total"]


class Value(Arithmetic):
    """A number in a computation; `Arithmetic` gives it the operators and functions.

    Args:
        data: any real number: int, float, bool, Fraction, Decimal or a NumPy scalar.
        label: a name for drawings and messages; `w_{1,1}^{(1)}` is typeset.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> f = w * x + b
    >>> f.backward()
    >>> f.data, w.grad, x.grad, b.grad
    (-7.0, 5.0, -2.0, 1.0)

    Attributes:
        data: the number.
        grad: ∂(result)/∂(this) after `backward` was called on the result, 0 before.
        op: the row of the table that made it; None for a leaf.
        inputs: the values the operation was applied to, in order; `a * a` has two.
        locals: ∂(this)/∂(input), one number per input, fixed when the value is made.
        serial: grows from value to value; an input is made before what is computed from it.
    """

    __slots__ = ("data", "grad", "inputs", "label", "locals", "op", "serial")

    def __init__(self, data: SupportsFloat, label: str = "") -> None:
        if not isinstance(label, str):
            raise TypeError(f"a label is text, not {type(label).__name__} {label!r:.60}")
        self.data = data if type(data) is float else real(data)
        self.grad = 0.0
        self.op: Op | None = None
        self.inputs: tuple[Value, ...] = ()
        self.locals: tuple[float, ...] = ()
        self.label = label
        self.serial = next_serial()

    def backward(self) -> None:
        """Fill `grad` of every value that this one was computed from.

        Leaves add to what they have, so that several results can be summed; everything between
        is computed afresh.  Elsewhere `grad` is called the adjoint, and the record the tape.
        """
        zero = _Zero()  # this pass's own: a computed value that holds it has been reached
        computed = [self] if self.inputs else []
        for node in computed:  # which grows as it goes
            for input in node.inputs:
                if input.inputs and input.grad is not zero:
                    input.grad = zero
                    computed.append(input)
        computed.sort(key=_serial, reverse=True)
        self.grad = 1.0 if self.inputs else self.grad + 1.0
        propagate(computed)

    def detach(self) -> Value:
        """A leaf with the same number and label: no gradient flows through it."""
        return Value(self.data, self.label)

    def __repr__(self) -> str:
        label = f"{self.label}: " if self.label else ""
        return f"Value({label}{self.data:.6g}, grad={self.grad:.6g})"

    def __copy__(self) -> Value:
        return record(self.data, self.op, self.inputs, self.locals, self.grad, self.label)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in recorded(self):
            if id(node) not in memo:
                memo[id(node)] = made = node.__copy__()
                made.inputs = tuple(memo[id(input)] for input in node.inputs)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.inputs:
            return record, (self.data, self.op, (), self.locals, self.grad, self.label)
        at = {node: i for i, node in enumerate(recorded(self))}
        bare = [record(v.data, v.op, (), v.locals, v.grad, v.label) if v.inputs else v for v in at]
        return _joined, (bare, [[at[input] for input in v.inputs] for v in at])


class _Zero(float):
    """0.0, but each one a thing of its own."""


_serial = operator.attrgetter("serial")


def recorded(result: Value) -> list[Value]:
    """`result` and every value it depends on, in the order they were made."""
    order = [result]
    reached = {result}
    for node in order:  # which grows as it goes
        for input in node.inputs:
            if input not in reached:
                reached.add(input)
                order.append(input)
    order.sort(key=_serial)
    return order


def propagate(nodes: Iterable[Value]) -> None:
    """Hand the gradient of each node on to its inputs, in the order given: the chain rule."""
    for node in nodes:
        upstream, locals = node.grad, node.locals
        if len(locals) == 2:  # written out: for two edges, zip costs as much as the rest
            x, y = node.inputs
            dx, dy = locals
            x.grad += dx * upstream
            y.grad += dy * upstream
            continue
        for input, local in zip(node.inputs, locals):
            # a shut gate, a dead relu, stops even an infinite gradient
            input.grad += local * upstream if local or not node.op.gate else 0.0  # type: ignore[union-attr]


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
    depends = set(map(_value, wrt))
    depends.update(node for node in order if not depends.isdisjoint(node.inputs))
    upstream = {result: Value(1.0)}
    for node in reversed(order):
        if node.op is None or node not in upstream:
            continue
        for i, input in enumerate(node.inputs):
            if input in depends and (node.locals[i] or not node.op.gate):
                partial, letters = node.op.partial(i, node.inputs)
                local = eval(compiled(partial), _ON_VALUES, letters | {"f": node, "n": node.op.n})
                share = upstream[node] if local == 1 else local * upstream[node]
                upstream[input] = upstream[input] + share if input in upstream else share
    return [upstream[value] if value in upstream else Value(0.0) for value in wrt]


def total(values: Iterable[Number]) -> Value:
    """The sum of any number of values as one node, Σ.

    >>> total([Value(1), Value(2), 3]).data
    6.0
    """
    inputs = tuple(_value(number) for number in values)
    if not inputs:
        return Value(0.0)
    return record(float(sum(v.data for v in inputs)), OPS["sum"], inputs, (1.0,) * len(inputs))


def dot(weights: Sequence[Number], inputs: Sequence[Number], bias: Number | None = None) -> Value:
    """The lecture's linear summation function Σ weightᵢ · inputᵢ + bias, as one node.

    Raises:
        ValueError: if there are not as many inputs as weights, or none.

    Source:
        Lecture 7, "Backpropagation in a neuron": a = w₁z₁ + w₂z₂ + w₃z₃.

    >>> dot([Value(0.15), Value(0.2)], [0.12, 0.3], 0.1)
    Value(0.178, grad=0)
    """
    if len(weights) != len(inputs) or not len(weights):
        raise ValueError(f"{len(weights)} weights but {len(inputs)} inputs; give one weight each")
    try:
        x, y = [v.data for v in weights], [v.data for v in inputs]  # type: ignore[union-attr]
        data = sum(map(operator.mul, x, y))
        if bias is None:
            return record(data, _DOT, (*weights, *inputs), (*y, *x))
        data += bias.data  # type: ignore[attr-defined]
        return record(data, _DOT, (*weights, *inputs, bias), (*y, *x, 1.0))
    except (AttributeError, TypeError):  # some are numbers
        lifted = None if bias is None else _value(bias)
        return dot([*map(_value, weights)], [*map(_value, inputs)], lifted)


def _value(number: Number) -> Value:
    """`number` itself if it is a value, else a leaf that holds it."""
    return number if isinstance(number, Value) else Value(number)


def record(
    data: float, op: Op | None, inputs: Any, locals: Any, grad: float = 0.0, label: str = ""
) -> Value:
    """A value that `op` made."""
    node = object.__new__(Value)
    node.data = data
    node.grad = grad
    node.op = op
    node.inputs = inputs
    node.locals = locals
    node.label = label
    node.serial = next_serial()
    return node


def _joined(nodes: list[Value], positions: list[list[int]]) -> Value:
    """The last of `nodes`, after each computed one got back its inputs."""
    for node, inputs in zip(nodes, positions):
        if inputs:
            node.inputs = tuple(nodes[i] for i in inputs)
    return nodes[-1]


_DOT = OPS["dot"]
serve(Value)
_ON_VALUES = {name: getattr(Value, name) for name in OPS if hasattr(Value, name)} | {"pow": pow}
