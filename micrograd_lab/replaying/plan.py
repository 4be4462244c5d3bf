"""A recorded graph as flat lists: what every replay is written from.

The recorded nodes take the form that array programs want, without a change in what they compute.
A tree of additions becomes one sum; sums of products become dot products of what is computed once
with what is computed for each sample; a loss that was recorded over a whole batch becomes one
sample and a table of numbers.  How a program is written is not known here.

Read ``terms.py`` and ``batches.py`` before this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from ..engine import Value
from ..ops import Op
from .batches import Batch, find_batch
from .simplify import simplified
from .terms import ADD, DOT, MUL, SUM, RecordedTerms, Term

ONCE, EACH, AFTER = 0, 1, 2


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
                active = op is None or has_slope(op)
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

    def add_dot(self, pairs: list[tuple[int, int]], bias: int | None) -> int:
        """The position of a new sum of products."""
        inputs = (*(a for a, _ in pairs), *(b for _, b in pairs))
        return self.add(DOT, inputs if bias is None else (*inputs, bias), None)

    def add_sum(self, terms: list[Term], value: Value | None) -> int:
        """The position of a new sum, after the nodes that it needs.

        Products are sorted by when their factors are computed, and each kind becomes one dot
        product.  What is computed once is summed once.
        """
        single, products = self._by_phase(terms)
        total: int | None = None
        for phase in sorted({*single, *products}):
            total = self._add_phase(single.get(phase, []), products.get(phase, {}), total)
        assert total is not None, "a sum has terms"
        if self.ops[total]:
            self.values[total] = value
        return total

    def _by_phase(
        self, terms: list[Term]
    ) -> tuple[dict[int, list[int]], dict[int, dict[tuple[int, int], list[tuple[int, int]]]]]:
        """Single terms by phase; products by phase and by the phases of both factors."""
        single: dict[int, list[int]] = {}
        products: dict[int, dict[tuple[int, int], list[tuple[int, int]]]] = {}
        numbers = []
        for term in terms:
            a, b = term[0], term[-1]
            if len(term) == 2:
                if self.phases[a] > self.phases[b]:
                    a, b = b, a
                kind = self.phases[a], self.phases[b]
                products.setdefault(kind[1], {}).setdefault(kind, []).append((a, b))
            elif a in self.constants:
                numbers.append(self.constants[a])
            else:
                single.setdefault(self.phases[a], []).append(a)
        if sum(numbers) or len(numbers) == len(terms):
            single[ONCE] = [self.add_constant(sum(numbers)), *single.get(ONCE, [])]
        return single, products

    def _add_phase(
        self,
        single: list[int],
        products: dict[tuple[int, int], list[tuple[int, int]]],
        before: int | None,
    ) -> int:
        """The position of the sum of one phase's terms and of `before`, the sum so far."""
        parts = [*([] if before is None else [before]), *single]
        last: list[tuple[int, int]] = []
        for pairs in products.values():
            if len(pairs) == 1:
                parts.append(self.add(MUL, pairs[0], None))
                continue
            if last:
                parts.append(self.add_dot(last, None))
            last = pairs
        if len(parts) > 1:
            parts = [self.add(ADD if len(parts) == 2 else SUM, tuple(parts), None)]
        if last and parts and self.phases[parts[0]] > self.phases[last[0][0]]:
            # the x of x + W f(x), in every sample another, is no bias of a layer
            return self.add(ADD, (parts[0], self.add_dot(last, None)), None)
        if last:  # it takes the rest as its bias
            return self.add_dot(last, parts[0] if parts else None)
        return parts[0]


def make_plan(
    loss: Value, inputs: Sequence[Value], parameters: Sequence[Value], *, batch: bool = True
) -> Plan:
    """The plan of `loss` as a function of `inputs`, one per column, and of `parameters`.

    Args:
        batch: whether to look for the samples that a loss without inputs was recorded over.

    >>> w, x, b = Value(2), Value(3), Value(1)
    >>> plan = make_plan((w * x + w * b + b).tanh(), [x], [w, b])
    >>> [(op.name, phase) for op, phase in zip(plan.ops, plan.phases) if op]
    [('mul', 0), ('add', 0), ('mul', 1), ('add', 1), ('tanh', 1)]
    """
    graph = RecordedTerms(loss, inputs, parameters)
    return _Planner(graph, None if inputs or not batch else find_batch(graph)).plan()


@cache
def has_slope(op: Op) -> bool:
    """Whether any partial of `op` is not 0 everywhere.

    >>> from micrograd_lab.ops import OPS
    >>> has_slope(OPS["step"]), has_slope(OPS["relu"])
    (False, True)
    """
    return any(simplified(partial, op.n) != "0.0" for partial in op.partials)


class _Planner:
    """Adds the nodes of a recorded graph to a plan, in order.

    Attributes:
        place: for each recorded node, its position in the plan, or -1.
        leaves: equal constants, and leaves that read one column, are one node.
    """

    def __init__(self, graph: RecordedTerms, batch: Batch | None) -> None:
        self.graph, self.batch = graph, batch
        self.column = batch.column if batch else graph.column
        self._plan = Plan(batch=batch.rows if batch else None)
        self.place = [-1] * len(graph.order)
        self.leaves: dict[object, int] = {}

    def plan(self) -> Plan:
        copies = self.batch.copies if self.batch else set()
        for i in range(len(self.graph.order)):
            if not self.graph.inside[i] and i not in copies:
                self.add(i)
        self._plan.result = self.read(len(self.place) - 1)
        return self._plan

    def add(self, i: int) -> None:
        """Add the recorded node `i`; a constant waits until it is read."""
        graph, plan, value = self.graph, self._plan, self.graph.order[i]
        if self.column[i] >= 0:
            self.place[i] = self.leaves.setdefault(self.column[i], len(plan))
            if self.place[i] == len(plan):
                plan.columns[plan.add(None, (), value, EACH)] = self.column[i]
        elif graph.parameter[i] >= 0:
            self.place[i] = plan.add(None, (), value)
            plan.parameters[self.place[i]] = graph.parameter[i]
            plan.active[self.place[i]] = True
        elif graph.constant[i]:
            pass
        elif self.batch and i == self.batch.head:
            sample = plan.add_sum(self.terms(self.batch.terms), None)
            over = plan.add(SUM, (sample,), None, AFTER)
            self.place[i] = plan.add_sum([(over,), *self.terms(self.batch.rest)], value)
        elif i in graph.terms:
            self.place[i] = plan.add_sum(self.terms(graph.terms[i]), value)
        else:
            self.place[i] = plan.add(value.op, tuple(map(self.read, graph.inputs[i])), value)

    def terms(self, recorded: Iterable[Term]) -> list[Term]:
        """Terms by position in the plan."""
        return [tuple(map(self.read, term)) for term in recorded]

    def read(self, i: int) -> int:
        """The position in the plan of the recorded node `i`."""
        if self.place[i] < 0:
            value, plan = self.graph.order[i], self._plan
            self.place[i] = self.leaves.setdefault(repr(value.data), len(plan))
            if self.place[i] == len(plan):
                plan.add_constant(value.data, value)
        return self.place[i]
