"""A formula of the op table made cheap for arrays, by rules that know no operation by name.

An array program only has to be right where every number is finite; elsewhere the scalar engine
decides.  So a branch that only NaN can reach is dropped, and both branches of a condition may be
computed if neither overflows.
"""

from __future__ import annotations

import ast
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from ..formulas import ELEMENTARY, evaluate_or_nan, functions_of, in_floats
from ..ops import OPS, Op
from ..tell.languages import formula_numpy

_numpy = cache(formula_numpy)
_ODD = (math.nan, math.inf, -math.inf)
_NUMBERS = (0.0, 0.5, 1.0, 2.0, 800.0, 1e200, -0.5, -1.0, -2.0, -1e200)
_OPPOSITE = {ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.Lt: ast.GtE}


@cache
def simplified(
    formula: str, n: float | None = None, numbers: tuple[tuple[str, float], ...] = ()
) -> str:
    """`formula` without what it does not need, `n` and the `numbers` of other letters put in.

    >>> simplified("1 if x > 0 else 0 if x <= 0 else x")
    '1.0 if x > 0.0 else 0.0'
    """
    tree = ast.parse(in_floats(formula), mode="eval").body
    known = dict(numbers) if n is None else dict(numbers, n=n)
    tree = substituted(tree, {x: ast.Constant(number) for x, number in known.items()})
    return ast.unparse(_Rules().visit(tree))


def array_expression(
    formula: str, letters: Mapping[str, ast.expr], n: float | None = None
) -> ast.expr:
    """`formula` as a NumPy expression, with an expression for each letter."""
    known = {x: tree.value for x, tree in letters.items() if isinstance(tree, ast.Constant)}
    numbers: Any = tuple(sorted(known.items()))
    return substituted(parsed(_numpy(simplified(formula, n, numbers))), letters)


def build(template: str, **letters: ast.expr) -> ast.expr:
    """The expression `template`, with an expression for each of its names."""
    found: ast.expr = _Products().visit(substituted(parsed(template), letters))
    return found


@cache
def parsed(source: str) -> ast.expr:
    """`source` as an expression; not to be changed."""
    return ast.parse(source, mode="eval").body


def substituted(tree: ast.expr, letters: Mapping[str, ast.expr]) -> ast.expr:
    """A copy of `tree` with an expression for each name in `letters`."""
    return copied(tree, lambda node: letters.get(node.id) if isinstance(node, ast.Name) else None)


def replaced(tree: ast.expr, text: str, by: ast.expr) -> ast.expr:
    """A copy of `tree` with `by` for every call that reads `text`."""
    return copied(
        tree, lambda node: by if isinstance(node, ast.Call) and ast.unparse(node) == text else None
    )


def copied(tree: Any, other: Callable[[ast.AST], ast.expr | None]) -> ast.expr:
    """A copy of `tree`, with what `other` gives for a node in its place."""
    twin: Any = other(tree)
    if twin is None:
        twin = tree.__class__.__new__(tree.__class__)
        for name, value in vars(tree).items():
            if isinstance(value, ast.AST):
                value = copied(value, other) if value._fields else value
            elif isinstance(value, list):
                value = [copied(item, other) for item in value]
            setattr(twin, name, value)
    return twin  # type: ignore[no-any-return]


