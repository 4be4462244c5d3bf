"""Measured slopes: of results, and of the formulas of operations that a program adds."""

from __future__ import annotations

import ast
import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from keyword import iskeyword
from typing import Any

from .calculus import as_value
from .engine import Value, method
from .formulas import ELEMENTARY, evaluate_or_nan
from .graph import Graph
from .ops import OPS, Op, row

__all__ = ["check_gradient", "operation"]

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.Pow)
_SIGNS = (ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq)


def check_gradient(
    of: Value | Callable[..., Value],
    at: Sequence[float | Value] | None = None,
    *,
    tolerance: float = 1e-6,
) -> None:
    """Raise an error unless each gradient of `backward` matches finite differences.

    At a kink, such as ReLU's at 0, any gradient between the slopes on the two sides is right.  No
    `grad` changes.

    Args:
        of: a result, which is recomputed with nearby numbers; or a function of values.
        at: of a result the values to check, by default all its leaves but indices; for a function
            one number per argument.
        tolerance: the largest difference between gradient and slope, relative to the larger one.

    Raises:
        AssertionError: if they differ; the message has the value's name, gradient and slope.
        ValueError: if a slope cannot be measured.

    >>> w, x = Value(-2, "w"), Value(5, "x")
    >>> check_gradient((w * x).tanh())
    >>> check_gradient(lambda a, b: a / b, [1.0, 3.0])
    """
    if isinstance(of, Value):
        graph = Graph.at_present(of, products=False, gradients=True)
        index = {f.inputs[0] for f in graph.nodes if f.op is OPS["take"]}  # nothing near it is one
        leaves = [x for x, twin in graph.twins.items() if not (x.inputs or twin in index)]
        for value in leaves if at is None else at:
            if not isinstance(value, Value) or value not in graph.twins:
                raise ValueError(f"{value!r} is not part of the computation of {of!r}")
            twin = graph.twins[value]
            name = f"∂{graph.names[graph.result]}/∂{graph.names[twin]}"

            def nearby(x: float, twin: Value = twin) -> float:
                return graph.evaluate({twin: x}, along=True)

            _compare(name, twin.grad, nearby, twin.data, tolerance)
        return
    if not callable(of):
        raise TypeError(f"of must be a Value or a function, got {type(of).__name__} {of!r:.60}")
    if at is None:
        raise TypeError("to check a function, give the numbers to call it with")
    point = [float(x) for x in at]
    values = [Value(x) for x in point]
    of(*values).backward()
    for i, value in enumerate(values):

        def called(x: float, i: int = i) -> float:
            return of(*map(Value, [*point[:i], x, *point[i + 1 :]])).data

        _compare(f"the gradient of argument {i + 1}", value.grad, called, point[i], tolerance)


def slope(f: Callable[[float], float], x: float) -> tuple[float, float]:
    """f′(x) from central differences, and an estimate of its error.

    Shrinks the distance h, unless f raises a ValueError there, and extrapolates to h = 0.

    Source: C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in
    Engineering Software 4 (1982) 75-76.
    """
    best, error = math.nan, math.inf
    coarse: list[float] = []
    h = 0.1 * max(abs(x), 1e-3)
    for _ in range(16):
        try:
            above, below = f(x + h), f(x - h)
        except ValueError:
            coarse, h = [], h / 4
            continue
        rounding = math.ulp(max(abs(above), abs(below))) / h
        fine = [(above - below) / ((x + h) - (x - h))]
        weight = 1.0
        for coarser in coarse:
            weight *= 16.0
            fine.append((weight * fine[-1] - coarser) / (weight - 1.0))
            apart = max(abs(fine[-1] - fine[-2]), abs(fine[-1] - coarser)) + rounding
            if apart < error:
                best, error = fine[-1], apart
        coarse, h = fine, h / 4
    return best, error


