"""The same line of calculus as plain text, as HTML and as LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from . import languages, notation

_SCRIPTS = "display:inline-flex;flex-direction:column-reverse;vertical-align:middle;line-height:1.2"


@dataclass(frozen=True)
class Writing:
    """A form of mathematics: how names, numbers and formulas are written in it.

    >>> TEXT.slope("E", "z_1"), HTML.slope("E", "z_1"), LATEX.slope("E", "z_1")
    ('∂E/∂z_1', '∂<i>E</i>/∂<i>z</i><sub>1</sub>', '\\\\frac{\\\\partial E}{\\\\partial z_1}')
    """

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
        return self._number(notation.number(x, digits=digits))

    def as_given(self, x: float, *, digits: int = 3) -> str:
        """An input, as it was typed."""
        return self._number(notation.as_given(x, digits=digits))

    def slope(self, of: str, wrt: str, through: str = "") -> str:
        """∂(of)/∂(wrt) for two names; with a third, only the branch through that value."""
        above = self._below.format(self.name(of), self.name(through)) if through else self.name(of)
        return self._slope.format(above, self.name(wrt))

    def product(self, *factors: str) -> str:
        """The product of some numbers, negative ones in brackets.

        >>> TEXT.product("−0.241", "−0.450")
        '−0.241 × (−0.450)'
        """
        first, *rest = factors
        return self.times.join([first, *(f"({x})" if x[0] == self.minus else x for x in rest)])

    def sum(self, *terms: str) -> str:
        """The sum of some numbers or names.

        >>> TEXT.sum("0.0504", "−0.0243")
        '0.0504 − 0.0243'
        """
        first, *rest = terms
        signed = (f" {x[0]} {x[1:]}" if x[0] == self.minus else f" + {x}" for x in rest)
        return first + "".join(signed)


TEXT = Writing(
    notation.label_text, str, languages.formula_text, "∂{}/∂{}", "{}_{{{}}}", " × ", "−", "…", str
)
HTML = replace(
    TEXT,
    name=notation.label_html,
    _number=escape,
    formula=languages.formula_html,
    _below="{}<sub>{}</sub>",
    words=escape,
)
LATEX = Writing(
    notation.label_latex,
    notation.number_latex,
    languages.formula_latex,
    r"\frac{{\partial {}}}{{\partial {}}}",
    r"{{{}}}_{{{}}}",
    r" \times ",
    "-",
    r"\cdots",
    notation.label_latex,
)


def shown(lines: Callable[[Writing], list[str]], plain: str) -> dict[str, str]:
    """Lines as a notebook shows them: HTML, which needs no MathJax, and LaTeX for PDF."""
    html = "<br>".join(lines(HTML)).replace('class="scripts"', f'style="{_SCRIPTS}"')
    latex = "$\\begin{aligned}\n& " + " \\\\\n& ".join(lines(LATEX)) + "\n\\end{aligned}$"
    return {"text/html": f"<span>{html}</span>", "text/latex": latex, "text/plain": plain}


def value_bundle(value: Any, **_: object) -> dict[str, str]:
    """What a `Value` shows in a notebook: its name, its number and its gradient.

    No drawing: a value is looked at again and again, as a loss in each step of a training.
    """

    def lines(writing: Writing) -> list[str]:
        name = f"{writing.name(value.label)} = " if value.label else ""
        # a program may set a gradient to None
        grad = "None" if value.grad is None else writing.as_given(value.grad, digits=6)
        return [name + writing.as_given(value.data, digits=6) + writing.words(", grad = ") + grad]

    return shown(lines, repr(value))


def preformatted(text: str) -> str:
    """HTML of a text whose columns stand below each other."""
    return f'<pre style="font-family:monospace;line-height:1.3">{escape(text)}</pre>'
