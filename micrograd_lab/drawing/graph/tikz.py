r"""Graphviz's SVG as TikZ, with texts that LaTeX sets.

The file is both a part of a document, for `\input`, and a document by itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, fromstring

from ...tell.notation import label_latex, number_latex
from ..showing import resource
from ..themes import SVG, THEMES, Theme
from .dot import DIGITS, NAMES, WORDS

MAX_POINTS = 16_000  # of a side; TeX's points, of which it has 16383, are slightly smaller
_DIGIT = 0.602  # the width of a digit, per point of its size
_XY = r"(-?[\d.]+,-?[\d.]+)"
_NODE = r"\node[anchor={}, text={}, size={:g}] at ({:g},{:g}) {{${}$}};"


def tikz(picture: bytes, theme: Theme, names: Mapping[str, str]) -> str:
    """The file of a picture; `names` are labels by the id of the node, by "" in the legend."""
    root = fromstring(picture)
    (page,) = root.findall(f"{SVG}g")
    sheet = _Sheet(theme)
    shapes = page[theme.page == THEMES["light"].page :]  # where the paper is the background
    sheet.draw(shapes, names[""])
    for group in page.findall(f"{SVG}g"):
        sheet.draw(group, names.get(group.attrib["id"], ""))
    named = [*sheet.colours.items()][1:]  # the first is none
    defined = (rf"\definecolor{{{name}}}{{HTML}}{{{code[1:].upper()}}}" for code, name in named)
    body = "\n".join([*defined, *sheet.lines]).replace("━", r"\rule[0.5ex]{1em}{1.5bp}")
    parts = {"BODY": re.sub(r"[^\x00-\x7f]", r"\\letter{\g<0>}", body)}
    parts["LEFT"], parts["TOP"] = re.findall(r"-?[\d.]+", page.attrib["transform"])[-2:]
    _, _, *size = root.attrib["viewBox"].split()
    if max(map(float, size)) > MAX_POINTS:
        raise ValueError(f"{' by '.join(size)} points exceed TeX's {MAX_POINTS}; draw a part")
    parts["WIDTH"], parts["HEIGHT"] = size
    return re.sub("|".join(parts), lambda at: parts[at[0]], resource("picture.tex", __package__))


class _Sheet:
    """Lines of TikZ, and the names of their colours."""

    def __init__(self, theme: Theme) -> None:
        self.names = {colour: name for name, colour in theme.named.items()}
        self.colours = {"none": "none"}
        self.lines: list[str] = []

    def colour(self, code: str) -> str:
        """The name of a colour such as #00694f."""
        name = self.names.get(code, f"colour{len(self.colours)}")
        return self.colours.setdefault(code, name)

    def draw(self, elements: Iterable[Element], name: str) -> None:
        """Draw shapes, and after each the texts that belong to it."""
        left, right, texts = 0.0, 0.0, []
        for element in elements:
            look = element.attrib
            if element.tag == f"{SVG}text":
                texts.append(element)
            elif "fill" in look:
                self.write(texts, left, right, name)
                path, width = _path(look), f"{look.get('stroke-width', 1)}bp"
                line, fill = self.colour(look["stroke"]), self.colour(look["fill"])
                dashes = ", dash pattern=on 5bp off 2bp" * ("stroke-dasharray" in look)
                looks = f"draw={line}, fill={fill}, line width={width}{dashes}"
                self.lines.append(rf"\path[{looks}] {path};")
                across = [float(x) for x in re.findall(r"\((-?[\d.]+),", path)]
                reach = float(look.get("rx", 0))
                left, right, texts = min(across) - reach, max(across) + reach, []
        self.write(texts, left, right, name)

    def write(self, texts: list[Element], left: float, right: float, name: str) -> None:
        """Write numbers, and what stands in a shape, below it, or beside it on the right."""
        middle, symbol = (left + right) / 2, -math.inf
        named: list[tuple[float, float, float, bool, str]] = []
        for text in texts:
            look, words = text.attrib, (text.text or "").replace("\u00a0", " ")
            face, colour = look["font-family"], self.colour(look["fill"])
            x, y, size = (float(look[key]) for key in ("x", "y", "font-size"))
            beside, latex, anchor = x > right - 1, label_latex(words), "base west"
            if face == NAMES and (beside or y > symbol):  # not an exponent
                named.append((size, y, x if beside else middle, beside, words))
                continue
            if face == DIGITS:
                latex = rf"\boldsymbol{{{number_latex(words)}}}"
            if face == DIGITS and right - left > 2:  # not beside an upright wire
                x, anchor = x + len(words) * size * _DIGIT / 2, "base"
            elif face == WORDS and not beside:
                x, symbol, anchor = middle, y, "base"
            self.lines.append(_NODE.format(anchor, colour, size, x, y, latex))
        if named:
            size, y, *_ = max(named)
            _, _, x, beside, _ = named[0]
            if beside and symbol == -math.inf:
                size, y = size - 2, float(texts[0].attrib["y"])  # in a row of words
            elif any(piece[1] < y - 3 for piece in named):
                y += size / 6  # TeX sets superscripts higher
            long = [words for *_, words in named if words.endswith("…")]  # and is cut off
            latex, anchor = label_latex("".join(long) or name), "base" + " west" * beside
            self.lines.append(_NODE.format(anchor, colour, size, x, y, latex))


def _path(look: Mapping[str, str]) -> str:
    """An ellipse, a polygon or curves."""
    if "cx" in look:
        return "({cx},{cy}) ellipse [x radius={rx}, y radius={ry}]".format_map(look)
    if "points" in look:
        return re.sub(rf"{_XY} ", r"(\1) -- ", look["points"].rpartition(" ")[0] + " ") + "cycle"
    curves = re.sub(rf"[C ]{_XY} {_XY} {_XY}", r" .. controls (\1) and (\2) .. (\3)", look["d"])
    return re.sub(f"^M{_XY}", r"(\1)", curves)
