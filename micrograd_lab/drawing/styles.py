"""One SVG for a light and a dark page, and half as long."""

from __future__ import annotations

import re
from functools import cache

from .figures import series
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
    for colour, both in in_both_themes().items():  # after a colour, its version for both themes
        rules = re.sub(rf"([\w-]+:){colour};", rf"\g<0>\g<1>{both};", rules)
    style = f"<style>:root{{color-scheme:light dark}}text{{white-space:pre}}{rules}</style>"
    return re.sub(r"<svg[^>]*>", lambda tag: tag[0] + style, svg, count=1)


def variables() -> str:
    """The colours of a diagram as CSS variables: `--ink`, `--value`, `--grad` and so on."""
    both, light = in_both_themes(), colours(THEMES["light"])
    declarations = (f"--{name}: {both[colour]};" for name, colour in light.items())
    return f"\n:host {{ {' '.join(declarations)} }}\n"


@cache
def in_both_themes() -> dict[str, str]:
    """For each colour of the light theme, CSS that follows the page."""
    light, dark = (colours(theme).values() for theme in THEMES.values())
    return {a: f"light-dark({a},{b})" for a, b in zip(light, dark)}


def colours(theme: Theme) -> dict[str, str]:
    """Every colour by name; the page's own last, which wins where another is equal."""
    named = {f"class-{k}": colour for k, colour in enumerate(series(theme))}
    for name, (line, fill) in theme.shapes.items():
        named |= {f"{name}-line": line, f"{name}-fill": fill}
    return named | {k: v for k, v in reversed(vars(theme).items()) if k != "shapes"}
