"""The program of a plan as straight-line Python, which needs the standard library only.

One assignment per node, forward and then backward, for one sample after the other.  For a deep
and narrow graph, or a small one and few samples, this is faster than arrays.

Read ``plan.py`` and ``table.py`` before this file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from ...formulas import functions_of
from ..plan import EACH, ONCE, Plan
from ..terms import DOT
from .table import Table, share, template

MAX_LINES = 10_000  # of a function: Python compiles 100 in 1 to 2 ms
MAX_TERMS = 50  # terms per expression: the compiler recurses over them


class StraightLine:
    """The loss and its gradient, one sample after the other.

    Args:
        plan: a plan without sums over samples.
        layout: which parameter each entry of the parameter vector is.
        longest: how many lines may be compiled; a longer program runs as a table, half as fast.

    Attributes:
        vector: the parameters' numbers.
        gradient: of the loss by each of them, after a call.
        run: what `source` says; for a long one a table does the same.
    """

    def __init__(self, plan: Plan, layout: Sequence[int], longest: int = MAX_LINES) -> None:
        self.plan: Plan = plan
        self.layout: Sequence[int] = layout
        self.vector: list[float] = [0.0] * len(layout)
        self.gradient: list[float] = [0.0] * len(layout)
        lines = len(plan) + sum(map(len, plan.inputs))
        self.run: Callable[..., tuple[float, list[float]]] = (
            Table(plan, layout).run if lines > longest else self._compiled()
        )

    def __call__(self, data: list[list[float]]) -> float:
        """The mean loss over the rows of `data`; fills `gradient`."""
        loss, self.gradient[:] = self.run(self.vector, data)
        return loss

    @cached_property
    def source(self) -> str:
        """A function of the parameters and the rows of data that returns both."""
        plan, row_of = self.plan, {parameter: row for row, parameter in enumerate(self.layout)}
        self.names: dict[int, str] = {i: f"v{i}" for i, op in enumerate(plan.ops) if op}
        self.names |= {i: f"p{row_of[parameter]}" for i, parameter in plan.parameters.items()}
        self.names |= {i: f"x{column}" for i, column in plan.columns.items()}
        self.names |= {i: f"{x!r}" if x >= 0 else f"({x!r})" for i, x in plan.constants.items()}
        lines = self.lines([f"p{k}" for k in range(len(self.layout))])
        return "\n    ".join(lines) + "\n"

    def _compiled(self) -> Callable[..., tuple[float, list[float]]]:
        scope: dict[str, Any] = dict(functions_of(math), inf=math.inf, nan=math.nan)
        exec(self.source, scope)
        return scope["program"]  # type: ignore[no-any-return]

    def lines(self, parameters: list[str]) -> Iterator[str]:
        plan, names, result = self.plan, self.names, self.plan.result
        once, each = (
            [i for i, op in enumerate(plan.ops) if op and plan.phases[i] == phase]
            for phase in (ONCE, EACH)
        )
        read = sorted({j for i in each for j in plan.inputs[i] if plan.phases[j] == ONCE})
        sums = [j for j in read if plan.active[j]]  # whose gradients are added up over the samples
        reached = {*sums, result} if plan.active[result] else {*sums}
        yield "def program(p, rows):"
        yield from [f"{', '.join(parameters)}, = p"] if parameters else []
        yield from map(self.forward, once)
        if plan.phases[result] == EACH:
            yield from (f"d_{names[i]} = 0.0" for i in sums)
            yield "total, n = 0.0, len(rows)"
            yield "for row in rows:"
            yield from (f"    {names[i]} = row[{column}]" for i, column in plan.columns.items())
            yield from (f"    {self.forward(i)}" for i in each)
            yield f"    total += {names[result]}"
            yield f"    d_{names[result]} = 1.0 / n"
            yield from (f"    {line}" for line in self.backward(each, reached))
            yield "loss = total / n"
        else:
            yield f"loss = {names[result]}"
            yield f"d_{names[result]} = 1.0" if plan.active[result] else ""
        yield from self.backward(once, reached)
        slopes = {names[i]: f"d_{names[i]}" for i in reached}
        yield f"return loss, [{', '.join(slopes.get(p, '0.0') for p in parameters)}]"

    def forward(self, node: int) -> str:
        """The assignment that computes `node`."""
        op, target = self.plan.ops[node], self.names[node]
        assert op
        inputs = [self.names[i] for i in self.plan.inputs[node]]
        if not op.variadic:
            return f"{target} = {template(op.formula, op.n).format(**dict(zip('xyz', inputs)))}"
        pairs = DOT.pairs(len(inputs)) if op is DOT else 0
        terms = [f"{x} * {y}" for x, y in zip(inputs, inputs[pairs : 2 * pairs])]
        terms += inputs[2 * pairs :]
        parts = [" + ".join(terms[i : i + MAX_TERMS]) for i in range(0, len(terms), MAX_TERMS)]
        return "; ".join([f"{target} = {parts[0]}", *[f"{target} += {part}" for part in parts[1:]]])

    def backward(self, nodes: list[int], reached: set[int]) -> Iterator[str]:
        """The lines that hand gradients on; those `reached` have one, and more are added."""
        for node in reversed(nodes):
            if node not in reached:
                continue
            for i, text in self.shares(node):
                yield f"d_{self.names[i]} {'+=' if i in reached else '='} {text}"
                reached.add(i)

    def shares(self, node: int) -> Iterator[tuple[int, str]]:
        """What `node` hands to each of its inputs that has a gradient."""
        op, inputs = self.plan.ops[node], self.plan.inputs[node]
        assert op
        for i, j in enumerate(inputs):
            partial, letters = op.partial(i, inputs)
            template = share(partial, op.n)
            if self.plan.active[j] and template:
                texts = {letter: self.names[j] for letter, j in letters.items()}
                name = self.names[node]
                yield j, template.format(u=f"d_{name}", f=name, **texts)
