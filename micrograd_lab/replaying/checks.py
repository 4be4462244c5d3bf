"""What the engine would refuse and a program might not notice.

The engine computes every slope when it records, and stops where one has no number, and at a NaN.  A
program computes only the slopes that a gradient needs, so the others, where they have a domain, are
made nodes of the plan.  And it may hide a NaN, as step(NaN) is 0 there, or an error, as 1 / inf is
0: then 0 times what is hidden is added to the loss, which is not finite either.  Where the loss or
the gradient is not finite, the engine decides.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from functools import cache

from ..formulas import evaluate_or_nan
from ..ops import OPS, Op
from .plan import ADD, AFTER, EACH, MUL, SUM, Plan, without_slope
from .simplify import simplified

_ODD = (math.nan, math.inf, -math.inf)
_NUMBERS = (0.0, 0.5, 1.0, 2.0, 800.0, 1e200, -0.5, -1.0, -2.0, -1e200)


def add_checks(plan: Plan) -> None:
    """Add to `plan` what its loss and its gradient would not show."""
    ops = {op for op in plan.ops if op and not op.variadic}
    doubtful = {op for op in ops if op.domain or any(_hides(op))}
    if not doubtful:
        return
    shown = _shown(plan)
    stopped = any(op.gate or without_slope(op) for op in ops)  # an infinite gradient, perhaps
    unseen: dict[int, None] = {}
    for i, (op, inputs) in enumerate([*zip(plan.ops, plan.inputs)]):
        if op not in doubtful:
            continue
        assert op is not None
        nodes = [*itertools.compress(inputs, _hides(op)), *([i] if op.domain else [])]
        unseen |= dict.fromkeys(j for j in nodes if j not in shown and j not in plan.constants)
        for k, slope in _slopes(op).items():
            if stopped or not plan.active[inputs[k]]:
                unseen[plan.add(slope, (*inputs, i)[: len(slope.partials)], None)] = None
    if unseen:
        _add_to_loss(plan, [*unseen])


def slope_rows() -> list[Op]:
    """The partials of those rows of the table that have a domain, as rows."""
    rows = [op for op in OPS.values() if op.domain]
    return [_slope_row(op, k) for op in rows for k in range(len(op.partials))]


def _slope_row(op: Op, k: int) -> Op:
    """A partial of `op` as a row: of x and f, or of x and y, or of x, y and z."""
    formula = re.sub(r"\bf\b", "y" if op.unary else f"({op.formula})", op.partials[k])
    zeros = ("0",) * max(len(op.partials), 2)
    return Op(f"slope_{k}_of_{op.name}", "∂", formula, zeros, op.domain, n=op.n)


def _shown(plan: Plan) -> set[int]:
    """The nodes that make the loss infinite or NaN if they are."""
    shown = {plan.result}
    for i in reversed(range(len(plan))):
        op, inputs = plan.ops[i], plan.inputs[i]
        if op and i in shown:
            shown.update(inputs if op.variadic else itertools.compress(inputs, _keeps(op)))
    return shown


def _add_to_loss(plan: Plan, unseen: list[int]) -> None:
    """Add 0 times the sum of the nodes `unseen` to the loss, without a gradient."""
    result, count = plan.result, len(plan)
    total = plan.add_sum((unseen, [], []), None)
    if plan.phases[result] == AFTER and plan.phases[total] == EACH:
        total = plan.add(SUM, (total,), None, AFTER)
    zero = plan.add(MUL, (plan.add_constant(0.0), total), None)
    plan.active[count:] = [False] * (len(plan) - count)
    plan.result = plan.add(ADD, (result, zero), None)


@cache
def _slopes(op: Op) -> dict[int, Op]:
    """The row for each partial that may have no number where the formula has one.

    >>> [*_slopes(OPS["sqrt"])], [*_slopes(OPS["log"])], [*_slopes(OPS["pow"])]
    ([0], [], [0, 1])
    """
    slopes = {k: _slope_row(op, k) for k in range(len(op.partials) if op.domain else 0)}
    points = [
        {"y": f} | at for at in _points(op) if not math.isnan(f := evaluate_or_nan(op.formula, at))
    ]
    return {
        k: row
        for k, row in slopes.items()
        if any(math.isnan(evaluate_or_nan(row.formula, at)) for at in points)
    }


@cache
def _keeps(op: Op) -> list[bool]:
    """For each input, whether the result is infinite or NaN wherever the input is."""
    return [not any(map(math.isfinite, _at(op, k, _ODD))) for k in range(len(op.partials))]


@cache
def _hides(op: Op) -> list[bool]:
    """For each input, whether the simplified formula may give a number where it is NaN.

    >>> _hides(OPS["step"]), _hides(OPS["pow"]), _hides(OPS["mul"])
    ([True], [True, True], [False, False])
    """
    return [not all(map(math.isnan, _at(op, k, _ODD[:1]))) for k in range(len(op.partials))]


def _at(op: Op, k: int, numbers: tuple[float, ...]) -> list[float]:
    """What the simplified formula gives at `numbers` in place `k`."""
    formula = simplified(op.formula, op.n)
    letters = "xyz"[: len(op.partials)]
    points = [
        dict.fromkeys(letters, other) | {letters[k]: number}
        for number in numbers
        for other in (-1.0, 0.0, 1.0)
    ]
    return [evaluate_or_nan(formula, at) for at in points]


def _points(op: Op) -> Iterator[dict[str, float]]:
    """Numbers to try `op` at; of one input, also the least that its formula takes."""
    n = {} if op.n is None else {"n": op.n}
    for numbers in itertools.product(_NUMBERS, repeat=len(op.partials)):
        yield dict(zip("xyz", numbers)) | n
    if op.unary:
        x = 1.0
        for step in (2.0, 1.1, 1.01, 1.001):
            while 0 < x / step < x and not math.isnan(
                evaluate_or_nan(op.formula, {"x": x / step} | n)
            ):
                x /= step
        yield {"x": x} | n
