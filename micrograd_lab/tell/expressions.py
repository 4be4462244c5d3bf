"""A typed expression as a recorded computation.

Python's own parser reads the text, which is never run: only sums, products, powers, numbers, names
and the functions of the op table become values, and anything else is an error that quotes it.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, SupportsFloat
from unicodedata import normalize

from ..calculus import as_value, dot, total
from ..engine import Value
from ..ops import OPS

MAX_CHARACTERS = 10_000  # far more than a person types; bounds the parser's time

_SIGNS: Mapping[type[ast.operator], Callable[[Any, Any], Value]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip
_PRODUCT = r"(?<![\w.])[\d.]{1,20}(?![eE][-+]?\d) ?[^\W\d]\w{0,20}|\) ?[\w(]|\d ?\("  # 2x, (a)(b)
_SYNTAX = "+ - * / **, parentheses, numbers, names and functions such as exp, tanh or sigmoid"


def expression(text: str, numbers: Mapping[str, SupportsFloat] | None = None) -> Value:
    """The value of an expression in Python's notation, recorded operation by operation.

    The functions are the table's operations of one input, by name or symbol, and
    ``sum(a, b, ...)`` and ``dot([w, ...], [x, ...], b)``.  Intermediate values can be named:
    ``g = w*x; f = g + b``.

    Args:
        text: the expression, or several assignments, the last of which is the result; what is not
            understood is quoted in a ValueError.
        numbers: a number, or a value, for each name that the text reads and does not assign.

    >>> expression("w*x + b", {"w": -2, "x": 5, "b": 3})
    Value(-7, grad=0)
    >>> expression("y = sigmoid(dot([0.15, 0.2], [x, 0.3], 0.1))", {"x": 0.12})
    Value(y: 0.544383, grad=0)
    """
    statements = _parse(text)
    numbers = {normalize("NFKC", name): number for name, number in (numbers or {}).items()}
    names = _names(statements, text)
    missing, unused = [n for n in names if n not in numbers], [n for n in numbers if n not in names]
    if missing:
        have = "has" if len(missing) == 1 else "have"
        give = _short(" ".join(f"{name}=…" for name in missing), 120)
        close = [guess for name in missing for guess in get_close_matches(name, unused, 1, 0.5)]
        hint = f"; {close[0]} has one but is not read" if close else ""
        raise ValueError(f"{_short(', '.join(missing))} {have} no number; give {give}{hint}")
    values = {name: x if isinstance(x, Value) else Value(x, name) for name, x in numbers.items()}
    for name, tree in statements:
        value = _compute(tree, values, text)
        if name:
            value.label = value.label or name
            values[name] = value
    if unused:
        raise ValueError(f"{unused[0]} has a number, but the expression does not read it")
    return value


def names_read(text: str) -> list[str]:
    """The names that an expression reads and does not assign, in order of appearance."""
    return _names(_parse(text), text)


def numbers_in(words: Iterable[str]) -> dict[str, float]:
    """The numbers in words such as ``w=-2``; anything else is a ValueError.

    >>> numbers_in(["w=-2", "x=0.5"])
    {'w': -2.0, 'x': 0.5}
    """
    numbers: dict[str, float] = {}
    for word in words:
        name, sign, number = map(str.strip, word.replace("\u2212", "-").partition("="))
        if not sign or not name.isidentifier():
            raise ValueError(f"{word!r} is not NAME=NUMBER, such as w=-2")
        if name in numbers:
            raise ValueError(f"{name} has two numbers; give one")
        try:
            numbers[name] = float(number)
        except ValueError:
            raise ValueError(f"{number!r} is not a number for {name}; write {name}=0.5") from None
        if math.isinf(numbers[name]) and "inf" not in number.lower():
            raise ValueError(f"{name}={number} is beyond 1.8e308, the largest float")
    return numbers


def _parse(text: str) -> list[tuple[str, ast.expr]]:
    """The statements in `text`: names and what they are assigned; the last may lack a name."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"the expression has {len(text)} characters, more than {MAX_CHARACTERS}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about strings and numbers that are refused below
            statements = ast.parse(text.strip()).body
    except (RecursionError, MemoryError):
        raise ValueError("too deeply nested; name a part of it, as in y = ...; ...") from None
    except (SyntaxError, ValueError) as error:
        text, at = text.strip(), getattr(error, "offset", None)
        where = f" at character {at}" if at and "\n" not in text else ""
        use = f"{where}; use {_SYNTAX}"
        if product := re.search(_PRODUCT, text):
            use = f"; write * for a product, near {product[0]!r}"
        raise ValueError(f"cannot read {_short(text)!r}{use}") from None
    if not statements:
        raise ValueError('nothing to compute; give an expression such as "w*x + b"')
    parsed = []
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=tree):
                parsed.append((name, tree))
            case ast.Expr(value=tree) if statement is statements[-1]:
                parsed.append(("", tree))
            case ast.Expr():
                raise ValueError(f"{_quote(statement, text)} has no name; write y = ... to use it")
            case _:
                raise ValueError(f"{_quote(statement, text)} is not understood; use {_SYNTAX}")
    return parsed


