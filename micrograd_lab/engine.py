"""A number that remembers how it was computed, and the chain rule.

Every operation on a `Value` makes a new one and writes down three things: the row of the table,
the inputs, and one slope per input, the local derivative ∂(this)/∂(input).  That is the graph of
the computation.  `backward` walks it from result to leaves and does one thing at every edge:

    input.grad += slope * upstream

The operations are rows of the table in ``ops.py``; read that file first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import cache, partial
from itertools import count
from typing import TYPE_CHECKING, Any

from .context import Number, aside, detached, outside, read, real, set_aside, warn_of_readings
from .formulas import compiled_rule
from .ops import OPS, Op, row
from .protocols import Spellings, copying, kind_of, node_of, operators, own_backward, ready

if TYPE_CHECKING:
    from .methods import Methods  # for editors: what the loop at the end of this file adds
else:
    Methods = object

_next_serial = count().__next__


class Value(Spellings, Methods):
    """A number in a computation; every row of the table is one of its operators or methods.

    Args:
        data: any real number: int, float, bool, Fraction, Decimal or a NumPy scalar.
        children: a label; or for a node of your own the values that it is computed from.
        how: for a node of your own its slopes, or a name: then assign `_backward`.
        label: a name for drawings and messages; `w_{1,1}^{(1)}` is typeset.

    >>> w, x, b = Value(-2, "w"), Value(5, "x"), Value(3, "b")
    >>> f = w * x + b
    >>> f.backward()
    >>> f.data, w.grad, x.grad, b.grad
    (-7.0, 5.0, -2.0, 1.0)

    Attributes:
        data: the number; what is assigned becomes a float.
        grad: ∂(result)/∂(this) after `backward` was called on the result, 0 before.
        op: the row of the table that computed it; None for a leaf.
        inputs: the values the operation was applied to, in order; `a * a` has two.
        slopes: ∂(this)/∂(input), one number per input, fixed when the value is computed.
        serial: grows from value to value; an input is older than what is computed from it.
    """

    __slots__ = ("_data", "aside", "grad", "inputs", "label", "op", "serial", "slopes")

    def __init__(
        self, data: Number, children: Any = "", how: Any = None, label: str = "", **named: Any
    ) -> None:
        self._data: float = data if type(data) is float else real(data)
        self.grad: float = 0.0
        self.op: Op | None = None
        self.inputs: tuple[Value, ...] = ()
        self.slopes: tuple[float, ...] = ()
        self.label: str = label or children
        if how is not None or named or not type(children) is type(label) is str:
            self.label, self.op, self.inputs, self.slopes = node_of(children, how, label, **named)
        self.serial: int = _next_serial()

    def __init_subclass__(cls) -> None:
        global _plain
        _plain = False  # from now on `record` looks at the classes of its inputs

    @property
    def data(self) -> float:
        """The number; another may be assigned, and what was recorded before stays as it is."""
        return self._data

    @data.setter
    def data(self, data: Number) -> None:
        number = real(data)
        if number != self._data:
            set_aside(self, moved=_next_serial())
        self._data = number

    def backward(self, gradient: float = 1.0) -> None:
        """Fill `grad` of every value that this one was computed from, times `gradient`.

        Leaves add to what they have, so that several results can be summed; everything between
        is computed afresh.  Elsewhere `grad` is called the adjoint, and the record the tape.
        """
        computed = [self] if self.inputs else []
        reached = {self}
        for node in computed:  # which grows as it goes
            for x in node.inputs:
                if x.inputs and x not in reached:
                    x.grad = 0.0
                    reached.add(x)
                    computed.append(x)
        computed.sort(key=_serial, reverse=True)
        ready(computed)
        warn_of_readings(computed)
        gradient = real(gradient)
        self.grad = gradient if self.inputs else self.grad + gradient
        propagate(computed)

    def detach(self) -> Value:
        """A leaf with the same number and label: no gradient flows through it."""
        return detached(self, Value(self.data, self.label))  # type: ignore[no-any-return]

    def __float__(self) -> float:
        read(self, _next_serial())
        return self._data


@cache
def method(op: Op) -> Callable[..., Value]:
    """What a row of one to three inputs does to values: compute, differentiate, write down.

    >>> f = method(OPS["mul"])(Value(2, "x"), Value(5, "y"))
    >>> f.data, f.op.name, [x.label for x in f.inputs], f.slopes
    (10.0, 'mul', ['x', 'y'], (5.0, 2.0))
    """
    # of mul it is: lambda op, inputs, x, y: record(x * y, op, inputs, (y, x))
    compute: Callable[..., Value] = compiled_rule(op, record)

    def one_input(self: Value) -> Value:
        try:
            return compute(op, (self,), self._data)
        except (ArithmeticError, ValueError) as error:
            return record(*outside(op, (self,), error))

    def one_input_and_a_number(self: Value, n: Number = op.n or 0.0) -> Value:
        with_n = row(op, n := real(n))
        try:
            return compute(with_n, (self,), self._data, n)
        except (ArithmeticError, ValueError) as error:
            return record(*outside(with_n, (self,), error))

    def two_inputs(self: Value, other: Any) -> Value:
        if type(other) is not Value and (other := _operand(other)) is None:
            return NotImplemented  # type: ignore[no-any-return]
        try:
            return compute(op, (self, other), self._data, other._data)
        except (ArithmeticError, ValueError) as error:
            return record(*outside(op, (self, other), error))

    def three_inputs(self: Number, y: Number, z: Number) -> Value:
        inputs = tuple(x if isinstance(x, Value) else Value(x) for x in (self, y, z))
        try:
            return compute(op, inputs, *(x._data for x in inputs))
        except (ArithmeticError, ValueError) as error:
            return record(*outside(op, inputs, error))

    recorder: Any = two_inputs if len(op.partials) == 2 else three_inputs
    if op.unary:
        recorder = one_input if op.n is None else one_input_and_a_number
    recorder.__name__, recorder.__qualname__ = op.name, f"Value.{op.name}"
    recorder.__code__ = recorder.__code__.replace(co_name=op.name)  # tracebacks and profilers
    recorder.__doc__ = f"{op.shown[0]}, with ∂/∂x = {' and ∂/∂y = '.join(op.shown[1:])}."
    return recorder  # type: ignore[no-any-return]


def record(
    data: float, op: Op | None, inputs: Any, slopes: Any, grad: float = 0.0, label: str = ""
) -> Value:
    """The value that `op` computed from `inputs`: this is how a graph comes about."""
    node = _blank() if _plain else object.__new__(kind_of(inputs) or Value)
    node._data = data
    node.grad = grad
    node.op = op
    node.inputs = inputs
    node.slopes = slopes
    node.label = label
    node.serial = _next_serial()
    return node


def recorded(result: Value) -> list[Value]:
    """`result` and every value it depends on, in the order they were computed."""
    order = [result]
    reached = {result}
    for node in order:  # which grows as it goes
        for x in node.inputs:
            if x not in reached:
                reached.add(x)
                order.append(x)
    order.sort(key=_serial)
    return order


def propagate(nodes: Iterable[Value]) -> None:
    """Hand the gradient of each node on to its inputs, in the order given: the chain rule."""
    for node in nodes:
        upstream, slopes = node.grad, node.slopes
        if len(slopes) == 2 and not node.op.gate:  # type: ignore[union-attr]
            x, y = node.inputs  # written out: for two edges, zip costs as much as the rest
            dx, dy = slopes
            x.grad += dx * upstream
            y.grad += dy * upstream
            continue
        if not slopes:
            aside(node).get("backward", list)()  # the program's own; a leaf has none
        for x, slope in zip(node.inputs, slopes):
            # a shut gate, a dead relu, stops even an infinite gradient
            x.grad += slope * upstream if slope or not node.op.gate else 0.0  # type: ignore[union-attr]


def _operand(other: Any) -> Value | None:
    """`other` as a value, or None if Python should ask the other operand instead."""
    try:
        if isinstance(other, Value):
            return other
        return record(other if type(other) is float else real(other), None, (), ())
    except TypeError:
        return None


_plain = True  # there is no subclass
_serial, _blank = operator.attrgetter("serial"), partial(object.__new__, Value)
Value.__copy__, Value.__reduce__ = copying(record)  # type: ignore[method-assign]
Value._backward = own_backward(propagate)  # type: ignore[method-assign, assignment]
for _op in OPS.values():
    if _op.unary:
        setattr(Value, _op.name, method(_op))
for _name, _function in operators(Value, method, _operand).items():
    setattr(Value, _name, _function)
