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

from .guards import kept, moved, set_aside

_holders: dict[int, weakref.ref[Snapshot]] = {}  # of each value, by its serial number


class Snapshot:
    """Values as rows, inputs before what is computed from them.

    Args:
        record: makes a value of what a row holds: data, op, inputs, slopes, grad and label.  There
            an input is (which of `others`, the row there), -1 standing for this snapshot.
        rows: one for each value.
        moved: the rows whose number was changed after something was computed from it.
        guards: what is kept on a row: (row, the other value as an input, and the rest).
        others: the snapshots that hold the other inputs.
    """

    def __init__(
        self,
        record: Callable[..., Any],
        rows: list[tuple[Any, ...]],
        moved: list[int],
        guards: list[tuple[Any, ...]],
        others: list[Snapshot],
    ) -> None:
        self.record, self.rows, self.moved = record, rows, moved
        self.guards, self.others = guards, others
        self.places: dict[int, int] = {}  # the row of each value, by its serial number
        self._values: list[Any] = []

    def value(self, i: int) -> Any:
        """The value in row `i`; all are made when the first is asked for."""
        for data, op, inputs, *rest in [] if self._values else self.rows:
            self._values.append(self.record(data, op, (*map(self._input, inputs),), *rest))
            if len(self._values) == len(self.rows):
                self._set_aside()
        return self._values[i]

    def _input(self, at: tuple[int, int]) -> Any:
        holder, i = at
        return self._values[i] if holder < 0 else self.others[holder].value(i)

    def _set_aside(self) -> None:
        for i in self.moved:  # after all that was computed
            set_aside(self._values[i], moved=self.record(0.0, None, (), ()).serial)
        for i, other, *rest in self.guards:
            value = self._values[i]
            set_aside(value, guards=(*kept(value), (self._input(other), *rest)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Snapshot, (self.record, self.rows, self.moved, self.guards, self.others)

    def __deepcopy__(self, memo: dict[int, Any]) -> Snapshot:
        others = deepcopy(self.others, memo)
        return Snapshot(self.record, self.rows, self.moved, self.guards, others)


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
        for x in (*node.inputs, *(other for other, *_ in kept(node))):
            if x not in reached and _holder(x) is None:
                reached.add(x)
                fresh.append(x)
    fresh.sort(key=operator.attrgetter("serial"))
    holder = Snapshot(record, [], [], [], [])
    holder.places = {node.serial: i for i, node in enumerate(fresh)}
    others: dict[Snapshot, int] = {}

    def place(x: Any) -> tuple[int, int]:
        if x.serial in holder.places:
            return -1, holder.places[x.serial]
        other = _holder(x)
        assert other is not None, "everything that is reached has a holder"
        return others.setdefault(other, len(others)), other.places[x.serial]

    for i, node in enumerate(fresh):
        inputs = tuple(map(place, node.inputs))
        holder.rows.append((node.data, node.op, inputs, node.slopes, node.grad, node.label))
        holder.guards += [(i, place(other), *rest) for other, *rest in kept(node)]
        if moved(node):
            holder.moved.append(i)
    holder.others = [*others]
    _holders.update(dict.fromkeys(holder.places, weakref.ref(holder)))
    weakref.finalize(holder, _forget, holder.places).atexit = False
    return holder


def _forget(places: dict[int, int]) -> None:
    for serial in places:
        _holders.pop(serial, None)
