"""The door for data: rows of numbers from lists, arrays, frames, series and tensors.

>>> table([[1, 2], [3, 4]], "input").shape
(2, 2)

What comes with numbers in an array stays there: none becomes a value until a sample is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from .domain import real
from .engine import Value

_TAKEN = "a list, an array, a frame, a series or a tensor"


def row(numbers: Any) -> list[Any]:
    """The numbers or values of one sample, in a list; a single one is a row of one.

    >>> import numpy as np
    >>> row(np.array([1.0, 2.0])), row(np.array(3)), row(0.5)
    ([1.0, 2.0], [3], [0.5])
    """
    if _is_number(numbers):
        return [numbers]
    if getattr(numbers, "dtype", None) == object:  # values in an array
        return [*numbers]
    listed = array(numbers, "number").tolist()
    return listed if isinstance(listed, list) else [listed]


def entry(x: Any, what: str = "entry") -> Any:
    """One in a list: a number of no dimensions is a plain one, a row of its own kind an array."""
    if _is_number(x) or not _exports(x):
        return x
    found = array(x, what)
    return found if found.ndim else found.item()


def table(data: Any, what: str) -> Any:
    """`data` as an array of numbers with a row per sample; a number alone is a row of one.

    A frame's columns come in their order; its index plays no part.  Further dimensions, as of
    images, are laid out in one row.

    Args:
        what: the name of a sample, for messages.

    Raises:
        TypeError: if it is nothing like that, or not all are real numbers.
        ValueError: if the rows differ in length, or a number is NaN or infinite.
    """
    import numpy as np

    found = array(data, what)
    if found.dtype.kind not in "biuf":
        raise TypeError(f"{what} 0 is {found.flat[0].item()!r:.60}; give numbers")
    if not found.ndim:
        raise TypeError(f"one number, {found}, and no {what}s; give a list of them")
    found = found.reshape(len(found), found[:1].size)
    if not (fine := np.isfinite(found)).all():
        i, k = np.argwhere(~fine)[0]
        where = f"{what} {i}" + (f": x_{k + 1}" if found.shape[1] > 1 else "")
        raise ValueError(f"{where} is {found[i, k]:g}; leave it out, or put a number there")
    return found


def array(data: Any, what: str) -> Any:
    """`data` as an array of numbers or of texts, the array itself if it is one."""
    import numpy as np

    if isinstance(data, str | bytes | Mapping | AbstractSet | Iterator) or not (
        _exports(data) or (hasattr(data, "__getitem__") and hasattr(data, "__len__"))
    ):
        again = ", which is used up after one look" if isinstance(data, Iterator) else ""
        raise TypeError(f"{what}s are {type(data).__name__} {data!r:.60}{again}; give {_TAKEN}")
    if _exports(data):
        if hasattr(data, "detach"):  # a tensor: its numbers, wherever they are
            data = data.detach().cpu()
            small = data.is_floating_point() and data.element_size() < 4  # NumPy lacks bfloat16
            data = data.double() if small else data
        if np.ma.is_masked(data):
            raise ValueError(f"some {what}s are masked; give data.filled(...) or leave them out")
        found = np.asarray(data.to_numpy() if hasattr(data, "to_numpy") else data)
        if found.dtype.kind in "biufUT":
            return found.astype(str) if found.dtype.kind == "T" else found
        if found.dtype.kind != "O":
            raise TypeError(f"{what}s of dtype {found.dtype}; give real numbers")
        data = found.tolist() if found.ndim else [found.item()]
    return _listed(data, what)


def _listed(data: Any, what: str) -> Any:
    """An array from a list of numbers, of texts or of rows."""
    import numpy as np

    data = [
        x if isinstance(x, float | int | list) else entry(x, f"{what} {i}, number")
        for i, x in enumerate(data)
    ]
    if data and isinstance(data[0], str):
        for i, x in enumerate(data):
            if not isinstance(x, str):
                raise TypeError(f"{what} {i} is {x!r:.60} among texts; give texts or numbers alone")
        return np.array(data)
    try:
        found = np.array(data)
        if found.dtype.kind in "biuf":
            return found
    except (TypeError, ValueError, RuntimeError):  # of unequal lengths, or tensors with gradients
        pass
    rows = [
        [_number(entry(x), f"{what} {i}") for x in (numbers if _has_length(numbers) else [numbers])]
        for i, numbers in enumerate(data)
    ]
    for i, numbers in enumerate(rows):
        if len(numbers) != len(rows[0]):
            raise ValueError(f"{what} {i} has {len(numbers)} numbers, {what} 0 has {len(rows[0])}")
    return np.array(rows)


def _is_number(x: Any) -> bool:
    """Whether `x` is a value or a plain number, the usual cases, or has nothing to list."""
    return isinstance(x, float | int | Value) or not (hasattr(x, "__iter__") or hasattr(x, "shape"))


def _exports(x: Any) -> bool:
    """Whether `x` turns itself into an array."""
    return hasattr(x, "__array__") or hasattr(x, "to_numpy")


def _has_length(x: Any) -> bool:
    return hasattr(x, "__len__") and not isinstance(x, str | bytes | Mapping | AbstractSet)


def _number(x: Any, where: str) -> float:
    try:
        return real(x)
    except (OverflowError, TypeError):
        raise TypeError(f"{where} holds {type(x).__name__} {x!r:.60}; give real numbers") from None
