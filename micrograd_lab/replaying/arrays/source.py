"""An array program as one reads it: a function of the parameters and the data.

PyTorch and JAX run it as it stands; for NumPy, ``inplace.py`` writes the same statements again.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from ..simplify import build
from .statements import ArrayProgram, Gradient, Statement

_PUT = '''

def put(count, at, rows):
    """`count` rows: those `at` are `rows`, the others are 0."""
    full = np.zeros((count, rows.shape[1]))
    full[at] = rows
    return full
'''


def listing(program: ArrayProgram, names: Callable[[int], str], note: str = "") -> str:
    """The program as a module, with the names of the nodes that a line computes beside it.

    Args:
        note: a comment on how it is run, if that is not as it stands.
    """
    head = f"import numpy as np\n{note}"
    if program.constants:
        head += "\n" + constants_source(program)
    if any(
        isinstance(statement, Gradient) and statement.scattered for statement in program.backward
    ):
        head += _PUT
    return f"{head}\n\n{function(program, names)}"


def function(program: ArrayProgram, names: Callable[[int], str] | None = None) -> str:
    """A function of the column `p` of parameters and the data `x`, which has a row for each input
    and a column for each sample.  It needs `np`, `put` and the constants."""
    lines = ["def program(p, x):", '    """The loss, and its gradient with respect to p."""']
    lines += _forward(program, names or (lambda node: ""), ["    # forward"])
    lines += [f"    loss = {ast.unparse(program.loss)}", "    # backward"]
    lines += [f"    {gradient.name} = {right_side(gradient)}" for gradient in program.backward]
    return "\n".join([*lines, "    return loss, g\n"])


def outputs_function(program: ArrayProgram) -> str:
    """A function of `p` and `x` as above that returns a row of numbers for each of the results."""
    lines = ["import numpy as np", constants_source(program), "def outputs(p, x):"]
    lines += _forward(program, lambda node: "", [])
    rows = f"np.broadcast_to(row, (1, n)) for row in {ast.unparse(program.loss)}"
    return "\n".join([*lines, f"    return np.concatenate([{rows}])\n"])


def _forward(program: ArrayProgram, names: Callable[[int], str], title: list[str]) -> list[str]:
    """The lines of the forward pass, with the names of the first and the last node of each."""
    lines = ["    n = x.shape[1]"]
    lines += [f"    {name} = {ast.unparse(view)}" for name, view in program.views.items()]
    lines += title
    for statement in program.forward:
        line = f"    {statement.name} = {ast.unparse(statement.expression)}"
        ends = [names(i) for i in statement.nodes[:: max(len(statement.nodes) - 1, 1)]]
        lines.append(f"{line}  # {' … '.join(ends)}" if any(ends) else line)
    return lines


def right_side(statement: Statement | Gradient) -> str:
    """The right-hand side of a statement; a long gradient has a line for each of its parts."""
    if isinstance(statement, Statement):
        return ast.unparse(statement.expression)
    parts = pieces(statement)
    trees = list(statement.whole)
    if len(parts) > 1:
        trees.append(build("np.concatenate(t)", t=ast.Tuple(parts, ast.Load())))
    trees += parts[:1] if len(parts) == 1 else []
    for index, tree in statement.scattered:
        rows = ast.Constant(statement.rows)
        trees.append(build("put(r, i, t)", r=rows, i=ast.Name(index), t=tree))
    text = ast.unparse(sum_of(trees) if trees else _zeros(statement, statement.rows))
    if len(text) < 90 or len(parts) < 2:
        return text
    texts = [ast.unparse(part) for part in parts]
    lines = "".join(f"\n        {part}," for part in texts)
    return text.replace(", ".join(texts), f"{lines}\n    ")


def pieces(statement: Gradient) -> list[ast.expr]:
    """The pieces of a gradient, with zeros where there are gaps."""
    parts: list[ast.expr] = []
    row = 0
    for start, stop, trees in statement.pieces:
        if row < start:
            parts.append(_zeros(statement, start - row))
        parts.append(sum_of(trees))
        row = stop
    if 0 < row < statement.rows:
        parts.append(_zeros(statement, statement.rows - row))
    return parts


def _zeros(statement: Gradient, rows: int) -> ast.expr:
    columns = ast.Name("n") if statement.samples else ast.Constant(1)
    return build("np.zeros((r, n))", r=ast.Constant(rows), n=columns)


def constants_source(program: ArrayProgram) -> str:
    """The lists of positions and the columns of numbers, one line each."""
    return "".join(
        f"{name} = np.array({[*numbers]})\n"
        if name[0] == "i"
        else f"{name} = np.array({[[number] for number in numbers]})\n"
        for name, numbers in program.constants.items()
    )


def sum_of(trees: Sequence[ast.expr]) -> ast.expr:
    tree = trees[0]
    for other in trees[1:]:
        tree = build("a + b", a=tree, b=other)
    return tree
