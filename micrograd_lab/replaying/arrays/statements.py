"""An array program: statements over (nodes × samples), forward and backward.

Every statement is an expression without side effects; ``source.py`` writes it for NumPy, PyTorch
and JAX to read, ``inplace.py`` for NumPy to run.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Statement:
    """``name = expression``: an array with a row for each node that it computes.

    Attributes:
        nodes: those nodes of the plan; none for a gradient or an intermediate result.
    """

    name: str
    expression: ast.expr
    nodes: Sequence[int] = ()


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


@dataclass
class ArrayProgram:
    """Statements that compute the loss and its gradient with respect to the flat vector `p`.

    Attributes:
        constants: name -> positions, or a column of numbers.
        views: name -> the part of `p` that it is.
        forward, backward: the statements in order; the last of `backward` is the gradient `g`.
        loss: the loss, an expression.
    """

    constants: dict[str, tuple[float, ...]] = field(default_factory=dict)
    views: dict[str, ast.expr] = field(default_factory=dict)
    forward: list[Statement] = field(default_factory=list)
    backward: list[Statement] = field(default_factory=list)
    loss: ast.expr = field(default_factory=lambda: ast.Constant(0.0))