def _compare(
    name: str, gradient: float, f: Callable[[float], float], x: float, tolerance: float
) -> None:
    """Raise an error unless `gradient` is the slope of f at x."""
    measured, error = slope(f, x)
    if math.isnan(measured):
        raise ValueError(f"{name} cannot be measured at {x:g}; the numbers nearby are not finite")
    allowed = error + tolerance * max(abs(gradient), abs(measured))
    if abs(gradient - measured) <= allowed:
        return
    h = 1e-6 * max(abs(x), 1.0)
    left, right = sorted([(f(x) - f(x - h)) / h, (f(x + h) - f(x)) / h])
    size = max(abs(left), abs(right))
    slack = 1e-5 * size  # of a slope measured on one side
    if right - left > 1e-3 * size and left - slack <= gradient <= right + slack:
        return
    raise AssertionError(f"{name} is {gradient:.9g} by backward, but the slope is {measured:.9g}")


@dataclass(frozen=True, eq=False)
class Own(Op):
    """A row that a program made, and the call that makes it."""

    call: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        return _found, (self.call, self.name, self.n)


def operation(
    name: str,
    formula: str,
    partials: Sequence[str],
    *,
    symbol: str = "",
    domain: str = "",
    textbook: Sequence[str] = (),
    n: float | None = None,
    gate: bool = False,
) -> Callable[..., Value]:
    """Add a row to the table of operations, and return it as a function of values.

    It is differentiated, drawn, stepped, explained and replayed as the other rows are, and of one
    input it is a method too.  Made again under the same name, it takes the place of the former.

    Args:
        formula: in `x`, `y` and `z`, the inputs, and `n`; as in ``x / (1 + abs(x))``.
        partials: one for each input, also in `f`, the value.
        symbol: for diagrams; by default the name.
        domain: what the inputs must fulfil, as in ``x > 0``.
        textbook: formula and partials as a book prints them, if different.
        n: a number in the formula; the method of one input takes another.
        gate: whether a slope of 0 stops even an infinite gradient.

    Raises:
        ValueError: if the name is taken, a formula is not understood, or a partial is not the
            slope of the formula; then nothing is added.

    >>> softsign = operation("softsign", "x / (1 + abs(x))", ["1 / (1 + abs(x)) ** 2"])
    >>> softsign(3), Value(-1).softsign()
    (Value(0.75, grad=0), Value(-0.5, grad=0))
    """
    if isinstance(partials, str) or not hasattr(partials, "__len__") or not 1 <= len(partials) <= 3:
        raise ValueError(f"partials {partials!r:.60}; give a list of 1 to 3, one for each input")
    for text in (name, formula, *partials, symbol, domain, *textbook):
        if not isinstance(text, str):
            raise TypeError(f"{text!r:.60} is {type(text).__name__}; give a text")
    former, free = OPS.get(name), name.isidentifier() and not iskeyword(name) and name[0] != "_"
    if not free or len(name) < 2:
        raise ValueError(f"{name!r} is no name for an operation; give a word such as softsign")
    if not isinstance(former, Own) and (former or hasattr(Value, name) or name in ELEMENTARY):
        raise ValueError(f"{name} is taken by the table, a value or a function; choose another")
    if textbook and len(textbook) != 1 + len(partials):
        raise ValueError(f"{len(textbook)} formulas of a textbook; give {1 + len(partials)}")
    given = {"symbol": symbol, "domain": domain, "textbook": [*textbook], "n": n, "gate": gate}
    options = "".join(f", {key}={it!r}" for key, it in given.items() if it or it is n is not None)
    call = f"operation({name!r}, {formula!r}, {[*partials]!r}{options})"
    names = ["x", "y", "z"][: len(partials)] + ([] if n is None else ["n"])
    read = [_read(formula, names), *(_read(partial, [*names, "f"]) for partial in partials)]
    shown = [_read(each, [*names, "f"]) for each in textbook] or read
    needs = _read(domain, names, test=True)[1] if domain else ""
    f, *slopes = (computed for _, computed in read)
    typed = tuple(text for text, _ in shown)
    op = Own(name, symbol or name, f, (*slopes,), needs, typed, gate, n, call)
    if isinstance(former, Own) and former.call == call:
        op = former
    _check_slopes(op)
    forward = method(op)

    @wraps(forward)
    def function(*inputs: Any, **number: Any) -> Value:
        count = len(op.partials)
        return forward(*map(as_value, inputs[:count]), *inputs[count:], **number)

    OPS[name] = op
    if isinstance(former, Own) and former.unary:
        delattr(Value, name)
    if op.unary:
        setattr(Value, name, function)
    return function


