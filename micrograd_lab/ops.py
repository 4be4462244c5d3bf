"""What can be computed, and how it responds: one row per operation.

This table is the only place that knows calculus.  From one row the engine makes a method, the
stepper prints numbers put into a formula, diagrams typeset LaTeX, the gradient check tests the
derivative, second derivatives apply it to values, and the replay pastes it into its program.

A formula is Python text in `x`, `y`, `z` (the inputs), `f` (the value just computed) and `n` (a
number that belongs to the operation).  It may call what ``formulas.ELEMENTARY`` lists and every
operation of one input in the table.  `sum(...)` takes any number of inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, eq=False)
class Op:
    """One operation: how to compute it, and one partial derivative per input."""

    name: str  # as torch spells it, where torch has it
    symbol: str  # what a diagram shows inside the node
    formula: str
    partials: tuple[str, ...]
    domain: str = ""  # what the inputs must fulfil, as text; empty: anything
    textbook: tuple[str, ...] = ()  # formula, then partials, as a book prints them, if different
    gate: bool = False  # a local derivative of 0 stops even an infinite gradient
    n: float | None = None  # the number in the formula: an exponent, a slope

    @property
    def shown(self) -> tuple[str, ...]:
        """The formula and the partials as a book prints them."""
        return self.textbook or (self.formula, *self.partials)

    @property
    def variadic(self) -> bool:
        """Whether the operation takes any number of inputs."""
        return self.formula.startswith(("sum(", "take("))

    @property
    def unary(self) -> bool:
        """Whether the operation takes one input, and so is a method of every value."""
        return len(self.partials) == 1 and not self.variadic

    def partial(self, i: int, inputs: Sequence[Any]) -> tuple[str, dict[str, Any]]:
        """The partial for input `i`, and the inputs that its letters stand for.

        A dot product has its weights, then its inputs, then perhaps a bias.

        >>> OPS["dot"].partial(3, ["w1", "w2", "z1", "z2", "w0"])
        ('x', {'x': 'w2', 'y': 'z2'})
        """
        if not self.variadic:
            return self.partials[i], dict(zip("xyz", inputs))
        pairs = self.pairs(len(inputs))
        if i >= 2 * pairs:
            letters = {"b": inputs[i]} if pairs else {"x": inputs[0]}
            return self.partials[-1 if i else 0].replace("n", f"{i - 1}"), letters
        return self.partials[i // pairs], {"x": inputs[i % pairs], "y": inputs[i % pairs + pairs]}

    def pairs(self, inputs: int) -> int:
        """How many products there are in a sum over so many inputs."""
        return inputs // 2 if self.variadic and len(self.partials) == 3 else 0

    def __reduce__(self) -> tuple[Callable[..., Op], tuple[Any, ...]]:
        return row, (self.name, self.n)


@lru_cache(maxsize=1024)
def row(op: Op | str, n: float | None = None) -> Op:
    """The row `op`, or that of this name, with its number `n` put in."""
    if isinstance(op, str):
        return row(OPS[op], n)
    return op if n == op.n else replace(op, n=n)


# fmt: off
OPS: dict[str, Op] = {op.name: op for op in (
    # one input
    Op("neg",         "−",        "-x",        ("-1",)),
    Op("half_square", "½(·)²",    "x * x / 2", ("x",), textbook=("x ** 2 / 2", "x")),
    Op("exp",         "exp",      "exp(x)",    ("f",),       "x < 709.79"),
    Op("log",         "ln",       "log(x)",    ("1 / x",),   "x > 0"),
    Op("expm1",       "expm1",    "expm1(x)",  ("exp(x)",),  "x < 709.79"),
    Op("log1p",       "log1p",    "log1p(x)",  ("1 / (1 + x)",), "x > -1"),
    Op("sqrt",        "√",        "sqrt(x)",   ("0.5 / f",), "x > 0", ("sqrt(x)", "1 / (2 * f)")),
    Op("sin",         "sin",      "sin(x)",    ("cos(x)",)),
    Op("cos",         "cos",      "cos(x)",    ("-sin(x)",)),
    Op("tan",         "tan",      "tan(x)",    ("1 + f * f",), textbook=("tan(x)", "1 + f ** 2")),
    Op("atan",        "atan",     "atan(x)",   ("1 / (1 + x * x)",)),
    Op("erf",         "erf",      "erf(x)",    ("1.1283791670955126 * exp(-x * x)",),
       textbook=("erf(x)", "2 / sqrt(3.141592653589793) * exp(-x ** 2)")),
    Op("erfc",        "erfc",     "erfc(x)",   ("-1.1283791670955126 * exp(-x * x)",)),
    Op("abs",         "|·|",      "abs(x)",    ("1 if x > 0 else -1 if x < 0 else 0 * x",),
       textbook=("abs(x)", "1 if x > 0 else -1 if x < 0 else 0")),
    Op("tanh",        "tanh",     "tanh(x)",   ("4 * sigmoid(2 * x) * sigmoid(-2 * x)",),
       textbook=("tanh(x)", "1 - f ** 2")),
    Op("sigmoid",     "σ",        "1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))",
       ("f * sigmoid(-x)",), textbook=("1 / (1 + exp(-x))", "f * (1 - f)")),
    Op("softplus",    "softplus", "x + log1p(exp(-x)) if x > 0 else log1p(exp(x))",
       ("sigmoid(x)",), textbook=("log(1 + exp(x))", "1 / (1 + exp(-x))")),
    Op("relu",        "ReLU",     "max(x, 0)", ("1 if x > 0 else 0 if x <= 0 else x",), gate=True,
       textbook=("x if x > 0 else 0", "1 if x > 0 else 0")),
    Op("silu",        "SiLU",     "x * sigmoid(x)", ("sigmoid(x) + f * sigmoid(-x)",)),
    Op("gelu",        "GELU",     "x * (0.5 * erfc(-0.7071067811865476 * x))",
       ("0.5 * erfc(-0.7071067811865476 * x) + 0.3989422804014327 * x * exp(-x * x / 2)",),
       textbook=("x * (1 + erf(x / sqrt(2))) / 2", ("0.5 + 0.5 * erf(0.7071067811865476 * x)"
                 " + 0.3989422804014327 * x * exp(-0.5 * x ** 2)"))),
    Op("gelu_tanh",   "GELU",
       "x * sigmoid(x * (1.5957691216057308 + 0.07135481627260025 * x * x))",
       (("sigmoid(x * (1.5957691216057308 + 0.07135481627260025 * x * x))"
        " + f * sigmoid(-x * (1.5957691216057308 + 0.07135481627260025 * x * x))"
        " * (1.5957691216057308 + 0.21406444881780076 * x * x)"),)),
    Op("step",        "step",     "1 if x >= 0 else 0 if x < 0 else x",
       ("0 if x >= 0 or x < 0 else x",), gate=True, textbook=("1 if x >= 0 else 0", "0")),
    Op("identity",    "id",       "x",         ("1",)),
    # one input and a number
    Op("leaky_relu",  "LReLU",  "x if x > 0 else n * x", ("1 if x > 0 else n if x <= 0 else x",),
       textbook=("x if x > 0 else n * x", "1 if x > 0 else n"), n=0.01),
    Op("elu",         "ELU",    "x if x > 0 else n * expm1(x)", ("1 if x > 0 else n * exp(x)",),
       textbook=("x if x > 0 else n * (exp(x) - 1)", "1 if x > 0 else n * exp(x)"), n=1.0),
    Op("pow_scalar",  "(·)^n",  "pow(x, n)", ("n * pow(x, n - 1) if n != 0 else 0",),
       domain="x > 0 or x == 0 and (n == 0 or n >= 1) or x < 0 and n % 1 == 0",
       textbook=("x ** n", "n * x ** (n - 1)"), n=2.0),
    # two inputs
    Op("add", "+", "x + y", ("1", "1")),
    Op("sub", "−", "x - y", ("1", "-1")),
    Op("mul", "×", "x * y", ("y", "x")),
    Op("div", "÷", "x / y", ("1 / y", "-f / y"), "y != 0", ("x / y", "1 / y", "-x / y ** 2")),
    Op("pow", "xʸ", "pow(x, y)",
       partials=("y * pow(x, y - 1) if y < 0 or y > 0 else 0 * y",
                 "0 * f if x >= 0 and x <= 0 and y >= 0 else f * log(x)"),
       domain="x > 0 or x == 0 and (y == 0 or y >= 1)",
       textbook=("x ** y", "y * x ** (y - 1)", "f * log(x)")),
    Op("logaddexp", "LSE", "max(x, y) + log1p(exp(-abs(x - y))) if x != y else x + log(2)",
       partials=("sigmoid(x - y)", "sigmoid(y - x)"),
       textbook=("log(exp(x) + exp(y))", "exp(x - f)", "exp(y - f)")),
    Op("maximum", "max", "x if x >= y else y if x < y else x + y",
       partials=("0.5 if x >= y and x <= y else 1 if x > y else 0 if x <= y else x + y",
                 "0.5 if x >= y and x <= y else 0 if x > y else 1 if x <= y else x + y"),
       textbook=("x if x >= y else y", "1 if x > y else 0 if x < y else 0.5",
                 "0 if x > y else 1 if x < y else 0.5"), gate=True),
    Op("minimum", "min", "x if x <= y else y if x > y else x + y",
       partials=("0.5 if x >= y and x <= y else 1 if x < y else 0 if x >= y else x + y",
                 "0.5 if x >= y and x <= y else 0 if x < y else 1 if x >= y else x + y"),
       textbook=("x if x <= y else y", "1 if x < y else 0 if x > y else 0.5",
                 "0 if x < y else 1 if x > y else 0.5"), gate=True),
    # three inputs; no slope has a number where f is NaN
    Op("clip", "clip", "(z if x > z else y if x < y else x) if y <= z else "
       "(z if x > z or x <= z else x) if y > z else y + z",
       partials=("(1 if x >= y and x <= z else 0) if f > 0 or f <= 0 else f",
                 "(1 if x < y and y <= z else 0) if f > 0 or f <= 0 else f",
                 "(1 if x > z or y > z else 0) if f > 0 or f <= 0 else f"),
       textbook=("z if x > z or y > z else y if x < y else x", "1 if x >= y and x <= z else 0",
                 "1 if x < y and y <= z else 0", "1 if x > z or y > z else 0"), gate=True),
    Op("where", "where", "y if x > 0 else z if x <= 0 else x",
       partials=("0 if x > 0 or x <= 0 else x", "1 if x > 0 else 0 if x <= 0 else x",
                 "0 if x > 0 else 1 if x <= 0 else x"),
       textbook=("y if x > 0 else z", "0", "1 if x > 0 else 0", "0 if x > 0 else 1"), gate=True),
    # any number of inputs; of take an index, and what it picks the one with the number n of
    Op("sum", "Σ", "sum(x)", ("1",)),
    Op("dot", "Σ", "sum(x * y) + b", ("y", "x", "1")),
    Op("take", "[·]", "take(x, y)", ("0", "1 if x == n else 0"), gate=True),
)}
# fmt: on
