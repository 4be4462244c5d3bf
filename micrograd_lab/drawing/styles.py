"""One SVG for a light and a dark page, and half as long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from .themes import THEMES, Theme

_SHAPE = re.compile(r"<(?:text|path|polygon|polyline|ellipse)\b[^>]*>")
_LOOK = re.compile(r' ((?:fill|stroke|font|text-anchor)[a-z-]*)="([^"]*)"')


def slim(svg: str) -> str:
    """`svg` with the looks of its shapes as classes, and coordinates to one decimal.

    Its colours, those of the light theme, follow the page.
    """
    classes: dict[str, str] = {}

    def shorter(shape: re.Match[str]) -> str:
        tag = shape[0].replace(' xml:space="preserve"', "")  # the style has it for all
        look = "".join(f"{name}:{value};" for name, value in _LOOK.findall(tag))
        name = classes.setdefault(look, f"s{len(classes)}")
        tag = re.sub(r"(\.\d)\d+", r"\1", _LOOK.sub("", tag))
        if ' class="' in tag:
            return tag.replace(' class="', f' class="{name} ')
        return re.sub(r"<\w+", rf'\g<0> class="{name}"', tag, count=1)

    svg = _SHAPE.sub(shorter, svg)
    rules = "".join(f".{name}{{{look}}}" for look, name in classes.items())
    rules = re.sub(r"(font-size:[\d.]+)", r"\1px", rules)
    rules = re.sub(r"([\w-]+:)(#\w{6});", _in_both_themes, rules)
    style = f"<style>:root{{color-scheme:light dark}}text{{white-space:pre}}{rules}</style>"
    return re.sub(r"<svg[^>]*>", lambda tag: tag[0] + style, svg, count=1)


def variables() -> str:
    """The colours of a diagram as CSS variables: `--ink`, `--value`, `--grad` and so on."""
    colours = (item for item in vars(THEMES["light"]).items() if item[0] != "shapes")
    declarations = (f"--{name}: {_both()[colour]};" for name, colour in colours)
    return f"\n:host {{ {' '.join(declarations)} }}\n"


@cache
def _both() -> dict[str, str]:
    """For each colour of the light theme, CSS that follows the page."""
    light, dark = (_colours(THEMES[name]) for name in ("light", "dark"))
    return {a: f"light-dark({a},{b})" for a, b in zip(light, dark)}


def _colours(theme: Theme) -> Iterator[str]:
    """Every colour; the page's last, which wins where another is equal."""
    for shape in theme.shapes.values():
        yield from shape
    yield from (colour for name, colour in reversed(vars(theme).items()) if name != "shapes")


def _in_both_themes(declaration: re.Match[str]) -> str:
    """A colour, then for newer browsers its version for both themes."""
    name, colour = declaration.groups()
    return declaration[0] + (f"{name}{_both()[colour]};" if colour in _both() else "")
