"""Python's operators and NumPy's functions of values: each is a row of the table."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from .guards import comparison
from .ops import OPS, Op

_SIGNS = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div"}
_UFUNCS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "power": operator.pow, "negative": operator.neg,
    "positive": operator.pos, "absolute": operator.abs, "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x, "greater": operator.gt, "greater_equal": operator.ge,
    "less": operator.lt, "less_equal": operator.le, "equal": operator.eq, "not_equal": operator.ne,
}  # fmt: skip


def operators(
    value: type, method: Callable[[Op], Callable[..., Any]], operand: Callable[[Any], Any]
) -> dict[str, Callable[..., Any]]:
    """What Python and NumPy call for an operator or a ufunc of `value`s, by its name.

    Args:
        method: says what a row does to values.
        operand: makes a value of what an operator is given; None of what is no number.
    """
    power, radd = method(OPS["pow"]), _reflected(method(OPS["add"]), operand)

    def __radd__(self: Any, other: Any) -> Any:
        starts = type(other) is int and other == 0  # where Python's sum() of some values does
        return self if starts else radd(self, other)

    def __pow__(self: Any, exponent: Any) -> Any:
        if isinstance(exponent, value):
            return power(self, exponent)
        try:
            return self.pow_scalar(exponent)
        except TypeError:
            return NotImplemented

    found = {f"__{sign}__": method(OPS[name]) for sign, name in _SIGNS.items()}
    for sign, name in {**_SIGNS, "pow": "pow"}.items():
        found[f"__r{sign}__"] = _reflected(method(OPS[name]), operand)
    found |= {f"__{sign}__": comparison(sign, operand) for sign in ("lt", "le", "gt", "ge")}
    found |= {"__neg__": method(OPS["neg"]), "__abs__": method(OPS["abs"]), "__radd__": __radd__}
    return found | {"__pow__": __pow__, "__array_ufunc__": _beside_arrays(value, method)}


def _reflected(
    forward: Callable[..., Any], operand: Callable[[Any], Any]
) -> Callable[[Any, Any], Any]:
    """`other ∘ value` for an `other` that is not a value."""

    def reflected(self: Any, other: Any) -> Any:
        return NotImplemented if (x := operand(other)) is None else forward(x, self)

    return reflected


def _beside_arrays(value: type, method: Callable[[Op], Callable[..., Any]]) -> Callable[..., Any]:
    """What NumPy calls for a ufunc of values.

    Arrays of objects know Python's operators, and a method for each function of one input.
    """

    def __array_ufunc__(self: Any, ufunc: Any, how: str, *inputs: Any, **options: Any) -> Any:
        import numpy as np

        name = ufunc.__name__
        forward, row = _UFUNCS.get(name), OPS.get(name)
        if forward and isinstance(inputs[0], np.generic) and how == "__call__" and not options:
            return forward(value(inputs[0]), inputs[1])  # a scalar on the left: no arrays at all
        if forward is None and (row is None or row.variadic):
            raise TypeError(f"np.{name} is no row of the table of operations of a value")
        if forward is None and row and not row.unary:
            f = method(row)
            ufunc = np.frompyfunc(lambda x, y: f(x if isinstance(x, value) else value(x), y), 2, 1)
        arrays = map(np.asarray, inputs)  # as objects, an array's numbers are Python's
        boxed = (x if x.dtype == object else x.astype(float, casting="same_kind") for x in arrays)
        return getattr(ufunc, how)(*(x.astype(object) for x in boxed), **options)

    return __array_ufunc__
