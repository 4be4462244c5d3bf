"""A recorded graph as flat lists: what every replay is written from.

The recorded nodes take the form that array programs want, without a change in what they compute.
A tree of additions becomes one sum, and sums of products become dot products of what is computed
once with what is computed for each sample.  How a program is written is not known here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from ..engine import Value, recorded
from ..ops import OPS, Op
from .simplify import doubtful_slopes, hides, keeps, without_slope

ADD, MUL, SUM, DOT, TAKE = (OPS[name] for name in ("add", "mul", "sum", "dot", "take"))
SUMS = frozenset((ADD, SUM, DOT))
_LINEAR = SUMS | {MUL}
ONE = -1  # a node that is 1, in a plan's numbering
ONCE, EACH = 0, 1
_HOT = Op("hot", "=", "1 if x == y else 0", ("0", "0"))
_FOUND = Op("found", "0", "x / x - 1", ("0",))  # 0 where one of a column is hot; else no number

Terms: TypeAlias = "tuple[list[int], list[int], list[int]]"  # single ones; factors of products
Factors: TypeAlias = "tuple[list[int], list[int]]"  # of products, side by side


@dataclass
class Plan:
    """Nodes 0, 1, 2, ..., inputs before what is computed from them; one list per property.

    A node's phase says when it is computed: ONCE, from parameters and constants, or EACH, for every
    sample; the loss is the mean of the result over the samples.

    A `dot` has its weights, its inputs and perhaps a bias.  Of a product of what is computed once
    with what is computed for each sample, the former is first.
    """

    result: int = 0  # the loss
    ops: list[Op | None] = field(default_factory=list)  # None for a leaf
    inputs: list[tuple[int, ...]] = field(default_factory=list)
    values: list[Value | None] = field(default_factory=list)  # as recorded
    phases: list[int] = field(default_factory=list)
    active: list[bool] = field(default_factory=list)  # whether it has a slope by some parameter
    columns: dict[int, int] = field(default_factory=dict)  # leaf -> the column that it reads
    parameters: dict[int, int] = field(default_factory=dict)  # leaf -> which of them it is
    constants: dict[int, float] = field(default_factory=dict)  # leaf -> its number

    def __len__(self) -> int:
        return len(self.ops)

    def add(
        self, op: Op | None, inputs: tuple[int, ...], value: Value | None, phase: int = ONCE
    ) -> int:
        """The position of a new node, computed no earlier than `phase`."""
        active = False
        for i in inputs:
            if phase < self.phases[i]:  # noqa: PLR1730  max() takes longer
                phase = self.phases[i]
            if self.active[i]:
                active = True
        if active and op and (flat := without_slope(op)):
            active = any(self.active[i] for k, i in enumerate(inputs) if k not in flat)
        self.ops.append(op)
        self.inputs.append(inputs)
        self.values.append(value)
        self.phases.append(phase)
        self.active.append(active)
        return len(self.ops) - 1

    def add_constant(self, number: float, value: Value | None = None) -> int:
        """The position of a new constant."""
        i = self.add(None, (), value)
        self.constants[i] = number
        return i

    def add_sum(self, terms: Terms, value: Value | None) -> int:
        """The position of a new sum, after the nodes that it needs.

        Products are sorted by when their factors are computed, and each kind becomes one dot
        product.  What is computed once is summed once.
        """
        phases, constants = self.phases, self.constants
        single, left, right = terms
        if len(left) == 1:
            a, b = left[0], right[0]
            product = self.add(MUL, (a, b) if phases[a] <= phases[b] else (b, a), None)
            single, left, right = [*single, product], [], []
        nodes: tuple[list[int], ...] = [], []
        numbers = [constants[i] for i in single if i in constants]
        for i in single:
            if i not in constants:
                nodes[phases[i]].append(i)
        if numbers and (sum(numbers) or len(numbers) == len(single) + len(left)):
            nodes[ONCE].insert(0, self.add_constant(sum(numbers)))
        total: int | None = None
        # the factors of the products of each phase, by the phase of the one computed earlier
        factors: tuple[dict[int, Factors], ...] = {}, {}
        for a, b in zip(left, right):
            if phases[a] > phases[b]:
                a, b = b, a
            first, second = factors[phases[b]].setdefault(phases[a], ([], []))
            first.append(a)
            second.append(b)
        for phase, products in enumerate(factors):
            if nodes[phase] or products:
                total = self._add_phase(nodes[phase], [*products.values()], total)
        assert total is not None, "a sum has terms"
        if self.ops[total]:
            self.values[total] = value
        return total

    def _add_phase(self, single: list[int], products: list[Factors], before: int | None) -> int:
        """The position of the sum of one phase's terms and of `before`, the sum so far."""
        parts = single if before is None else [before, *single]
        last: tuple[int, ...] = ()  # factors of a dot product, which takes the rest as its bias
        for left, right in products:
            if len(left) == 1:
                parts = [*parts, self.add(MUL, (left[0], right[0]), None)]
                continue
            if last:
                parts = [*parts, self.add(DOT, last, None)]
            last = *left, *right
        if len(parts) > 1:
            parts = [self.add(ADD if len(parts) == 2 else SUM, tuple(parts), None)]
        if last and parts and self.phases[parts[0]] > self.phases[last[0]]:
            # the x of x + W f(x), in every sample another, is no bias of a layer
            return self.add(ADD, (parts[0], self.add(DOT, last, None)), None)
        return self.add(DOT, (*last, *parts), None) if last else parts[0]


