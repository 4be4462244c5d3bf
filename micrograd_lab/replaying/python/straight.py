"""The program of a plan as straight-line Python, which needs the standard library only.

One assignment per node, forward and then backward, for one sample after the other.  For a deep
and narrow graph, or a small one and few samples, this is faster than arrays.

A long program is cut into functions.  Each names what it reads and computes from 0, so that the
links of a chain are the same function, compiled once.  Read ``plan.py`` before this file.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from ...formulas import functions_of
from ..plan import EACH, ONCE, Plan
from ..simplify import simplified, substituted
from ..terms import DOT

MAX_NODES = 240  # nodes per function: a multiple of many periods
MAX_TERMS = 50  # terms per expression: the compiler recurses over them


class StraightLine:
    """The loss and its gradient, one sample after the other.

    Args:
        plan: a plan without sums over samples.
        layout: which parameter each entry of the parameter vector is.

    Attributes:
        source: the functions that were compiled.
    """

    def __init__(self, plan: Plan, layout: Sequence[int]) -> None:
        row_of = {parameter: row for row, parameter in enumerate(layout)}
        self._parameters, columns = len(layout), 1 + max(plan.columns.values(), default=-1)
        at = {node: row_of[parameter] for node, parameter in plan.parameters.items()}
        at |= {node: self._parameters + column for node, column in plan.columns.items()}
        self._begin = self._size = self._parameters + columns
        exports: set[int] = {plan.result}
        self._links: dict[int, list[_Link]] = {ONCE: [], EACH: []}
        for phase, links in self._links.items():
            nodes = [i for i, op in enumerate(plan.ops) if op and plan.phases[i] == phase]
            for start in range(0, len(nodes), MAX_NODES):
                part = nodes[start : start + MAX_NODES]
                links.append(_Link(plan, part, self._size))
                at |= {node: self._size + k for k, node in enumerate(part)}
                exports.update(links[-1].outside)
                self._size += len(part)
        functions: dict[str, Callable[..., Any]] = {}
        for links in self._links.values():
            for link in links:
                link.compile(at, exports, functions)
        self.source: str = "\n".join(functions)
        self._mean = plan.phases[plan.result] == EACH
        self._columns = columns
        self._result = at.get(plan.result)
        self._constant = plan.constants.get(plan.result, math.nan)

    def __call__(
        self, p: Sequence[float], rows: Sequence[Sequence[float]]
    ) -> tuple[float, list[float]]:
        """The mean loss over `rows`, and its gradient with respect to `p`."""
        if self._result is None:
            return self._constant, [0.0] * len(p)
        once, each = self._links[ONCE], self._links[EACH]
        begin, parameters, result = self._begin, self._parameters, self._result
        m = [*p, *[0.0] * (self._size - parameters)]
        d = [0.0] * self._size
        for link in once:
            m[link.begin : link.end] = link.forward(link.read(m))
        if not self._mean:
            d[result] = 1.0
            loss = m[result]
        else:
            losses = []
            share = 1.0 / len(rows)
            fresh = [0.0] * (self._size - (each[0].begin if each else self._size))
            for row in rows:
                m[parameters:begin] = row[: self._columns]
                for link in each:
                    m[link.begin : link.end] = link.forward(link.read(m))
                losses.append(m[result])
                if each:
                    d[each[0].begin :] = fresh
                    d[result] = share
                for link in reversed(each):
                    link.go_back(m, d)
            loss = sum(losses) / len(rows)
        for link in reversed(once):
            link.go_back(m, d)
        return loss, d[:parameters]


class _Link:
    """Nodes in a row: a function that computes them, and one that hands their gradients on."""

    def __init__(self, plan: Plan, nodes: list[int], begin: int) -> None:
        self.plan, self.nodes = plan, nodes
        self.begin, self.end = begin, begin + len(nodes)
        self.names = {node: f"v{k}" for k, node in enumerate(nodes)}
        self.outside: dict[int, str] = {}  # what is read but computed elsewhere
        lines = [self.forward_line(node) for node in nodes]
        lines.append(f"return ({', '.join(self.names.values())},)")
        self.forward_lines = self.unpacking("a", self.outside) + lines

    def compile(
        self, at: dict[int, int], exports: set[int], functions: dict[str, Callable[..., Any]]
    ) -> None:
        """Make the functions; `exports` are the nodes that other links read."""
        own = [node for node in self.nodes if node in exports]
        self.forward = _function("forward(a)", self.forward_lines, functions)
        self.backward = _function("backward(a, v, u)", self.backward_lines(own), functions)
        self.read = _getter([at[node] for node in self.outside])
        self.upstream = _getter([at[node] for node in own])
        self.targets = [at[node] for node in self.outside if self.plan.active[node]]

    def go_back(self, m: list[float], d: list[float]) -> None:
        """Hand the gradients in `d` on, from the nodes of this link to what they read."""
        shares = self.backward(self.read(m), m[self.begin : self.end], self.upstream(d))
        for i, share in zip(self.targets, shares):
            d[i] += share

    def name(self, node: int) -> str:
        if node in self.plan.constants:
            number = self.plan.constants[node]
            return repr(number) if number >= 0 else f"({number!r})"
        return self.names.get(node) or self.outside.setdefault(node, f"a{len(self.outside)}")

    def unpacking(self, source: str, names: dict[int, str]) -> list[str]:
        return [f"{', '.join(names.values())}, = {source}"] if names else []

    def forward_line(self, node: int) -> str:
        op, target = self.plan.ops[node], self.names[node]
        assert op
        inputs = [self.name(i) for i in self.plan.inputs[node]]
        if not op.variadic:
            return f"{target} = {_template(op.formula, op.n).format(**dict(zip('xy', inputs)))}"
        pairs = DOT.pairs(len(inputs)) if op is DOT else 0
        terms = [f"{x} * {y}" for x, y in zip(inputs, inputs[pairs : 2 * pairs])]
        terms += inputs[2 * pairs :]
        parts = [" + ".join(terms[i : i + MAX_TERMS]) for i in range(0, len(terms), MAX_TERMS)]
        lines = [f"{target} = {parts[0]}", *[f"{target} += {part}" for part in parts[1:]]]
        return "; ".join(lines)

    def backward_lines(self, own: list[int]) -> list[str]:
        slopes = {node: f"d{k}" for k, node in enumerate(self.nodes)}
        slopes |= {node: f"e{k}" for k, node in enumerate(self.outside) if self.plan.active[node]}
        sums = set(own)
        lines = self.unpacking("a", self.outside) + self.unpacking("v", self.names)
        lines += self.unpacking("u", {node: slopes[node] for node in own})
        for node in reversed(self.nodes):
            if node not in sums or not self.plan.active[node]:
                continue
            for i, share in self.shares(node, slopes[node]):
                lines.append(f"{slopes[i]} {'+=' if i in sums else '='} {share}")
                sums.add(i)
        shares = [slopes[i] if i in sums else "0.0" for i in self.outside if self.plan.active[i]]
        return [*lines, f"return ({', '.join(shares)}{',' * (len(shares) == 1)})"]

    def shares(self, node: int, upstream: str) -> list[tuple[int, str]]:
        """What `node` hands to each of its inputs that has a gradient."""
        op, inputs = self.plan.ops[node], self.plan.inputs[node]
        assert op
        pairs = []
        for i, j in enumerate(inputs):
            if not self.plan.active[j]:
                continue
            partial, letters = op.partial(i, inputs)
            texts = {letter: self.name(j) for letter, j in letters.items()}
            template = _share(partial, op.n)
            if template:
                pairs.append((j, template.format(u=upstream, f=self.names[node], **texts)))
        return pairs


def _getter(places: list[int]) -> Callable[[list[float]], Sequence[float]]:
    """What takes the numbers at `places` out of a list."""
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


def _function(
    head: str, lines: list[str], functions: dict[str, Callable[..., Any]]
) -> Callable[..., Any]:
    source = "\n    ".join([f"def {head}:", *lines]) + "\n"
    if source not in functions:
        scope = dict(functions_of(math), inf=math.inf, nan=math.nan)
        exec(source, scope)
        functions[source] = scope[head.partition("(")[0]]
    return functions[source]


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
    return f"{{u}} * ({local})"


def _with_places(tree: ast.expr) -> ast.expr:
    return substituted(tree, {letter: ast.Name(f"{{{letter}}}") for letter in "xyf"})
