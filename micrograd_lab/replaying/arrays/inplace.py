"""An array program as NumPy runs it fastest: with ``out=``, into arrays kept between calls.

The statements are those that ``source.py`` writes; read that file first.
"""

from __future__ import annotations

import ast
import re
from typing import TypeAlias

from ..simplify import build, copied
from .source import constants_source, pieces, right_side, sum_of
from .statements import ArrayProgram, Gradient, Statement

_Size: TypeAlias = "tuple[int, bool]"  # rows, and whether there is a column for each sample
_UFUNCS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.Pow: "power", ast.Mod: "remainder", ast.MatMult: "matmul", ast.USub: "negative",
}  # fmt: skip
_CALLED = (
    "exp", "log", "log1p", "sqrt", "sin", "cos", "tanh", "power", "abs", "maximum", "floor"
)  # fmt: skip
_REDUCED = {"sum": "add", "max": "maximum"}


def fast(program: ArrayProgram) -> str:
    """The program for NumPy: ``prepare(p, g, n)`` makes the arrays for n samples, and returns a
    function of `x` that fills `g` and returns the loss; and the arrays of its forward pass."""
    return _InPlace(program).source()


class _InPlace:
    """Writes every statement with ``out=``; what is a view of a kept array is made only once."""

    def __init__(self, program: ArrayProgram) -> None:
        self.program = program
        self.kept = {"p", "g"}
        self.once: list[str] = []
        self.start: list[str] = []
        self.run: list[str] = []
        self.views: dict[str, str] = {}
        self.data = {"x"}
        self.strided = {"x"}
        self.sizes: dict[str, _Size] = {"x": (0, True), "p": (0, False), "g": (0, False)}

    def source(self) -> str:
        for name, view in self.program.views.items():
            self.assign(Statement(name, view, 0, False))
        for statement in self.program.forward:
            self.assign(statement)
        forward = [
            statement.name for statement in self.program.forward if statement.name in self.kept
        ]
        loss = ast.unparse(self.hoisted(self.program.loss))
        loss = re.sub(r"(\w+)\.mean\(\)", r"np_add_reduce(\1) / n", loss)
        for part in self.program.backward:
            if isinstance(part, Statement):
                self.assign(part)
            else:
                self.add_up(part)
        indented = [f"        {line}" for line in [*self.start, *self.run]]
        return "\n".join(
            [
                "import numpy as np",
                *[f"np_{name} = np.{name}" for name in sorted({*_UFUNCS.values(), *_CALLED})],
                *[f"np_{name}_reduce = np.{name}.reduce" for name in _REDUCED.values()],
                constants_source(self.program),
                "def prepare(p, g, n):",
                *[f"    {line}" for line in self.once],
                "    def program(x):",
                *indented,
                f"        return float({loss})",
                f"    return program, [{', '.join(forward)}]\n",
            ]
        )

    def assign(self, statement: Statement) -> None:
        tree = self.hoisted(statement.expression)
        if statement.rows:
            self.sizes[statement.name] = statement.rows, statement.samples
        if isinstance(tree, ast.Name) and tree.id in self.kept:
            self.keep(statement.name, tree.id)
        elif statement.rows and (code := self.out(tree, statement.name)):
            self.keep(statement.name, self.empty(statement))
            self.run.append(code)
        else:
            self.run.append(f"{statement.name} = {self.plain(tree)}")

    def add_up(self, statement: Gradient) -> None:
        parts = statement.whole + pieces(statement)
        if statement.name != "g" and not statement.scattered and _fixed(parts):
            self.keep(statement.name, right_side(statement).replace("\n", ""))
            return
        self.sizes[statement.name] = statement.rows, statement.samples
        covered = sum(stop - start for start, stop, _ in statement.pieces)
        if statement.name != "g":
            self.keep(statement.name, self.empty(statement))
        begun = bool(statement.whole) and covered < statement.rows
        if begun:
            self.into(statement.name, sum_of(statement.whole))
        elif covered < statement.rows:
            self.run.append(f"{statement.name}.fill(0.0)")
        for start, stop, trees in statement.pieces:
            whole = ast.Name(statement.name)
            part = build(f"t[{start}:{stop}]", t=whole) if stop - start < statement.rows else whole
            for i, tree in enumerate(trees):
                self.into(part, tree, add=begun or i > 0)
        if statement.whole and not begun:
            self.into(statement.name, sum_of(statement.whole), add=True)
        for index, tree in statement.scattered:
            self.run.append(f"{statement.name}[{index}] += {self.plain(self.hoisted(tree))}")

    def into(self, target: ast.expr | str, tree: ast.expr, add: bool = False) -> None:
        """Write or add `tree` into the array `target`."""
        target = ast.Name(target) if isinstance(target, str) else target
        shape = getattr(tree, "shape", None)
        if shape:  # a weight matrix: no need to reshape what can be written there directly
            assert isinstance(tree, ast.Call)
            assert isinstance(tree.func, ast.Attribute)
            tree = tree.func.value
            m, k = map(ast.Constant, shape)
            target = build("t.reshape(m, k)", t=target, m=m, k=k)
        name = ast.unparse(self.hoisted(target))
        tree = self.hoisted(tree)
        if add:
            self.run.append(f"np_add({name}, {self.plain(tree)}, out={name})")
        else:
            self.run.append(self.out(tree, name) or f"np.copyto({name}, {self.plain(tree)})")

    def out(self, tree: ast.expr, target: str) -> str | None:
        """The call that computes `tree` into `target`; None if there is none."""
        match tree:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _UFUNCS:
                return f"np_{_UFUNCS[type(op)]}({self.parts([left, right], target)}, out={target})"
            case ast.UnaryOp(op=op, operand=operand):
                return f"np_{_UFUNCS[type(op)]}({self.parts([operand], target)}, out={target})"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name), args=args):
                if name in _CALLED:
                    return f"np_{name}({self.parts(args, target)}, out={target})"
                if name == "broadcast_to":
                    return f"np.copyto({target}, {self.plain(args[0])})"
                if name in _REDUCED:
                    return self.reduced(tree, target)
            case ast.Call(func=ast.Attribute(attr="sum")):
                return self.reduced(tree, target)
        return None

    def parts(self, args: list[ast.expr], target: str) -> str:
        """Arguments; the first that has to be computed is computed into `target`."""
        texts: list[str] = []
        free = True
        for arg in args:
            fits = free and _is_ufunc(arg) and self.size(arg) in (None, self.sizes.get(target))
            code = self.out(arg, target) if fits else None
            texts.append(code or self.plain(arg))
            free = free and not code
        return ", ".join(texts)

    def size(self, tree: ast.expr) -> _Size | None:
        """The size of what `tree` computes by element; None if that is not known."""
        result = (0, False)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id not in ("np", *_CALLED):
                size = self.sizes.get(node.id)
                if size is None:
                    return None
                result = max(result[0], size[0]), result[1] or size[1]
            elif isinstance(node, ast.MatMult | ast.Subscript):
                return None
        return result

    def plain(self, tree: ast.expr) -> str:
        """`tree` where there is no array to compute it into."""
        match tree:
            case ast.Call(func=ast.Attribute(attr="sum" | "max")):
                return self.reduced(tree, "")
        return ast.unparse(tree)

    def reduced(self, tree: ast.Call, target: str) -> str:
        assert isinstance(tree.func, ast.Attribute)
        value = tree.func.value
        method = not (isinstance(value, ast.Name) and value.id == "np")
        array, axis = (value, tree.args[0]) if method else tree.args
        keep = ", True" if tree.keywords else ""
        inner, at = self.plain(array), ast.unparse(axis)
        return f"np_{_REDUCED[tree.func.attr]}_reduce({inner}, {at}, None, {target or None}{keep})"

    def empty(self, statement: Statement | Gradient) -> str:
        return f"np.empty(({statement.rows}, {'n' if statement.samples else 1}))"

    def keep(self, name: str, source: str) -> None:
        self.kept.add(name)
        self.once.append(f"{name} = {source}")

    def hoisted(self, tree: ast.expr) -> ast.expr:
        """`tree` with names for the views in it."""
        result: ast.expr = _Hoist(self).visit(copied(tree))
        return result


