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
from ..plan import EACH, Plan
from ..simplify import simplified, substituted
from ..terms import ONE, products

_Steps: TypeAlias = "list[tuple[Callable[..., None], int, Any]]"


class Table:
    """What `StraightLine` computes, for the same arguments; the plan's positions are the places."""

    def __init__(self, plan: Plan, layout: Sequence[int]) -> None:
        self._plan = plan
        self._forward: _Steps = []
        self._backward: _Steps = []
        places = {parameter: i for i, parameter in plan.parameters.items()}
        self._parameters = [places.get(k, len(plan)) for k in layout]  # one that is not read: apart
        reached = {plan.result}
        for i in reversed(range(len(plan))):
            if op := plan.ops[i]:
                at: Any = plan.inputs[i]
                active = tuple([plan.active[j] for j in at])
                forward, backward, handed = _forward(op), _backward(op, active), at
                if op.variadic:
                    at = products(op, at)
                    edges = [*at, *[(y, x) for x, y in at]]
                    handed = [edge for edge in edges if edge[0] != ONE and plan.active[edge[0]]]
                self._forward.append((forward, i, at))
                if i in reached and any(active):
                    self._backward.append((backward, i, handed))
                    reached.update(compress(plan.inputs[i], active))
        self._forward.reverse()

    def run(self, p: Sequence[float], rows: Sequence[Sequence[float]]) -> tuple[float, list[float]]:
        """The loss and its gradient, one sample after the other."""
        plan, loss, gradient = self._plan, 0.0, [0.0] * len(p)
        v = [0.0] * len(plan) + [0.0, 1.0]  # the last one is ONE
        for places in (plan.constants.items(), zip(self._parameters, p)):
            for i, number in places:
                v[i] = number
        rows = rows if plan.phases[plan.result] == EACH else [()]
        for row in rows:
            for i, column in plan.columns.items():
                v[i] = row[column]
            for step, f, at in self._forward:
                step(v, f, at)
            loss += v[plan.result]
            slopes = [0.0] * len(v)
            slopes[plan.result] = 1.0 / len(rows)
            for step, f, at in self._backward:
                step(v, slopes, f, at)
            gradient = [slope + slopes[i] for slope, i in zip(gradient, self._parameters)]
        return loss / len(rows), gradient


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
    return substituted(tree, {letter: ast.Name(f"{{{letter}}}") for letter in "xyzf"})
