"""Graphviz's SVG, regrouped: one group for each value, each wire and each edge.

A reader of the SVG, such as the stepper, finds in it

- `<g id="n7" class="node computed">`: the value at position 7 of the graph;
- `<g id="w7" class="wire">`: the wire that leaves it, with `<text class="value">` and, once there
  is a gradient, `<text class="grad">`;
- `<g id="e9_0" class="edge">`: the edge into node 9 as its input 0, with what is handed back
  along it as `<text class="grad">` where the wire forks.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from xml.etree import ElementTree

from .graph.labels import printable
from .themes import Theme

_SVG = "{http://www.w3.org/2000/svg}"
_CLASSES = {"w": "wire", "e": "edge"}  # "node computed" is right as it is
_FALLBACKS = {
    "STIXGeneral": "STIXGeneral, 'STIX Two Text', 'Times New Roman', 'Liberation Serif', serif",
    "DejaVu Sans": "'DejaVu Sans', 'Bitstream Vera Sans', Verdana, sans-serif",
    "DejaVu Sans Mono": (
        "'DejaVu Sans Mono', 'Bitstream Vera Sans Mono', Menlo, Consolas, 'Liberation Mono', "
        "monospace"
    ),
}


def image(svg: str, alt: str) -> str:
    """The HTML that shows a picture where neither SVG nor scripts are trusted.

    A notebook that was saved elsewhere is not trusted until it is run, and shows no bare SVG.
    """
    encoded = b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{encoded}"
    return f'<img src="{source}" alt="{escape(alt)}" style="max-width:100%">'


def regrouped(picture: bytes, theme: Theme, about: str, titles: dict[str, str]) -> str:
    """The SVG text for `picture`, which Graphviz made.

    Args:
        about: what the picture shows, for somebody who cannot see it.
        titles: the same for each node, by its id.
    """
    ElementTree.register_namespace("", _SVG.strip("{}"))
    root = ElementTree.fromstring(picture)
    root.attrib.update(role="img", style="max-width:100%;height:auto")
    root.insert(0, _titled(about))
    (page,) = root.findall(f"{_SVG}g")
    page.attrib = {"class": "graph", "transform": page.attrib["transform"]}
    groups: dict[str, ElementTree.Element] = {}
    legend = ElementTree.Element(f"{_SVG}g", {"class": "legend"})
    for drawn in list(page)[1:]:  # the first is the background
        page.remove(drawn)
        if drawn.tag != f"{_SVG}g":
            legend.append(drawn)
            continue
        name = drawn.attrib["id"]
        drawn.remove(drawn[0])  # Graphviz's title, the name in DOT
        if name in groups:
            groups[name].extend(drawn)
        else:
            groups[name] = drawn
            page.append(drawn)
            drawn.attrib["class"] = _CLASSES.get(name[0], drawn.attrib["class"])
    page.append(legend)
    for name, title in titles.items():
        groups[name].insert(0, _titled(title))
    for text in root.iter(f"{_SVG}text"):
        text.attrib["font-family"] = _FALLBACKS[text.attrib["font-family"]]
    for group in groups.values():
        for text in group.findall(f"{_SVG}text"):
            colour = text.attrib["fill"]
            if colour in (theme.value, theme.grad):
                text.attrib["class"] = "value" if colour == theme.value else "grad"
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _titled(text: str) -> ElementTree.Element:
    title = ElementTree.Element(f"{_SVG}title")
    title.text = printable(text)
    return title
