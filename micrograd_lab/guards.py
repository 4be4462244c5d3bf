"""What a program asked of its values while it was recorded, and could have gone another way.

A comparison picks a branch: with other numbers the same program might compute something else.  So a
comparison of values is kept as a `Guard`, and a value that was read as a plain number as a `Mark`:
what followed from it, nobody knows.  `watched` collects both during a call of a user's function,
wherever their values end up.  Outside of that a guard is kept on the younger of the values that
were compared, if that was computed, so that whoever reads the graph finds it.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias


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
        """How it went, in words.

        >>> from micrograd_lab import Value
        >>> z = Value(2, "z")
        >>> Guard(z, "gt", Value(0), True).told({z: "z"})
        'z > 0 held'
        """
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
    """Inside, every comparison and every reading of a value joins the list that this returns.

    >>> from micrograd_lab import Value
    >>> with watched() as trace:
    ...     largest = max(Value(1), Value(2))
    >>> [(guard.sign, guard.held) for guard in trace]
    [('gt', True)]
    """
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
