"""How wide the letters of the diagrams' fonts are, which Matplotlib brings along.

python tests/drawing/widths.py    # writes micrograd_lab/drawing/graph/widths.json
"""

import json
from pathlib import Path

from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font, LoadFlags

from micrograd_lab.drawing import graph
from micrograd_lab.ops import OPS
from micrograd_lab.tell.notation import _ALPHABETS, _SYMBOLS

FILE = Path(graph.__file__).with_name("widths.json")
FACES = {
    "DejaVu Sans": "DejaVuSans",
    "DejaVu SansB": "DejaVuSans-Bold",
    "DejaVu Sans Mono": "DejaVuSansMono",
    "DejaVu Sans MonoB": "DejaVuSansMono-Bold",
    "STIXGeneral": "STIXGeneral",
    "STIXGeneralI": "STIXGeneralItalic",
    "STIXGeneralB": "STIXGeneralBol",
}
BLOCKS = [  # of Unicode
    (0x20, 0x17F),  # Latin, without control characters
    (0x391, 0x3F5),  # Greek
    (0x410, 0x451),  # Russian
    (0x2010, 0x2044),  # dashes, quotation marks, …, ′
    (0x2070, 0x209C),  # superscripts and subscripts
    (0x2100, 0x214F),  # letters of mathematics
    (0x2190, 0x2193),  # arrows
    (0x2200, 0x2265),  # mathematical operators
]
SIGNS = {*"ˆˉ˜˙¨│━⋮⋯⋅⟨⟩"}.union(
    *_SYMBOLS.values(),
    *(op.symbol for op in OPS.values()),
    *(x.values() for x in _ALPHABETS.values()),
)


def widths():
    """The characters of each face by their width, in hundredths of its size."""
    wanted = {chr(i) for first, last in BLOCKS for i in range(first, last + 1)} | SIGNS
    wanted = sorted(c for c in wanted if c.isprintable())
    return {face: by_width(name, wanted) for face, name in FACES.items()}


def by_width(name, wanted):
    font = FT2Font(f"{get_data_path()}/fonts/ttf/{name}.ttf")
    there, found = font.get_charmap(), {}
    for c in wanted:
        if ord(c) in there:
            advance = font.load_char(ord(c), flags=LoadFlags.NO_SCALE).horiAdvance
            found.setdefault(round(100 * advance / font.units_per_EM), []).append(c)
    return {str(width): "".join(found[width]) for width in sorted(found)}


def text():
    return json.dumps(widths(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
