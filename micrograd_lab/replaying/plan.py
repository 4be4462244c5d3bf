"""A recorded graph as flat lists: what every replay is written from.

The recorded nodes take the form that array programs want, without a change in what they compute.
A tree of additions becomes one sum; sums of products become dot products of what is computed once
with what is computed for each sample; a loss that was recorded over a whole batch becomes one
sample and a table of numbers.  How a program is written is not known here.

Read ``terms.py`` and ``batches.py`` before this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from ..engine import Value
from ..ops import Op
from .batches import Batch, find_batch
from .simplify import simplified
from .terms import ADD, DOT, MUL, SUM, TAKE, RecordedTerms, Terms

ONCE, EACH, AFTER = 0, 1, 2
_HOT = Op("hot", "=", "1 if x == y else 0", ("0", "0"))
_FOUND = Op("found", "0", "x / x - 1", ("0",))  # 0 where one of a column is hot; else no number

Factors: TypeAlias = "tuple[list[int], list[int]]"  # of products, side by side


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
        active: whether a parameter is below that it has a slope by, so that there is a gradient
            to hand on.
        batch: the data of a loss that was recorded over a whole batch, one row per sample.
        recorded: every value that was recorded, in order.
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
    recorded: list[Value] = field(default_factory=list)

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
        nodes: tuple[list[int], ...] = [], [], []
        numbers = []
        for i in single:
            if i in constants:
                numbers.append(constants[i])
            else:
                nodes[phases[i]].append(i)
        if numbers and (sum(numbers) or len(numbers) == len(single) + len(left)):
            nodes[ONCE].insert(0, self.add_constant(sum(numbers)))
        total: int | None = None
        for phase, products in enumerate(self._by_phase(left, right)):
            if nodes[phase] or products:
                total = self._add_phase(nodes[phase], [*products.values()], total)
        assert total is not None, "a sum has terms"
        if self.ops[total]:
            self.values[total] = value
        return total

    def _by_phase(self, left: list[int], right: list[int]) -> tuple[dict[int, Factors], ...]:
        """The factors of the products of each phase, by the phase of the one computed earlier."""
        products: tuple[dict[int, Factors], ...] = {}, {}, {}
        if not left:
            return products
        phases = self.phases.__getitem__
        kinds = [*zip(map(phases, left), map(phases, right))]
        if kinds.count(kinds[0]) == len(kinds) and kinds[0][0] <= kinds[0][1]:
            products[kinds[0][1]][kinds[0][0]] = left, right
            return products
        for (first, second), a, b in zip(kinds, left, right):
            if first > second:
                first, second, a, b = second, first, b, a
            pairs = products[second].setdefault(first, ([], []))
            pairs[0].append(a)
            pairs[1].append(b)
        return products

    def _add_phase(self, single: list[int], products: list[Factors], before: int | None) -> int:
        """The position of the sum of one phase's terms and of `before`, the sum so far."""
        parts = single if before is None else [before, *single]
        last: Factors | None = None
        for left, right in products:
            if len(left) == 1:
                parts = [*parts, self.add(MUL, (left[0], right[0]), None)]
                continue
            if last:
                parts = [*parts, self.add(DOT, (*last[0], *last[1]), None)]
            last = left, right
        if len(parts) > 1:
            parts = [self.add(ADD if len(parts) == 2 else SUM, tuple(parts), None)]
        if last and parts and self.phases[parts[0]] > self.phases[last[0][0]]:
            # the x of x + W f(x), in every sample another, is no bias of a layer
            return self.add(ADD, (parts[0], self.add(DOT, (*last[0], *last[1]), None)), None)
        if last:  # it takes the rest as its bias
            return self.add(DOT, (*last[0], *last[1], *parts), None)
        return parts[0]


def make_plan(
    loss: Value, inputs: Sequence[Value], parameters: Sequence[Value], *, backend: str = "numpy"
) -> Plan:
    """The plan of `loss` as a function of `inputs`, one per column, and of `parameters`.

    Args:
        backend: "python" has no sums over the samples that a loss without inputs was recorded over;
            only "tape" has `take`, for others a product with a column that is 1 at the index.

    >>> w, x, b = Value(2), Value(3), Value(1)
    >>> plan = make_plan((w * x + w * b + b).tanh(), [x], [w, b])
    >>> [(op.name, phase) for op, phase in zip(plan.ops, plan.phases) if op]
    [('mul', 0), ('add', 0), ('mul', 1), ('add', 1), ('tanh', 1)]
    """
    graph = RecordedTerms(loss, inputs, parameters)
    batch = None if inputs or backend == "python" else find_batch(graph)
    return _Planner(graph, batch, one_hot=backend != "tape").plan()


@cache
def without_slope(op: Op) -> list[int]:
    """For which inputs the partial of `op` is 0 everywhere.

    >>> from micrograd_lab.ops import OPS
    >>> without_slope(OPS["step"]), without_slope(OPS["where"]), without_slope(OPS["relu"])
    ([0], [0], [])
    """
    return [k for k, partial in enumerate(op.partials) if simplified(partial, op.n) == "0.0"]


class _Planner:
    """Adds the nodes of a recorded graph to a plan, in order.

    Attributes:
        place: for each recorded node, its position in the plan, or -1.
        leaves: equal constants, and leaves that read one column, are one node.
    """

    def __init__(self, graph: RecordedTerms, batch: Batch | None, *, one_hot: bool) -> None:
        self.graph, self.batch, self.one_hot = graph, batch, one_hot
        self.column_at = cache(self._column_at)
        self.column = batch.column if batch else graph.column
        self._plan = Plan(batch=batch.rows if batch else None, recorded=graph.order)
        self.place = [-1] * len(graph.order)
        self.leaves: dict[object, int] = {}

    def plan(self) -> Plan:
        copies = self.batch.copies if self.batch else set()
        for i, inside in enumerate(self.graph.inside):
            if not inside and i not in copies:
                self.add(i)
        self._plan.result = self.read(len(self.place) - 1)
        return self._plan

    def add(self, i: int) -> None:
        """Add the recorded node `i`; a constant waits until it is read."""
        graph, plan, value = self.graph, self._plan, self.graph.order[i]
        if i in self.column:
            self.place[i] = self.leaves.setdefault(self.column[i], len(plan))
            if self.place[i] == len(plan):
                plan.columns[plan.add(None, (), value, EACH)] = self.column[i]
        elif i in graph.parameter:
            self.place[i] = plan.add(None, (), value)
            plan.parameters[self.place[i]] = graph.parameter[i]
            plan.active[self.place[i]] = True
        elif graph.constant[i]:
            pass
        elif self.batch and i == self.batch.head:
            sample = plan.add_sum(self.terms(self.batch.terms), None)
            over = plan.add(SUM, (sample,), None, AFTER)
            single, left, right = self.terms(self.batch.rest)
            self.place[i] = plan.add_sum(([over, *single], left, right), value)
        elif i in graph.terms:
            self.place[i] = plan.add_sum(self.terms(graph.terms[i]), value)
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

    def terms(self, recorded: Terms) -> Terms:
        """Terms by position in the plan."""
        single, left, right = recorded
        return self.places(single), self.places(left), self.places(right)

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
