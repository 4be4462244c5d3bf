"""What surrounds a computation: which numbers a value may hold, what happens outside the domain of
an operation, and how to record a large graph undisturbed."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from threading import Lock
from typing import Any, SupportsFloat, TypeAlias

from .formulas import evaluate
from .ops import Op

__all__ = ["ieee", "recording"]

Number: TypeAlias = SupportsFloat  # a value too

_IEEE = ContextVar("ieee", default=False)
_ALSO_REAL = {("decimal", "Decimal"), ("numpy", "bool"), ("numpy", "bool_")}

_pauses: set[object] = set()
_collecting = False
_one_at_a_time = Lock()


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


def outside(op: Op, inputs: Sequence[Any], error: Exception) -> tuple[float, Op, Any, Any]:
    """What to record where Python's floats give up: f and slopes by IEEE's rules, or an error."""
    letters: dict[str, Any] = dict(zip("xyz", inputs))
    if op.n is not None:
        letters["n"] = op.n
    at = {letter: getattr(value, "data", value) for letter, value in letters.items()}
    if is_ieee() or not all(map(math.isfinite, at.values())):
        at["f"] = _by_ieee(op.formula, at)
        return at["f"], op, inputs, tuple(_by_ieee(partial, at) for partial in op.partials)
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


@contextmanager
def recording() -> Iterator[None]:
    """Inside, Python's cycle collector rests: a graph has no cycles that it could find.

    It would look at every value again and again while a large graph grows.  Afterwards it goes on
    if it was on before, whatever happens inside; where threads overlap, when the last one leaves.

    >>> from micrograd_lab import Value
    >>> with recording():
    ...     f = sum(Value(k).tanh() for k in range(1000))
    """
    global _collecting
    this = object()
    try:
        with _one_at_a_time:  # the collector is the whole process's
            if not _pauses:
                _collecting = gc.isenabled()
            _pauses.add(this)
            gc.disable()
        yield
    finally:
        with _one_at_a_time:
            _pauses.discard(this)
            if _collecting and not _pauses:
                gc.enable()
