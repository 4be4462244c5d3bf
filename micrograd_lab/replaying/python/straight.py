"""The program of a plan as straight-line Python, which needs the standard library only.

One assignment per node, forward and then backward, for one sample after the other.  For a deep
and narrow graph, or a small one and few samples, this is faster than arrays.

Read ``plan.py`` before this file.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from ...formulas import functions_of
from ..plan import EACH, ONCE, Plan
from ..simplify import simplified, substituted
from ..terms import DOT

MAX_LINES = 2000  # of one function: Python takes ever longer, and more memory, for a longer one
MAX_TERMS = 50  # terms per expression: the compiler recurses over them


class StraightLine:
    """The loss and its gradient, one sample after the other.

    Args:
        plan: a plan without sums over samples.
        layout: which parameter each entry of the parameter vector is.

    Attributes:
        vector: the parameters' numbers.
        gradient: of the loss by each of them, after a call.
        source: a function of the parameters and the rows of data that returns both.
        run: that function.
    """

    def __init__(self, plan: Plan, layout: Sequence[int]) -> None:
        row_of = {parameter: row for row, parameter in enumerate(layout)}
        self.plan: Plan = plan
        self.layout: Sequence[int] = layout
        self.vector: list[float] = [0.0] * len(layout)
        self.gradient: list[float] = [0.0] * len(layout)
        self.names: dict[int, str] = {i: f"v{i}" for i, op in enumerate(plan.ops) if op}
        self.names |= {i: f"p{row_of[parameter]}" for i, parameter in plan.parameters.items()}
        self.names |= {i: f"x{column}" for i, column in plan.columns.items()}
        self.names |= {i: f"{x!r}" if x >= 0 else f"({x!r})" for i, x in plan.constants.items()}
        lines = [*self.lines([f"p{k}" for k in range(len(layout))])]
        self.source: str = "\n    ".join(lines) + "\n"
        scope: dict[str, Any] = dict(functions_of(math), inf=math.inf, nan=math.nan)
        if len(lines) > MAX_LINES:
            scope["program"] = _in_pieces(lines, scope)
        else:
            exec(self.source, scope)
        self.run: Callable[..., tuple[float, list[float]]] = scope["program"]

    def __call__(self, data: list[list[float]]) -> float:
        """The mean loss over the rows of `data`; fills `gradient`."""
        loss, self.gradient[:] = self.run(self.vector, data)
        return loss

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
            return f"{target} = {_template(op.formula, op.n).format(**dict(zip('xy', inputs)))}"
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
            for i, share in self.shares(node):
                yield f"d_{self.names[i]} {'+=' if i in reached else '='} {share}"
                reached.add(i)

    def shares(self, node: int) -> Iterator[tuple[int, str]]:
        """What `node` hands to each of its inputs that has a gradient."""
        op, inputs = self.plan.ops[node], self.plan.inputs[node]
        assert op
        for i, j in enumerate(inputs):
            partial, letters = op.partial(i, inputs)
            template = _share(partial, op.n)
            if self.plan.active[j] and template:
                texts = {letter: self.names[j] for letter, j in letters.items()}
                name = self.names[node]
                yield j, template.format(u=f"d_{name}", f=name, **texts)


def _in_pieces(lines: list[str], scope: dict[str, Any]) -> Callable[..., tuple[Any, Any]]:
    """The function of `lines`, compiled in pieces that share their variables in a dictionary."""
    *lines, end = lines[1:]
    lines.append(f"loss, gradient = {end.removeprefix('return ')}")
    starts = [k for k, line in enumerate(lines) if line.startswith("for ")] or [len(lines)]
    inside = [line[4:] for line in lines if line.startswith("    ")]
    before, after = lines[: starts[0]], lines[starts[0] + 1 + len(inside) :]
    once, each, end_ = (
        [
            compile("\n".join(part[k : k + 500]), "<replay>", "exec")
            for k in range(0, len(part), 500)
        ]
        for part in (before, inside, after)
    )

    def program(p: list[float], rows: list[list[float]]) -> tuple[Any, Any]:
        scope.update(p=p, rows=rows)
        for piece in once:
            exec(piece, scope)
        for scope["row"] in rows if each else ():
            for piece in each:
                exec(piece, scope)
        for piece in end_:
            exec(piece, scope)
        return scope["loss"], scope["gradient"]

    return program


@cache
def _template(formula: str, n: float | None) -> str:
    """`formula` with places for the texts of its letters."""
    tree = ast.parse(simplified(formula, n), mode="eval").body
    return ast.unparse(_with_places(tree))


@cache
def _share(partial: str, n: float | None) -> str:
    """upstream times local derivative, with places for their letters; nothing if it is 0."""
    tree = _with_places(ast.parse(simplified(partial, n), mode="eval").body)
    local = ast.unparse(tree)
    if local == "0.0":
        return ""
    if local in ("1.0", "-1.0"):
        return local.replace("1.0", "{u}")
    match tree:
        case ast.IfExp(test=test, body=ast.Constant(value=1.0), orelse=ast.Constant(value=0.0)):
            return f"{{u}} if {ast.unparse(test)} else 0.0"
    return f"{{u}} * {local}" if isinstance(tree, ast.Name) else f"{{u}} * ({local})"


def _with_places(tree: ast.expr) -> ast.expr:
    return substituted(tree, {letter: ast.Name(f"{{{letter}}}") for letter in "xyf"})
