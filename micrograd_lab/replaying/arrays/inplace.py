"""An array program as NumPy runs it faster: each result goes where it went in the call before.

The statements are those that ``source.py`` writes, with ``out=`` in every call that takes it, so
that no call but the first asks the system for memory.
"""

from __future__ import annotations

import ast
from typing import Any

from .source import PUT, SPECIAL, ArrayProgram, constants_source, function

_OPERATORS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.Pow: "power", ast.Mod: "remainder", ast.MatMult: "matmul", ast.USub: "negative",
    ast.Gt: "greater", ast.Lt: "less", ast.GtE: "greater_equal", ast.LtE: "less_equal",
}  # fmt: skip
_NOT_TAKEN = ("where", "repeat", "broadcast_to")  # these have no out=


def in_place(program: ArrayProgram) -> str:
    """``prepare(p, n)`` returns a function of the data alone, for parameters in `p` and n samples.

    What depends on nothing else, views of `p` and arrays of one number, it makes itself.
    """
    tree = ast.parse(function(program)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    begin = 2 + len(program.views)  # after the docstring and n
    out = _Out([f"    {ast.unparse(line)}" for line in tree.body[2:begin]])
    lines = tree.body[begin:]
    for line in lines:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) != "loss":
            line.value = out.visit(line.value)
    kept = [f"    {' = '.join(out.names)} = None"] if out.names else []
    nonlocals = [f"        nonlocal {', '.join(out.names)}"] if out.names else []
    body = [f"        {ast.unparse(line)}" for line in lines]
    head = [
        f"import math, numpy as np\n{SPECIAL}{PUT}\n{constants_source(program)}def prepare(p, n):"
    ]
    parts = [
        *head,
        *out.once,
        *kept,
        "    def program(x):",
        *nonlocals,
        *body,
        "    return program",
    ]
    return "\n".join(parts)


class _Out(ast.NodeTransformer):
    """Names the array that each operation makes, and gives it to the operation the next time.

    Attributes:
        once: the lines that make what is the same in every call.
    """

    def __init__(self, once: list[str]) -> None:
        self.once = once
        self.names: list[str] = []

    def visit(self, node: ast.AST) -> Any:
        for leaf in ast.walk(node):
            if isinstance(leaf, ast.Name) and leaf.id not in ("np", "n"):
                return super().visit(node)
        if isinstance(node, ast.Call):
            name = f"_c{len(self.once)}"
            self.once.append(f"    {name} = {ast.unparse(node)}")
            return ast.Name(name)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        return self.operator(node, node.op, node.left, node.right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        return self.operator(node, node.op, node.operand)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return self.operator(node, node.ops[0], node.left, *node.comparators)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(value=ast.Name(id="np"), attr=name) if name not in _NOT_TAKEN:
                return self.kept(name, node.args, node.keywords)
            case ast.Attribute(value=array, attr="sum"):
                return self.kept("add.reduce", [array, *node.args], node.keywords)
        return node

    def operator(self, node: ast.expr, sign: ast.AST, *args: ast.expr) -> ast.expr:
        name = _OPERATORS.get(type(sign))
        if name is None:
            return self.generic_visit(node)  # type: ignore[return-value]
        return self.kept(name, [self.visit(arg) for arg in args], [])

    def kept(self, name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> ast.expr:
        array = ast.Name(f"_{len(self.names)}")
        self.names.append(array.id)
        call = ast.Call(ast.Name(f"np.{name}"), args, [*keywords, ast.keyword("out", array)])
        return ast.NamedExpr(array, call)
