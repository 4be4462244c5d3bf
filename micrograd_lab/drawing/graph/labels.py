"""The contents of nodes and wires in Graphviz's HTML.

Words enter through `text` alone, which escapes them: no label can break a diagram or add to it.
"""

from __future__ import annotations

import re
from html import escape
from unicodedata import normalize

from ...ops import Op
from ...tell.notation import as_given, label_places, printable

NAMES, WORDS, DIGITS = "STIXGeneral", "DejaVu Sans", "DejaVu Sans Mono"  # Matplotlib has them
DROP = 2  # points; Graphviz sets a line in NAMES that much too high
LINE = 1.65  # the height of a line in NAMES, per point of its size
MAX_CHARACTERS = 40

_SPACING = dict(zip("\u0302\u0304\u0303\u20d7\u0307\u0308", "ˆˉ˜→˙¨"))  # marks without a letter


def text(
    words: str, face: str, size: int, colour: str, style: str = "", *, longest: int = MAX_CHARACTERS
) -> str:
    """`words` on one line, escaped and cut off if long; `style` is "B" for bold, "I" for italic."""
    words = printable(words)
    if not words.strip():
        return ""  # Graphviz takes no empty <B></B>
    if len(words) > longest:
        words = words[: longest - 1] + "…"
    html = escape(words.replace("\\", "\\\\"))  # Graphviz reads \N as the name of the node
    html = f"<{style}>{html}</{style}>" if style else html
    return f'<FONT FACE="{face}" POINT-SIZE="{size}" COLOR="{colour}">{html}</FONT>'


def cell(content: str = "", /, **attributes: object) -> str:
    """One cell of a row."""
    return f"<TD{_attributes(attributes)}>{content}</TD>"


def table(*rows: str, space: int = 0, **size: int) -> str:
    """Rows of cells without borders, `space` points apart; `size` fixes width and height."""
    fixed = {**size, "fixedsize": "TRUE"} if size else {}
    bare = {"border": 0, "cellborder": 0, "cellspacing": space, "cellpadding": 0} | fixed
    return f"<TABLE{_attributes(bare)}>{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"


def _attributes(values: dict[str, object]) -> str:
    return "".join(f' {name.upper()}="{value}"' for name, value in values.items())


def name(label: str, size: int, colour: str) -> str:
    """A label as in handwriting, its superscript straight above its subscript."""
    small = max(9, size * 5 // 8)

    def write(words: str, face: str, place: str) -> str:
        style = {"italic": "I", "bold": "B"}.get(face, "")
        if place in ("sub", "sup"):
            return text(words, NAMES, small, colour, style)
        words = "".join(normalize("NFD", c) if c > "ſ" else c for c in words)  # fonts have ŷ
        parts = re.split(f"(.[{''.join(_SPACING)}])", words)
        return "".join(cell(_accented(part, size, colour, style)) for part in parts if part)

    places = label_places(label, write)
    base = places[""].replace("</FONT></TD><TD><FONT", "</FONT><FONT")  # on one line
    up, down, suffix = (places.get(place, "") for place in ("sup", "sub", "suffix"))
    if not up and not down:
        return table(cell(height=DROP), cell(table(base + suffix)))
    return _with_scripts(base, up, down, small, suffix)


def name_width(label: str) -> int:
    """The points that a name takes, at most, in the size of those beside circles."""
    places = label_places(label, lambda words, *_: words[:MAX_CHARACTERS])
    scripts = max(len(places.get(place, "")) for place in ("sub", "sup"))
    letters = places[""] + places.get("suffix", "")
    return 10 + 6 * scripts + sum(15 if c in "mwMW" or c > "⺀" else 9 for c in letters)


def symbol(op: Op, size: int, colour: str) -> str:
    """The symbol of an operation, with its number in it."""
    base, _, exponent = op.symbol.partition("^")
    above = as_given(op.n) if exponent and op.n is not None else ""
    small = max(9, size * 5 // 8)
    words, up = text(base, WORDS, size, colour), text(above, NAMES, small, colour)
    return _with_scripts(cell(words), up, "", small) if up else words


def _with_scripts(base: str, up: str, down: str, small: int, suffix: str = "") -> str:
    """Cells on a line, with scripts before the last."""
    scripts = cell(_stack(up, down, round(LINE * small), small * 3 // 5, align="left"))
    side = cell(colspan=12)  # takes whatever room there is beside the name
    return table(side + cell(table(base + scripts + suffix)) + side)


def _accented(words: str, size: int, colour: str, style: str) -> str:
    """Words, or a letter with its accent as high above it as it needs."""
    accent, height = _SPACING.get(words[1:]), round(LINE * size)
    lower = text(words[0] if accent else words, NAMES, size, colour, style)
    if not accent:
        return lower
    rise = 0 if words[0] in "acegmnopqrsuvwxyzαγεηικμνοπρςστυωϵ" else size // 4
    if accent == "→":
        rise, size = rise + size // 3, size * 5 // 8
    return _stack(text(accent, NAMES, size, colour, style), lower, height, height - rise, rise)


def _stack(upper: str, lower: str, height: int, overlap: int, rest: int = 0, **place: str) -> str:
    """Two lines of that height, which overlap by so many points, with some rest below."""
    side, end = cell(width=2 * overlap), 2 * overlap  # as much as the overlaps take
    rows = (side + cell(line, height=height, **place) + side for line in (upper, lower))
    return table(cell(height=end), *rows, cell(height=end + rest), space=-overlap)
