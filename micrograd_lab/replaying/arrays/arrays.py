"""The array program of a plan: statements over (nodes x samples), forward and backward.

A group of nodes is an array with a row for each.  Its gradient is put together from what the
statements that read it hand back, by the partials of the op table.

Every statement is an expression without side effects; ``emit.py`` writes it for NumPy, PyTorch
and JAX.  Read ``plan.py`` and ``groups.py`` before this file.
"""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from keyword import kwlist

from ...tell.notation import label_parts
from ..plan import ADD, AFTER, DOT, EACH, SUM, Plan
from ..simplify import array_expression, build, parsed, replaced
from .groups import LOGADDEXP, Group

_TERMS = 20  # that one statement adds up


@dataclass
class Statement:
    """``name = expression``: an array of so many rows, for every sample or not.

    Attributes:
        nodes: the nodes of the plan that it computes, one row each.
    """

    name: str
    expression: ast.expr
    rows: int
    samples: bool
    nodes: Sequence[int] = ()


@dataclass
class Gradient:
    """``name = ``the sum of contributions to all rows, to pieces of them, to scattered rows.

    Attributes:
        pieces: (from row, to row, contributions), ascending, without overlap.
        scattered: (name of a list of rows, contribution).
    """

    name: str
    rows: int
    samples: bool
    whole: list[ast.expr] = field(default_factory=list)
    pieces: list[tuple[int, int, list[ast.expr]]] = field(default_factory=list)
    scattered: list[tuple[str, ast.expr]] = field(default_factory=list)


@dataclass(eq=False)
class _Array:
    name: str
    rows: int
    samples: bool
    given: list[tuple[list[int], ast.expr]] = field(default_factory=list)  # gradients by rows


