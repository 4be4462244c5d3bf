"""The colours of a diagram, on a light and on a dark page."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Theme:
    """One colour for each thing that a diagram shows; a shape is (line, fill)."""

    page: str
    ink: str  # names and symbols
    quiet: str  # default names, and the legend
    wire: str
    value: str
    grad: str
    shapes: dict[str, list[str]]  # by the kind of node


THEMES = {
    name: Theme(**colours)
    for name, colours in json.loads(
        files(__package__).joinpath("themes.json").read_text(encoding="utf-8")
    ).items()
}


def find_theme(name: str) -> Theme:
    """The theme with that name."""
    if name not in THEMES:
        raise ValueError(f"there is no theme {name!r}; choose one of {', '.join(THEMES)}")
    return THEMES[name]


def mix(start: str, end: str, share: float) -> str:
    """The colour at `share` of the way from `start` to `end`."""
    pairs = zip(bytes.fromhex(start[1:]), bytes.fromhex(end[1:]))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


THIN = 0.8  # points, of a link that stands for nothing


def stroke(amount: float, largest: float, theme: Theme, thick: float) -> tuple[float, str]:
    """Width and colour of a link that stands for `amount`: rust if positive, blue if negative.

    Both follow the square root, so that small amounts differ; the largest is `thick` points wide.
    """
    if not largest or not amount or math.isnan(amount):
        return THIN, theme.wire
    strength = math.sqrt(min(abs(amount) / largest, 1.0))
    end = theme.grad if amount > 0 else theme.shapes["parameter"][0]
    return THIN + (thick - THIN) * strength, mix(theme.wire, end, 0.35 + 0.65 * strength)
