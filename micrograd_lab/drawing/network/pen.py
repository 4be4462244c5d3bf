"""Draws circles, lines and texts on a Matplotlib figure, and finds free places for labels.

All lengths are points, 72 to an inch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ...tell.notation import as_given, number
from ..showing import DIGITS, MATH, SANS, TEXT, mathtext, new_figure, typesetting
from ..themes import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.path import Path

Point: TypeAlias = "tuple[float, float]"
Style: TypeAlias = "dict[str, Any]"  # of a text, and its words
Text: TypeAlias = "tuple[float, str, Style]"  # size, colour, words and style

LETTER = 6.3  # points across, on average
FINE = 720  # dots per inch at which texts are measured
LINES, SHAPES, TEXTS = 1, 2, 3  # from bottom to top
SHIFT = 4.0  # points by which a label moves along its link in search of a free place


class Pen:
    """A figure to draw on; `finish` sets its size."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.figure: Figure = new_figure(100, 100, theme)
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.axis("off")

    def text(self, x: float, y: float, size: float, colour: str, style: Style, **more: Any) -> None:
        """Write `style["text"]`, centred at (x, y)."""
        words = {"ha": "center", "va": "center", "rotation_mode": "anchor"} | style | more
        self.axes.text(x, y, words.pop("text"), fontsize=size, color=colour, zorder=TEXTS, **words)

    def row(self, x: float, y: float, texts: Sequence[Text], ha: str = "left") -> float:
        """Write texts side by side, from x or up to it; where they end."""
        way = 1 if ha == "left" else -1
        for text in texts[::way]:
            self.text(x, y, *text, ha=ha)
            x += way * self.length([text])
        return x

    def stack(self, x: float, y: float, texts: Sequence[Text], apart: float) -> None:
        """Write texts below each other, with their middle at y."""
        for i, text in enumerate(texts):
            self.text(x, y + ((len(texts) - 1) / 2 - i) * apart, *text)

    def amount(self, x: float, room: float, colour: str, *, given: bool = False) -> Text:
        """A number with as many digits as fit into `room`."""
        for words in [as_given(x)] * given + [number(x, digits=n) for n in (3, 2, 1)]:
            if self.width(TEXT, digits(words)) <= room:
                break
        return TEXT, colour, digits(words)

    def name(self, label: str, room: float, size: float) -> Text:
        """A label that fits into `room`, smaller or cut if need be."""
        style = mathtext(label)
        size = max(TEXT, min(size, size * room / self.width(size, style)))
        while self.width(size, style) > room and len(label) > 2:
            label = label[:-2]
            style = MATH | {"text": f"{label}…", "parse_math": False}
        return size, self.theme.ink, style

    def length(self, texts: Sequence[Text]) -> float:
        """The length of a row."""
        return sum(self.width(size, style) + 6 for size, _, style in texts)

    def width(self, size: float, style: Style) -> float:
        """The width of `style["text"]`."""
        from matplotlib.text import Text

        figure, renderer = self._ruler
        words = Text(0, 0, fontsize=size, figure=figure, **style)
        with typesetting():
            return float(words.get_window_extent(renderer).width) * 72 / FINE

    def circle(self, x: float, y: float, radius: float, line: str, fill: str, **more: Any) -> None:
        from matplotlib.patches import Circle

        style = {"linewidth": 1.5, "zorder": SHAPES} | more
        self.axes.add_patch(Circle((x, y), radius, edgecolor=line, facecolor=fill, **style))

    def box(self, x: float, y: float, width: float, height: float, line: str, fill: str) -> None:
        """A box with round corners, centred at (x, y)."""
        from matplotlib.patches import FancyBboxPatch

        corner, shape = (x - width / 2, y - height / 2), "round,pad=0,rounding_size=8"
        box = FancyBboxPatch(corner, width, height, shape, ec=line, fc=fill, lw=1.5, zorder=SHAPES)
        self.axes.add_patch(box)

    def line(self, segment: Segment, colour: str, **more: Any) -> Line2D:
        from matplotlib.lines import Line2D

        ends: Any = zip(segment.start, segment.end)
        style = {"linewidth": segment.width, "zorder": LINES, "solid_capstyle": "butt"} | more
        return self.axes.add_line(Line2D(*ends, color=colour, **style))  # type: ignore[arg-type]

    def finish(self, left: float, bottom: float, right: float, top: float) -> Figure:
        """The figure, cut to these bounds."""
        self.figure.set_size_inches((right - left) / 72, (top - bottom) / 72)
        self.axes.set_xlim(left, right)
        self.axes.set_ylim(bottom, top)
        return self.figure

    @cached_property
    def _ruler(self) -> tuple[Figure, RendererAgg]:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(0.1, 0.1), dpi=FINE)
        return figure, FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Segment:
    """A straight link, from left to right."""

    start: Point
    end: Point
    width: float = 1.0

    @property
    def length(self) -> float:
        return math.dist(self.start, self.end)

    @property
    def angle(self) -> float:
        """The direction, in radians."""
        return math.atan2(self.end[1] - self.start[1], self.end[0] - self.start[0])

    def at(self, along: float, across: float = 0.0) -> Point:
        """The point at a distance along the link, and at another to its upper side."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        x, y = self.start
        return x + along * cos - across * sin, y + along * sin + across * cos

    def box(self, along: float, length: float, below: float, above: float) -> Path:
        """A rectangle turned along the link."""
        from matplotlib.path import Path

        ends = along, along + length, along + length, along, along
        corners = [self.at(*at) for at in zip(ends, (below, below, above, above, below))]
        return Path(corners, closed=True)


def place(
    links: Sequence[Segment],
    lengths: Sequence[float],
    above: float,
    below: float,
    obstacles: Sequence[Path] = (),
) -> list[float] | None:
    """Where along each link its label starts, so far to its sides; None if some do not fit."""

    def free(box: Path, others: Iterable[Path]) -> bool:
        return not any(box.intersects_path(other) for other in others)

    lines = [link.box(0, link.length, -link.width / 2, link.width / 2) for link in links]
    if not all(free(line, obstacles) for line in lines):
        return None
    choices: list[dict[float, Path]] = []
    for link, length, line in zip(links, lengths, lines):
        avoid = [*(other for other in lines if other is not line), *obstacles]
        starts = [n * SHIFT for n in range(4, int((link.length - length) / SHIFT))]
        boxes = {at: link.box(at - 1, length + 2, -below, above) for at in starts}
        choices.append({at: box for at, box in boxes.items() if free(box, avoid)})
    placed: dict[int, float] = {}
    for i in sorted(range(len(links)), key=lambda i: len(choices[i])):
        others = [choices[j][at] for j, at in placed.items()]
        if (found := next((at for at in choices[i] if free(choices[i][at], others)), None)) is None:
            return None
        placed[i] = found
    return [placed[i] for i in range(len(links))]


def sign(symbol: str) -> Style:
    """The symbol of an operation, as mathematics if it is a letter."""
    return mathtext(symbol) if len(symbol) == 1 else SANS | {"text": symbol, "parse_math": False}


def digits(text: str) -> Style:
    """A number, in the font for numbers."""
    return DIGITS | {"text": text}
