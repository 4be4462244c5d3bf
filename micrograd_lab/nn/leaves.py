"""The numbers of a sample as values, with names."""

from __future__ import annotations

from typing import Any

from ..engine import Value
from ..rows import entry, row
from ..tell.notation import subscripted


def leaves(numbers: Any, letter: str, *, bare: bool = False) -> list[Value]:
    """A value for each number of a sample; what is a value already stays that.

    Args:
        letter: the label of a number; it gets a subscript, unless it is alone and `bare`.

    >>> import numpy as np
    >>> leaves(np.array([0.5, 2.0]), "x"), leaves(3, "t", bare=True)
    ([Value(x_1: 0.5, grad=0), Value(x_2: 2, grad=0)], [Value(t: 3, grad=0)])
    """
    listed = numbers if isinstance(numbers, list | tuple) else row(numbers)
    if bare and len(listed) == 1:
        return [x if isinstance(x, Value) else Value(entry(x), letter) for x in listed]
    return [
        x
        if isinstance(x, Value)
        else Value(x if type(x) is float else entry(x), subscripted(letter, k))
        for k, x in enumerate(listed, start=1)
    ]
