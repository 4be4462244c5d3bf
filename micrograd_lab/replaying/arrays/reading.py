"""How the values of nodes are read: whole arrays, slices, lists of rows, constants."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..plan import Plan
from ..simplify import build
from .names import Names
from .source import ArrayProgram


@dataclass(eq=False)
class Array:
    """The values of a group of nodes, a row each; `p` and `x` are arrays too.

    Attributes:
        contributions: to its gradient: (rows, a contribution with as many rows).
    """

    name: str
    rows: int
    samples: bool
    contributions: list[tuple[list[int], ast.expr]] = field(default_factory=list)


class Reader:
    """Knows in which row of which array each node is.

    Args:
        layout: which parameter each row of `p` is.

    Attributes:
        p, x: the parameters and the data, as arrays.
        places: the array and the row of each node that is no constant.
        names: what is taken.
    """

    def __init__(self, plan: Plan, layout: Sequence[int], program: ArrayProgram) -> None:
        self.plan: Plan = plan
        self.program: ArrayProgram = program
        self.names: Names = Names()
        self.p: Array = Array("p", len(layout), False)
        self.x: Array = Array("x", -1, True)
        row_of = {parameter: row for row, parameter in enumerate(layout)}
        self.places: dict[int, tuple[Array, int]] = {}
        self.places |= {node: (self.p, row_of[k]) for node, k in plan.parameters.items()}
        self.places |= {node: (self.x, k) for node, k in plan.columns.items()}
        self._constants: dict[tuple[str, tuple[str, ...]], str] = {}

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
        runs: list[tuple[Array | None, list[int]]] = []
        for node in nodes:
            array = self.places[node][0] if node in self.places else None
            if not runs or runs[-1][0] is not array:
                runs.append((array, []))
            runs[-1][1].append(node)
        return concatenated([self._run(array, run) for array, run in runs])

    def view(self, name: str, tree: ast.expr) -> ast.expr:
        """A name for `tree` if it is a part of `p`, else `tree`."""
        text = ast.unparse(tree)
        if not text.startswith("p["):
            return tree
        if text not in self.program.views:
            self.program.views[text] = self.names.numbered(name)
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
        return build("t[i]", t=tree, i=self.positions(rows))

    def positions(self, numbers: Sequence[int]) -> ast.Name:
        """The name of a list of positions."""
        return self._constant("i", tuple(numbers))

    def _run(self, array: Array | None, nodes: list[int]) -> ast.expr:
        if array is None:
            return self._constant("c", tuple(self.plan.constants[node] for node in nodes))
        rows = [self.places[node][1] for node in nodes]
        return self.pick(ast.Name(array.name), rows, array.rows)

    def _constant(self, kind: str, numbers: tuple[float, ...]) -> ast.Name:
        key = kind, tuple(map(repr, numbers))
        if key not in self._constants:
            self._constants[key] = self.names.numbered(kind)
            self.program.constants[self._constants[key]] = numbers
        return ast.Name(self._constants[key])


def concatenated(pieces: list[ast.expr]) -> ast.expr:
    """The rows of all `pieces`."""
    if len(pieces) == 1:
        return pieces[0]
    return build("np.concatenate(t)", t=ast.Tuple(pieces, ast.Load()))