class _Hoist(ast.NodeTransformer):
    """Replaces each view by its name: of a kept array made once, of the data once a call."""

    def __init__(self, writer: _InPlace) -> None:
        self.writer = writer

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        fixed = isinstance(node.slice, ast.Constant | ast.Slice)
        return self.named(node, node.value) if fixed else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        return self.named(node, node.value) if node.attr == "T" else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(value=ast.Name(id="np"), attr="broadcast_to"):
                return self.named(node, node.args[0])
            case ast.Attribute(value=array, attr="reshape"):
                copied = isinstance(array, ast.Name) and array.id in self.writer.strided
                return node if copied else self.named(node, array)
        return node

    def named(self, node: ast.expr, array: ast.expr) -> ast.expr:
        writer = self.writer
        if not isinstance(array, ast.Name):
            return node
        if array.id not in writer.kept and array.id not in writer.data:
            return node
        text = ast.unparse(node)
        if text not in writer.views:
            name = writer.views[text] = f"_{len(writer.views) + 1}"
            size = writer.sizes.get(array.id)
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and size:
                writer.sizes[name] = _length(node.slice), size[1]
            if array.id in writer.kept:
                writer.keep(name, text)
            else:
                writer.start.append(f"{name} = {text}")
                writer.data.add(name)
            if array.id in writer.strided or not _is_block(node):
                writer.strided.add(name)
        return ast.Name(writer.views[text])


def _is_block(view: ast.expr) -> bool:
    """Whether `view` takes numbers that follow each other, so that it can be reshaped in place."""
    match view:
        case ast.Subscript(slice=ast.Slice(step=step)):
            return step is None
        case ast.Subscript() | ast.Call(func=ast.Attribute(attr="reshape")):
            return True
    return False


def _is_ufunc(node: ast.expr) -> bool:
    """Whether `node` is computed by element, so that it may be written into a larger array."""
    match node:
        case ast.BinOp() | ast.UnaryOp():
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name)):
            return name in _CALLED
    return False


def _fixed(trees: list[ast.expr]) -> bool:
    """Whether `trees` are the same at every call."""
    return all(re.match(r"np\.(full|ones|zeros)\([^+]*$", ast.unparse(tree)) for tree in trees)


def _length(rows: ast.Slice) -> int:
    """How many rows a slice takes."""
    bounds = (rows.lower, rows.upper, rows.step)
    start, stop, step = [bound.value if isinstance(bound, ast.Constant) else 1 for bound in bounds]
    return len(range(start, stop, step))  # type: ignore[arg-type]