class _Products(ast.NodeTransformer):
    """Leaves out factors of 1, and multiplies by a condition instead of choosing 1 or 0."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        a, b = node.left, node.right
        if not isinstance(node.op, ast.Mult):
            return node
        for this, other in ((a, b), (b, a)):
            if (number := _number(this)) is not None and abs(number) == 1:
                return other if number == 1 else _negative(other)
            if isinstance(this, ast.UnaryOp) and isinstance(this.op, ast.USub) and this is b:
                return _negative(ast.BinOp(a, node.op, this.operand))
            match this:
                case ast.BinOp(left=one, op=ast.Div(), right=below) if _number(one) == 1:
                    return ast.BinOp(other, ast.Div(), below)
                case ast.Call(func=ast.Attribute(attr="where"), args=[test, yes, no]):
                    if (_number(yes), _number(no)) == (1, 0):
                        return ast.BinOp(other, node.op, test)
        return node


class _Rules(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        name, args = node.func.id, node.args
        if name not in ELEMENTARY:
            formula = ast.parse(simplified(OPS[name].formula), mode="eval").body
            inlined: ast.expr = self.visit(substituted(formula, {"x": args[0]}))
            return inlined
        numbers = [_number(arg) for arg in args]
        if None not in numbers:
            try:
                return ast.Constant(functions_of(math)[name](*numbers))
            except (ArithmeticError, ValueError):
                return node
        if name == "abs":
            return _absolute(node)
        if name == "pow" and numbers[1] == 1:
            return args[0]
        if name == "pow" and numbers[1] == 2 and isinstance(args[0], ast.Name):
            return ast.BinOp(args[0], ast.Mult(), args[0])
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        a, b = _number(node.left), _number(node.right)
        if a is not None and b is not None and not (isinstance(node.op, ast.Div) and b == 0):
            return ast.Constant(eval(ast.unparse(node)))
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        known = _number(node.left) is not None is not _number(node.comparators[0])
        return ast.Constant(eval(ast.unparse(node))) if known else node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        neutral = isinstance(node.op, ast.And)
        known = {test.value for test in node.values if isinstance(test, ast.Constant)}
        open_tests = [test for test in node.values if not isinstance(test, ast.Constant)]
        if not open_tests or (not neutral) in known:
            return ast.Constant(neutral if known == {neutral} else not neutral)
        node.values = open_tests
        return node if len(open_tests) > 1 else open_tests[0]

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        match node.test:  # whether x is positive
            case ast.Compare(left=ast.Name(id=x), ops=[ast.Gt() | ast.GtE()], comparators=[zero]):
                if _number(zero) == 0:
                    node.body = _in_calls(node.body, x, f"abs({x})")
                    node.orelse = _in_calls(node.orelse, x, f"-abs({x})")
        self.generic_visit(node)
        test, body, orelse = node.test, node.body, node.orelse
        match test:
            case ast.Constant(value=value):
                return body if value else orelse
            case ast.BoolOp(op=ast.Or(), values=[a, b]) if _opposite(a, b):
                return body
        if isinstance(orelse, ast.IfExp) and _opposite(test, orelse.test):
            node.orelse = orelse = orelse.body
        match body, orelse:  # one division for both branches
            case (
                ast.BinOp(left=a, op=ast.Div(), right=below),
                ast.BinOp(left=b, op=ast.Div(), right=same),
            ) if ast.unparse(below) == ast.unparse(same):
                return ast.BinOp(ast.IfExp(test, a, b), ast.Div(), below)
        return node


def _in_calls(tree: ast.expr, name: str, by: str) -> ast.expr:
    """`tree` with `by` for `name` in the arguments of functions, where it could overflow."""
    letters = {name: ast.parse(by, mode="eval").body}
    return copied(tree, lambda x: substituted(x, letters) if isinstance(x, ast.Call) else None)


def _opposite(test: ast.expr, other: ast.expr) -> bool:
    """Whether one of both tests is true unless there is a NaN."""
    match test, other:
        case (
            ast.Compare(left=a, ops=[first], comparators=[b]),
            ast.Compare(left=c, ops=[second], comparators=[d]),
        ):
            same = ast.unparse(a) == ast.unparse(c) and ast.unparse(b) == ast.unparse(d)
            return same and _OPPOSITE.get(type(first)) is type(second)
    return False


def _absolute(call: ast.Call) -> ast.expr:
    """The absolute value `call` without signs inside that make no difference."""
    match call.args[0]:
        case ast.UnaryOp(operand=inner):
            return _absolute(ast.Call(call.func, [inner], []))
        case ast.Call(func=ast.Name(id="abs")) as same:
            return same
        case ast.BinOp(left=left, op=ast.Mult(), right=right) if (_number(left) or 0) < 0:
            return ast.Call(call.func, [ast.BinOp(_negative(left), ast.Mult(), right)], [])
    return call


def _negative(tree: ast.expr) -> ast.expr:
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return tree.operand
    number = _number(tree)
    return ast.UnaryOp(ast.USub(), tree) if number is None else ast.Constant(-number)


def _number(tree: ast.expr) -> float | None:
    match tree:
        case ast.Constant(value=float() | int() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=float() | int() as number)):
            return -float(number)
    return None


def slope_rows() -> list[Op]:
    """The partials of those rows of the table that have a domain, as rows."""
    return [_slope_row(op, k) for op in OPS.values() if op.domain for k in range(len(op.partials))]


def _slope_row(op: Op, k: int) -> Op:
    """A partial of `op` as a row: of x and f, or of x and y, or of x, y and z."""
    formula = re.sub(r"\bf\b", "y" if op.unary else f"({op.formula})", op.partials[k])
    zeros = ("0",) * max(len(op.partials), 2)
    return Op(f"slope_{k}_of_{op.name}", "∂", formula, zeros, op.domain, n=op.n)


@cache
def without_slope(op: Op) -> list[int]:
    """For which inputs the partial of `op` is 0 everywhere."""
    return [k for k, partial in enumerate(op.partials) if simplified(partial, op.n) == "0.0"]


@cache
def doubtful_slopes(op: Op) -> dict[int, Op]:
    """The row for each partial that may have no number where the formula has one."""
    rows = [_slope_row(op, k) for k in range(len(op.partials) if op.domain else 0)]
    found: dict[int, Op] = {}
    for at in _points(op):
        if not math.isnan(f := evaluate_or_nan(op.formula, at)):
            numbers = [evaluate_or_nan(row.formula, {"y": f} | at) for row in rows]
            found |= {k: rows[k] for k, number in enumerate(numbers) if math.isnan(number)}
    return dict(sorted(found.items()))


@cache
def keeps(op: Op) -> list[bool]:
    """For each input, whether the result is infinite or NaN wherever the input is."""
    return [not any(map(math.isfinite, _at(op, k, _ODD))) for k in range(len(op.partials))]


@cache
def hides(op: Op) -> list[bool]:
    """For each input, whether the simplified formula may give a number where it is NaN."""
    return [not all(map(math.isnan, _at(op, k, _ODD[:1]))) for k in range(len(op.partials))]


def _at(op: Op, k: int, numbers: tuple[float, ...]) -> list[float]:
    """What the simplified formula gives at `numbers` in place `k`."""
    formula, letters = simplified(op.formula, op.n), "xyz"[: len(op.partials)]
    others = [dict.fromkeys(letters, other) for other in (-1.0, 0.0, 1.0)]
    return [evaluate_or_nan(formula, at | {letters[k]: x}) for x in numbers for at in others]


def _points(op: Op) -> Iterator[dict[str, float]]:
    """Numbers to try `op` at; of one input, also the least that its formula takes."""
    n = {} if op.n is None else {"n": op.n}
    for numbers in itertools.product(_NUMBERS, repeat=len(op.partials)):
        yield dict(zip("xyz", numbers)) | n
    x = 1.0
    for step in (2.0, 1.1, 1.01, 1.001) if op.unary else ():
        while 0 < (less := x / step) < x:
            if math.isnan(evaluate_or_nan(op.formula, {"x": less} | n)):
                break
            x = less
    if op.unary:
        yield {"x": x} | n
