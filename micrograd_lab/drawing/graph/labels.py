"""The contents of nodes and wires in Graphviz's HTML.

Words enter through `text` alone, which escapes them: no label can break a diagram or add to it.
"""

from __future__ import annotations

from html import escape
from unicodedata import category

from ...ops import Op
from ...tell.notation import as_given, label_parts

NAMES, WORDS, DIGITS = "STIXGeneral", "DejaVu Sans", "DejaVu Sans Mono"  # Matplotlib has them
DROP = 2  # points; Graphviz sets a line in NAMES that much too high
MAX_LABEL_CHARACTERS = 40

_UNSEEN = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")  # Unicode's categories


def text(
    words: str,
    face: str,
    size: int,
    colour: str,
    style: str = "",
    *,
    longest: int = MAX_LABEL_CHARACTERS,
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


def printable(words: str) -> str:
    """`words` on one line, without invisible characters, of which XML or Pango complains."""
    return "".join(c if category(c) not in _UNSEEN else " " for c in words)


def cell(content: str = "", /, **attributes: object) -> str:
    """One cell of a row."""
    return f"<TD{_attributes(attributes)}>{content}</TD>"


def table(*rows: str, **size: int) -> str:
    """Rows of cells without borders or space between them; `size` fixes width and height."""
    fixed = {**size, "fixedsize": "TRUE"} if size else {}
    bare = _attributes({"border": 0, "cellborder": 0, "cellspacing": 0, "cellpadding": 0} | fixed)
    return f"<TABLE{bare}>{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"


def _attributes(values: dict[str, object]) -> str:
    return "".join(f' {name.upper()}="{value}"' for name, value in values.items())


def name(label: str, size: int, colour: str) -> str:
    """A label as in handwriting, its superscript straight above its subscript."""
    pieces = label_parts(label)
    scripts = {place: words for words, place in pieces[1:]}
    word = _word(pieces[0][0], size, colour)
    if len(pieces) == 1:
        return table(cell(height=DROP), cell(word))
    base = _with_scripts(word, scripts.get("sup", ""), scripts.get("sub", ""), size, colour)
    suffix = scripts.get("", "")
    return table(cell(base) + cell(_word(suffix, size, colour))) if suffix else base


def symbol(op: Op, size: int, colour: str) -> str:
    """The symbol of an operation, with its number in it."""
    base, _, exponent = op.symbol.partition("^")
    above = as_given(op.n) if exponent and op.n is not None else ""
    return _with_scripts(text(base, WORDS, size, colour), above, "", size, colour)


def _word(words: str, size: int, colour: str) -> str:
    """Words in the font of names; a single letter is italic."""
    return text(words, NAMES, size, colour, "I" if len(words.rstrip("′")) == 1 else "")


def _with_scripts(word: str, above: str, below: str, size: int, colour: str) -> str:
    if not above and not below:
        return word
    up, down = (text(words, NAMES, max(9, size * 5 // 8), colour) for words in (above, below))
    rest = size // 2
    return table(
        cell(word, rowspan=2, align="right") + cell(up, align="left", height=rest),
        cell(down, align="left", height=rest),
    )