def make_plan(
    loss: Value, inputs: Sequence[Value], parameters: Sequence[Value], *, one_hot: bool = True
) -> Plan:
    """The plan of `loss` as a function of `inputs`, one per column, and of `parameters`.

    With `one_hot`, `take` is a product with a column that is 1 at the index: only the tape can
    look numbers up.
    """
    return _Planner(RecordedTerms(loss, inputs, parameters), one_hot=one_hot).plan()


def add_checks(plan: Plan) -> None:
    """Add to `plan` what the engine would refuse, and its loss and gradient would not show.

    The engine computes every slope when it records, and stops where one has no number, and at a
    NaN.  A program computes only the slopes that a gradient needs, so the others, where they have a
    domain, become nodes.  And it may hide a NaN, as step(NaN) is 0 there, or an error, as 1 / inf
    is 0: then 0 times what is hidden is added to the loss, which is not finite either.
    """
    ops = {op for op in plan.ops if op and not op.variadic}
    doubtful = {op for op in ops if op.domain or any(hides(op))}
    if not doubtful:
        return
    shown = {result := plan.result}  # what makes the loss infinite or NaN if it is
    for i in reversed(range(len(plan))):
        op, inputs = plan.ops[i], plan.inputs[i]
        if op and i in shown:
            shown.update(inputs if op.variadic else itertools.compress(inputs, keeps(op)))
    stopped = any(op.gate or without_slope(op) for op in ops)  # an infinite gradient, perhaps
    unseen: dict[int, None] = {}
    for i, (op, inputs) in enumerate([*zip(plan.ops, plan.inputs)]):
        if op not in doubtful:
            continue
        assert op is not None
        nodes = [*itertools.compress(inputs, hides(op)), *([i] if op.domain else [])]
        unseen |= dict.fromkeys(j for j in nodes if j not in shown and j not in plan.constants)
        for k, slope in doubtful_slopes(op).items():
            if stopped or not plan.active[inputs[k]]:
                unseen[plan.add(slope, (*inputs, i)[: len(slope.partials)], None)] = None
    if unseen:
        count = len(plan)
        total = plan.add_sum(([*unseen], [], []), None)
        zero = plan.add(MUL, (plan.add_constant(0.0), total), None)
        plan.active[count:] = [False] * (len(plan) - count)
        plan.result = plan.add(ADD, (result, zero), None)


