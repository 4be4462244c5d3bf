"""Copies and pickles of recorded values: what is shared stays shared, and nothing recurses.

A value is pickled as a place in a `Snapshot`, which holds what it was computed from.  Values that
are pickled together share their snapshots: each holds only what no earlier one does, so a list of
a thousand values, each computed from the one before, is hardly larger than the last of them.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable
from copy import deepcopy
from typing import Any

_holders: dict[int, weakref.ref[Snapshot]] = {}  # of each value, by its serial number


class Snapshot:
    """Values as rows, inputs before what is computed from them.

    Args:
        record: makes a value of what a row holds: data, op, inputs, slopes, grad and label.  There
            an input is (which of `others`, the row there), -1 standing for this snapshot.
        rows: one for each value.
        moved: the rows whose number was changed after something was computed from it.
        others: the snapshots that hold the other inputs.
    """

    def __init__(
        self,
        record: Callable[..., Any],
        rows: list[tuple[Any, ...]],
        moved: list[int],
        others: list[Snapshot],
    ) -> None:
        self.record, self.rows, self.moved, self.others = record, rows, moved, others
        self.places: dict[int, int] = {}  # the row of each value, by its serial number
        self._values: list[Any] = []

    def value(self, i: int) -> Any:
        """The value in row `i`; all are made when the first is asked for."""
        for data, op, inputs, *rest in [] if self._values else self.rows:
            values = tuple(self._values[j] if k < 0 else self.others[k].value(j) for k, j in inputs)
            self._values.append(self.record(data, op, values, *rest))
            if len(self._values) == len(self.rows):
                for j in self.moved:  # after all that was computed
                    self._values[j].moved = self.record(0.0, None, (), ()).serial
        return self._values[i]

    def __reduce__(self) -> tuple[Any, ...]:
        return Snapshot, (self.record, self.rows, self.moved, self.others)

    def __deepcopy__(self, memo: dict[int, Any]) -> Snapshot:
        return Snapshot(self.record, self.rows, self.moved, deepcopy(self.others, memo))


def reduced(value: Any, record: Callable[..., Any]) -> tuple[Any, ...]:
    """How `pickle` and `deepcopy` make `value` again: a function, and its arguments."""
    holder = _holder(value) or _held(value, record)
    return Snapshot.value, (holder, holder.places[value.serial])


def _holder(value: Any) -> Snapshot | None:
    """The snapshot that holds `value`, as long as the pickle or copy that it is for is made."""
    holder = _holders.get(value.serial)
    return None if holder is None else holder()


def _held(value: Any, record: Callable[..., Any]) -> Snapshot:
    """A snapshot of what `value` was computed from, as far as no other holds it."""
    fresh = [value]
    reached = {value}
    for node in fresh:  # which grows as it goes
        for x in node.inputs:
            if x not in reached and _holder(x) is None:
                reached.add(x)
                fresh.append(x)
    fresh.sort(key=operator.attrgetter("serial"))
    holder = Snapshot(record, [], [], [])
    others: dict[Snapshot, int] = {}
    places = holder.places
    for node in fresh:
        inputs = []
        for x in node.inputs:
            if x.serial in places:
                inputs.append((-1, places[x.serial]))
            elif other := _holder(x):
                inputs.append((others.setdefault(other, len(others)), other.places[x.serial]))
        if hasattr(node, "moved"):
            holder.moved.append(len(holder.rows))
        places[node.serial] = len(holder.rows)
        holder.rows.append((node.data, node.op, (*inputs,), node.slopes, node.grad, node.label))
    holder.others = [*others]
    _holders.update(dict.fromkeys(places, weakref.ref(holder)))
    weakref.finalize(holder, _forget, places).atexit = False
    return holder


def _forget(places: dict[int, int]) -> None:
    for serial in places:
        _holders.pop(serial, None)
