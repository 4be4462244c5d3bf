"""How numbers and names are written: in plain text, in HTML, in LaTeX."""

from __future__ import annotations

import math
import re
from html import escape
from html.entities import name2codepoint

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = {raised: plain for plain, raised in _SUPERSCRIPTS.items()}
_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_GREEK = {rf"\{name}": chr(name2codepoint[name]) for name in _LETTERS.split()}
_GREEK |= {r"\partial": "∂", r"\sum": "Σ"}


def number(x: float, *, digits: int = 3) -> str:
    """`x` to three significant digits, with a true minus sign; trailing zeros unless it is whole.

    A power of ten replaces the plain form only where that would be longer.

    >>> [number(x) for x in (0.66966, 0.67, -7.0, 0.00076244, 7.6244e-9, 12345.6)]
    ['0.670', '0.670', '−7', '0.000762', '7.62·10⁻⁹', '12346']
    """
    if not math.isfinite(x):
        return str(x).replace("inf", "∞").replace("-", "−")
    if x == 0:
        return "0"
    if x == int(x) and abs(x) < 1e6:
        return f"{x:.0f}".replace("-", "−")
    mantissa, exponent = f"{x:.{digits - 1}e}".split("e")
    plain = f"{x:.{max(digits - 1 - int(exponent), 0)}f}"
    power = f"{mantissa}·10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return (power if len(power) < len(plain) else plain).replace("-", "−")


def as_given(x: float) -> str:
    """`x` as it was typed, if six digits are enough for that; otherwise as `number` writes it.

    >>> as_given(0.12), as_given(-2.0), as_given(1 / 3)
    ('0.12', '−2', '0.333')
    """
    short = f"{x:.6g}"
    exact = math.isfinite(x) and float(short) == x and "e" not in short
    return short.replace("-", "−") if exact else number(x)


def number_latex(text: str) -> str:
    r"""A number from `number` or `as_given` as LaTeX.

    >>> number_latex("−7.62·10⁻⁹"), number_latex("−∞"), number_latex("0.5")
    ('-7.62 \\cdot 10^{-9}', '-\\infty', '0.5')
    """
    mantissa, times, power = text.replace("∞", r"\infty").replace("−", "-").partition("·10")
    return mantissa + (rf" \cdot 10^{{{power.translate(_PLAIN)}}}" if times else "")


def label_parts(label: str) -> list[tuple[str, str]]:
    r"""A label as pieces (text, place); the place is "" on the line, "sub" or "sup".

    `_` and `^` take one character or a group in braces, as in LaTeX, or a whole number: x_12
    means x_{12}.  The suffix that `Graph` adds to tell two nodes apart is a last piece.  A label
    of any other form is one piece, unchanged.

    >>> label_parts("w_{1,1}^{(1)}")
    [('w', ''), ('1,1', 'sub'), ('(1)', 'sup')]
    >>> label_parts("x_12")
    [('x', ''), ('12', 'sub')]
    >>> label_parts("z_1 (v7)"), label_parts("z_1.2")
    ([('z', ''), ('1', 'sub'), (' (v7)', '')], [('z', ''), ('1', 'sub'), ('.2', '')])
    >>> label_parts("a {weird_ one")
    [('a {weird_ one', '')]
    """
    word, suffix = r"(\\?[^\W_]+|\W)", r"((?: \(v\d+\))?(?:\.\d+)?)"
    match = re.fullmatch(word + r"((?:[_^](?:\{[^{}]*\}|[0-9]+|[^{}\s\\]))*)('*)" + suffix, label)
    if not match:
        return [(label, "")]
    base, scripts, primes, suffix = match.groups()
    pieces = [(_GREEK.get(base, base) + "′" * len(primes), "")]
    for sign, text in re.findall(r"([_^])(\{[^{}]*\}|[0-9]+|.)", scripts):
        pieces.append((text[1:-1] if text[0] == "{" else text, "sub" if sign == "_" else "sup"))
    return [*pieces, (suffix, "")] if suffix else pieces


def label_html(label: str) -> str:
    """A label as HTML, escaped.

    >>> label_html("w_{1,1}^{(1)}"), label_html("<b>")
    ('w<sub>1,1</sub><sup>(1)</sup>', '&lt;b&gt;')
    """
    return "".join(
        f"<{place}>{escape(text)}</{place}>" if place else escape(text)
        for text, place in label_parts(label)
    )


def label_latex(label: str) -> str:
    r"""A label as LaTeX mathematics; one that is not mathematics becomes `\text{...}`.

    Of commands, only names of letters are let through.

    >>> label_latex("w_{1,1}^{(1)}"), label_latex("x_12"), label_latex("loss of sample 3")
    ('w_{1,1}^{(1)}', 'x_{12}', '\\text{loss of sample 3}')
    >>> label_latex("w_1_2"), label_latex("x_{50%}")
    ('\\text{w\\_1\\_2}', 'x_{50\\%}')
    """
    (base, _), *rest = label_parts(label)
    scripts = [place for _, place in rest if place]
    command = re.match(r"\\[a-zA-Z]+", label)
    if command and command[0] in _GREEK:
        base = command[0] + "′" * base.count("′")
    plain = re.sub(r"\\[a-zA-Z]+", lambda m: _GREEK.get(m[0], m[0]), base + "".join(dict(rest)))
    if (
        (not rest and not re.fullmatch(r"\\[a-zA-Z]+|\w", base))
        or len(set(scripts)) < len(scripts)
        or re.search(r"[\\_^~{}]", plain)
        or not plain.isprintable()
    ):  # fmt: skip
        special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
        printable = (c if c.isprintable() else " " for c in label)
        text = "".join(special.get(c, "\\" + c if c in "#$%&_{}" else c) for c in printable)
        return rf"\text{{{text}}}"
    typeset = base.replace("′", "'")
    for text, place in rest:
        body = text if not place or re.fullmatch("[0-9A-Za-z]", text) else f"{{{text}}}"
        typeset += {"sub": "_", "sup": "^", "": ""}[place] + body
    return re.sub("[#$%&]", r"\\\g<0>", typeset)


def subscripted(name: str, subscript: object = "") -> str:
    """A label with a subscript, in braces if it is longer than one character.

    >>> subscripted("x", 1), subscripted("w", "1,2"), subscripted("E")
    ('x_1', 'w_{1,2}', 'E')
    """
    text = str(subscript)
    return f"{name}_{{{text}}}" if len(text) > 1 else f"{name}_{text}" if text else name
