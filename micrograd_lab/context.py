"""What surrounds a computation: which numbers a value may hold, and what a program asked of them.

Within `ieee()`, operations go on outside their domain; within `recording()` a large graph grows
undisturbed; and `watched()` collects what a user's function asked of its values.  A comparison
picks a branch: with other numbers the same program might compute something else.  So it is kept as
a `Guard`, and a value that was read as a plain number as a `Mark`: what followed from it, nobody
knows.  Elsewhere a guard is kept on the younger of the values that were compared, if that was
computed, so that whoever reads the graph finds it.
"""

from __future__ import annotations

import gc
import math
import operator
import warnings
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from numbers import Real
from threading import Lock
from typing import Any, SupportsFloat, TypeAlias

from .formulas import evaluate, np
from .ops import Op

__all__ = ["ieee", "recording"]

Number: TypeAlias = SupportsFloat  # a value too

_IEEE = ContextVar("ieee", default=False)
is_ieee: Callable[[], bool] = _IEEE.get  # whether we are within `ieee()`
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


@dataclass(frozen=True, eq=False)
class Guard:
    """A comparison of two values, and how it went."""

    left: Any
    sign: str  # "lt", "le", "gt" or "ge", as the `operator` module calls it
    right: Any
    held: bool  # whether it was true

    @property
    def holds(self) -> bool:
        """Whether it would go the same way with the present numbers."""
        return bool(getattr(operator, self.sign)(self.left.data, self.right.data) is self.held)

    def told(self, names: Mapping[Any, str]) -> str:
        """How it went, in words: z > 0 held."""
        left, right = (names.get(x) or f"{x.data:g}" for x in (self.left, self.right))
        return f"{left} {_SIGNS[self.sign]} {right} {'held' if self.held else 'did not hold'}"


@dataclass(frozen=True, eq=False)
class Mark:
    """A value that was read as a plain number, or detached: then its gradient ends on purpose."""

    value: Any
    detached: bool = False


_SIGNS = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥"}

Trace: TypeAlias = "list[Guard | Mark]"

_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def watched() -> Iterator[Trace]:
    """Inside, every comparison and every reading of a value joins the list that this returns."""
    trace: Trace = []
    token = _TRACE.set(trace)
    try:
        yield trace
    finally:
        _TRACE.reset(token)


def comparison(sign: str, operand: Callable[[Any], Any]) -> Callable[[Any, Any], bool]:
    """A comparison by number, which is written down; equality and hash stay by identity."""
    compare: Callable[[float, float], bool] = getattr(operator, sign)

    def compared(left: Any, other: Any) -> bool:
        if (right := operand(other)) is None:
            return NotImplemented  # type: ignore[no-any-return]
        held, trace = compare(left.data, right.data), _TRACE.get()
        if trace is not None:
            trace.append(Guard(left, sign, right, held))
        elif left is not right:
            older, younger = sorted((left, right), key=lambda v: (bool(v.inputs), v.serial))
            if younger.inputs:  # it holds the other one, and not itself: no cycle
                set_aside(younger, guards=(*kept(younger), (older, sign, younger is left, held)))
        return held

    return compared


def guards_of(value: Any) -> list[Guard]:
    """The guards that are kept on a value."""
    return [
        Guard(value, sign, other, held) if first else Guard(other, sign, value, held)
        for other, sign, first, held in kept(value)
    ]


def read(value: Any, serial: int) -> None:
    """Write down that `value` was read as a plain number, at the time `serial`."""
    trace = _TRACE.get()
    if trace is not None:
        trace.append(Mark(value))
    elif value.inputs:
        _last_read[:] = serial, value.data, str(value)


def detached(value: Any, leaf: Any) -> Any:
    """`leaf`, after writing down that it stands for `value` without its gradient."""
    if (trace := _TRACE.get()) is not None:
        trace.append(Mark(value, detached=True))
    return leaf


def warn_of_readings(computed: list[Any]) -> None:
    """Warn if a computed value was read as a plain number that seems to have entered a result.

    It was read after the first of the `computed` nodes, from the result back, and a constant that
    came in since is the number read, or has more than six digits, as nobody writes them.
    """
    at, number, told = _last_read
    if not computed or not computed[-1].serial < at < computed[0].serial:
        return
    since = {x for node in computed for x in node.inputs if x.serial > at}
    constants = [x.data for x in since if not x.inputs and not x.label]
    if any(c == number or float(f"{c:.6g}") != c for c in constants):
        warnings.warn(
            f"{told} was read as a plain number while this result was computed; no "
            "gradient flows through a function of math or an array: write v.tanh(), not "
            "math.tanh(v)",
            stacklevel=3,
        )
        _last_read[0] = 0  # once


def kept(value: Any) -> tuple[tuple[Any, str, bool, bool], ...]:
    """The guards on a value: the other one, the sign, whether the value stood left, how it went."""
    return aside(value).get("guards", ())  # type: ignore[no-any-return]


def needed(value: Any, but: Container[int] = ()) -> list[Any]:
    """`value` and all that its inputs and guards need, up to the serial numbers in `but`."""
    found, reached = [value], {value}
    for node in found:  # which grows as it goes
        for x in (*node.inputs, *(other for other, *_ in kept(node))):
            if x not in reached and x.serial not in but:
                reached.add(x)
                found.append(x)
    return found


def moved(value: Any) -> int:
    """When another number was last assigned to a value; 0 if never."""
    return aside(value).get("moved", 0)  # type: ignore[no-any-return]


def set_aside(value: Any, **notes: Any) -> None:
    """Write something down that few values have, in a slot that costs nothing until then."""
    value.aside = aside(value) | notes


def aside(value: Any) -> dict[str, Any]:
    """What was set aside for a value."""
    return getattr(value, "aside", {})


_last_read: list[Any] = [0, 0.0, ""]  # when, its number, and what
