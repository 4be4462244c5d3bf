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

from .given import settle
from .guards import aside, kept, set_aside

_holders: dict[int, weakref.ref[Snapshot]] = {}  # of each value, by its serial number


class Snapshot:
    """Values as rows, inputs before what is computed from them.

    Args:
        record: makes a value of what a row holds: data, op, inputs, slopes, grad and label.  There
            an input is (which of `others`, the row there), -1 standing for this snapshot.
        rows: one for each value, its class first.
        others: the snapshots that hold the other inputs.

    Attributes:
        notes: what is set aside for a row, and the attributes that a subclass has there.
    """

    def __init__(
        self,
        record: Callable[..., Any],
        rows: list[tuple[Any, ...]],
        others: list[Snapshot],
    ) -> None:
        self.record: Callable[..., Any] = record
        self.rows: list[tuple[Any, ...]] = rows
        self.others: list[Snapshot] = others
        self.notes: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.places: dict[int, int] = {}  # the row of each value, by its serial number
        self._values: list[Any] = []

    def value(self, i: int) -> Any:
        """The value in row `i`; all are made when the first is asked for."""
        for kind, data, op, inputs, *rest in [] if self._values else self.rows:
            made = self.record(data, op, (*map(self._input, inputs),), *rest)
            self._values.append(_of_kind(made, kind))
        return self._values[i]

    def _input(self, at: tuple[int, int]) -> Any:
        holder, i = at
        return self._values[i] if holder < 0 else self.others[holder].value(i)

    def __setstate__(self, notes: dict[int, tuple[dict[str, Any], dict[str, Any]]]) -> None:
        self.notes = notes  # after all that was computed: they may hold values of this snapshot
        for i, (noted, attributes) in notes.items():
            value = self.value(i)
            if "moved" in noted:
                noted["moved"] = self.record(0.0, None, (), ()).serial
            set_aside(value, **noted)
            for name, thing in attributes.items():
                setattr(value, name, thing)

    def __reduce__(self) -> tuple[Any, ...]:
        return Snapshot, (self.record, self.rows, self.others), self.notes or None

    def __deepcopy__(self, memo: dict[int, Any]) -> Snapshot:
        again = memo[id(self)] = Snapshot(self.record, self.rows, deepcopy(self.others, memo))
        again.__setstate__(deepcopy(self.notes, memo))
        return again


def copying(record: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """How `copy` makes a value again; and how `pickle` and `deepcopy` do: a function, arguments."""

    def __copy__(self: Any) -> Any:
        settle((self,))
        again = record(self.data, self.op, self.inputs, self.slopes, self.grad, self.label)
        again = _of_kind(again, type(self))
        for name, thing in ({"aside": aside(self)} | getattr(self, "__dict__", {})).items():
            setattr(again, name, thing)
        return again

    def __reduce__(self: Any) -> tuple[Any, ...]:
        holder = _holder(self) or _held(self, record)
        return Snapshot.value, (holder, holder.places[self.serial])

    return __copy__, __reduce__


def _of_kind(value: Any, kind: type) -> Any:
    """`value`, just recorded, as an instance of its class or of a subclass of that."""
    again = value if type(value) is kind else object.__new__(kind)
    for name in ("_data", "grad", "op", "inputs", "slopes", "label", "serial"):
        setattr(again, name, getattr(value, name))
    return again


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
    settle(fresh)
    fresh.sort(key=operator.attrgetter("serial"))
    holder = Snapshot(record, [], [])
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
        row = (type(node), node.data, node.op, inputs, node.slopes, node.grad, node.label)
        holder.rows.append(row)
        if any(notes := (aside(node), getattr(node, "__dict__", {}))):
            holder.notes[i] = notes
    holder.others = [*others]
    _holders.update(dict.fromkeys(holder.places, weakref.ref(holder)))
    weakref.finalize(holder, _forget, holder.places).atexit = False
    return holder


def _forget(places: dict[int, int]) -> None:
    for serial in places:
        _holders.pop(serial, None)
