"""Every row of the op table, applied to numbers that its domain allows."""

from __future__ import annotations

import itertools
import random

from micrograd_lab import Value, dot, take, total
from micrograd_lab.engine import method
from micrograd_lab.formulas import evaluate
from micrograd_lab.ops import OPS, row

OPERATORS = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
    "take": lambda index, *values: take(values, index),
    **{name: method(OPS[name]) for name in ("logaddexp", "maximum", "minimum", "clip", "where")},
}
ROWS = [
    *OPS.values(),
    row("pow_scalar", 3.0),
    row("pow_scalar", -0.5),
    row("leaky_relu", 0.2),
    row("elu", 0.7),
]
ONE_INPUT = [op for op in ROWS if op.unary]
TWO_INPUTS = [op for op in ROWS if len(op.partials) == 2 and not op.variadic]
THREE_INPUTS = [op for op in ROWS if len(op.partials) == 3 and not op.variadic]


def title(op):
    """How a test calls a row."""
    return op.name if op.n is None else f"{op.name}({op.n:g})"


def arity(op):
    """How many inputs a test gives to `op`."""
    return {True: 5, False: len(op.partials)}[op.variadic]


def apply(op, values):
    """The value that `op` makes of `values`."""
    if op.name in OPERATORS:
        return OPERATORS[op.name](*values)
    if op.variadic:
        pairs = op.pairs(len(values))
        return (
            dot(values[:pairs], values[pairs : 2 * pairs], *values[2 * pairs :])
            if pairs
            else total(values)
        )
    return getattr(values[0], op.name)(*([] if op.n is None else [op.n]))


def inside(op, at):
    """Whether the row's domain allows the numbers `at`."""
    if op.name == "take":
        return at[0] in range(len(at) - 1)
    letters = dict(zip("xy", at)) | {"n": op.n}
    return not op.domain or evaluate(op.domain, letters)


def points(op):
    """Some numbers inside the domain of `op`, none of them at a kink."""
    if op.variadic:
        drawn = random.Random(op.name)
        found = [[drawn.uniform(-2, 2) for _ in range(arity(op))] for _ in range(3)]
        return [(k, *at[1:]) if op.name == "take" else tuple(at) for k, at in enumerate(found)]
    grid = (-3.7, -1.0, -0.31, 1e-3, 0.5, 1.0, 2.2, 6.0)
    grids = [grid] * arity(op) if arity(op) < 3 else [grid, (-0.9, 0.4, 2.3), (-1.1, 0.3, 5.0)]
    return [at for at in itertools.product(*grids) if inside(op, at)]


def forked():
    """E = z² + z·x: four steps forward, and z has three readers."""
    x, w = Value(0.5, "x"), Value(-2, "w")
    z = (w * x).tanh()
    z.label = "z"
    result = z * z + z * x
    result.label = "E"
    return result
