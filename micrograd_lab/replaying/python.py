"""The program of a plan in plain Python, which needs the standard library only.

One assignment per node, forward and then backward, for one sample after the other.  For a deep
and narrow graph, or a small one and few samples, this is faster than arrays.  Python takes as long
to compile a line as to run it a hundred times, so a long program becomes a table: for each node a
function of its kind, compiled once for all nodes of the kind, and the places of its numbers.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import compress
from typing import Any, TypeAlias

from ..formulas import functions_of
from ..ops import Op
from .plan import EACH, ONCE, ONE, Plan, products
from .simplify import parsed, simplified, substituted

MAX_LINES = 10_000  # of a function: Python compiles 100 in 1 to 2 ms
MAX_TERMS = 50  # terms per expression: the compiler recurses over them
_FUNCTIONS = functions_of(math) | {"inf": math.inf, "nan": math.nan}


class StraightLine:
    """The loss and its gradient, one sample after the other, of a plan without sums over samples.

    A program of more lines than `longest` runs as a table, half as fast.
    """

    def __init__(self, plan: Plan, layout: Sequence[int], longest: int = MAX_LINES) -> None:
        self.plan: Plan = plan
        self.layout: Sequence[int] = layout
        self.vector: list[float] = [0.0] * len(layout)
        self.gradient: list[float] = [0.0] * len(layout)
        lines = len(plan) + sum(map(len, plan.inputs))
        self.run: Callable[..., tuple[float, list[float]]] = (
            Table(plan, layout).run if lines > longest else defined(self.source, "program")
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
        return "\n    ".join(self.lines()) + "\n"

    def lines(self) -> Iterator[str]:
        plan, names, result = self.plan, self.names, self.plan.result
        parameters = [f"p{k}" for k in range(len(self.layout))]
        computed = [i for i, op in enumerate(plan.ops) if op]
        once, each = ([i for i in computed if plan.phases[i] == when] for when in (ONCE, EACH))
        read = sorted({result, *(j for i in each for j in plan.inputs[i])})
        # whose gradients are added up over the samples
        sums = [j for j in read if plan.active[j] and plan.phases[j] == ONCE]
        reached = {*sums, result} if plan.active[result] else {*sums}
        yield "def program(p, rows):"
        yield from [f"{', '.join(parameters)}, = p"] if parameters else []
        yield from map(self.forward, once)
        yield from (f"d_{names[i]} = 0.0" for i in sums)
        yield "total, n = 0.0, len(rows)"
        yield "for row in rows:"
        yield from (f"    {names[i]} = row[{column}]" for i, column in plan.columns.items())
        yield from (f"    {self.forward(i)}" for i in each)
        yield f"    total += {names[result]}"
        if result in reached:
            yield f"    d_{names[result]} {'+=' if result in sums else '='} 1.0 / n"
        yield from (f"    {line}" for line in self.backward(each, reached))
        yield "loss = total / n"
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
        pairs = op.pairs(len(inputs))
        terms = [f"{x} * {y}" for x, y in zip(inputs, inputs[pairs : 2 * pairs])]
        terms += inputs[2 * pairs :]
        parts = [" + ".join(terms[i : i + MAX_TERMS]) for i in range(0, len(terms), MAX_TERMS)]
        return "; ".join([f"{target} = {parts[0]}", *[f"{target} += {part}" for part in parts[1:]]])

    def backward(self, nodes: list[int], reached: set[int]) -> Iterator[str]:
        """The lines that hand gradients on; those `reached` have one, and more are added."""
        for node in reversed(nodes):
            if node not in reached:
                continue
            op, inputs, name = self.plan.ops[node], self.plan.inputs[node], self.names[node]
            assert op
            for i, j in enumerate(inputs):
                partial, letters = op.partial(i, inputs)
                if self.plan.active[j] and (text := share(partial, op.n)):
                    texts = {letter: self.names[k] for letter, k in letters.items()}
                    text = text.format(u=f"d_{name}", f=name, **texts)
                    yield f"d_{self.names[j]} {'+=' if j in reached else '='} {text}"
                    reached.add(j)


_Steps: TypeAlias = "list[tuple[Callable[..., None], int, Any]]"


class Table:
    """What `StraightLine` computes, for the same arguments; the plan's positions are the places."""

    def __init__(self, plan: Plan, layout: Sequence[int]) -> None:
        self._plan = plan
        self._forward: _Steps = []
        self._backward: _Steps = []
        place = {parameter: i for i, parameter in plan.parameters.items()}
        self._parameters = [place.get(k, len(plan)) for k in layout]  # one that is not read: apart
        reached = {plan.result}
        for i in reversed(range(len(plan))):
            if op := plan.ops[i]:
                at: Any = plan.inputs[i]
                active = tuple([plan.active[j] for j in at])
                (forward, backward), handed = _steps(op, active), at
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
        for i, number in (*plan.constants.items(), *zip(self._parameters, p)):
            v[i] = number
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
def _steps(op: Op, active: tuple[bool, ...]) -> tuple[Callable[..., None], Callable[..., None]]:
    """What computes a node of the kind `op`, and hands its gradient on to its `active` inputs."""
    if op.variadic:
        return _add_products, _hand_on
    shares = [share(partial, op.n) for partial in op.partials]
    lines = [f"slopes[{x}] += {text}" for x, text in compress(zip("xyz", shares), active) if text]
    forward = _function("v, f, at", op, [f"v[f] = {template(op.formula, op.n)}"])
    return forward, _function("v, slopes, f, at", op, lines or ["pass"])


def _function(arguments: str, op: Op, lines: list[str]) -> Callable[..., None]:
    letters = "xyz"[: len(op.partials)]
    numbers = {letter: f"v[{letter}]" for letter in f"{letters}f"} | {"u": "slopes[f]"}
    body = [f"{', '.join(letters)}, = at", *[line.format(**numbers) for line in lines]]
    return defined(f"def step({arguments}):\n    " + "\n    ".join(body), "step")


def defined(source: str, name: str, scope: Mapping[str, Any] = _FUNCTIONS) -> Callable[..., Any]:
    """The function `name` that `source` defines; it can call what is in `scope`."""
    found = dict(scope)
    exec(compile(source, "<replay>", "exec"), found)
    return found[name]  # type: ignore[no-any-return]


@cache
def template(formula: str, n: float | None) -> str:
    """`formula` with places for the texts of its letters."""
    return ast.unparse(_with_places(simplified(formula, n)))


@cache
def share(partial: str, n: float | None) -> str:
    """upstream times local derivative, with places for their letters; nothing if it is 0."""
    tree = _with_places(simplified(partial, n))
    local = ast.unparse(tree)
    if local == "0.0":
        return ""
    if local in ("1.0", "-1.0"):
        return local.replace("1.0", "{u}")
    match tree:
        case ast.IfExp(test=test, body=ast.Constant(value=1.0), orelse=ast.Constant(value=0.0)):
            return f"{{u}} if {ast.unparse(test)} else 0.0"
    return f"{{u}} * {local}" if isinstance(tree, ast.Name) else f"{{u}} * ({local})"


def _with_places(formula: str) -> ast.expr:
    return substituted(parsed(formula), {x: ast.Name(f"{{{x}}}") for x in "xyzf"})
