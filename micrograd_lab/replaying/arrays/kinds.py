"""The kinds of groups: what one statement computes, and what it hands back.

`forward` returns the expression of the statement; `backward`, called later, hands a contribution
to the gradient of everything that was read, by the partials of the op table.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ...ops import Op
from ..plan import AFTER, EACH
from ..simplify import array_expression, build, parsed
from ..terms import DOT
from .writer import Array, Writer


class Group:
    """Nodes that one statement computes: they have the same operation and do not need each other.

    Attributes:
        inputs: the positions that each node reads.
        array: where the statement puts them.
    """

    array: Array

    def __init__(self, op: Op, nodes: list[int], inputs: list[Sequence[int]]) -> None:
        self.op: Op = op
        self.nodes: list[int] = nodes
        self.inputs: list[Sequence[int]] = inputs

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
        name = writer.names.shared([plan.values[node] for node in self.nodes], self.op.name)
        self.array = Array(name, len(self.nodes), plan.phases[self.nodes[0]] == EACH)
        writer.compute(self.array, self.forward(writer), self.nodes)

    def go_back(self, writer: Writer) -> None:
        """Add the statements that hand the group's gradient on, if it has one."""
        if self.array.contributions:
            self.backward(writer, writer.gradient(self.array, f"d_{self.array.name}"))

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
    """Sums, of what is computed once and of what is computed for each sample."""

    def forward(self, writer: Writer) -> ast.expr:
        rows, phases = self.array.rows, writer.plan.phases
        self.kinds: dict[bool, list[list[int]]] = {}  # for each sample? -> what each node reads
        for inputs in self.inputs:
            for each in (False, True):
                nodes = [i for i in inputs if (phases[i] == EACH) == each]
                if rows == 1:
                    nodes.sort(key=writer.order)
                if nodes:
                    self.kinds.setdefault(each, []).append(nodes)
        self.over: bool = phases[self.nodes[0]] == AFTER and True in self.kinds  # the samples
        tree: ast.expr | None = None
        for terms in self.kinds.values():
            part = writer.rows([i for row in terms for i in row])
            if self.over:
                part = build("x.sum(1, keepdims=True)", x=part)
            part = _summed(part, rows, len(terms[0]))
            tree = build("a + b", a=tree, b=part) if tree else part
        assert tree
        return tree

    def backward(self, writer: Writer, upstream: ast.expr) -> None:
        m = self.array.rows
        for each, terms in self.kinds.items():
            k, nodes = len(terms[0]), [i for row in terms for i in row]
            u = _repeated(upstream, m, k)
            if self.over or m == 1 < k:
                shape = parsed(f"({m * k}, {'n' if each else 1})")
                u = build("np.broadcast_to(u, s)", u=u, s=shape)
            writer.contribute(nodes, u, each if self.over else self.array.samples)


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
    if k == 1 or m == 1:
        return tree
    return build("np.repeat(u, k, 0)", u=tree, k=ast.Constant(k))