def _names(statements: list[tuple[str, ast.expr]], text: str) -> list[str]:
    """The names that `statements` read before they assign them, in order of appearance."""
    names: dict[str, None] = {}
    assigned: set[str] = set()
    for name, tree in statements:
        read = [node.id for node in _inputs_first(tree, text) if isinstance(node, ast.Name)]
        names |= dict.fromkeys(x for x in read if x not in assigned)
        assigned.add(name)
    return list(names)


def _inputs_first(tree: ast.expr, text: str) -> list[ast.expr]:
    """The nodes of a syntax tree, each after its operands, without recursion."""
    order, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        order.append(node)
        match node:
            case ast.Name():
                pass
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                pass
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
                waiting += [left, right]
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                waiting.append(operand)
            case ast.Call(func=ast.Name(), args=parts, keywords=[]) | ast.List(elts=parts):
                waiting += parts
            case ast.BinOp(op=ast.BitXor()):
                raise ValueError(f"write ** for a power, not ^, in {_quote(node, text)}")
            case ast.Call(func=ast.Constant() | ast.BinOp() | ast.Call()):
                raise ValueError(f"write * for a product in {_quote(node, text)}")
            case _:
                raise ValueError(f"{_quote(node, text)} is not understood; use {_SYNTAX}")
    return order[::-1]


def _compute(tree: ast.expr, values: Mapping[str, Value], text: str) -> Value:
    """The value of a syntax tree, with `values` for its names."""
    results: dict[ast.expr, Any] = {}  # a typed number stays a float: x ** 2 is pow_scalar
    for node in _inputs_first(tree, text):
        match node:
            case ast.Constant(value=int() | float() as number):
                if not abs(number) <= sys.float_info.max:
                    raise ValueError("a number beyond 1.8e308, the largest float")
                results[node] = float(number)
            case ast.Name(id=name):
                results[node] = values[name]
            case ast.List(elts=parts):
                results[node] = [results[part] for part in parts]
            case ast.Call(func=ast.Name(id=name), args=args):
                results[node] = _call(name, [results[arg] for arg in args], values)
            case ast.UnaryOp(op=sign, operand=operand):
                x = _number(results[operand], operand, text)
                results[node] = -x if isinstance(sign, ast.USub) else x
            case ast.BinOp(left=left, op=op, right=right):
                x, y = _number(results[left], left, text), _number(results[right], right, text)
                results[node] = _SIGNS[type(op)](as_value(x), y)
    return as_value(_number(results[tree], tree, text))


def _number(x: Any, node: ast.expr, text: str) -> Value | float:
    """`x`, which `node` computed, unless it is a list."""
    if isinstance(x, Value | float):
        return x
    raise ValueError(f"{_quote(node, text)} is a list; lists are for dot([w, ...], [x, ...])")


def _call(name: str, inputs: list[Any], values: Mapping[str, Value]) -> Value:
    """The function `name` of `inputs`, which are values, floats or lists."""
    known = {op.name: op for op in OPS.values() if op.unary or op.symbol == "Σ"}
    symbols = {op.symbol: op.name for op in reversed(known.values()) if op.symbol.isidentifier()}
    op = known.get(symbols.get(name, name))
    if op is None:
        if name in values:
            raise ValueError(f"{name} is a number, not a function; write * for a product")
        close = get_close_matches(name.lower(), known, 1)
        there = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        raise ValueError(f"{_short(name)} is not a function here; {there}")
    lists = [x for x in inputs if isinstance(x, list)]
    if op.name == "sum" and inputs and not lists:
        return total(inputs)
    if op.name == "dot":
        match inputs:
            case [list(weights), list(x), *bias] if len(bias) < 2:
                if not any(isinstance(number, list) for number in [*weights, *x, *bias]):
                    return dot(weights, x, *bias)
        raise ValueError("dot takes weights, inputs and perhaps a bias: dot([w1, w2], [x1, x2], b)")
    with_n = len(inputs) == 2 and op.n is not None and isinstance(inputs[1], float)
    if not (with_n or len(inputs) == 1) or lists:
        takes = "numbers" if op.variadic else "one number"
        raise ValueError(f"{name} takes {takes}, as in {name}(x)")
    return getattr(Value, op.name)(as_value(inputs[0]), *inputs[1:])  # type: ignore[no-any-return]


def _quote(node: ast.AST, text: str) -> str:
    """The source of `node` in `text`, on one line."""
    return repr(_short(" ".join((ast.get_source_segment(text.strip(), node) or "").split())))


def _short(text: str, max_characters: int = 60) -> str:
    return text if len(text) <= max_characters else text[: max_characters - 3] + "..."
