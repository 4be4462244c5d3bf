"""A loss that was recorded over many samples, as that of one sample and a table of numbers."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import cache
from typing import NamedTuple

from ..calculus import total
from ..engine import Value, record, recorded
from ..formulas import evaluate
from ..ops import OPS

_LINEAR = [OPS[name] for name in ("neg", "add", "sub", "mul", "div", "sum", "dot")]


class Batch(NamedTuple):
    """A loss whose mean over the rows is the loss that was recorded."""

    loss: Value
    inputs: list[Value]
    rows: list[tuple[float, ...]]
    recorded: dict[Value, Value]  # its values -> those of the first sample


def find_batch(loss: Value, parameters: Collection[Value]) -> Batch | None:
    """The samples of a sum of terms that are alike but for their constants, if there are any."""
    shapes = _shapes(recorded(loss), {*parameters})
    alike: dict[int, list[tuple[float, Value]]] = {}
    ahead = [(1.0, loss)]
    for factor, value in ahead:  # which grows as it goes
        parts = _parts(value, shapes)
        ahead += [(factor * each, x) for each, x in parts]
        if not parts:
            alike.setdefault(shapes[value], []).append((factor, value))
    count = max([len(terms) for shape, terms in alike.items() if shape], default=0)
    sample, of_one = _Sample(shapes), []
    rest: dict[float, list[Value]] = {}  # by their factor
    for shape, terms in alike.items():
        if shape and len(terms) == count > 1:
            terms.sort(key=lambda term: term[1].serial)
            one = sample.of(tuple([value for _, value in terms]))
            factors = [count * factor for factor, _ in terms]
            of_one.append(one if {*factors} == {1.0} else sample.leaf(factors) * one)
            continue
        for factor, value in terms:
            rest.setdefault(factor, []).append(value)
    if not sample.columns:
        return None
    of_one += [factor * total(values) for factor, values in rest.items()]
    rows = [*zip(*(numbers for numbers, _ in sample.columns.values()))]
    inputs, one = [x for _, x in sample.columns.values()], total(of_one)
    apart = {x for of in sample.made if of.count(of[0]) < len(of) for x in of if shapes[x]}
    if not apart.isdisjoint(recorded(one)):  # what stands beside the samples reads them
        return None
    return Batch(one, inputs, rows, {x: of[0] for of, x in sample.made.items()})


def _shapes(order: list[Value], parameters: Collection[Value]) -> dict[Value, int]:
    """A number for each value, the same for those that differ in constants only, which have 0."""
    numbers: dict[object, int] = {None: 0}
    shapes: dict[Value, int] = {}
    for value in order:
        below = [shapes[x] for x in value.inputs]
        shape = (value.op, *below) if any(below) else value if value in parameters else None
        shapes[value] = numbers.setdefault(shape, len(numbers))
    return shapes


def _parts(value: Value, shapes: dict[Value, int]) -> list[tuple[float, Value]]:
    """The inputs that `value` is a sum of, each with its factor; none if it is no such sum."""
    parts: list[tuple[float, Value]] = []
    for i, x in enumerate(value.inputs if value.op in _LINEAR and shapes[value] else ()):
        assert value.op
        partial, letters = value.op.partial(i, value.inputs)
        names = _names(partial)
        varies = "f" in names or any(shapes[letters[name]] for name in names)
        if varies if shapes[x] else names and not varies:
            return []
        if not varies:
            parts.append((evaluate(partial, {name: letters[name].data for name in names}), x))
    return parts


@cache
def _names(formula: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(formula)) if isinstance(node, ast.Name)}


class _Sample:
    """Records one sample; its inputs are the constants in which the samples differ."""

    def __init__(self, shapes: dict[Value, int]) -> None:
        self._shapes = shapes
        self.made: dict[tuple[Value, ...], Value] = {}  # from the values of all samples
        self.columns: dict[tuple[str, ...], tuple[list[float], Value]] = {}  # by their texts

    def leaf(self, numbers: list[float], label: str = "") -> Value:
        """A constant, or the input for numbers that differ."""
        if numbers.count(numbers[0]) == len(numbers):
            return Value(numbers[0], label)
        column = numbers, Value(numbers[0], label)
        return self.columns.setdefault(tuple(map(repr, numbers)), column)[1]

    def of(self, values: tuple[Value, ...]) -> Value:
        """What stands for `values`, one of each sample."""
        ahead, found, made = [values], {values}, self.made
        for each in ahead:  # which grows as it goes
            new = [x for x in dict.fromkeys(self._below(each)) if x not in found]
            found.update(new)
            ahead += new
        for each in sorted(ahead, key=lambda each: each[0].serial):
            first = each[0]
            if each in made:
                continue
            if below := [*self._below(each)]:
                inputs = tuple([made[x] for x in below])
                made[each] = record(first.data, first.op, inputs, first.slopes, 0.0, first.label)
            elif self._shapes[first] or each.count(first) == len(each):
                made[each] = first
            else:
                made[each] = self.leaf([value.data for value in each], first.label)
        return made[values]

    def _below(self, each: tuple[Value, ...]) -> Iterator[tuple[Value, ...]]:
        """The inputs of values side by side, unless these are constants, or all the same one."""
        if self._shapes[each[0]] and each.count(each[0]) < len(each):
            yield from zip(*[value.inputs for value in each])
