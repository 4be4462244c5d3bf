"""How numbers and names are written: in plain text, in HTML, in LaTeX."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from html import escape
from importlib.resources import files
from string import ascii_letters
from textwrap import fill
from unicodedata import category, normalize

_TABLE = json.loads(files("micrograd_lab.tell").joinpath("latex.json").read_text("utf-8"))
_SMALL = {sign: str.maketrans(*letters) for sign, letters in _TABLE["small"].items()}
_PLAIN = {raised: plain for plain, raised in _SMALL["^"].items()}
_SYMBOLS, _ACCENTS = _TABLE["symbols"], _TABLE["accents"]
_ALPHABETS: dict[str, dict[str, str]] = {c: dict(zip(*x)) for c, x in _TABLE["alphabets"].items()}
_LATEX = {sign: rf"\{command} " for command, sign in _SYMBOLS.items()} | _TABLE["signs"]
_LATEX |= {c: c for c in ascii_letters + "0123456789()[]+*/=<>|.,:;!?"}
for _command, _letters in _ALPHABETS.items():
    _LATEX |= {x: rf"\{_command}{{{_LATEX.get(c, c)}}}" for c, x in _letters.items()}
_ALPHABETS["mathbf"] |= _ALPHABETS["boldsymbol"]
_ACCENT = {mark: command for command, mark in _ACCENTS.items()}
_SIGNS = str.maketrans("'-", "′−")
MAX_CHARACTERS = 100  # of a formula; a longer label is text
_MARK = "[\u0300-\u036f\u20d7]"
_MARKS = f"{_MARK}*"
_RUN = rf"(?:[^\W_]{_MARKS}|(?!{_MARK})[^\\{{}}_^$]|\\text\{{[^{{}}\\]*\}})"
_SCRIPT = rf"\{{{_RUN}*\}}|(?:[^\W_]{_MARKS})+|(?!\s){_RUN}"
_SCRIPTS = re.compile(rf"([_^])({_SCRIPT})")
_FORMULA = re.compile(
    rf"({_RUN}+?)(['′]*)((?:[_^](?:{_SCRIPT}))*)(['′]*)((?: \(v\d+\))?(?:\.\d+)?)"
)
_ITALIC, _BOLD = "[A-Za-zα-ωϑϕϵ]", "[\U0001d400-\U0001d433\U0001d6a8-\U0001d6e1]"
_FACES = re.compile(
    rf"\\text\{{(?P<words>[^{{}}]*)\}}|(?P<italic>(?:{_ITALIC}{_MARKS}['′]*)+)|"
    rf"(?P<bold>(?:{_BOLD}{_MARKS})+)|(?P<upright>(?:(?!\\|{_ITALIC}|{_BOLD}).)+)"
)
_LETTERS = rf"\\text\{{([^{{}}]*)\}}|(.)({_MARKS})"
_STRAY = re.compile(rf"(?<![^\W_])(?<!{_MARK}){_MARK}+")
_STYLED = rf"\\({'|'.join(_ACCENTS | _ALPHABETS)}) *(\{{)?([^\W_])({_MARKS})(?(2)\}})"
_UNSEEN = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")  # Unicode's categories


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
    power = f"{mantissa}·10{str(int(exponent)).translate(_SMALL['^'])}"
    return (power if len(power) < len(plain) else plain).replace("-", "−")


def as_given(x: float, *, digits: int = 3) -> str:
    """`x` as it was typed, if six digits are enough for that; otherwise as `number` writes it.

    >>> as_given(0.12), as_given(-2.0), as_given(1 / 3)
    ('0.12', '−2', '0.333')
    """
    short = f"{x:.6g}"
    exact = math.isfinite(x) and float(short) == x and "e" not in short
    return short.replace("-", "−") if exact else number(x, digits=digits)


def number_latex(text: str) -> str:
    """A number from `number` or `as_given` as LaTeX."""
    mantissa, times, power = text.replace("∞", r"\infty").replace("−", "-").partition("·10")
    return mantissa + (rf" \cdot 10^{{{power.translate(_PLAIN)}}}" if times else "")


def label_places(label: str, write: Callable[[str, str, str], str]) -> dict[str, str]:
    r"""What `write(text, face, place)` makes of the pieces of a label, joined at each place.

    A formula is a word or LaTeX, with or without its `$`, then perhaps `_` and `^`, each with one
    character, a number, a word or a group in braces; anything else is words.  The face is "italic",
    "bold", "upright" or "words", the place "", "sub", "sup" or, for what `Graph` adds, "suffix".

    >>> label_places(r"L_{\text{CE}}^2", lambda text, face, place: f"{text} {face}")
    {'': 'L italic', 'sub': 'CE words', 'sup': '2 upright'}
    """
    places: dict[str, str] = {}
    for place, formula in _places(label).items():
        for found in _FACES.finditer(formula):
            face = found.lastgroup or ""
            text = normalize("NFKC" if face == "bold" else "NFC", found[face])
            text = text if face == "words" else text.translate(_SIGNS)
            places[place] = places.get(place, "") + write(text, face, place)
    return places or {"": write(printable(label), "words", "")}


def _places(label: str) -> dict[str, str]:
    r"""A formula at each place, Unicode but for words in `\text{...}`; {} if it is no formula."""
    match = _FORMULA.fullmatch(_unicode(label[: MAX_CHARACTERS + 1]))
    if not match or len(label) > MAX_CHARACTERS:
        return {}
    base, primes, scripts, more_primes, suffix = match.groups()
    if not re.match(r"\$|[^_^]*\\", label) and not re.fullmatch(f".{_MARKS}", base):
        if not base.isalnum() or re.search(r"_[^\W\d_]{2}", scripts):  # such as learning_rate
            return {}
        base = rf"\text{{{base}}}"
    places = {"": base + primes + more_primes}
    for sign, script in _SCRIPTS.findall(scripts):
        word = script.isalpha() and len(script) > (1 if script.isupper() else 2)
        inside = rf"\text{{{script}}}" if word else re.sub(r"^\{(.*)\}$", r"\1", script)
        place = "sub" if sign == "_" else "sup" if inside.strip("'′") else ""
        if place and place in places:
            return {}
        places[place] = places.get(place, "") + inside
    if suffix:
        places["suffix"] = rf"\text{{{suffix}}}"
    return {place: normalize("NFD", formula) for place, formula in places.items()}


def _unicode(label: str) -> str:
    r"""A label with Unicode in place of LaTeX's commands, but for `\text` and what is unknown."""
    formula = re.sub(r"^\$([^$]*)\$(?=$| \(v\d)", r"\1", printable(label))
    formula = re.sub(r"\\([A-Za-z]+) *", lambda found: _SYMBOLS.get(found[1], found[0]), formula)
    for _ in range(formula.count("\\")):  # \bar{\mathbf{x}} from the inside out
        formula = re.sub(_STYLED, _styled, formula)
    return normalize("NFC", formula)


