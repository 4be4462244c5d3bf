"""A formula of the op table in the languages of its readers: NumPy, C, JavaScript, and for people
text, HTML and LaTeX, in which a `Writing` writes lines of calculus."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from types import MappingProxyType
from typing import Any

from ..formulas import ELEMENTARY, NOT_IN_NUMPY, NUMPY_NAME
from ..ops import OPS, Op
from .notation import as_given, label_html, label_latex, label_text, number, number_latex

_SCRIPTS = "display:inline-flex;flex-direction:column-reverse;vertical-align:middle;line-height:1.2"


@dataclass(frozen=True)
class Writing:
    """A form of mathematics: how names, numbers and formulas are written in it."""

    name: Callable[[str], str]
    _number: Callable[[str], str]
    formula: Callable[[str, Mapping[str, str]], str]
    _slope: str
    _below: str
    times: str
    minus: str
    dots: str
    words: Callable[[str], str]

    def number(self, x: float, *, digits: int = 3) -> str:
        """A computed number."""
        return self._number(number(x, digits=digits))

    def as_given(self, x: float, *, digits: int = 3) -> str:
        """An input, as it was typed."""
        return self._number(as_given(x, digits=digits))

    def slope(self, of: str, wrt: str, through: str = "") -> str:
        """∂(of)/∂(wrt) for two names; with a third, only the branch through that value."""
        above = self._below.format(self.name(of), self.name(through)) if through else self.name(of)
        return self._slope.format(above, self.name(wrt))

    def product(self, *factors: str) -> str:
        """The product of some numbers, as in −0.241 × (−0.450)."""
        first, *rest = factors
        return self.times.join([first, *(f"({x})" if x[0] == self.minus else x for x in rest)])

    def sum(self, *terms: str) -> str:
        """The sum of some numbers or names, as in 0.0504 − 0.0243."""
        first, *rest = terms
        signed = (f" {x[0]} {x[1:]}" if x[0] == self.minus else f" + {x}" for x in rest)
        return first + "".join(signed)


def shown(lines: Callable[[Writing], list[str]], plain: str) -> dict[str, str]:
    """Lines as a notebook shows them: HTML, which needs no MathJax, and LaTeX for PDF."""
    html = "<br>".join(lines(HTML)).replace('class="scripts"', f'style="{_SCRIPTS}"')
    latex = "$\\begin{aligned}\n& " + " \\\\\n& ".join(lines(LATEX)) + "\n\\end{aligned}$"
    return {"text/html": f"<span>{html}</span>", "text/latex": latex, "text/plain": plain}


def value_bundle(value: Any, **_: object) -> dict[str, str]:
    """What a `Value` shows in a notebook: no drawing, since a loss is looked at in every step."""

    def lines(writing: Writing) -> list[str]:
        name = f"{writing.name(value.label)} = " if value.label else ""
        # a program may set a gradient to None
        grad = "None" if value.grad is None else writing.as_given(value.grad, digits=6)
        return [name + writing.as_given(value.data, digits=6) + writing.words(", grad = ") + grad]

    return shown(lines, repr(value))


def spell_out(op: Op, count: int, *, max_terms: int = 4) -> tuple[str, dict[str, int]]:
    """The formula of `op` for `count` inputs, and which input each letter stands for.

    A sum of more than `max_terms` terms is cut off there, with `dots` in place of the rest.

    >>> spell_out(OPS["dot"], 5)
    ('x0 * y0 + x1 * y1 + b', {'b': 4, 'x0': 0, 'y0': 2, 'x1': 1, 'y1': 3})
    """
    if not op.variadic:
        several = [f"x{i}" for i in range(count)]
        return op.shown[0], dict(zip("xyz" if count < 4 else several, range(count)))
    if op.formula.startswith("take"):
        shown = {"x": 0} | {f"y{i}": i + 1 for i in range(min(count - 1, max_terms))}
        return f"take({', '.join([*shown, *['dots'] * (count - 1 > max_terms)])})", shown
    pairs = op.pairs(count)
    terms = ["dots"] + ["b"] * (count > 2 * pairs > 0)
    letters = {"b": count - 1} if len(terms) > 1 else {}
    term = op.formula[len("sum(") : op.formula.index(")")]
    for i in range(min(pairs or count, max_terms)):
        terms.insert(i, re.sub("[xy]", rf"\g<0>{i}", term))
        letters |= {f"x{i}": i} | ({f"y{i}": i + pairs} if pairs else {})
    if (pairs or count) <= max_terms:
        terms.remove("dots")
    return " + ".join(terms), letters


@cache
def with_number(formula: str, n: float | None) -> str:
    """`formula` with a number for its letter `n`, and arithmetic on numbers alone carried out."""
    if n is None:
        return formula
    return ast.unparse(_Substitution(n).visit(ast.parse(formula, mode="eval")))


class _Substitution(ast.NodeTransformer):
    """Puts a number in place of `n` and computes every part without letters; x ** 1 is x."""

    def __init__(self, n: float) -> None:
        self.n = n

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.parse(repr(self.n), mode="eval").body if node.id == "n" else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow) and ast.unparse(node.right) == "1.0":
            return node.left
        if any(isinstance(part, ast.Name) for part in ast.walk(node)):
            return node
        return ast.parse(repr(eval(ast.unparse(node))), mode="eval").body


class _Writer:
    """Writes a formula's syntax tree; a subclass decides how each kind of term looks."""

    signs: Mapping[type[ast.AST], str]
    brackets = ("(", ")")
    power = ("^", "")  # around an exponent
    inside_or = 0  # a condition beside `or` or `and` that binds more loosely gets brackets

    def __init__(self, letters: Mapping[str, str]) -> None:
        self.letters = letters

    @classmethod
    def write(cls, formula: str, letters: Mapping[str, str] = MappingProxyType({})) -> str:
        r"""`formula`, with the text of a number or a name in place of each of `letters`.

        >>> formula_text("-x / y ** 2", {"x": "−5", "y": "b"}), formula_latex("f / (1 - f)")
        ('−(−5) ÷ b^2', '\\frac{f}{1 - f}')
        """
        return cls(letters).term(ast.parse(formula, mode="eval").body, 0)

    def term(self, node: ast.expr, inside: int) -> str:
        """The text of `node`, in brackets if it binds more loosely than `inside`."""
        text, binds = self.plain(node)
        return self.brackets[0] + text + self.brackets[1] if binds < inside else text

    def plain(self, node: ast.expr) -> tuple[str, int]:
        """The text of `node`, and how tightly it binds: 0 condition, 1 sum, 2 product, 4 power."""
        match node:
            case ast.Constant(value=int() | float() as number):
                text = self.number(number)
                return text, self.binding(text)
            case ast.Name():
                text = self.letters.get(node.id, node.id)
                return text, self.binding(text)
            case ast.UnaryOp(operand=operand):
                return self.signs[ast.USub] + self.term(operand, 2), 1
            case ast.BinOp(left=left, op=op, right=right):
                return self.operation(left, op, right)
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                return f"{self.term(left, 1)} {self.signs[type(sign)]} {self.term(right, 1)}", 0
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.condition(test, body, orelse), 0
            case ast.BoolOp(op=op, values=values):
                terms = [self.term(value, self.inside_or) for value in values]
                return f" {self.signs[type(op)]} ".join(terms), 0
            case ast.Call(func=ast.Name(id="own"), args=args):
                start, end = self.brackets
                inner = ", ".join(self.term(arg, 0) for arg in args)
                return f"{self.letters['own']}{start}{inner}{end}", 9
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.call(name, args)
        raise ValueError(f"{ast.unparse(node)!r} is not part of a formula")

    def binding(self, text: str) -> int:
        """How tightly a letter's text binds: −0.5, 7.6·10⁻⁹ and w^{(1)} are not single terms."""
        opening, closing = self.brackets
        if text.startswith(opening) and text.endswith(closing) and text.count(opening) == 1:
            return 9
        if text[0] in "-−":
            return 1
        if "·" in text or " " in text:
            return 2
        return 4 if "^" in text or "<sup>" in text else 9

    def operation(self, left: ast.expr, op: ast.operator, right: ast.expr) -> tuple[str, int]:
        if isinstance(op, ast.Pow):
            before, after = self.power
            return self.term(left, 5) + before + self.term(right, 0 if after else 5) + after, 4
        level = 1 if isinstance(op, ast.Add | ast.Sub) else 2
        tighter = level + 1 if isinstance(op, ast.Sub | ast.Div) else level
        a, b = self.leading(left, level), self.following(right, max(tighter, 2))
        return f"{a} {self.signs[type(op)]} {b}", level

    def following(self, node: ast.expr, inside: int) -> str:
        """The text of a right operand, in brackets also if a product begins with a minus."""
        text = self.term(node, inside)
        return self.brackets[0] + text + self.brackets[1] if text[0] in "-−" else text

    def leading(self, node: ast.expr, inside: int) -> str:
        """The text of a left operand, where a leading minus needs no brackets."""
        text, _ = self.plain(node)
        negative = text[0] in "-−" and isinstance(node, ast.UnaryOp | ast.Name)
        return text if negative else self.term(node, inside)

    def number(self, number: float) -> str:
        return as_given(number)

    def condition(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> str:
        return f"{self.term(body, 1)} if {self.term(test, 0)} else {self.term(orelse, 0)}"

    def call(self, name: str, args: list[ast.expr]) -> tuple[str, int]:
        return f"{name}({', '.join(self.term(arg, 0) for arg in args)})", 9


class _Text(_Writer):
    signs: Mapping[type[ast.AST], str] = {
        ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷", ast.USub: "−", ast.Mod: "mod",
        ast.Gt: ">", ast.GtE: "≥", ast.Lt: "<", ast.LtE: "≤", ast.Eq: "=", ast.NotEq: "≠",
        ast.Or: "or", ast.And: "and",
    }  # fmt: skip
    functions: Mapping[str, str] = {"sigmoid": "σ", "log": "ln", "sqrt": "√"}

    def call(self, name: str, args: list[ast.expr]) -> tuple[str, int]:
        if name == "pow":
            return self.operation(args[0], ast.Pow(), args[1])
        return super().call(self.functions.get(name, name), args)


class _Html(_Text):
    signs: Mapping[type[ast.AST], str] = {**_Text.signs, ast.Gt: "&gt;", ast.Lt: "&lt;"}
    power = ("<sup>", "</sup>")


class _Template(_Html):
    """HTML for letters that come later.

    A letter is `⟦2x⟧`: its text goes there, in brackets if it binds more loosely than 2, or after
    `⟦2-x` unless it begins with a minus.  What is within `⟨` and `⟩` gets brackets if it begins
    with a minus.

    >>> formula_template("x * (1 - f)"), formula_template("1 - x * y")
    ('⟦2-x⟧ × (1 − ⟦2f⟧)', '1 − ⟨⟦2-x⟧ × ⟦2y⟧⟩')
    """

    def term(self, node: ast.expr, inside: int) -> str:
        if isinstance(node, ast.Name) and node.id not in self.letters:
            return f"⟦{inside}{node.id}⟧"
        return super().term(node, inside)

    def leading(self, node: ast.expr, inside: int) -> str:
        if isinstance(node, ast.Name):
            return self.term(node, inside).replace(f"⟦{inside}", f"⟦{inside}-")
        return super().leading(node, inside)

    def following(self, node: ast.expr, inside: int) -> str:
        text = super().following(node, inside)
        return f"⟨{text}⟩" if text[0] == "⟦" and not isinstance(node, ast.Name) else text


class _Latex(_Writer):
    signs: Mapping[type[ast.AST], str] = {
        ast.Add: "+", ast.Sub: "-", ast.USub: "-", ast.Mod: r"\bmod",
        ast.Gt: ">", ast.GtE: r"\ge", ast.Lt: "<", ast.LtE: r"\le", ast.Eq: "=", ast.NotEq: r"\ne",
        ast.Or: r"\lor", ast.And: r"\land",
    }  # fmt: skip
    brackets = (r"\left(", r"\right)")
    power = ("^{", "}")
    functions: Mapping[str, str] = {
        "sigmoid": r"\sigma", "log": r"\ln", "atan": r"\arctan", "relu": r"\operatorname{ReLU}",
        **{name: rf"\{name}" for name in ("sin", "cos", "tan", "tanh", "max")},
    }  # fmt: skip

    def operation(self, left: ast.expr, op: ast.operator, right: ast.expr) -> tuple[str, int]:
        if isinstance(op, ast.Div):
            return rf"\frac{{{self.term(left, 0)}}}{{{self.term(right, 0)}}}", 3
        if isinstance(op, ast.Mult):
            a, b = self.leading(left, 2), self.term(right, 2)
            digits = a[-1].isdigit() and b[0].isdigit()
            return a + (r" \cdot " if digits or b[0] == "-" else " ") + b, 2
        return super().operation(left, op, right)

    def number(self, number: float) -> str:
        return number_latex(as_given(number))

    def condition(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> str:
        rows = [rf"{self.term(body, 0)} & {self.term(test, 0)}"]
        while isinstance(orelse, ast.IfExp):
            rows.append(rf"{self.term(orelse.body, 0)} & {self.term(orelse.test, 0)}")
            orelse = orelse.orelse
        rows.append(rf"{self.term(orelse, 0)} & \text{{otherwise}}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

    def call(self, name: str, args: list[ast.expr]) -> tuple[str, int]:
        inner = ", ".join(self.term(arg, 0) for arg in args)
        if name == "pow":
            return self.operation(args[0], ast.Pow(), args[1])
        if name == "exp":
            return f"e^{{{inner}}}", 4
        if name == "sqrt":
            return rf"\sqrt{{{inner}}}", 9
        if name == "abs":
            return rf"\left|{inner}\right|", 9
        if name == "sum":
            return rf"\sum {self.term(args[0], 2)}", 2
        spelled = name.replace("_", r"\_")
        typeset = self.functions.get(name, rf"\operatorname{{{spelled}}}")
        return rf"{typeset}\left({inner}\right)", 9


class _NumPy(_Writer):
    """Source that works on arrays."""

    signs: Mapping[type[ast.AST], str] = {
        ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.USub: "-",
        ast.Mod: "%", ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==",
        ast.NotEq: "!=", ast.Or: "|", ast.And: "&",
    }  # fmt: skip
    power = (" ** ", "")
    inside_or = 1

    def number(self, number: float) -> str:
        return repr(float(number))

    def condition(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> str:
        return f"np.where({self.term(test, 0)}, {self.term(body, 0)}, {self.term(orelse, 0)})"

    def call(self, name: str, args: list[ast.expr]) -> tuple[str, int]:
        if name in ELEMENTARY:
            np = "" if name in NOT_IN_NUMPY else "np."
            return super().call(np + NUMPY_NAME.get(name, name), args)
        inner = type(self)({"x": self.term(args[0], 3)})
        return inner.plain(ast.parse(OPS[name].formula, mode="eval").body)


class _C(_NumPy):
    """For the kernel of the tape; functions are called `exp_of`, `relu_of` and so on."""

    def condition(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> str:
        return f"{self.term(test, 1)} ? {self.term(body, 1)} : {self.term(orelse, 0)}"

    def call(self, name: str, args: list[ast.expr]) -> tuple[str, int]:
        return _Writer.call(self, f"{name}_of", args)


class _JavaScript(_NumPy):
    """All functions and division are those of an object `m`."""

    signs: Mapping[type[ast.AST], str] = {
        **_NumPy.signs, ast.Eq: "===", ast.NotEq: "!==", ast.Or: "||", ast.And: "&&",
    }  # fmt: skip

    def operation(self, left: ast.expr, op: ast.operator, right: ast.expr) -> tuple[str, int]:
        if name := {ast.Pow: "pow", ast.Div: "div", ast.Mod: "mod"}.get(type(op)):
            return self.call(name, [left, right])
        return super().operation(left, op, right)

    def condition(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> str:
        return f"{self.term(test, 0)} ? {self.term(body, 1)} : {self.term(orelse, 0)}"

    def call(self, name: str, args: list[ast.expr]) -> tuple[str, int]:
        return _Writer.call(self, f"m.{name}", args)


formula_text, formula_html, formula_latex = _Text.write, _Html.write, _Latex.write
formula_numpy, formula_c, formula_javascript = _NumPy.write, _C.write, _JavaScript.write
formula_template = _Template.write

TEXT = Writing(label_text, str, formula_text, "∂{}/∂{}", "{}_{{{}}}", " × ", "−", "…", str)
HTML = Writing(
    label_html, escape, formula_html, "∂{}/∂{}", "{}<sub>{}</sub>", " × ", "−", "…", escape
)
LATEX = Writing(
    label_latex, number_latex, formula_latex, r"\frac{{\partial {}}}{{\partial {}}}",
    r"{{{}}}_{{{}}}", r" \times ", "-", r"\cdots", label_latex,
)  # fmt: skip
