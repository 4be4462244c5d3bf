"""NumPy's functions of values, alone or beside arrays: each is a row of the table, elementwise."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from .ops import OPS, Op

_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "power": operator.pow, "negative": operator.neg,
    "positive": operator.pos, "absolute": operator.abs, "square": lambda x: x**2,
    "reciprocal": lambda x: 1 / x, "greater": operator.gt, "greater_equal": operator.ge,
    "less": operator.lt, "less_equal": operator.le, "equal": operator.eq, "not_equal": operator.ne,
}  # fmt: skip


def beside_arrays(value: type, method: Callable[[Op], Callable[..., Any]]) -> Callable[..., Any]:
    """What NumPy calls for a ufunc of values; `method` says what a row does to `value`s.

    Arrays of objects know Python's operators, and a method for each function of one input.
    """

    def __array_ufunc__(self: Any, ufunc: Any, how: str, *inputs: Any, **options: Any) -> Any:
        import numpy as np

        name = ufunc.__name__
        forward, row = _OPERATORS.get(name), OPS.get(name)
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
