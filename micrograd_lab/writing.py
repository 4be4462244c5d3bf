"""The same line of calculus as plain text, as HTML and as LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from . import formulas, notation


@dataclass(frozen=True)
class Writing:
    """How names, numbers and formulas are written.

    >>> TEXT.slope("E", "z_1"), HTML.slope("E", "z_1"), LATEX.slope("E", "z_1")
    ('∂E/∂z_1', '∂E/∂z<sub>1</sub>', '\\\\frac{\\\\partial E}{\\\\partial z_1}')
    """

    name: Callable[[str], str]
    _number: Callable[[str], str]
    formula: Callable[[str, Mapping[str, str]], str]
    _slope: str
    times: str
    dots: str

    def number(self, x: float) -> str:
        """A computed number, in three significant digits."""
        return self._number(notation.number(x))

    def given(self, x: float) -> str:
        """A number as it was given."""
        return self._number(notation.given(x))

    def slope(self, of: str, wrt: str) -> str:
        """∂(of)/∂(wrt), for two names."""
        return self._slope.format(self.name(of), self.name(wrt))

    def product(self, *factors: float) -> str:
        """Computed numbers multiplied with each other, negative ones in brackets.

        >>> TEXT.product(-0.241, -0.45)
        '−0.241 × (−0.450)'
        """
        first, *rest = map(self.number, factors)
        return self.times.join([first, *(f"({x})" if x[0] in "-−" else x for x in rest)])


def _same(text: str) -> str:
    return text


TEXT = Writing(_same, _same, formulas.substitute, "∂{}/∂{}", " × ", "…")
HTML = Writing(notation.html, escape, formulas.html, "∂{}/∂{}", " × ", "…")
LATEX = Writing(
    notation.latex,
    notation.latex_number,
    formulas.latex,
    r"\frac{{\partial {}}}{{\partial {}}}",
    r" \times ",
    r"\cdots",
)