def _found(call: str, name: str, n: float | None) -> Op:
    """The row that a pickle was made with."""
    op = OPS.get(name)
    here = getattr(op, "call", f"no operation {name}")
    if op is None or here != call:
        raise ValueError(f"there is {here} here; first make the one that was pickled: {call}")
    return row(op, n)


def _read(text: str, names: list[str], *, test: bool = False) -> tuple[str, str]:
    """A formula as it was typed, and with `pow` in place of ``**``, as the table has it."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"cannot read the formula {text!r}: {error.msg}") from None
    return ast.unparse(tree), ast.unparse(_checked(tree, names, test))


def _checked(node: ast.expr, names: list[str], test: bool = False) -> ast.expr:
    """`node` with `pow` in place of ``**``, if it is a number, or a `test`, of a formula."""
    match node:
        case ast.BoolOp(op=op, values=values) if test:
            return ast.BoolOp(op, [_checked(value, names, True) for value in values])
        case ast.Compare(left=a, ops=[sign], comparators=[b]) if test and isinstance(sign, _SIGNS):
            return ast.Compare(_checked(a, names), [sign], [_checked(b, names)])
        case _ if test:
            pass
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            if number <= sys.float_info.max:
                return node
        case ast.Name(id=name) if name in names:
            return node
        case ast.UnaryOp(op=ast.USub() as sign, operand=a):
            return ast.UnaryOp(sign, _checked(a, names))
        case ast.BinOp(left=a, op=op, right=b) if isinstance(op, _ARITHMETIC):
            a, b = _checked(a, names), _checked(b, names)
            power = isinstance(op, ast.Pow)
            return ast.Call(ast.Name("pow"), [a, b], []) if power else ast.BinOp(a, op, b)
        case ast.IfExp(test=a, body=b, orelse=c):
            return ast.IfExp(_checked(a, names, True), _checked(b, names), _checked(c, names))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            rows = [op for op in OPS.values() if op.unary and op.n is None]
            known = {*ELEMENTARY, *(op.name for op in rows if not isinstance(op, Own))}
            if name not in known:
                close = get_close_matches(name, known, 1)
                there = f"did you mean {close[0]}?" if close else ", ".join(sorted(known))
                raise ValueError(f"a formula cannot call {name}; {there}")
            if len(args) == (2 if name in ("pow", "max") else 1):
                return ast.Call(node.func, [_checked(arg, names) for arg in args], [])
    raise ValueError(
        f"{ast.unparse(node)!r} is not part of a formula here; it has + - * / % **, numbers, "
        f"{', '.join(names)}, functions, and a if x > 0 else b"
    )


def _check_slopes(op: Own) -> None:
    """Raise an error unless the partials are the slopes of the formula, where that is measured."""
    letters, drawn, points, far = "xyz"[: len(op.partials)], random.Random(op.name), 0, 0.7
    while points < 20:
        at = {x: drawn.choice((-1, 1)) * 10 ** drawn.uniform(-far, far) for x in letters}
        where = ", ".join(f"{letter} = {x:.6g}" for letter, x in at.items())
        at |= {} if op.n is None else {"n": op.n}
        if far > 20:
            raise ValueError(f"no numbers were found that the domain allows: {op.domain}")
        if evaluate_or_nan(op.domain or "1", at) != 1:
            far += 0.02
            continue
        points += 1
        at["f"] = evaluate_or_nan(op.formula, at)
        if math.isnan(at["f"]):
            raise ValueError(f"{op.shown[0]} has no value at {where}; give its domain")
        for letter, partial, shown in zip(letters, op.partials, op.shown[1:]):

            def along(x: float, at: dict[str, float] = at, letter: str = letter) -> float:
                there = at | {letter: x}
                inside = evaluate_or_nan(op.domain or "1", there) == 1
                return evaluate_or_nan(op.formula, there) if inside else math.nan

            local, (measured, error) = evaluate_or_nan(partial, at), slope(along, at[letter])
            allowed = error + 1e-6 * max(abs(local), abs(measured))
            if error < math.inf and not abs(local - measured) <= allowed:
                raise ValueError(
                    f"the partial for {letter}, {shown}, is {local:.6g} at {where}, but the slope "
                    f"of the formula, measured, is {measured:.6g}"
                )
