"""An expression that somebody typed, as a recorded computation.

The text is parsed by Python's own parser and never run: only sums, products, powers, numbers,
names and the functions of the op table become values, and anything else is refused by name.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, SupportsFloat
from unicodedata import normalize

from ..calculus import dot, total
from ..engine import Value
from ..ops import OPS

LONGEST = 10_000  # characters; what a person types is far below, and the parser's time is bounded

_SIGNS: Mapping[type[ast.operator], Callable[[Any, Any], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_ONE_INPUT = {op.name: op for op in OPS.values() if op.unary}
_FUNCTIONS = {**_ONE_INPUT, "sum": OPS["sum"], "dot": OPS["dot"]}
_SYMBOLS = {op.symbol: name for name, op in _FUNCTIONS.items() if op.symbol.isidentifier()}
_PRODUCT = r"(?<![\w.])[\d.]{1,20}(?![eE][-+]?\d) ?[^\W\d]\w{0,20}|\) ?[\w(]|\d ?\("  # 2x, (a)(b)
_UNDERSTOOD = "+ - * / **, parentheses, numbers, names and functions such as exp, tanh or sigmoid"


def expression(text: str, numbers: Mapping[str, SupportsFloat] | None = None) -> Value:
    """The value of an expression in Python's notation, recorded operation by operation.

    A function is any operation of the table that has one input, by its name or symbol, and
    ``sum(a, b, ...)`` and ``dot([w, ...], [x, ...], b)``.  Steps can be named:
    ``g = w*x; f = g + b``.

    Args:
        text: the expression, or several named steps of which the last is the result.
        numbers: a number, or a value, for each name in it.

    Raises:
        ValueError: if something is not understood, a name has no number, or a number no name.

    >>> expression("w*x + b", {"w": -2, "x": 5, "b": 3})
    Value(-7, grad=0)
    >>> expression("y = sigmoid(dot([0.15, 0.2], [x, 0.3], 0.1))", {"x": 0.12})
    Value(y: 0.544383, grad=0)
    """
    steps = _parsed(text)
    given = {normalize("NFKC", name): number for name, number in (numbers or {}).items()}
    read = _names(steps, text)
    missing, unused = [n for n in read if n not in given], [n for n in given if n not in read]
    if missing:
        raise ValueError(_no_number(missing, unused))
    named = {
        name: number if isinstance(number, Value) else Value(number, as_label(name))
        for name, number in given.items()
    }
    for step in steps:
        value = _computed(step.value, named, text)
        if name := _target(step):
            value.label = value.label or as_label(name)
            named[name] = value
    if unused:
        raise ValueError(f"{unused[0]} is given, but the expression does not read it")
    return value


def _parsed(text: str) -> list[ast.Assign | ast.Expr]:
    """The steps in `text`: all have a name, the last perhaps not."""
    if len(text) > LONGEST:
        raise ValueError(f"an expression of {len(text)} characters; at most {LONGEST} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about strings and numbers that are refused below
            steps = ast.parse(text.strip()).body
    except (RecursionError, MemoryError):
        raise ValueError("too much in one step; name some of it, as in y = ...; ...") from None
    except (SyntaxError, ValueError) as error:
        raise ValueError(_unreadable(text.strip(), error)) from None
    if not steps:
        raise ValueError('nothing to compute; give an expression such as "w*x + b"')
    read: list[ast.Assign | ast.Expr] = []
    for step in steps:
        if not isinstance(step, ast.Assign | ast.Expr) or _target(step) is None:
            raise ValueError(f"{_quoted(step, text)} is not understood; use {_UNDERSTOOD}")
        if isinstance(step, ast.Expr) and step is not steps[-1]:
            raise ValueError(f"{_quoted(step, text)} has no name; write y = ... to go on with it")
        read.append(step)
    return read


def _target(step: ast.Assign | ast.Expr) -> str | None:
    """The name that `step` gives: "" if none, None if not one plain name."""
    match step:
        case ast.Expr():
            return ""
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def _unreadable(text: str, error: SyntaxError | ValueError) -> str:
    if product := re.search(_PRODUCT, text):
        return f"cannot read {_short(text)!r}; write * for a product, near {product[0]!r}"
    at = getattr(error, "offset", None)
    where = f" at character {at}" if at and "\n" not in text else ""
    return f"cannot read {_short(text)!r}{where}; use {_UNDERSTOOD}"


def _names(steps: list[ast.Assign | ast.Expr], text: str) -> list[str]:
    """The names that `steps` read and do not compute, in order of appearance."""
    read: dict[str, None] = {}
    computed: set[str] = set()
    for step in steps:
        for node in _inputs_first(step.value, text):
            if isinstance(node, ast.Name) and node.id not in computed:
                read[node.id] = None
        if name := _target(step):
            computed.add(name)
    return list(read)


def _no_number(missing: list[str], unused: list[str]) -> str:
    have = "has" if len(missing) == 1 else "have"
    give = " ".join(f"{name}=…" for name in missing)
    message = f"{_short(', '.join(missing))} {have} no number; give {_short(give, 120)}"
    close = [guess for name in missing for guess in get_close_matches(name, unused, 1, 0.5)]
    return f"{message}; {close[0]} is given but not read" if close else message


def as_label(name: str) -> str:
    """A typed name as a label: what follows one underscore is a subscript."""
    return re.sub(r"^([^\W_]+)_([^\W_]{2,})$", r"\1_{\2}", name)


def _inputs_first(tree: ast.expr, text: str) -> list[ast.expr]:
    """The parts of an expression, each after what it is computed from, without recursion."""
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
                raise ValueError(f"write ** for a power, not ^, in {_quoted(node, text)}")
            case ast.Call(func=ast.Constant() | ast.BinOp() | ast.Call()):
                raise ValueError(f"write * for a product in {_quoted(node, text)}")
            case _:
                raise ValueError(f"{_quoted(node, text)} is not understood; use {_UNDERSTOOD}")
    return order[::-1]


def _computed(tree: ast.expr, named: Mapping[str, Value], text: str) -> Value:
    """What `tree` computes."""
    made: dict[ast.expr, Any] = {}  # a number as typed is a float: x ** 2 is a power by a number
    for node in _inputs_first(tree, text):
        match node:
            case ast.Constant(value=int() | float() as number):
                made[node] = _float(number)
            case ast.Name(id=name):
                made[node] = named[name]
            case ast.List(elts=parts):
                made[node] = [made[part] for part in parts]
            case ast.Call(func=ast.Name(id=name), args=args):
                made[node] = _called(name, [made[arg] for arg in args], named)
            case ast.UnaryOp(op=sign, operand=operand):
                x = _number(made[operand], operand, text)
                made[node] = -x if isinstance(sign, ast.USub) else x
            case ast.BinOp(left=left, op=op, right=right):
                x, y = _number(made[left], left, text), _number(made[right], right, text)
                made[node] = _SIGNS[type(op)](_value(x), y)
    return _value(_number(made[tree], tree, text))


def _number(made: Any, node: ast.expr, text: str) -> Value | float:
    """`made`, unless it is a list."""
    if _is_number(made):
        return made  # type: ignore[no-any-return]
    raise ValueError(f"{_quoted(node, text)} is a list; lists are for dot([w, ...], [x, ...])")


def _called(name: str, inputs: list[Any], named: Mapping[str, Value]) -> Value:
    """The function `name` of `inputs`, which are values, floats or lists."""
    op = _FUNCTIONS.get(_SYMBOLS.get(name, name))
    if op is None:
        if name in named:
            raise ValueError(f"{name} is a number, not a function; write * for a product")
        close = get_close_matches(name.lower(), _FUNCTIONS, 1)
        known = f"did you mean {close[0]}?" if close else f"there are {', '.join(_FUNCTIONS)}"
        raise ValueError(f"{_short(name)} is not a function here; {known}")
    if op.name == "sum" and inputs and all(map(_is_number, inputs)):
        return total(inputs)
    if op.name == "dot":
        match inputs:
            case [list(weights), list(values), *bias] if len(bias) < 2:
                if all(map(_is_number, [*weights, *values, *bias])):
                    return dot(weights, values, *bias)
        raise ValueError("dot takes weights, inputs and perhaps a bias: dot([w1, w2], [x1, x2], b)")
    if len(inputs) == 2 and op.n is not None and isinstance(inputs[1], float):
        return getattr(Value, op.name)(_value(inputs[0]), inputs[1])  # type: ignore[no-any-return]
    if len(inputs) != 1 or not _is_number(inputs[0]):
        raise ValueError(
            f"{name} takes {'numbers' if op.variadic else 'one number'}, as in {name}(x)"
        )
    return getattr(Value, op.name)(_value(inputs[0]))  # type: ignore[no-any-return]


def _is_number(made: Any) -> bool:
    return isinstance(made, Value | float)


def _value(made: Value | float) -> Value:
    return made if isinstance(made, Value) else Value(made)


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise ValueError("a number beyond 1.8e308; a float holds no such number") from None


def _quoted(node: ast.AST, text: str) -> str:
    """The part of `text` that `node` was read from, on one line."""
    return repr(_short(" ".join((ast.get_source_segment(text.strip(), node) or "").split())))


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
