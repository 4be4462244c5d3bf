"""An array program as text: as one reads it, and as NumPy runs it faster.

Statements over (nodes × samples) compute the loss and then its gradient; none has side effects.
PyTorch and JAX run `function` as it stands.  For NumPy, `in_place` writes the same statements with
``out=``: each result goes where it went in the call before, so that no call but the first asks the
system for memory.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

PUT = '''

def put(count, at, rows):
    """`count` rows: those `at` are `rows`, the others are 0."""
    full = np.zeros((count, rows.shape[1]))
    full[at] = rows
    return full
'''

SPECIAL = """
erf, erfc = (np.vectorize(of_one, otypes=[float]) for of_one in (math.erf, math.erfc))
"""


@dataclass
class Statement:
    """``name = expression``: an array with a row for each node that it computes."""

    name: str
    expression: ast.expr
    nodes: Sequence[int] = ()  # none for a gradient or an intermediate result


@dataclass
class ArrayProgram:
    """Statements that compute the loss and its gradient with respect to the flat vector `p`."""

    constants: dict[str, tuple[float, ...]] = field(default_factory=dict)  # positions, numbers
    views: dict[str, str] = field(default_factory=dict)  # a part of `p` -> its name
    forward: list[Statement] = field(default_factory=list)
    backward: list[Statement] = field(default_factory=list)  # the last is the gradient `g`
    loss: ast.expr = field(default_factory=lambda: ast.Constant(0.0))


def listing(program: ArrayProgram, names: Callable[[int], str], note: str = "") -> str:
    """The program as a module, with a `note`, and names of the nodes that a line computes."""
    text = function(program, names)
    special = re.search(r"\b(erf|erfc)\(", text)
    head = ("import math\n\n" if special else "") + f"import numpy as np\n{note}"
    if program.constants:
        head += "\n" + constants_source(program)
    if special:
        head += SPECIAL
    if " put(" in text:
        head += PUT
    return f"{head}\n\n{text}"


def function(program: ArrayProgram, names: Callable[[int], str] | None = None) -> str:
    """A function of the column `p` of parameters and the data `x`, which has a row for each input
    and a column for each sample.  It needs `np`, `put`, `erf` and the constants."""
    lines = ["def program(p, x):", '    """The loss, and its gradient with respect to p."""']
    lines += _forward(program, names or (lambda node: ""), ["    # forward"])
    lines += [f"    loss = {ast.unparse(program.loss)}", "    # backward"]
    lines += [f"    {gradient.name} = {_right_side(gradient)}" for gradient in program.backward]
    return "\n".join([*lines, "    return loss, g\n"])


def outputs_function(program: ArrayProgram) -> str:
    """A function of `p` and `x` as above that returns a row of numbers for each of the results."""
    lines = ["import math, numpy as np", SPECIAL, constants_source(program), "def outputs(p, x):"]
    lines += _forward(program, lambda node: "", [])
    rows = f"np.broadcast_to(row, (1, n)) for row in {ast.unparse(program.loss)}"
    return "\n".join([*lines, f"    return np.concatenate([{rows}])\n"])


def _forward(program: ArrayProgram, names: Callable[[int], str], title: list[str]) -> list[str]:
    """The lines of the forward pass, with the names of the first and the last node of each."""
    lines = ["    n = x.shape[1]"]
    lines += [f"    {name} = {view}" for view, name in program.views.items()]
    lines += title
    for statement in program.forward:
        line = f"    {statement.name} = {ast.unparse(statement.expression)}"
        ends = [names(i) for i in statement.nodes[:: max(len(statement.nodes) - 1, 1)]]
        lines.append(f"{line}  # {' … '.join(ends)}" if any(ends) else line)
    return lines


def _right_side(statement: Statement) -> str:
    """The right-hand side of a statement; a long gradient has a line for each of its parts."""
    text = ast.unparse(statement.expression)
    for node in ast.walk(statement.expression):
        match node:
            case ast.Call(func=ast.Attribute(attr="concatenate"), args=[ast.Tuple(elts=parts)]):
                if len(text) >= 90:
                    texts = [ast.unparse(part) for part in parts]
                    lines = "".join(f"\n        {part}," for part in texts)
                    # with the brackets: a longer concatenation may read the same parts too
                    return text.replace(f"(({', '.join(texts)}))", f"(({lines}\n    ))")
    return text


def constants_source(program: ArrayProgram) -> str:
    """The lists of positions and the columns of numbers, one line each."""
    text = ""
    for name, numbers in program.constants.items():
        listed = [*numbers] if name[0] == "i" else [[number] for number in numbers]
        text += f"{name} = np.array({listed})\n"
    return text


_OPERATORS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.Pow: "power", ast.Mod: "remainder", ast.MatMult: "matmul",
    ast.Gt: "greater", ast.Lt: "less", ast.GtE: "greater_equal", ast.LtE: "less_equal",
}  # fmt: skip
_NOT_TAKEN = ("where", "repeat", "broadcast_to")  # these have no out=


def in_place(program: ArrayProgram) -> str:
    """``prepare(p, n)``, which makes views of `p`, and a function of the data of n samples."""
    tree = ast.parse(function(program)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    begin = 2 + len(program.views)  # after the docstring and n
    # positions copy what they take, so that every call needs it anew
    copies = [line for line in tree.body[2:begin] if "p[i" in ast.unparse(line)]
    out = _Out([f"    {ast.unparse(x)}" for x in tree.body[2:begin] if x not in copies])
    lines = [*copies, *tree.body[begin:]]
    for line in lines:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) != "loss":
            line.value = out.visit(line.value)
    head = ["import math, numpy as np", SPECIAL, PUT, constants_source(program)]
    head += ["def prepare(p, n):", *out.once]
    kept = [f"    {' = '.join(out.names)} = None", "    def program(x):"]
    body = [f"nonlocal {', '.join(out.names)}", *map(ast.unparse, lines)]
    body = [f"        {line}" for line in body]
    return "\n".join([*head, *kept, *body, "    return program"])


class _Out(ast.NodeTransformer):
    """Names the array that each operation makes, and gives it to the operation the next time."""

    def __init__(self, once: list[str]) -> None:
        self.once = once  # the lines that make what is the same in every call
        self.names = ["_"]  # one that nothing writes to, so that there is one

    def visit(self, node: ast.AST) -> Any:
        if all(x.id in ("np", "n") for x in ast.walk(node) if isinstance(x, ast.Name)):
            if not isinstance(node, ast.Call):
                return node
            name = f"_c{len(self.once)}"
            self.once.append(f"    {name} = {ast.unparse(node)}")
            return ast.Name(name)
        self.generic_visit(node)
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=a):
                return self.kept("negative", [a])
            case ast.BinOp(left=a, op=sign, right=b) if type(sign) in _OPERATORS:
                return self.kept(_OPERATORS[type(sign)], [a, b])
            case ast.Compare(left=a, ops=[sign], comparators=[b]) if type(sign) in _OPERATORS:
                return self.kept(_OPERATORS[type(sign)], [a, b])
            case ast.Call(func=ast.Attribute(ast.Name("np"), name)) if name not in _NOT_TAKEN:
                return self.kept(name, node.args, *node.keywords)
            case ast.Call(func=ast.Attribute(array, "sum")):
                return self.kept("add.reduce", [array, *node.args], *node.keywords)
        return node

    def kept(self, name: str, args: list[ast.expr], *keywords: ast.keyword) -> ast.expr:
        array = ast.Name(f"_{len(self.names)}")
        self.names.append(array.id)
        call = ast.Call(ast.Name(f"np.{name}"), args, [*keywords, ast.keyword("out", array)])
        return ast.NamedExpr(array, call)
