"""A formula of the op table as a number.

How a formula is written for a reader or for another language is said in ``tell/languages.py``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from .ops import OPS, Op

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

ELEMENTARY = (
    "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "atan", "tanh", "erf", "erfc",
    "pow", "abs", "max",
)  # fmt: skip
NUMPY_NAME = {"pow": "power", "max": "maximum", "atan": "arctan"}
NOT_IN_NUMPY = ("erf", "erfc")
_BUILTIN = {"abs": abs, "max": max}


class _NumPy:
    """NumPy, imported on first use, so that importing the package takes no time."""

    def __getattr__(self, name: str) -> Any:
        vars(self)[name] = thing = getattr(import_module("numpy"), name)
        return thing


np: Any = _NumPy()
Floats: TypeAlias = "NDArray[float64]"


def evaluate(formula: str, letters: Mapping[str, Any], module: ModuleType = math) -> Any:
    """The number that `formula` gives; outside a domain `math` raises an error, `np` does not."""
    return eval(compiled(in_floats(formula)), functions_of(module), dict(letters))


def evaluate_or_nan(formula: str, letters: Mapping[str, Any]) -> float:
    """What `formula` gives; NaN where Python raises an error."""
    try:
        return float(evaluate(formula, letters))
    except (ArithmeticError, ValueError):
        return math.nan


def compiled_rule(op: Op, record: Callable[..., Any]) -> Callable[..., Any]:
    """A row as a function of (`op`, its inputs, their numbers) that hands f and slopes to `record`.

    >>> compiled_rule(OPS["mul"], print)(OPS["mul"].name, ("a", "b"), 2.0, 5.0)
    10.0 mul ('a', 'b') (5.0, 2.0)
    """
    letters = [*"xyz"[: len(op.partials)], *(["n=n"] if op.n is not None else [])]
    f, slopes = in_floats(op.formula), ", ".join(map(in_floats, op.partials))
    named = f"(f := {f})" if re.search(r"\bf\b", slopes) else f
    source = f"lambda op, inputs, {', '.join(letters)}: record({named}, op, inputs, ({slopes},))"
    return eval(source, functions_of(math) | {"record": record, "n": op.n})  # type: ignore[no-any-return]


@cache
def in_floats(formula: str) -> str:
    """`formula` with its whole numbers as floats, as engine and array programs compute it."""
    return re.sub(r"(?<![\w.])(?<!\d[eE][-+])\d+(?![\w.])", r"\g<0>.0", formula)


@cache
def compiled(formula: str) -> CodeType:
    """`formula` as an expression that `eval` takes."""
    return compile(formula, "<formula>", "eval")


@cache
def functions_of(module: ModuleType) -> dict[str, Any]:
    """All that a formula may call, in the arithmetic of `math` or of `numpy`."""
    if module is math:
        found = {name: _BUILTIN.get(name) or getattr(math, name) for name in ELEMENTARY}
    else:
        found = {name: getattr(module, NUMPY_NAME.get(name, name), None) for name in ELEMENTARY}
        for name in NOT_IN_NUMPY:
            found[name] = module.vectorize(getattr(math, name), otypes=[float])
    for op in OPS.values():
        if op.unary and op.n is None and op.name not in found:
            found[op.name] = eval(f"lambda x: {in_floats(op.formula)}", found)
    return found
