"""The colours of a diagram, on a light and on a dark page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
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
    """Width and colour of a link that stands for `amount`: rust if positive, blue if negative.

    Both follow the square root, so that small amounts differ; the largest is `thick` points wide.
    """
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
