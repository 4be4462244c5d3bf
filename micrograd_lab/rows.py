"""The door for data: rows of numbers from lists, arrays, frames, series and tensors.

>>> table([[1, 2], [3, 4]], "input").shape
(2, 2)

What comes with numbers in an array stays there: none becomes a value until a sample is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from .context import real
from .engine import Value
from .formulas import np
from .tell.notation import subscripted


def leaves(numbers: Any, letter: str, *, bare: bool = False) -> list[Value]:
    """A value for each number of a sample: x_1, x_2, ..., or x if it is alone and `bare`."""
    if not hasattr(numbers, "__iter__"):
        numbers = [numbers]
    elif not isinstance(numbers, list | tuple) and getattr(numbers, "dtype", None) != object:
        numbers = array(numbers, "number").reshape(-1).tolist()
    alone = bare and len(numbers) == 1
    return [
        x if isinstance(x, Value) else Value(_plain(x), letter if alone else subscripted(letter, k))
        for k, x in enumerate(numbers, start=1)
    ]


def table(data: Any, what: str, *, finite: bool = True) -> Any:
    """`data` as an array of numbers with a row per sample; a number alone is a row of one.

    A frame's columns come in their order; its index plays no part.  Further dimensions, as of
    images, are laid out in one row.  Errors call a sample `what`.

    Raises:
        TypeError: if it is nothing like that, or not all are real numbers.
        ValueError: if the rows differ in length, or with `finite`, a number is NaN or infinite.
    """
    found = array(data, what)
    if found.dtype.kind == "U":
        raise TypeError(f"{what} 0 is {found[0].item()!r:.60}; give numbers")
    if not found.ndim:
        raise TypeError(f"one number, {found}, and no {what}s; give a list of them")
    if found.ndim != 2:  # else it stays the same object
        found = found.reshape(len(found), found[:1].size)
    if finite and not (fine := np.isfinite(found)).all():
        i, k = np.argwhere(~fine)[0]
        where = f"{what} {i}" + (f": x_{k + 1}" if found.shape[1] > 1 else "")
        raise ValueError(f"{where} is {found[i, k]:g}; leave it out, or put a number there")
    return found


def array(data: Any, what: str) -> Any:
    """`data` as an array of real numbers, the array itself if it is one, or of texts."""
    if not hasattr(data, "__array__") and (
        isinstance(data, str | bytes | Mapping | AbstractSet | Iterator)
        or not (hasattr(data, "__getitem__") and hasattr(data, "__len__"))
    ):
        again = ", which is used up after one look" if isinstance(data, Iterator) else ""
        raise TypeError(
            f"{what}s are {type(data).__name__} {data!r:.60}{again}; give a list, an array, a "
            "frame, a series or a tensor"
        )
    if hasattr(data, "detach"):  # a tensor: its numbers, wherever they are
        data = data.detach().cpu()
        data = data.double() if str(data.dtype) == "torch.bfloat16" else data  # NumPy has none
    try:
        found = np.asanyarray(data.to_numpy() if hasattr(data, "to_numpy") else data)
    except (ValueError, RuntimeError):  # rows of unequal lengths, or of tensors with gradients
        found = np.array(None)
    if np.ma.is_masked(found):
        raise ValueError(f"some {what}s are masked; give data.filled(...) or leave them out")
    if found.dtype.kind in "biuf":
        return found
    listed = found.tolist() if found.ndim and found.dtype.kind == "O" else [*data]
    texts = [_alone(x) for x in listed]
    if 2 * sum([isinstance(x, str) for x in texts]) >= len(texts):
        for i, x in enumerate(texts):
            if not isinstance(x, str):
                raise TypeError(f"{what} {i} is {x!r:.60} among texts; give texts or numbers alone")
        return np.array(texts)
    rows = [
        [_number(x, f"{what} {i}") for x in (row if _is_row(row) else [row])]
        for i, row in enumerate(listed)
    ]
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise ValueError(f"{what} {i} has {len(row)} numbers, {what} 0 has {len(rows[0])}")
    return np.array(rows)


def rows_in_lists(data: Any) -> list[list[float]]:
    """`data` as lists of numbers, which may differ in length."""
    try:
        rows = [[*map(float, row)] for row in data]
    except (TypeError, ValueError):
        raise TypeError(f"data {data!r:.60}; give one row of numbers per sample") from None
    if not rows:
        raise ValueError("0 rows; give at least 1")
    return rows


def check_rows(data: Any, columns: int, *, in_lists: bool = False) -> Any:
    """`data` as an array with a row per sample; or as lists, where lists need no NumPy."""
    if in_lists and isinstance(data, list | tuple):
        rows: Any = rows_in_lists(data)
    else:
        rows = np.ascontiguousarray(table(data, "sample", finite=False), dtype=float)
        rows = rows.tolist() if in_lists else rows
    lengths = {*map(len, rows)} if in_lists else {rows.shape[1]}
    if lengths != {columns} or not len(rows):
        raise ValueError(
            f"{len(rows)} rows of {' and '.join(map(str, sorted(lengths)))} numbers; give one row "
            f"per sample, {columns} numbers in each"
        )
    return rows


def _number(x: Any, where: str) -> float:
    try:
        return real(_plain(x))
    except (OverflowError, TypeError):
        raise TypeError(f"{where} holds {type(x).__name__} {x!r:.60}; give real numbers") from None


def _alone(x: Any) -> Any:
    """What is in a row of one, else `x` itself."""
    x = _plain(x)
    return next(iter(x)) if _is_row(x) and len(x) == 1 else x


def _is_row(x: Any) -> bool:
    return hasattr(x, "__len__") and not isinstance(x, str | bytes | Mapping | AbstractSet)


def _plain(x: Any) -> Any:
    """`x` itself, or the number that an array or a tensor of no dimensions holds."""
    return x.item() if getattr(x, "ndim", None) == 0 else x