class ArrayProgram:
    """Statements that compute the loss and its gradient by the flat parameter vector `p`.

    Args:
        groups: those of `grouped`.
        layout: which parameter each row of `p` is.

    Attributes:
        constants: name -> positions, or a column of numbers.
        views: name -> the part of `p` that it is.
        forward, backward: the statements in order; the last of `backward` is the gradient `g`.
        loss: the loss, an expression.
    """

    def __init__(self, plan: Plan, groups: list[Group], layout: Sequence[int]) -> None:
        self.plan = plan
        self.constants: dict[str, tuple[float, ...]] = {}
        self.forward: list[Statement] = []
        self.backward: list[Statement | Gradient] = []
        self._taken: dict[str, int] = {}
        self._called: dict[str, ast.Name] = {}
        self._sizes: dict[str, tuple[int, bool]] = {}
        self.views: dict[str, ast.expr] = {}
        self._view_names: dict[str, str] = {}
        self._constant_names: dict[tuple[str, tuple[str, ...]], str] = {}
        outer: Sequence[int] = [plan.result]
        last = plan.ops[plan.result]
        if (last is ADD or last is SUM) and plan.phases[plan.result] == EACH:
            # the mean of a sum: what is computed once need not be added to every sample
            outer = plan.inputs[plan.result]
            groups = [group for group in groups if group.nodes != [plan.result]]
        row_of = {parameter: row for row, parameter in enumerate(layout)}
        flat = _Array("p", len(layout), False)
        x = _Array("x", -1, True)
        self._place = {node: (flat, row_of[k]) for node, k in plan.parameters.items()}
        self._place |= {node: (x, k) for node, k in plan.columns.items()}
        backs = [self._write(group) for group in groups]
        self.loss = self._start(outer)
        for array, back in reversed(backs):
            if array.given:
                back(self._gradient(array, f"d_{array.name}"))
        self._gradient(flat, "g")

    def _start(self, outer: Sequence[int]) -> ast.expr:
        """The loss, the sum of the nodes `outer`; gives each its gradient."""
        loss: ast.expr | None = None
        for node in outer:
            if node in self.plan.constants:
                part: ast.expr = ast.Constant(self.plan.constants[node])
            else:
                array, row = self._place[node]
                one = "np.full((1, n), 1.0 / n)" if array.samples else "np.ones((1, 1))"
                array.given.append(([row], parsed(one)))
                at = {"a": ast.Name(array.name), "i": ast.Constant(row)}
                part = build("a[i].mean()" if array.samples else "a[i, 0]", **at)
            loss = build("a + b", a=loss, b=part) if loss else part
        assert loss
        return loss

    def _write(self, group: Group) -> tuple[_Array, Callable[[ast.expr], None]]:
        """The array that `group` becomes, and what writes the statements of its backward pass."""
        samples = self.plan.phases[group.nodes[0]] == EACH
        array = _Array(self._name(group), len(group.nodes), samples)
        if group.matrix:
            tree, back = self._matrix(group, array)
        elif group.op is DOT:
            tree, back = self._products(group, array)
        elif group.op is SUM:
            tree, back = self._sum(group, array)
        elif group.op is LOGADDEXP and len(group.inputs[0]) > 2:
            tree, back = self._log_sum_exp(group, array)
        else:
            tree, back = self._elementwise(group, array)
        self.forward.append(Statement(array.name, tree, array.rows, samples, group.nodes))
        self._sizes[array.name] = array.rows, samples
        for row, node in enumerate(group.nodes):
            self._place[node] = array, row
        return array, back

    def _elementwise(
        self, group: Group, array: _Array
    ) -> tuple[ast.expr, Callable[[ast.expr], None]]:
        op = group.op
        operands = [list(nodes) for nodes in zip(*group.inputs)]
        letters = {letter: self._read(nodes) for letter, nodes in zip("xy", operands)}
        tree = self._shared(array_expression(op.formula, letters, op.n), array)
        alone = all(len({*nodes}) == 1 for nodes in operands) and array.rows > 1
        alone = alone or not any(isinstance(node, ast.Name) for node in ast.walk(tree))
        if alone or isinstance(tree, ast.Name | ast.Subscript | ast.Constant):
            tree = build("np.broadcast_to(f, s)", f=tree, s=self._shape(array))
        letters["f"] = ast.Name(array.name)

        def back(upstream: ast.expr) -> None:
            for partial, nodes in zip(op.partials, operands):
                local = array_expression(partial, letters, op.n)
                local = self._shared(local, array, backward=True)
                if not (isinstance(local, ast.Constant) and local.value == 0):
                    self._give(nodes, build("u * l", u=upstream, l=local), array.samples)

        return tree, back

    def _shared(self, tree: ast.expr, array: _Array, *, backward: bool = False) -> ast.expr:
        """`tree` with a name for each function that would be called twice on the same."""
        calls = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and self._reads_only(node, array.rows, array.samples)
        ]
        texts = [ast.unparse(call) for call in calls]
        for call, text in zip(calls, texts):
            if texts.count(text) > 1 and text not in self._called:
                name = self._temporary("t", call, array.rows, array.samples, backward=backward)
                self._called[text] = name
            if text in self._called:
                known = replaced(tree, text, self._called[text])
                return self._shared(known, array, backward=backward)
        return tree

    def _reads_only(self, tree: ast.expr, rows: int, samples: bool) -> bool:
        """Whether `tree` reads whole arrays of that size and nothing else."""
        reads = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"np"}
        slices = any(isinstance(node, ast.Subscript) for node in ast.walk(tree))
        return not slices and all(self._sizes.get(name) == (rows, samples) for name in reads)

    def _matrix(self, group: Group, array: _Array) -> tuple[ast.expr, Callable[[ast.expr], None]]:
        k = group.pairs
        weights = [i for inputs in group.inputs for i in inputs[:k]]
        vector = list(group.inputs[0][k : 2 * k])
        w = self._read(weights, shape=(array.rows, k))
        x = self._read(vector, spread=True)
        bias = [inputs[-1] for inputs in group.inputs] if len(group.inputs[0]) > 2 * k else []
        tree = build("w @ x", w=w, x=x)
        if bias:
            tree = build("z + b", z=tree, b=self._view("b", self._read(bias)))

        def back(upstream: ast.expr) -> None:
            if bias:
                self._give(bias, upstream, array.samples)
            if self._active(weights):
                product = build("(u @ x.T).reshape(-1, 1)", u=upstream, x=x)
                product.shape = array.rows, k  # type: ignore[attr-defined]
                self._give(weights, product, False)
            if self._active(vector):
                self._give(vector, build("w.T @ u", w=w, u=upstream), array.samples)

        return tree, back

    def _products(self, group: Group, array: _Array) -> tuple[ast.expr, Callable[[ast.expr], None]]:
        m, k = array.rows, group.pairs
        pairs = [pair for inputs in group.inputs for pair in zip(inputs[:k], inputs[k:])]
        if m == 1:
            pairs.sort(key=lambda pair: (self._where(pair[0]), self._where(pair[1])))
        left, right = [a for a, _ in pairs], [b for _, b in pairs]
        bias = [inputs[-1] for inputs in group.inputs] if len(group.inputs[0]) > 2 * k else []
        a, b = self._read(left, spread=True), self._read(right, spread=True)
        tree = self._summed(build("a * b", a=a, b=b), m, k)
        if bias:
            tree = build("z + b", z=tree, b=self._read(bias))

        def back(upstream: ast.expr) -> None:
            if bias:
                self._give(bias, upstream, array.samples)
            u = self._repeated(upstream, m, k)
            for nodes, other in ((left, b), (right, a)):
                if self._active(nodes):
                    self._give(nodes, build("o * u", o=other, u=u), array.samples)

        return tree, back

    def _sum(self, group: Group, array: _Array) -> tuple[ast.expr, Callable[[ast.expr], None]]:
        m, phases = array.rows, self.plan.phases
        kinds: dict[bool, list[list[int]]] = {}
        for inputs in group.inputs:
            for kind in (False, True):
                nodes = [i for i in inputs if (phases[i] == EACH) == kind]
                if m == 1:
                    nodes.sort(key=self._where)
                if nodes:
                    kinds.setdefault(kind, []).append(nodes)
        tree: ast.expr | None = None
        over = phases[group.nodes[0]] == AFTER and True in kinds
        for rows in kinds.values():
            part = self._read([i for row in rows for i in row], spread=True)
            if over:
                part = build("x.sum(1, keepdims=True)", x=part)
            part = self._summed(part, m, len(rows[0]))
            tree = build("a + b", a=tree, b=part) if tree else part

        def back(upstream: ast.expr) -> None:
            for kind, rows in kinds.items():
                k, nodes = len(rows[0]), [i for row in rows for i in row]
                u = self._repeated(upstream, m, k)
                if over or m == 1 < k:
                    shape = build(
                        "(m, n)" if kind else "(m, 1)", m=ast.Constant(m * k), n=ast.Name("n")
                    )
                    u = build("np.broadcast_to(u, s)", u=u, s=shape)
                self._give(nodes, u, kind if over else array.samples)

        assert tree
        return tree, back

    def _log_sum_exp(
        self, group: Group, array: _Array
    ) -> tuple[ast.expr, Callable[[ast.expr], None]]:
        """log Σ exp: the largest term h, and log1p of what the others are beside it."""
        m, k, samples = array.rows, len(group.inputs[0]), array.samples
        nodes = [i for inputs in group.inputs for i in inputs]
        read = self._read(nodes, spread=True)
        shape = {"m": ast.Constant(m), "k": ast.Constant(k)}
        largest = "np.max(x, 0, keepdims=True)" if m == 1 else "np.max(x.reshape(m, k, -1), 1)"
        h = self._temporary("h", build(largest, x=read, **shape), m, samples)
        exponentials = build("np.exp(x - h)", x=read, h=self._repeated(h, m, k))
        e = self._temporary("e", exponentials, m * k, samples)
        # the largest, of which e is 1, is left out of the sum, so that log1p keeps all digits
        ones = self._temporary("u", build("np.floor(e)", e=e), m * k, samples)
        others = self._temporary("r", self._summed(build("e - u", e=e, u=ones), m, k), m, samples)
        ties = self._temporary("r", self._summed(ones, m, k), m, samples)
        tree = build("h + np.log1p(a + (u - 1.0))", h=h, a=others, u=ties)

        def back(upstream: ast.expr) -> None:
            share = build("u * np.exp(h - f)", u=upstream, h=h, f=ast.Name(array.name))
            u = self._repeated(share, m, k)
            self._give(nodes, build("e * u", e=e, u=u), samples)

        return tree, back

    def _summed(self, tree: ast.expr, m: int, k: int) -> ast.expr:
        """`tree`, m times k rows, with every k of them added up."""
        if k == 1:
            return tree
        if m == 1:
            return build("x.sum(0, keepdims=True)", x=tree)
        shape = {"m": ast.Constant(m), "k": ast.Constant(k)}
        return build("x.reshape(m, k, -1).sum(1)", x=tree, **shape)

    def _repeated(self, tree: ast.expr, m: int, k: int) -> ast.expr:
        """`tree` with every row k times, where broadcasting does not do that."""
        if k == 1 or m == 1:
            return tree
        return build("np.repeat(u, k, 0)", u=tree, k=ast.Constant(k))

    def _give(self, nodes: list[int], tree: ast.expr, samples: bool) -> None:
        """Hand `tree` to the gradients of `nodes`, one row each."""
        active = self.plan.active
        if not self._active(nodes):
            return
        over = samples and self.plan.phases[nodes[0]] != EACH
        alone = len(nodes) > 1 and nodes.count(nodes[0]) == len(nodes)
        if over or alone:
            axes = "(0, 1)" if over and alone else "1" if over else "0"
            negative = isinstance(tree, ast.UnaryOp)
            tree = tree.operand if isinstance(tree, ast.UnaryOp) else tree
            tree = build(f"t.sum({axes}, keepdims=True)", t=tree)
            tree = ast.UnaryOp(ast.USub(), tree) if negative else tree
        if alone:
            nodes = nodes[:1]
        targets: dict[_Array, tuple[list[int], list[int]]] = {}
        for i, node in enumerate(nodes):
            if active[node]:
                array, row = self._place[node]
                at, rows = targets.setdefault(array, ([], []))
                at.append(i)
                rows.append(row)
        if len(targets) > 1:
            tree = self._temporary("t", tree, len(nodes), samples and not over, backward=True)
        for array, (at, rows) in targets.items():
            piece = self._rows(tree, at, len(nodes))
            array.given.append(self._distinct(rows, piece))

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
        tree = build(
            "np.add.reduceat(t[o], s)",
            t=tree,
            o=self._constant("i", tuple(order)),
            s=self._constant("i", tuple(starts)),
        )
        return sorted(first), tree

    def _gradient(self, array: _Array, name: str) -> ast.expr:
        """The name of an array's gradient, put together from what it was given."""
        made = Gradient(name, array.rows, array.samples)
        runs: dict[tuple[int, int], list[ast.expr]] = {}
        scattered: list[tuple[list[int], ast.expr]] = []
        for rows, tree in array.given:
            run = rows[0], rows[-1] + 1
            if rows == list(range(array.rows)):
                made.whole.append(tree)
            elif rows == list(range(*run)):
                runs.setdefault(run, []).append(tree)
            else:
                scattered.append((rows, tree))
        alone = name != "g" and len(array.given) == len(made.whole) == 1
        if alone and isinstance(made.whole[0], ast.Name):
            return made.whole[0]
        made.whole = self._short(made.whole, array.rows, array.samples)
        end = 0
        for (start, stop), trees in sorted(runs.items()):
            short = self._short(trees, stop - start, array.samples)
            if start >= end:
                made.pieces.append((start, stop, short))
                end = stop
            else:
                scattered.extend((list(range(start, stop)), tree) for tree in short)
        if len(scattered) > _TERMS:
            trees = [tree for _, tree in scattered]
            joined = build("np.concatenate(t)", t=ast.Tuple(trees, ast.Load()))
            scattered = [self._distinct([row for rows, _ in scattered for row in rows], joined)]
        for rows, tree in scattered:
            made.scattered.append((self._constant("i", tuple(rows)).id, tree))
        self.backward.append(made)
        return ast.Name(name)

    def _short(self, trees: list[ast.expr], rows: int, samples: bool) -> list[ast.expr]:
        """`trees` with equal ones taken together, and many added up step by step."""
        trees = _doubled(trees)
        while len(trees) > _TERMS:
            sums = [
                functools.reduce(lambda a, b: build("a + b", a=a, b=b), trees[i : i + _TERMS])
                for i in range(0, len(trees), _TERMS)
            ]
            trees = [self._temporary("t", tree, rows, samples, backward=True) for tree in sums]
        return trees

    def _read(
        self, nodes: list[int], *, spread: bool = False, shape: tuple[int, int] | None = None
    ) -> ast.expr:
        """The rows of `nodes`: one for all if they are the same, unless they are `spread`."""
        constants = self.plan.constants
        if shape:
            tree = self._read(nodes, spread=True)
            m, k = map(ast.Constant, shape)
            return self._view("W", build("w.reshape(m, k)", w=tree, m=m, k=k))
        if not spread and len({*nodes}) == 1:
            nodes = nodes[:1]
            if nodes[0] in constants:
                return ast.Constant(constants[nodes[0]])
        runs: list[tuple[_Array | None, list[int]]] = []
        for node in nodes:
            array = self._place[node][0] if node in self._place else None
            if not runs or runs[-1][0] is not array:
                runs.append((array, []))
            runs[-1][1].append(node)
        pieces: list[ast.expr] = []
        for array, run in runs:
            if array is None:
                pieces.append(self._constant("c", tuple(constants[node] for node in run)))
            else:
                rows = [self._place[node][1] for node in run]
                pieces.append(self._rows(ast.Name(array.name), rows, array.rows))
        if len(pieces) == 1:
            return pieces[0]
        return build("np.concatenate(t)", t=ast.Tuple(pieces, ast.Load()))

    def _rows(self, tree: ast.expr, rows: list[int], size: int) -> ast.expr:
        """The `rows` of `tree`, which has `size`: a slice where they run."""
        if rows == list(range(size)):
            return tree
        start, stop = rows[0], rows[-1]
        step = (stop - start) // (len(rows) - 1) if len(rows) > 1 else 1
        if step > 0 and rows == list(range(start, stop + 1, step)):
            every = f":{step}" if step > 1 else ""
            return build(f"t[{start}:{stop + 1}{every}]", t=tree)
        return build("t[i]", t=tree, i=self._constant("i", tuple(rows)))

    def _view(self, name: str, tree: ast.expr) -> ast.expr:
        """A name for `tree` if it is a part of `p`, else `tree`."""
        text = ast.unparse(tree)
        if not text.startswith("p["):
            return tree
        if text not in self._view_names:
            self._view_names[text] = name = self._numbered(name)
            self.views[name] = tree
        return ast.Name(self._view_names[text])

    def _constant(self, kind: str, numbers: tuple[float, ...]) -> ast.Name:
        """The name of a list of positions ("i") or a column of numbers ("c")."""
        known = kind, tuple(map(repr, numbers))
        if known not in self._constant_names:
            name = self._constant_names[known] = self._numbered(kind)
            self.constants[name] = numbers
        return ast.Name(self._constant_names[known])

    def _temporary(
        self, name: str, tree: ast.expr, rows: int, samples: bool, backward: bool = False
    ) -> ast.Name:
        made = Statement(self._numbered(name), tree, rows, samples)
        self._sizes[made.name] = rows, samples
        (self.backward if backward else self.forward).append(made)
        return ast.Name(made.name)

    def _active(self, nodes: list[int]) -> bool:
        return any(self.plan.active[node] for node in nodes)

    def _where(self, node: int) -> tuple[str, int]:
        if node not in self._place:
            return "", node
        array, row = self._place[node]
        return array.name, row

    def _shape(self, array: _Array) -> ast.expr:
        return parsed(f"({array.rows}, {'n' if array.samples else 1})")

    def _name(self, group: Group) -> str:
        """A name for the values of `group`, from the label that they share or their operation."""
        found = set()
        for node in group.nodes:
            value = self.plan.values[node]
            pieces = label_parts(value.label) if value else []
            script = "".join(text.strip("()") for text, where in pieces if where == "sup")
            found.add(pieces[0][0] + script if pieces else "")
        shared = found.pop() if len(found) == 1 else ""
        ours = shared in _RESERVED or shared.startswith(("np", "d_", "_"))
        if ours or not (shared.isidentifier() and shared.isascii()):
            return self._numbered(group.op.name)
        if shared in self._taken:
            return self._numbered(shared)
        self._taken[shared] = 0
        return shared

    def _numbered(self, name: str) -> str:
        """`name` with the next number that makes it new."""
        while True:
            self._taken[name] = number = self._taken.get(name, 0) + 1
            if f"{name}{number}" not in self._taken:
                self._taken[f"{name}{number}"] = 0
                return f"{name}{number}"


_RESERVED = frozenset((*"pxgn", "loss", "put", "prepare", "program", *dir(builtins), *kwlist))


def _doubled(trees: list[ast.expr]) -> list[ast.expr]:
    """`trees` with equal ones taken together."""
    times: dict[str, int] = {}
    for tree in trees:
        times[ast.unparse(tree)] = times.get(ast.unparse(tree), 0) + 1
    kept = {ast.unparse(tree): tree for tree in trees}
    return [
        kept[text] if many == 1 else build("k * t", k=ast.Constant(float(many)), t=kept[text])
        for text, many in times.items()
    ]
