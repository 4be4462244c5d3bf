"""The colours of a picture, for a light and a dark page, and SVG that follows the page.

Code that reads a diagram, such as the stepper's, finds in its SVG

- `<g id="n7" class="node computed">`: the value at position 7 of the graph;
- `<g id="w7" class="wire">`: the wire that leaves it, with `<text class="value">` and, once there
  is a gradient, `<text class="grad">`;
- `<g id="e9_0" class="edge">`: the edge from input 0 of node 9, with its contribution as
  `<text class="grad">` where the wire forks.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from xml.etree import ElementTree

from ..tell.notation import printable

SVG = "{http://www.w3.org/2000/svg}"
_CLASSES = {"w": "wire", "e": "edge"}  # "node computed" is right as it is
_FALLBACKS = {
    "STIXGeneral": "STIXGeneral, 'STIX Two Text', 'Times New Roman', 'Liberation Serif', serif",
    "DejaVu Sans": "'DejaVu Sans', 'Bitstream Vera Sans', Verdana, sans-serif",
    "DejaVu Sans Mono": "'DejaVu Sans Mono', 'Bitstream Vera Sans Mono', Menlo, Consolas, "
    "'Liberation Mono', monospace",
}
_SHAPE = re.compile(r"<(?:text|path|polygon|polyline|ellipse|g|use)\b[^>]*>")
_LOOK = re.compile(r' (?:style="([^"]*)"|((?:fill|stroke|font|text-anchor)[a-z-]*)="([^"]*)")')


@dataclass(frozen=True)
class Theme:
    """One colour for each thing that a diagram shows; a shape is (line, fill)."""

    page: str
    ink: str  # names and symbols
    quiet: str  # default names, and the legend
    wire: str
    value: str
    grad: str
    series: list[str]  # of classes or curves beside each other
    shapes: dict[str, list[str]]  # by the kind of node
    dark: dict[str, str] = field(default_factory=dict)  # for each colour, if it follows the page

    def mix(self, start: str, end: str, share: float) -> str:
        """The colour at `share` of the way from `start` to `end`."""
        colour = _mix(start, end, share)
        if self.dark:
            self.dark.setdefault(colour, _mix(self.dark[start], self.dark[end], share))
        return colour

    @property
    def named(self) -> dict[str, str]:
        """Every colour by name; the page's own last, which wins where another is equal."""
        named = {f"class-{k}": colour for k, colour in enumerate(self.series)}
        for name, (line, fill) in self.shapes.items():
            named |= {f"{name}-line": line, f"{name}-fill": fill}
        return named | {k: v for k, v in reversed(vars(self).items()) if isinstance(v, str)}


_COLOURS = json.loads(files(__package__).joinpath("themes.json").read_text(encoding="utf-8"))
THEMES = {name: Theme(**colours) for name, colours in _COLOURS.items()}


def find_theme(name: str, *, adapts: bool = True) -> Theme:
    """The theme with that name; "auto" is light, and if it `adapts`, it knows its dark colours."""
    if name == "auto":
        pairs = zip(*(theme.named.values() for theme in THEMES.values()))
        return replace(THEMES["light"], dark=dict(pairs) if adapts else {})
    if name not in THEMES:
        raise ValueError(f"there is no theme {name!r}; choose one of auto, {', '.join(THEMES)}")
    return THEMES[name]


def _mix(start: str, end: str, share: float) -> str:
    pairs = zip(bytes.fromhex(start[1:]), bytes.fromhex(end[1:]))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


THIN = 0.8  # points, of a link that stands for nothing


def stroke(amount: float, largest: float, theme: Theme, thick: float) -> tuple[float, str]:
    """Width, up to `thick`, and colour of a link, by a square root: rust if positive, else blue."""
    if not largest or not amount or math.isnan(amount):
        return THIN, theme.wire
    strength = math.sqrt(min(abs(amount) / largest, 1.0))
    end = theme.grad if amount > 0 else theme.shapes["parameter"][0]
    return THIN + (thick - THIN) * strength, theme.mix(theme.wire, end, 0.35 + 0.65 * strength)


