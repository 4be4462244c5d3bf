"""What stands in a node and on a wire, in Graphviz's HTML.

Words enter through `text` alone, which escapes them: no label can break a diagram or add to it.
"""

from __future__ import annotations

import re
from html import escape

from ..notation import given, parts
from ..ops import Op

NAMES, WORDS, DIGITS = "STIXGeneral", "DejaVu Sans", "DejaVu Sans Mono"  # Matplotlib has them
LONGEST = 40  # characters of a name that are shown

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


def text(words: str, face: str, size: int, colour: str, style: str = "") -> str:
    """`words` on one line, escaped; `style` is "B" for bold, "I" for italic."""
    words = _UNPRINTABLE.sub(" ", words)
    if not words.strip():
        return ""  # Graphviz takes no empty <B></B>
    if len(words) > LONGEST:
        words = words[: LONGEST - 1] + "…"
    html = escape(words.replace("\\", "\\\\"))  # Graphviz reads \N as the name of the node
    styled = f"<{style}>{html}</{style}>" if style else html
    return f'<FONT FACE="{face}" POINT-SIZE="{size}" COLOR="{colour}">{styled}</FONT>'


def cell(content: str = "", /, **attributes: object) -> str:
    """One cell of a row."""
    written = "".join(f' {key.upper()}="{value}"' for key, value in attributes.items())
    return f"<TD{written}>{content}</TD>"


def table(*rows: str, rule: str = "") -> str:
    """Rows of cells, with no space but their own; `rule` is the colour of a line between them."""
    colour = f' COLOR="{rule}"' if rule else ""
    written = ("<HR/>" if rule else "").join(f"<TR>{row}</TR>" for row in rows)
    bare = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
    return f"<TABLE {bare}{colour}>{written}</TABLE>"


def name(label: str, size: int, colour: str) -> str:
    """A label as one writes it by hand, its sub- and superscripts above each other."""
    (base, _), *scripts = parts(label)
    variable = len(base.rstrip("′")) == 1
    placed = {place: words for words, place in scripts}
    word = text(base, NAMES, size, colour, "I" if variable else "")
    return _scripted(word, placed.get("sup", ""), placed.get("sub", ""), size, colour)


def symbol(op: Op, size: int, colour: str) -> str:
    """The symbol of an operation, with its number in it."""
    base, _, exponent = op.symbol.partition("^")
    above = given(op.n) if exponent and op.n is not None else ""
    return _scripted(text(base, WORDS, size, colour), above, "", size, colour)


def _scripted(word: str, above: str, below: str, size: int, colour: str) -> str:
    if not above and not below:
        return word
    small, half = size * 2 // 3, size * 3 // 5
    up, down = (text(words, NAMES, small, colour) for words in (above, below))
    return table(
        cell(word, rowspan=2, align="right") + cell(up, align="left", height=half),
        cell(down, align="left", height=half),
    )