class _Planner:
    """Adds the nodes of a recorded graph to a plan, in order."""

    def __init__(self, graph: RecordedTerms, *, one_hot: bool) -> None:
        self.graph, self.one_hot = graph, one_hot
        self.column_at = cache(self._column_at)
        self._plan = Plan()
        self.place = [-1] * len(graph.order)  # in the plan
        self.leaves: dict[str, int] = {}  # one for equal constants

    def plan(self) -> Plan:
        for i, inside in enumerate(self.graph.inside):
            if not inside:
                self.add(i)
        self._plan.result = self.read(len(self.place) - 1)
        return self._plan

    def add(self, i: int) -> None:
        """Add the recorded node `i`; a constant waits until it is read."""
        graph, plan, value = self.graph, self._plan, self.graph.order[i]
        if i in graph.column:
            self.place[i] = plan.add(None, (), value, EACH)
            plan.columns[self.place[i]] = graph.column[i]
        elif i in graph.parameter:
            self.place[i] = plan.add(None, (), value)
            plan.parameters[self.place[i]] = graph.parameter[i]
            plan.active[self.place[i]] = True
        elif graph.constant[i]:
            pass
        elif i in graph.terms:
            single, left, right = map(self.places, graph.terms[i])
            self.place[i] = plan.add_sum((single, left, right), value)
        elif value.op is TAKE and self.one_hot:
            index, *entries = map(self.read, graph.inputs[i])
            *hot, found = self.column_at(index, len(entries))
            self.place[i] = plan.add_sum(([found], entries, hot), value)
        else:
            self.place[i] = plan.add(value.op, tuple(self.places(graph.inputs[i])), value)

    def _column_at(self, index: int, count: int) -> list[int]:
        """A column of nodes, 1 at the number of the node `index`, else 0; and 0 if one is 1."""
        plan = self._plan
        hot = [plan.add(_HOT, (index, self.constant(float(k))), None) for k in range(count)]
        return [*hot, plan.add(_FOUND, (plan.add_sum((hot, [], []), None),), None)]

    def places(self, nodes: Sequence[int]) -> list[int]:
        """The positions in the plan of recorded nodes."""
        places = [self.place[i] for i in nodes]
        return [self.read(i) for i in nodes] if -1 in places else places

    def read(self, i: int) -> int:
        """The position in the plan of the recorded node `i`."""
        if self.place[i] < 0:
            value = self.graph.order[i]
            self.place[i] = self.constant(value.data, value)
        return self.place[i]

    def constant(self, number: float, value: Value | None = None) -> int:
        """The position of a constant."""
        place = self.leaves.setdefault(repr(number), len(self._plan))
        return place if place < len(self._plan) else self._plan.add_constant(number, value)


class RecordedTerms:
    """What `loss` was computed from, by position, with an entry for each node."""

    def __init__(self, loss: Value, inputs: Sequence[Value], parameters: Sequence[Value]) -> None:
        self.order: list[Value] = recorded(loss)
        at = {value: i for i, value in enumerate(self.order)}
        self.inputs: list[tuple[int, ...]] = [
            tuple([at[x] for x in value.inputs]) for value in self.order
        ]
        self.column: dict[int, int] = {at[x]: k for k, x in enumerate(inputs) if x in at}
        self.parameter: dict[int, int] = {at[x]: k for k, x in enumerate(parameters) if x in at}
        self.constant: list[bool] = []  # whether it depends on none of them
        self.readers: list[int] = [0] * len(at)  # how many inputs of other nodes it is
        self.inside: list[bool] = [False] * len(at)  # whether it is only a part of a larger sum
        self.terms: dict[int, Terms] = {}  # of each sum
        constant, readers, inside = self.constant, self.readers, self.inside
        for i, (value, below) in enumerate(zip(self.order, self.inputs)):
            op = value.op
            known = op is not None or (i not in self.column and i not in self.parameter)
            for j in below:
                readers[j] += 1
                if not constant[j]:
                    known = False
            constant.append(known)
            if op in SUMS:
                for j in below if op is not DOT else below[len(below) // 2 * 2 :]:
                    inside[j] = not constant[j] and self.order[j].op in _LINEAR
        self.inside = inside = [part and readers[i] <= 1 for i, part in enumerate(inside)]
        for i, value in enumerate(self.order):
            if value.op in SUMS and not inside[i] and not constant[i]:
                self.terms[i] = self._gather(i)

    def _gather(self, head: int) -> Terms:
        """The terms of the sum at `head`."""
        terms: Terms = [], [], []
        single, left, right = terms
        ahead = [head]
        while ahead:
            i = ahead.pop()
            op, inputs = self.order[i].op, self.inputs[i]
            if i != head and not self.inside[i]:
                single.append(i)
            elif op is ADD or op is SUM:
                ahead.extend(reversed(inputs))
            else:
                pairs = len(inputs) // 2
                left += inputs[:pairs]
                right += inputs[pairs : 2 * pairs]
                ahead.extend(inputs[2 * pairs :])
        return terms


def products(op: Op, inputs: tuple[int, ...]) -> list[tuple[int, int]]:
    """The products that `op`, a sum, adds up; a single term is multiplied by 1."""
    pairs = op.pairs(len(inputs))
    single = [(x, ONE) for x in inputs[2 * pairs :]]
    return [*zip(inputs[:pairs], inputs[pairs : 2 * pairs]), *single]
