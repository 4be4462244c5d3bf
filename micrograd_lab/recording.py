"""How an operation is recorded: a row of the table becomes a method of `Value`.

The methods are written out as source and compiled once, at import.  A generic method that looked
the row up at every call would take twice as long; and this way a traceback, a profiler and
``help(Value.tanh)`` know each operation by its name.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from numbers import Real
from typing import TYPE_CHECKING, Any, SupportsFloat, TypeAlias

from .formulas import evaluate, functions_of, in_floats
from .ops import OPS, Op, row

if TYPE_CHECKING:
    from .engine import Value

Number: TypeAlias = "SupportsFloat | Value"

_IEEE = ContextVar("ieee", default=False)
_ALSO_REAL = {("decimal", "Decimal"), ("numpy", "bool"), ("numpy", "bool_")}

_METHOD = """
def bind(op):
    def method({arguments}):
        {prepare}
        x = self.data
        try:
            f = {formula}
            locals = ({partials},)
        except (ArithmeticError, ValueError) as error:
            f, locals = outside(op, {inputs}, error)
        node = new(Value)
        node.data = f
        node.grad = 0.0
        node.op = op
        node.inputs = {inputs}
        node.locals = locals
        node.label = ""
        node.serial = next_serial()
        return node
    return method
"""
_OTHER = """if type(other) is not Value:
            other = operand(other)
            if other is None:
                return NotImplemented
        y = other.data"""

next_serial = count().__next__


def method(op: Op) -> Callable[..., Value]:
    """The method that a row of one or two inputs becomes."""
    binary = len(op.partials) == 2
    source = _METHOD.format(
        arguments="self, other" if binary else "self" if op.n is None else f"self, n={op.n}",
        prepare=_OTHER
        if binary
        else ""
        if op.n is None
        else f"op = row({op.name!r}, n := real(n))",
        formula=in_floats(op.formula),
        partials=", ".join(map(in_floats, op.partials)),
        inputs="(self, other)" if binary else "(self,)",
    )
    exec(source, _scope)  # our own text, from our own table
    made: Callable[..., Value] = _scope["bind"](op)
    # not in the source: a function called exp would hide math.exp
    made.__name__, made.__qualname__ = op.name, f"Value.{op.name}"
    made.__code__ = made.__code__.replace(co_name=op.name)
    made.__doc__ = f"{op.shown[0]}; local derivatives {', '.join(op.shown[1:])}."
    return made


def operators(op: Op) -> tuple[Callable[[Any, Number], Value], Callable[[Any, Number], Value]]:
    """`value ∘ other`, and `other ∘ value` for an `other` that is not a value."""
    forward = method(op)

    def reflected(self: Value, other: Number) -> Value:
        return NotImplemented if (x := operand(other)) is None else forward(x, self)

    return forward, reflected


def comparison(compare: Callable[[float, float], bool]) -> Callable[[Any, Number], bool]:
    """A comparison by number; equality and hash stay by identity."""

    def compared(self: Value, other: Number) -> bool:
        return NotImplemented if (y := operand(other)) is None else compare(self.data, y.data)

    return compared


def operand(other: Any) -> Value | None:
    """`other` as a value, or None if Python should ask the other operand instead."""
    value_class: type[Value] = _scope["Value"]
    try:
        return other if isinstance(other, value_class) else value_class(other)
    except TypeError:
        return None


def real(data: Any) -> float:
    """`data` as a float, if it is one real number."""
    kind = type(data)
    if kind is float or kind is int or isinstance(data, Real):
        return float(data)
    if (kind.__module__, kind.__name__) in _ALSO_REAL:
        return float(data)
    raise TypeError(f"a value holds one real number, not {kind.__name__} {data!r:.60}")


@contextmanager
def ieee() -> Iterator[None]:
    """Inside, an operation outside its domain gives infinity or NaN, as IEEE 754 and torch do.

    >>> from micrograd_lab import Value
    >>> with ieee():
    ...     Value(0).log()
    Value(-inf, grad=0)
    """
    token = _IEEE.set(True)
    try:
        yield
    finally:
        _IEEE.reset(token)


def is_ieee() -> bool:
    """Whether we are within `ieee()`."""
    return _IEEE.get()


def outside(op: Op, inputs: tuple[Value, ...], error: Exception) -> tuple[float, tuple[float, ...]]:
    """f and the local derivatives where Python's floats give up: IEEE's answer, or an error."""
    letters: dict[str, Any] = dict(zip("xy", inputs))
    if op.n is not None:
        letters["n"] = op.n
    at = {letter: float(value) for letter, value in letters.items()}
    if is_ieee() or not all(map(math.isfinite, at.values())):
        at["f"] = _by_ieee(op.formula, at)
        return at["f"], tuple(_by_ieee(partial, at) for partial in op.partials)
    happened = "overflows" if isinstance(error, OverflowError) else "is undefined"
    needs = "a result and slopes below 1.8e308" if evaluate(op.domain or "1", at) else op.domain
    where = ", ".join(f"{letter} = {value!r}" for letter, value in letters.items())
    raise ValueError(f"{op.name} {happened} at {where}; it needs {needs}") from None


def _by_ieee(formula: str, at: dict[str, float]) -> float:
    """The number that IEEE 754 gives, also where Python raises."""
    try:
        return float(evaluate(formula, at))
    except (ArithmeticError, ValueError):
        import numpy as np

        with np.errstate(all="ignore"):
            numbers = {letter: np.float64(number) for letter, number in at.items()}
            return float(evaluate(formula, numbers, np))


_scope: dict[str, Any] = functions_of(math) | {
    "row": row,
    "new": object.__new__,
    "next_serial": next_serial,
    "operand": operand,
    "outside": outside,
    "real": real,
}


class Arithmetic:
    """What one can do with a value: every row of one or two inputs, as an operator or a method."""

    __slots__ = ()
    __array_ufunc__ = None  # a NumPy scalar on the left leaves the operation to us

    __add__, _radd = operators(OPS["add"])
    __sub__, __rsub__ = operators(OPS["sub"])
    __mul__, __rmul__ = operators(OPS["mul"])
    __truediv__, __rtruediv__ = operators(OPS["div"])
    _pow, __rpow__ = operators(OPS["pow"])
    __neg__, __abs__ = method(OPS["neg"]), method(OPS["abs"])
    __lt__, __le__ = comparison(operator.lt), comparison(operator.le)
    __gt__, __ge__ = comparison(operator.gt), comparison(operator.ge)

    def __radd__(self, other: Number) -> Value:
        if type(other) is int and other == 0:  # where the sum() of some values starts
            return self  # type: ignore[return-value]
        return self._radd(other)

    def __pow__(self, exponent: Number) -> Value:
        if isinstance(exponent, Arithmetic):
            return self._pow(exponent)
        try:
            return self.pow_scalar(exponent)
        except TypeError:
            return NotImplemented

    def __float__(self) -> float:
        return self.data  # type: ignore[return-value]

    def __pos__(self) -> Arithmetic:
        return self

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else repr(self)

    if TYPE_CHECKING:  # every row of one input is a method: sigmoid(), leaky_relu(0.01), ...

        def __getattr__(self, name: str) -> Callable[..., Value]: ...


for _op in OPS.values():
    if len(_op.partials) == 1 and not _op.variadic:
        setattr(Arithmetic, _op.name, method(_op))


def serve(value_class: type[Value]) -> None:
    """Tell the methods which class to make instances of."""
    _scope["Value"] = value_class