def adaptive(colour: str, dark: Mapping[str, str]) -> str:
    """A colour in CSS that follows the page."""
    return f"light-dark({colour},{dark.get(colour, colour)})"


@cache
def variables() -> str:
    """The colours as CSS variables: `--ink`, `--value`, `--parameter-line` and so on."""
    theme = find_theme("auto")
    return " ".join(f"--{k}: {adaptive(v, theme.dark)};" for k, v in theme.named.items())


def regroup(picture: bytes, theme: Theme, about: str, titles: dict[str, str]) -> str:
    """The SVG text of Graphviz's `picture`, with titles for screen readers, of nodes by id."""
    ElementTree.register_namespace("", SVG.strip("{}"))
    root = ElementTree.fromstring(picture)
    root.attrib.update(role="img", style="max-width:100%;height:auto")
    root.insert(0, _title(about))
    (page,) = root.findall(f"{SVG}g")
    page.attrib = {"class": "graph", "transform": page.attrib["transform"]}
    groups: dict[str, ElementTree.Element] = {}
    legend = ElementTree.Element(f"{SVG}g", {"class": "legend"})
    kinds = {theme.value: "value", theme.grad: "grad"}
    for element in list(page)[1:]:  # the first is the background
        page.remove(element)
        if element.tag != f"{SVG}g":
            legend.append(element)
            continue
        name, look = element.attrib["id"], element.attrib["class"]
        element.remove(element[0])  # Graphviz's title, the name in DOT
        element.attrib["class"] = _CLASSES.get(name[0], look)
        for text in element.findall(f"{SVG}text"):
            if kind := kinds.get(text.attrib["fill"]):
                text.attrib["class"] = kind
        if groups.setdefault(name, element) is not element:
            groups[name].extend(element)
    page.extend([*groups.values(), legend])
    for name, title in titles.items():
        groups[name].insert(0, _title(title))
    for text in root.iter(f"{SVG}text"):
        text.attrib["font-family"] = _FALLBACKS[text.attrib["font-family"]]
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def slim(svg: str, dark: Mapping[str, str]) -> str:
    """`svg` with the looks of its shapes as classes, which on a dark page take other colours."""
    classes: dict[str, str] = {}

    def shorter(shape: re.Match[str]) -> str:
        tag = shape[0].replace(' xml:space="preserve"', "")  # the style has it for all
        looks = _LOOK.findall(tag)
        look = "".join(f"{style or f'{name}:{value}'};" for style, name, value in looks)
        tag = _LOOK.sub("", tag)
        if "scale(" not in tag:  # which may be small, as that of letters
            tag = re.sub(r"(\.\d)\d+", r"\1", tag)
        if not look:
            return tag
        name = classes.setdefault(look, f"s{len(classes)}")
        if ' class="' in tag:
            return tag.replace(' class="', f' class="{name} ')
        return re.sub(r"<\w+", rf'\g<0> class="{name}"', tag, count=1)

    svg = _SHAPE.sub(shorter, svg)
    rules = "".join(f".{name}{{{look}}}" for look, name in classes.items())
    rules = re.sub(r"(font-size:[\d.]+);", r"\1px;", re.sub("([:;]) ", r"\1", rules))
    rules = re.sub(  # after a colour, its version for both pages
        r"([\w-]+:)(#[0-9a-f]{6});", lambda at: f"{at[0]}{at[1]}{adaptive(at[2], dark)};", rules
    )
    style = f"<style>:root{{color-scheme:light dark}}text{{white-space:pre}}{rules}</style>"
    return re.sub(r"<svg[^>]*>", lambda tag: tag[0] + style, svg, count=1)


def _title(text: str) -> ElementTree.Element:
    title = ElementTree.Element(f"{SVG}title")
    title.text = printable(text)
    return title
