"""Which nodes of a plan one array statement computes, and what it hands back.

Nodes of the same operation at the same depth are a group.  Dot products that share their
right-hand vector are a matrix product, and the parameters are laid out in the order in which the
products read them, so that a layer's weight matrix is a view of the flat vector.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from ...ops import OPS, Op
from ..plan import DOT, EACH, SUM, Plan
from ..simplify import array_expression, build, parsed
from .source import ArrayProgram, Statement
from .writer import Array, Writer

LOGADDEXP = OPS["logaddexp"]


def array_program(plan: Plan, groups: list[Group], layout: Sequence[int]) -> ArrayProgram:
    """The statements that compute the loss and its gradient, for parameters in this `layout`."""
    writer = Writer(plan, layout)
    for group in groups:
        group.write(writer)
    writer.begin(plan.result)
    for group in reversed(groups):
        if group.array.contributions:
            group.backward(writer, writer.gradient(group.array, f"d_{group.array.name}"))
    writer.gradient(writer.p, "g")
    return writer.program


def outputs(
    plan: Plan, groups: list[Group], layout: Sequence[int], nodes: list[int]
) -> ArrayProgram:
    """The statements of the forward pass alone; `loss` is a list, of the row of each of `nodes`."""
    writer = Writer(plan, layout)
    for group in groups:
        group.write(writer)
    writer.program.loss = ast.List([writer.rows([node]) for node in nodes], ast.Load())
    return writer.program


def grouped(plan: Plan) -> list[Group]:
    """The operations of `plan`, in groups that one statement can compute, in order."""
    inputs: list[Sequence[int]] = list(plan.inputs)
    _gather_logarithms(plan, inputs)
    depth, phases = [0] * len(plan), plan.phases
    alike: dict[tuple[Any, ...], list[int]] = {}
    for i, op in enumerate(plan.ops):
        below = inputs[i]
        if op is not None and below:
            depth[i] = 1 + max([depth[j] for j in below])
            each: tuple[Any, ...] = tuple([phases[j] == EACH for j in below])
            if op is SUM:
                each = len(each), sum(each)
            elif op is DOT:
                bias = each[-1:] if len(below) % 2 else ()
                each = len(each), phases[below[0]], phases[below[len(below) // 2]], bias
            key = phases[i], depth[i], op, plan.active[i], each
            alike.setdefault(key, []).append(i)
    groups: list[Group] = []
    for key in sorted(alike, key=lambda key: key[:2]):
        nodes = alike[key]
        op, read = key[2], [inputs[i] for i in nodes]
        if op is DOT:
            groups.extend(_products(plan, nodes))
            continue
        many = len(read[0]) > len(op.partials)
        kind = Sum if op is SUM else LogSumExp if many else Elementwise
        groups.append(kind(op, nodes, read))
    return groups


def _products(plan: Plan, nodes: list[int]) -> list[Group]:
    """Dot products as matrix products, one for each right-hand vector that they share."""
    k = DOT.pairs(len(plan.inputs[nodes[0]]))
    once = plan.phases[plan.inputs[nodes[0]][0]] != EACH
    vectors: dict[Sequence[int], list[int]] = {}
    for i in nodes:
        vectors.setdefault(plan.inputs[i][k : 2 * k], []).append(i)
    groups: list[Group] = []
    alone: list[int] = []
    for vector, alike in vectors.items():
        few = len(vectors) <= 2 and plan.parameters.keys().isdisjoint(vector)
        if once and (few or len(alike) > 1):
            groups.append(MatrixProduct(DOT, alike, [plan.inputs[i] for i in alike]))
        else:
            alone += alike
    return groups + [ProductSums(DOT, alone, [plan.inputs[i] for i in alone])] * bool(alone)


def _gather_logarithms(plan: Plan, inputs: list[Sequence[int]]) -> None:
    """Make a tree of ln(exp + exp) one node of many inputs, and leave its inner nodes without."""
    gathered: dict[int, list[int]] = {}
    readers = Counter(chain.from_iterable(plan.inputs)) if LOGADDEXP in plan.ops else {}
    for i in (i for i, op in enumerate(plan.ops) if op is LOGADDEXP):
        inner = [j for j in plan.inputs[i] if j in gathered and readers[j] == 1]
        inner = [j for j in inner if plan.phases[j] == plan.phases[i]]
        terms = [k for j in plan.inputs[i] for k in (gathered[j] if j in inner else [j])]
        if len({plan.phases[k] == EACH for k in terms}) == 1:
            gathered[i] = inputs[i] = terms
            for j in inner:
                inputs[j] = ()


def layout(plan: Plan, groups: list[Group], parameters: int) -> list[int]:
    """The parameters in the order in which the matrix products read them; then the rest."""
    order: dict[int, None] = {}
    for group in groups:
        if isinstance(group, MatrixProduct):
            read = [i for inputs in group.inputs for i in inputs[: group.pairs]] + group.bias
            order |= dict.fromkeys(plan.parameters[i] for i in read if i in plan.parameters)
    return list(order | dict.fromkeys(range(parameters)))


@dataclass(eq=False)
class Group:
    """Nodes that one statement computes: of one operation, and none needs another."""

    op: Op
    nodes: list[int]
    inputs: list[Sequence[int]]  # what each node reads
    array: Array = field(init=False)  # where the statement puts them

    @property
    def pairs(self) -> int:
        """How many products each sum of products has."""
        return DOT.pairs(len(self.inputs[0]))

    @property
    def bias(self) -> list[int]:
        """The bias of each sum of products, or nothing."""
        return [x[-1] for x in self.inputs] if len(self.inputs[0]) > 2 * self.pairs else []

    def write(self, writer: Writer) -> None:
        """Add the statement to the program."""
        plan = writer.plan
        name = writer.name([plan.values[node] for node in self.nodes], self.op.name)
        self.array = Array(name, len(self.nodes), plan.phases[self.nodes[0]] == EACH)
        writer.program.forward.append(Statement(name, self.forward(writer), self.nodes))
        writer.places |= {node: (self.array, row) for row, node in enumerate(self.nodes)}

    def forward(self, writer: Writer) -> ast.expr:
        raise NotImplementedError

    def backward(self, writer: Writer, upstream: ast.expr) -> None:
        raise NotImplementedError


class Elementwise(Group):
    """A row of one to three inputs, for each node the formula of the table."""

    def forward(self, writer: Writer) -> ast.expr:
        array, op = self.array, self.op
        self.operands: list[list[int]] = [list(nodes) for nodes in zip(*self.inputs)]
        self.letters: dict[str, ast.expr] = {
            x: writer.read(nodes) for x, nodes in zip("xyz", self.operands)
        }
        tree = writer.shared(array_expression(op.formula, self.letters, op.n))
        self.letters["f"] = ast.Name(array.name)
        alone = all(len({*nodes}) == 1 for nodes in self.operands) and array.rows > 1
        alone = alone or not any(isinstance(node, ast.Name) for node in ast.walk(tree))
        if alone or isinstance(tree, ast.Name | ast.Subscript | ast.Constant):
            shape = parsed(f"({array.rows}, {'n' if array.samples else 1})")
            return build("np.broadcast_to(f, s)", f=tree, s=shape)
        return tree

    def backward(self, writer: Writer, upstream: ast.expr) -> None:
        for partial, nodes in zip(self.op.partials, self.operands):
            if not writer.active(nodes):
                continue
            slope = array_expression(partial, self.letters, self.op.n)
            slope = writer.shared(slope, backward=True)
            if not (isinstance(slope, ast.Constant) and slope.value == 0):
                share = build("u * l", u=upstream, l=slope)
                writer.contribute(nodes, share, self.array.samples)


class MatrixProduct(Group):
    """Sums of products with the same right-hand vector: a layer."""

    def forward(self, writer: Writer) -> ast.expr:
        k = self.pairs
        self.weights: list[int] = [i for inputs in self.inputs for i in inputs[:k]]
        self.vector: list[int] = list(self.inputs[0][k : 2 * k])
        size = {"m": ast.Constant(self.array.rows), "k": ast.Constant(k)}
        rows = writer.rows(self.weights)
        self.w: ast.expr = writer.view("W", build("w.reshape(m, k)", w=rows, **size))
        self.x: ast.expr = writer.rows(self.vector)
        tree = build("w @ x", w=self.w, x=self.x)
        if self.bias:
            tree = build("z + b", z=tree, b=writer.view("b", writer.read(self.bias)))
        return tree

    def backward(self, writer: Writer, upstream: ast.expr) -> None:
        writer.contribute(self.bias, upstream, self.array.samples)
        product = build("(u @ x.T).reshape(-1, 1)", u=upstream, x=self.x)
        writer.contribute(self.weights, product, False)
        share = build("w.T @ u", w=self.w, u=upstream)
        writer.contribute(self.vector, share, self.array.samples)


class ProductSums(Group):
    """Sums of products, each of other values."""

    def forward(self, writer: Writer) -> ast.expr:
        k = self.pairs
        products = [pair for inputs in self.inputs for pair in zip(inputs[:k], inputs[k:])]
        if self.array.rows == 1:
            products.sort(key=lambda pair: (writer.order(pair[0]), writer.order(pair[1])))
        self.left: list[int] = [a for a, _ in products]
        self.right: list[int] = [b for _, b in products]
        self.a: ast.expr = writer.rows(self.left)
        self.b: ast.expr = writer.rows(self.right)
        tree = _summed(build("a * b", a=self.a, b=self.b), self.array.rows, k)
        if self.bias:
            tree = build("z + b", z=tree, b=writer.read(self.bias))
        return tree

    def backward(self, writer: Writer, upstream: ast.expr) -> None:
        writer.contribute(self.bias, upstream, self.array.samples)
        u = _repeated(upstream, self.array.rows, self.pairs)
        for nodes, other in ((self.left, self.b), (self.right, self.a)):
            writer.contribute(nodes, build("o * u", o=other, u=u), self.array.samples)


class Sum(Group):
    """Sums; of what is computed for each sample, with what is computed once as a bias."""

    def forward(self, writer: Writer) -> ast.expr:
        m, phases = self.array.rows, writer.plan.phases
        apart = phases[self.inputs[0][0]] != phases[self.nodes[0]]
        self.once: list[int] = [inputs[0] for inputs in self.inputs if apart]
        self.terms: list[int] = [i for inputs in self.inputs for i in inputs[apart:]]
        if m == 1:
            self.terms.sort(key=writer.order)
        tree = _summed(writer.rows(self.terms), m, len(self.terms) // m)
        return build("z + b", z=tree, b=writer.read(self.once)) if apart else tree

    def backward(self, writer: Writer, upstream: ast.expr) -> None:
        m, k = self.array.rows, len(self.terms) // self.array.rows
        u = _repeated(upstream, m, k)
        if m == 1 < k:
            shape = parsed(f"({k}, {'n' if self.array.samples else 1})")
            u = build("np.broadcast_to(u, s)", u=u, s=shape)
        writer.contribute(self.once, upstream, self.array.samples)
        writer.contribute(self.terms, u, self.array.samples)


class LogSumExp(Group):
    """log Σ exp: the largest term h, and log1p of what the others are beside it."""

    def forward(self, writer: Writer) -> ast.expr:
        m, k = self.array.rows, len(self.inputs[0])
        self.terms: list[int] = [i for inputs in self.inputs for i in inputs]
        rows = writer.rows(self.terms)
        shape = {"m": ast.Constant(m), "k": ast.Constant(k)}
        largest = "np.max(x, 0, keepdims=True)" if m == 1 else "np.max(x.reshape(m, k, -1), 1)"
        self.h: ast.Name = writer.temporary("h", build(largest, x=rows, **shape))
        exponentials = build("np.exp(x - h)", x=rows, h=_repeated(self.h, m, k))
        self.e: ast.Name = writer.temporary("e", exponentials)
        # the largest, of which e is 1, is left out of the sum, so that log1p keeps all digits
        ones = writer.temporary("u", build("np.floor(e)", e=self.e))
        others = _summed(build("e - u", e=self.e, u=ones), m, k)
        a = writer.temporary("r", others)
        ties = writer.temporary("r", _summed(ones, m, k))
        return build("h + np.log1p(a + (u - 1.0))", h=self.h, a=a, u=ties)

    def backward(self, writer: Writer, upstream: ast.expr) -> None:
        f = ast.Name(self.array.name)
        share = build("u * np.exp(h - f)", u=upstream, h=self.h, f=f)
        u = _repeated(share, self.array.rows, len(self.inputs[0]))
        writer.contribute(self.terms, build("e * u", e=self.e, u=u), self.array.samples)


def _summed(tree: ast.expr, m: int, k: int) -> ast.expr:
    """`tree`, m times k rows, with every k of them added up."""
    if k == 1:
        return tree
    if m == 1:
        return build("x.sum(0, keepdims=True)", x=tree)
    shape = {"m": ast.Constant(m), "k": ast.Constant(k)}
    return build("x.reshape(m, k, -1).sum(1)", x=tree, **shape)


def _repeated(tree: ast.expr, m: int, k: int) -> ast.expr:
    """`tree` with every row k times, where broadcasting does not do that."""
    return tree if k == 1 or m == 1 else build("np.repeat(u, k, 0)", u=tree, k=ast.Constant(k))
