"""Writes the statements of a program: how nodes are read, and how gradients are put together."""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from keyword import kwlist

from ...engine import Value
from ...formulas import NOT_IN_NUMPY
from ...tell.notation import label_places
from ..plan import EACH, Plan
from ..simplify import build, parsed, replaced
from .source import ArrayProgram, Statement

MAX_TERMS = 20  # that one statement adds up
_OURS = (*"pxgn", "loss", "put", "prepare", "program", "math", *NOT_IN_NUMPY)
_RESERVED = frozenset((*_OURS, *dir(builtins), *kwlist))


@dataclass(eq=False)
class Array:
    """The values of a group of nodes, a row each; `p` and `x` are arrays too."""

    name: str
    rows: int
    samples: bool
    # to its gradient: (rows, a contribution with as many rows)
    contributions: list[tuple[list[int], ast.expr]] = field(default_factory=list)


class Writer:
    """A program while it is written, for parameters in this `layout`; ``groups.py`` says what."""

    def __init__(self, plan: Plan, layout: Sequence[int]) -> None:
        self.plan: Plan = plan
        self.program: ArrayProgram = ArrayProgram()
        self._last: dict[str, int] = {}  # the last number after each name that is taken
        self.p: Array = Array("p", len(layout), False)
        self.x: Array = Array("x", -1, True)
        row_of = {parameter: row for row, parameter in enumerate(layout)}
        self.places: dict[int, tuple[Array, int]] = {}  # of each node that is no constant
        self.places |= {node: (self.p, row_of[k]) for node, k in plan.parameters.items()}
        self.places |= {node: (self.x, k) for node, k in plan.columns.items()}
        self._constants: dict[tuple[str, tuple[str, ...]], str] = {}
        self._calls: dict[str, ast.Name] = {}  # a function of arrays -> its name

    def name(self, values: Iterable[Value | None], otherwise: str) -> str:
        """A new name after the labels of `values` where these agree, or `otherwise`, numbered."""
        names = set()
        for value in values:
            places = label_places(value.label if value else "", lambda text, *_: text)
            names.add(places[""] + places.get("sup", "").strip("()"))
        name = names.pop() if len(names) == 1 else ""
        free = name not in _RESERVED and not name.startswith(("np", "d_", "_"))
        name = name if free and name.isidentifier() and name.isascii() else ""
        if not name or name in self._last:
            return self.numbered(name or otherwise)
        self._last[name] = 0
        return name

    def numbered(self, name: str) -> str:
        """`name` with the next number that makes it new."""
        while True:
            self._last[name] = number = self._last.get(name, 0) + 1
            if f"{name}{number}" not in self._last:
                self._last[f"{name}{number}"] = 0
                return f"{name}{number}"

    def order(self, node: int) -> tuple[str, int]:
        """What to sort nodes by, so that rows follow each other."""
        if node not in self.places:
            return "", node
        array, row = self.places[node]
        return array.name, row

    def read(self, nodes: list[int]) -> ast.expr:
        """The rows of `nodes`, or one row if they are all the same node."""
        if len({*nodes}) > 1:
            return self.rows(nodes)
        if nodes[0] in self.plan.constants:
            return ast.Constant(self.plan.constants[nodes[0]])
        return self.rows(nodes[:1])

    def rows(self, nodes: list[int]) -> ast.expr:
        """The rows of `nodes`, one each."""
        pieces: list[ast.expr] = []
        for array, run in groupby(nodes, lambda node: self.places.get(node, (None,))[0]):
            if array is None:
                pieces.append(self.constant("c", [self.plan.constants[node] for node in run]))
            else:
                at = [self.places[node][1] for node in run]
                pieces.append(self.pick(ast.Name(array.name), at, array.rows))
        return _concatenated(pieces)

    def view(self, name: str, tree: ast.expr) -> ast.expr:
        """A name for `tree` if it is a part of `p`, else `tree`."""
        text = ast.unparse(tree)
        if not text.startswith("p["):
            return tree
        if text not in self.program.views:
            self.program.views[text] = self.numbered(name)
        return ast.Name(self.program.views[text])

    def pick(self, tree: ast.expr, rows: list[int], size: int) -> ast.expr:
        """The `rows` of `tree`, which has `size`: a slice where they run."""
        if rows == list(range(size)):
            return tree
        start, stop = rows[0], rows[-1]
        step = (stop - start) // (len(rows) - 1) if len(rows) > 1 else 1
        if step > 0 and rows == list(range(start, stop + 1, step)):
            every = f":{step}" if step > 1 else ""
            return build(f"t[{start}:{stop + 1}{every}]", t=tree)
        return build("t[i]", t=tree, i=self.constant("i", rows))

    def constant(self, kind: str, numbers: Sequence[float]) -> ast.Name:
        """The name, which begins with its kind, of a list of positions or a column of numbers."""
        key = kind, tuple(map(repr, numbers))
        if key not in self._constants:
            self._constants[key] = self.numbered(kind)
            self.program.constants[self._constants[key]] = tuple(numbers)
        return ast.Name(self._constants[key])

    def temporary(self, name: str, tree: ast.expr, *, backward: bool = False) -> ast.Name:
        """A new name for `tree`, computed by a statement of its own."""
        statement = Statement(self.numbered(name), tree)
        (self.program.backward if backward else self.program.forward).append(statement)
        return ast.Name(statement.name)

    def shared(self, tree: ast.expr, *, backward: bool = False) -> ast.expr:
        """`tree` with a name for each function that would be called twice on the same."""
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        texts = [ast.unparse(call) for call in calls]
        for call, text in zip(calls, texts):
            if texts.count(text) > 1 and text not in self._calls:
                self._calls[text] = self.temporary("t", call, backward=backward)
            if text in self._calls:
                return self.shared(replaced(tree, text, self._calls[text]), backward=backward)
        return tree

    def begin(self, result: int) -> None:
        """Make the loss the mean of `result` over the samples, and give that its gradient."""
        each = self.plan.phases[result] == EACH
        self.program.loss = build("a.sum() / n" if each else "a.sum()", a=self.rows([result]))
        one = parsed("np.full((1, n), 1.0 / n)" if each else "np.ones((1, 1))")
        self.contribute([result], one, each)

    def contribute(self, nodes: list[int], tree: ast.expr, samples: bool) -> None:
        """Hand `tree` to the gradients of `nodes`, one row each."""
        if not self.active(nodes):
            return
        over = samples and self.plan.phases[nodes[0]] != EACH
        alone = len(nodes) > 1 and nodes.count(nodes[0]) == len(nodes)
        if over or alone:
            tree = _sum(tree, "(0, 1)" if over and alone else "1" if over else "0")
        if alone:
            nodes = nodes[:1]
        targets: dict[Array, tuple[list[int], list[int]]] = {}
        for i, node in enumerate(nodes):
            if self.plan.active[node]:
                array, row = self.places[node]
                at, rows = targets.setdefault(array, ([], []))
                at.append(i)
                rows.append(row)
        if len(targets) > 1:
            tree = self.temporary("t", tree, backward=True)
        for array, (at, rows) in targets.items():
            array.contributions.append(self._distinct(rows, self.pick(tree, at, len(nodes))))

    def active(self, nodes: list[int]) -> bool:
        """Whether any of them has a gradient."""
        return any(self.plan.active[node] for node in nodes)

    def gradient(self, array: Array, name: str) -> ast.expr:
        """The gradient of an array, put together from the contributions to it."""
        parts: dict[tuple[int, ...], list[ast.expr]] = {}
        for rows, tree in array.contributions:
            parts.setdefault(tuple(rows), []).append(tree)
        terms = self._short(parts.pop(tuple(range(array.rows)), []))
        if name != "g" and not parts and len(terms) == 1 and isinstance(terms[0], ast.Name):
            return terms[0]
        pieces: list[ast.expr] = []  # one below the other, with zeros in the gaps
        scattered: list[tuple[list[int], ast.expr]] = []
        end = 0
        for place in sorted(parts):
            tree = _sum_of(self._short(parts[place]))
            start, stop = place[0], place[-1] + 1
            if start < end or place != tuple(range(start, stop)):
                scattered.append(([*place], tree))
                continue
            gap = [_zeros(array, start - end)] if start > end else []
            pieces += [*gap, tree]
            end = stop
        if pieces:
            gap = [_zeros(array, array.rows - end)] if end < array.rows else []
            terms.append(_concatenated([*pieces, *gap]))
        if len(scattered) > MAX_TERMS:
            joined = _concatenated([tree for _, tree in scattered])
            scattered = [self._distinct([row for rows, _ in scattered for row in rows], joined)]
        for rows, tree in scattered:
            size, at = ast.Constant(array.rows), self.constant("i", rows)
            terms.append(build("put(r, i, t)", r=size, i=at, t=tree))
        tree = _sum_of(terms or [_zeros(array, array.rows)])
        self.program.backward.append(Statement(name, tree))
        return ast.Name(name)

    def _distinct(self, rows: list[int], tree: ast.expr) -> tuple[list[int], ast.expr]:
        """`rows` without repetition, ascending where they are not, and `tree` summed to match."""
        if len({*rows}) == len(rows):
            return rows, tree
        first = [*dict.fromkeys(rows)]
        times = len(rows) // len(first)
        shape = {"m": ast.Constant(len(first)), "k": ast.Constant(times)}
        if rows == [row for row in first for _ in range(times)]:
            return first, build("t.reshape(m, k, -1).sum(1)", t=tree, **shape)
        if rows == first * times:
            return first, build("t.reshape(k, m, -1).sum(0)", t=tree, **shape)
        order = sorted(range(len(rows)), key=rows.__getitem__)
        starts = [i for i, j in enumerate(order) if i == 0 or rows[j] != rows[order[i - 1]]]
        at = {"o": self.constant("i", order), "s": self.constant("i", starts)}
        return sorted(first), build("np.add.reduceat(t[o], s)", t=tree, **at)

    def _short(self, trees: list[ast.expr]) -> list[ast.expr]:
        """`trees` with equal ones taken together, and many added up by several statements."""
        texts = [ast.unparse(tree) for tree in trees]

        def times(k: int, tree: ast.expr) -> ast.expr:
            return tree if k == 1 else build("k * t", k=ast.Constant(float(k)), t=tree)

        trees = [times(texts.count(text), tree) for text, tree in dict(zip(texts, trees)).items()]
        while len(trees) > MAX_TERMS:
            parts = [trees[i : i + MAX_TERMS] for i in range(0, len(trees), MAX_TERMS)]
            trees = [self.temporary("t", _sum_of(part), backward=True) for part in parts]
        return trees


def _sum_of(trees: list[ast.expr]) -> ast.expr:
    return functools.reduce(lambda a, b: build("a + b", a=a, b=b), trees)


def _zeros(array: Array, rows: int) -> ast.expr:
    """As many rows of zeros as wide as `array`."""
    return parsed(f"np.zeros(({rows}, {'n' if array.samples else 1}))")


def _sum(tree: ast.expr, axes: str) -> ast.expr:
    """`tree` summed over axes, a minus staying outside."""
    if isinstance(tree, ast.UnaryOp):
        return ast.UnaryOp(ast.USub(), _sum(tree.operand, axes))
    return build(f"t.sum({axes}, keepdims=True)", t=tree)


def _concatenated(pieces: list[ast.expr]) -> ast.expr:
    """The rows of all `pieces`."""
    if len(pieces) == 1:
        return pieces[0]
    return build("np.concatenate(t)", t=ast.Tuple(pieces, ast.Load()))
