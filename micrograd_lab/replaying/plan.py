"""A recorded graph as flat lists: what every replay is written from.

The recorded nodes are put into the form that array programs want, without changing what they
compute.  A tree of additions becomes one sum; sums of products become dot products, of what is
computed once with what is computed for each sample; a loss that was recorded over a whole batch
becomes one sample and a table of numbers.  How a program is written is not known here.

Read ``engine.py`` before this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..engine import Value, recorded
from ..ops import OPS, Op

ONCE, EACH, AFTER = 0, 1, 2
ADD, MUL, SUM, DOT = OPS["add"], OPS["mul"], OPS["sum"], OPS["dot"]


@dataclass
class Plan:
    """Nodes 0, 1, 2, ..., inputs before what is computed from them; one list per property.

    A node's phase says when it is computed: ONCE, from parameters and constants; EACH, for every
    sample; AFTER, once, from sums over the samples.  A node of phase AFTER that reads one of phase
    EACH is a `sum` with this one input, and stands for its sum over all samples.  If the result
    itself has phase EACH, the loss is its mean over the samples.

    Attributes:
        result: the loss.
        ops: the row of the table; None for a leaf, which is in one of the next three.
        columns: leaf -> the column of the data that it reads; its phase is EACH.
        parameters: leaf -> which of the parameters it is.
        constants: leaf -> its number.
        inputs: positions; a `dot` has its weights, its inputs and perhaps a bias.  Of a product
            of what is computed once with what is computed for each sample, the former is first.
        values: what was recorded there (sample 0 of a batch); None where nothing was.
        active: whether a parameter is below, so that there is a gradient to hand on.
        batch: the data of a loss that was recorded over a whole batch, one row per sample.
    """

    result: int = 0
    ops: list[Op | None] = field(default_factory=list)
    inputs: list[tuple[int, ...]] = field(default_factory=list)
    values: list[Value | None] = field(default_factory=list)
    phases: list[int] = field(default_factory=list)
    active: list[bool] = field(default_factory=list)
    columns: dict[int, int] = field(default_factory=dict)
    parameters: dict[int, int] = field(default_factory=dict)
    constants: dict[int, float] = field(default_factory=dict)
    batch: list[tuple[float, ...]] | None = None

    def __len__(self) -> int:
        return len(self.ops)

    def add(
        self, op: Op | None, inputs: tuple[int, ...], value: Value | None, phase: int = ONCE
    ) -> int:
        """The position of a new node, computed no earlier than `phase`."""
        active = False
        for i in inputs:
            phase = max(phase, self.phases[i])
            if self.active[i]:
                active = True
        self.ops.append(op)
        self.inputs.append(inputs)
        self.values.append(value)
        self.phases.append(phase)
        self.active.append(active)
        return len(self.ops) - 1


def plan(
    loss: Value, inputs: Sequence[Value], parameters: Sequence[Value], *, batch: bool = True
) -> Plan:
    """The plan of `loss` as a function of `inputs`, one per column, and of `parameters`.

    Args:
        batch: whether to look for the samples that a loss without inputs was recorded over.

    >>> w, x, b = Value(2), Value(3), Value(1)
    >>> made = plan((w * x + w * b + b).tanh(), [x], [w, b])
    >>> [(op.name, phase) for op, phase in zip(made.ops, made.phases) if op]
    [('mul', 0), ('add', 0), ('mul', 1), ('add', 1), ('tanh', 1)]
    """
    graph = _Recorded(loss, inputs, parameters)
    found = None if inputs or not batch else _batch(graph)
    if found:
        graph.column = found.column
    made = Plan(batch=found.rows if found else None)
    place = [-1] * len(graph.order)
    leaf: dict[object, int] = {}  # equal constants, and leaves that read one column, are one node

    def placed(terms: Iterable[_Term]) -> list[_Term]:
        """`terms` by position in the plan; a constant is added to it where it is first read."""
        there = []
        for term in terms:
            for j in term:
                if place[j] < 0:
                    data = graph.order[j].data
                    place[j] = leaf.setdefault(repr(data), len(made))
                    if place[j] == len(made):
                        made.constants[made.add(None, (), graph.order[j])] = data
            there.append(tuple([place[j] for j in term]))
        return there

    for i, value in enumerate(graph.order):
        if graph.inside[i] or (found and i in found.copies):
            continue
        if graph.column[i] >= 0:
            place[i] = leaf.setdefault(graph.column[i], len(made))
            if place[i] == len(made):
                made.columns[made.add(None, (), value, EACH)] = graph.column[i]
        elif graph.parameter[i] >= 0:
            place[i] = made.add(None, (), value)
            made.parameters[place[i]] = graph.parameter[i]
            made.active[place[i]] = True
        elif graph.constant[i]:
            continue
        elif found and i == found.sum:
            each = _written(made, placed(found.terms), None)
            over = made.add(SUM, (each,), None, AFTER)
            place[i] = _written(made, [(over,), *placed(found.rest)], value)
        elif i in graph.terms:
            place[i] = _written(made, placed(graph.terms[i]), value)
        else:
            place[i] = made.add(value.op, placed([graph.inputs[i]])[0], value)
    (made.result,) = placed([(len(place) - 1,)])[0]
    return made


_Term: TypeAlias = "tuple[int, ...]"  # (i,), or (i, j) for a product


class _Recorded:
    """The recorded graph by position, with every tree of additions gathered into its terms.

    Attributes:
        column, parameter: which one a leaf is, or -1.
        constant: whether the node depends on neither an input nor a parameter.
        terms: position of a sum -> what it adds up: (i,), or (i, j) for a product.
        inside: whether the node is only a part of such a sum.
    """

    def __init__(self, loss: Value, inputs: Sequence[Value], parameters: Sequence[Value]) -> None:
        self.order = recorded(loss)
        at = {value: i for i, value in enumerate(self.order)}
        size = len(self.order)
        self.inputs = [tuple([at[v] for v in value.inputs]) for value in self.order]
        self.column, self.parameter = [-1] * size, [-1] * size
        for which, values in ((self.column, inputs), (self.parameter, parameters)):
            for k, value in enumerate(values):
                if value in at:
                    which[at[value]] = k
        self.constant = constant = [False] * size
        self.readers = readers = [0] * size
        summed = [False] * size  # whether a sum reads it as a term
        for i, below in enumerate(self.inputs):
            for j in below:
                readers[j] += 1
            op = self.order[i].op
            if op is None:
                constant[i] = self.column[i] < 0 and self.parameter[i] < 0
            else:
                constant[i] = all(map(constant.__getitem__, below))
                if op is ADD or op is SUM:
                    for j in below:
                        summed[j] = True
                elif op is DOT and len(below) % 2:
                    summed[below[-1]] = True
        self.inside = [
            summed[i] and readers[i] == 1 and value.op in _LINEAR and not constant[i]
            for i, value in enumerate(self.order)
        ]
        self.terms = {
            i: self._gathered(i)
            for i, value in enumerate(self.order)
            if not self.inside[i] and not constant[i] and value.op in _SUMS
        }

    def _gathered(self, head: int) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = []
        ahead = [head]
        while ahead:
            i = ahead.pop()
            op, inputs = self.order[i].op, self.inputs[i]
            if i != head and not self.inside[i]:
                found.append((i,))
            elif op is MUL:
                found.append(inputs)
            elif op is DOT:
                pairs = op.pairs(len(inputs))
                found.extend(zip(inputs[:pairs], inputs[pairs:]))
                ahead.extend(inputs[2 * pairs :])
            else:
                ahead.extend(reversed(inputs))
        return found


_SUMS = frozenset((ADD, SUM, DOT))
_LINEAR = _SUMS | {MUL}


def _written(made: Plan, terms: list[_Term], value: Value | None) -> int:
    """The position of the sum of `terms` after adding it to the plan.

    Products are sorted by when their factors are computed, and each kind becomes one dot product.
    What is computed once is summed once.
    """
    single: dict[int, list[int]] = {}
    dots: dict[int, dict[tuple[int, int], list[tuple[int, int]]]] = {}
    phases, known = made.phases, []
    for term in terms:
        a, b = term[0], term[-1]
        if len(term) == 1:
            if a in made.constants:
                known.append(made.constants[a])
            else:
                single.setdefault(phases[a], []).append(a)
            continue
        if phases[a] > phases[b]:
            a, b = b, a
        kind = phases[a], phases[b]
        dots.setdefault(kind[1], {}).setdefault(kind, []).append((a, b))
    if sum(known) or len(known) == len(terms):
        i = made.add(None, (), None)
        made.constants[i] = sum(known)
        single[ONCE] = [i, *single.get(ONCE, [])]
    parts: list[int] = []
    for phase in sorted({*single, *dots}):
        parts += single.get(phase, [])
        last: list[tuple[int, int]] = []
        for pairs in dots.get(phase, {}).values():
            if len(pairs) == 1:
                parts.append(made.add(MUL, pairs[0], None))
            else:
                if last:
                    parts.append(_dot(made, last, None))
                last = pairs
        if len(parts) > 1:
            parts = [made.add(ADD if len(parts) == 2 else SUM, tuple(parts), None)]
        if last:
            parts = [_dot(made, last, parts[0] if parts else None)]
    if made.ops[parts[0]]:
        made.values[parts[0]] = value
    return parts[0]


def _dot(made: Plan, pairs: list[tuple[int, int]], bias: int | None) -> int:
    inputs = (*(a for a, _ in pairs), *(b for _, b in pairs))
    return made.add(DOT, inputs if bias is None else (*inputs, bias), None)


@dataclass
class _Batch:
    """Samples found in a sum: the same computation, again and again with other constants."""

    sum: int  # the position of the sum
    terms: list[_Term]  # what sample 0 adds to it
    rest: list[_Term]  # what is not of any sample
    copies: set[int]  # the nodes of all other samples
    column: list[int]  # for each node: the column that replaces it, or -1
    rows: list[tuple[float, ...]]


def _batch(graph: _Recorded) -> _Batch | None:
    """The samples that the loss was recorded over, if it was: the last sum that has any."""
    keys = _shapes(graph)
    for i in sorted(graph.terms, reverse=True):
        alike: dict[tuple[int, ...], list[_Term]] = {}
        for term in graph.terms[i]:
            alike.setdefault(tuple([keys[j] for j in term]), []).append(term)
        size = max(map(len, alike.values()))
        if size > 1:
            found = _samples(graph, i, [terms for terms in alike.values() if len(terms) == size])
            if found:
                found.rest = [t for terms in alike.values() if len(terms) != size for t in terms]
                return found
    return None


def _shapes(graph: _Recorded) -> list[int]:
    """A number per node, the same for nodes that differ in constants only; -1 for constants."""
    number: dict[object, int] = {}
    keys = [-1] * len(graph.order)
    for i, value in enumerate(graph.order):
        if graph.constant[i] or graph.inside[i]:
            continue
        if value.op is None:
            shape: object = i
        elif i in graph.terms:
            shape = tuple([tuple([keys[j] for j in term]) for term in graph.terms[i]])
        else:
            shape = (value.op, *[keys[j] for j in graph.inputs[i]])
        keys[i] = number.setdefault(shape, len(number))
    return keys


def _samples(graph: _Recorded, head: int, alike: list[list[_Term]]) -> _Batch | None:
    """The samples whose terms are `alike`, if nothing else connects them or reads them."""
    column = [-1] * len(graph.order)
    rows: dict[tuple[str, ...], list[float]] = {}
    number: dict[tuple[str, ...], int] = {}
    seen: dict[int, list[int]] = {}
    reads: dict[int, int] = {}
    shared: set[int] = set()
    ahead = [list(nodes) for terms in alike for nodes in zip(*terms)]
    for nodes in ahead:  # which grows as it goes
        first = nodes[0]
        if nodes.count(first) == len(nodes):
            shared.add(first)
            continue
        if graph.constant[first]:
            numbers = [graph.order[i].data for i in nodes]
            if numbers.count(numbers[0]) == len(numbers):
                shared.add(first)
                continue
        elif len({*nodes}) < len(nodes):
            return None
        for i in nodes:
            reads[i] = reads.get(i, 0) + 1
        if first in seen:
            if seen[first] != nodes:
                return None
            continue
        seen[first] = nodes
        if graph.constant[first]:
            data = tuple(map(repr, numbers))
            column[first] = number.setdefault(data, len(number))
            rows[data] = numbers
        elif first in graph.terms:
            ahead.extend(
                [
                    list(each)
                    for terms in zip(*[graph.terms[i] for i in nodes])
                    for each in zip(*terms)
                ]
            )
        else:
            ahead.extend([list(each) for each in zip(*[graph.inputs[i] for i in nodes])])
    if not rows:
        return None
    members = {i for nodes in seen.values() for i in nodes}
    if not shared.isdisjoint(members) or any(reads[i] != graph.readers[i] for i in members):
        return None
    terms = [terms[0] for terms in alike]
    return _Batch(head, terms, [], members.difference(seen), column, [*zip(*rows.values())])
