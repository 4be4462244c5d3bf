"""One SVG for a light and a dark page, and half as long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from .themes import find_theme

_SHAPE = re.compile(r"<(?:text|path|polygon|polyline|ellipse|g|use)\b[^>]*>")
_LOOK = re.compile(r' (?:style="([^"]*)"|((?:fill|stroke|font|text-anchor)[a-z-]*)="([^"]*)")')


def slim(svg: str, dark: Mapping[str, str]) -> str:
    """`svg` with the looks of its shapes as classes, and coordinates to one decimal.

    Args:
        dark: for a dark page another colour in place of each; the SVG follows the page.
    """
    classes: dict[str, str] = {}

    def shorter(shape: re.Match[str]) -> str:
        tag = shape[0].replace(' xml:space="preserve"', "")  # the style has it for all
        look = "".join(
            f"{style or f'{name}:{value}'};" for style, name, value in _LOOK.findall(tag)
        )
        tag = _LOOK.sub("", tag)
        if "scale(" not in tag:  # which may be small, as that of letters
            tag = re.sub(r"(\.\d)\d+", r"\1", tag)
        if not look:
            return tag
        name = classes.setdefault(look, f"s{len(classes)}")
        if ' class="' in tag:
            return tag.replace(' class="', f' class="{name} ')
        return re.sub(r"<\w+", rf'\g<0> class="{name}"', tag, count=1)

    def both(colour: re.Match[str]) -> str:  # after a colour, its version for both pages
        return f"{colour[0]}{colour[1]}{adaptive(colour[2], dark)};"

    svg = _SHAPE.sub(shorter, svg)
    rules = "".join(f".{name}{{{look}}}" for look, name in classes.items())
    rules = re.sub(r"(font-size:[\d.]+);", r"\1px;", re.sub("([:;]) ", r"\1", rules))
    rules = re.sub(r"([\w-]+:)(#[0-9a-f]{6});", both, rules)
    style = f"<style>:root{{color-scheme:light dark}}text{{white-space:pre}}{rules}</style>"
    return re.sub(r"<svg[^>]*>", lambda tag: tag[0] + style, svg, count=1)


def adaptive(colour: str, dark: Mapping[str, str]) -> str:
    """A colour in CSS that follows the page."""
    return f"light-dark({colour},{dark.get(colour, colour)})"


@cache
def variables() -> str:
    """The colours as CSS variables: `--ink`, `--value`, `--parameter-line` and so on."""
    theme = find_theme("auto")
    return " ".join(f"--{k}: {adaptive(v, theme.dark)};" for k, v in theme.named.items())
