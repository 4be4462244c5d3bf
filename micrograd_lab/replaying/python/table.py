"""A plan as a table: for each node a function of its kind, and the places of its numbers.

Python takes as long to compile a line as to run it a hundred times, and a node needs three.  Here
only the functions are compiled, once for all nodes of a kind.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import compress
from typing import Any, TypeAlias

from ...formulas import functions_of
from ...ops import Op
from ..plan import EACH, ONCE, Plan
from ..simplify import simplified, substituted
from ..terms import ONE, products

_Steps: TypeAlias = "list[tuple[Callable[..., None], int, Any]]"


class Table:
    """What `StraightLine` computes, for the same arguments.

    Attributes:
        numbers: of all nodes, first of those computed once; the last is 1.
        forward, backward: the steps that are taken once, and those for each sample.
    """

    def __init__(self, plan: Plan, layout: Sequence[int]) -> None:
        order = sorted(range(len(plan)), key=plan.phases.__getitem__)
        at = [0] * len(plan) + [len(plan)]
        for place, i in enumerate(order):
            at[i] = place
        self.numbers: list[float] = [0.0] * len(plan) + [1.0]
        for i, number in plan.constants.items():
            self.numbers[at[i]] = number
        places = {parameter: at[i] for i, parameter in plan.parameters.items()}
        self._parameters = [places.get(parameter) for parameter in layout]
        self._columns = [(at[i], column) for i, column in plan.columns.items()]
        self._result, self._once = at[plan.result], plan.phases.count(ONCE)
        self._for_each = plan.phases[plan.result] == EACH
        self.forward: tuple[_Steps, _Steps] = [], []
        self.backward: tuple[_Steps, _Steps] = [], []
        reached = {plan.result}
        for i in reversed(order):
            op, inputs, phase = plan.ops[i], plan.inputs[i], plan.phases[i]
            if op is None:
                continue
            active = tuple([plan.active[j] for j in inputs])
            read: Any = tuple([at[j] for j in inputs])
            handed = read
            if op.variadic:
                pairs = products(op, inputs)
                read = [(at[x], at[y]) for x, y in pairs]
                edges = [*pairs, *[(y, x) for x, y in pairs]]
                handed = [(at[x], at[y]) for x, y in edges if x != ONE and plan.active[x]]
            self.forward[phase].append((_forward(op), at[i], read))
            if i in reached and any(active):
                self.backward[phase].append((_backward(op, active), at[i], handed))
                reached.update(compress(inputs, active))
        for steps in self.forward:
            steps.reverse()

    def run(self, p: Sequence[float], rows: Sequence[Sequence[float]]) -> tuple[float, list[float]]:
        """The loss and its gradient, one sample after the other."""
        v, result, once = self.numbers, self._result, self._once
        for place, number in zip(self._parameters, p):
            if place is not None:
                v[place] = number
        for step, f, at in self.forward[ONCE]:
            step(v, f, at)
        slopes = [0.0] * len(v)
        if self._for_each:
            loss, none = 0.0, slopes[once:]
            for row in rows:
                for place, column in self._columns:
                    v[place] = row[column]
                for step, f, at in self.forward[EACH]:
                    step(v, f, at)
                loss += v[result]
                slopes[once:] = none
                slopes[result] = 1.0 / len(rows)
                for step, f, at in self.backward[EACH]:
                    step(v, slopes, f, at)
            loss /= len(rows)
        else:
            loss, slopes[result] = v[result], 1.0
        for step, f, at in self.backward[ONCE]:
            step(v, slopes, f, at)
        return loss, [0.0 if place is None else slopes[place] for place in self._parameters]


def _add_products(v: list[float], f: int, pairs: list[tuple[int, int]]) -> None:
    total = 0.0
    for x, y in pairs:
        total += v[x] * v[y]
    v[f] = total


def _hand_on(v: list[float], slopes: list[float], f: int, edges: list[tuple[int, int]]) -> None:
    upstream = slopes[f]
    for x, y in edges:
        slopes[x] += upstream * v[y]


@cache
def _forward(op: Op) -> Callable[..., None]:
    """The step that computes a node of the kind `op`."""
    if op.variadic:
        return _add_products
    return _function("v, f, at", op, [f"v[f] = {template(op.formula, op.n)}"])


@cache
def _backward(op: Op, active: tuple[bool, ...]) -> Callable[..., None]:
    """The step that hands the gradient of such a node on to its `active` inputs."""
    if op.variadic:
        return _hand_on
    shares = [share(partial, op.n) for partial in op.partials]
    lines = [f"slopes[{x}] += {text}" for x, text in compress(zip("xyz", shares), active) if text]
    return _function("v, slopes, f, at", op, lines or ["pass"])


def _function(arguments: str, op: Op, lines: list[str]) -> Callable[..., None]:
    letters = "xyz"[: len(op.partials)]
    numbers = {letter: f"v[{letter}]" for letter in f"{letters}f"} | {"u": "slopes[f]"}
    body = [f"{', '.join(letters)}, = at", *[line.format(**numbers) for line in lines]]
    scope: dict[str, Any] = dict(functions_of(math), inf=math.inf, nan=math.nan)
    exec(f"def step({arguments}):\n    " + "\n    ".join(body), scope)
    return scope["step"]  # type: ignore[no-any-return]


@cache
def template(formula: str, n: float | None) -> str:
    """`formula` with places for the texts of its letters."""
    tree = ast.parse(simplified(formula, n), mode="eval").body
    return ast.unparse(_with_places(tree))


@cache
def share(partial: str, n: float | None) -> str:
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