def _styled(found: re.Match[str]) -> str:
    """A letter of an alphabet or with an accent."""
    command, _, letter, marks = found.groups()
    return f"{_ALPHABETS.get(command, {}).get(letter, letter)}{marks}{_ACCENTS.get(command, '')}"


def printable(words: str) -> str:
    """`words` on one line, without what XML or Pango complains of: invisible or stray marks."""
    if not words.isprintable():
        words = "".join(c if category(c) not in _UNSEEN else " " for c in words)
    return _STRAY.sub(" ", words)


def label_text(label: str) -> str:
    r"""A label in plain text: Unicode in place of LaTeX's commands.

    >>> label_text("w_{1,1}^{(1)}"), label_text(r"\hat{y}_1"), label_text(r"L_{\text{CE}}")
    ('w_{1,1}^{(1)}', 'ŷ_1', 'L_{CE}')
    """
    words = _unicode(label) if _places(label) else printable(label)
    return re.sub(r"\\text\{([^{}\\]*)\}", r"\1", words)


def folded(words: str, characters: float) -> str:
    """Words in as many lines as they need, with small digits in their names: w₁,₁⁽²⁾."""
    words, scripts = _unicode(words), r"([_^])\{?([\d,()]+)\}?"
    words = re.sub(scripts, lambda found: found[2].translate(_SMALL[found[1]]), words)
    return fill(words, max(int(characters), 1), break_long_words=False)


def label_html(label: str) -> str:
    """A label as HTML, escaped: <i>w</i><sub>1</sub>."""
    tags = {"italic": "<i>{}</i>", "bold": "<b>{}</b>"}
    places = label_places(label, lambda text, face, _: tags.get(face, "{}").format(escape(text)))
    scripts = [f"<{place}>{places[place]}</{place}>" for place in ("sub", "sup") if place in places]
    both = '<span class="scripts">{}</span>' if len(scripts) == 2 else "{}"
    return places[""] + both.format("".join(scripts)) + places.get("suffix", "")


def label_latex(label: str) -> str:
    r"""A label as LaTeX mathematics; what is not mathematics becomes `\text{...}`.

    >>> label_latex("w_{1,1}^{(1)}"), label_latex("ŷ_hidden"), label_latex("50% of w_1_2")
    ('w_{1,1}^{(1)}', '\\hat{y}_{\\text{hidden}}', '\\text{50\\% of w\\_1\\_2}')
    """
    places = {p: re.sub(_LETTERS, _latex, formula) for p, formula in _places(label).items()}
    places = places or {"": _words(printable(label))}
    latex, suffix = places.pop(""), places.pop("suffix", "")
    for place, text in places.items():
        text = text if re.fullmatch("[0-9A-Za-z]", text) else f"{{{text}}}"
        latex += f"^{text}" if place == "sup" else f"_{text}"
    return re.sub(r"(\\[A-Za-z]+) (?![A-Za-z])", r"\1", latex + suffix)


def _latex(found: re.Match[str]) -> str:
    """A letter of a formula with its accents, or words in it."""
    words, letter, marks = found.groups("")
    if words or not _ACCENT.keys() >= set(marks):
        return _words(words or normalize("NFC", letter + marks))
    latex = _LATEX.get(letter) or _words(letter)
    for mark in marks:
        latex = rf"\{_ACCENT[mark]}{{{latex}}}"
    return latex


def _words(words: str) -> str:
    r"""Words in `\text{...}`, in which signs such as σ are mathematics again."""
    text = ""
    words = re.sub(rf"(?![{''.join(_ACCENT)}]){_MARK}", "", normalize("NFC", words))
    for found in re.finditer(rf"()(.)({_MARKS})", words):
        sign = found[3] or (found[2] in _LATEX and not found[2].isascii())
        text += f"${_latex(found)}$" if sign else _TABLE["words"].get(found[2], found[2])
    return rf"\text{{{text}}}"


def subscripted(name: str, subscript: object = "") -> str:
    """A label with a subscript, in braces if it is longer than one character: w_{1,2}."""
    text = str(subscript)
    return f"{name}_{{{text}}}" if len(text) > 1 else f"{name}_{text}" if text else name


def preformatted(text: str) -> str:
    """HTML of a text whose columns stand below each other."""
    return f'<pre style="font-family:monospace;line-height:1.3">{escape(text)}</pre>'
