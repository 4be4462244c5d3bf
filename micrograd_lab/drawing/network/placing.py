"""Places for labels along the links between two columns, clear of lines and of each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from matplotlib.path import Path

Point: TypeAlias = "tuple[float, float]"

SHIFT = 4.0  # points by which a label moves along its link in search of a free place


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
        ends = along, along + length, along + length, along
        return area([self.at(*at) for at in zip(ends, (below, below, above, above))])


def area(corners: Sequence[Point]) -> Path:
    """What lies between these corners."""
    from matplotlib.path import Path

    return Path([*corners, corners[0]], closed=True)


def place(
    links: Sequence[Segment],
    lengths: Sequence[float],
    above: float,
    below: float,
    obstacles: Sequence[Path] = (),
) -> list[float] | None:
    """The distance along each link at which its label starts, or None if some do not fit.

    Args:
        links: the links.
        lengths: the length of each link's label.
        above, below: how far a label reaches to either side of its link.
        obstacles: areas that no link and no label may touch.

    >>> place([Segment((0, 0), (100, 0))], [50], 10, 10)
    [16.0]
    """
    lines = [link.box(0, link.length, -link.width / 2, link.width / 2) for link in links]
    if any(line.intersects_path(obstacle) for line in lines for obstacle in obstacles):
        return None
    choices: list[list[tuple[float, Path]]] = []
    for i, (link, length) in enumerate(zip(links, lengths)):
        avoid = [*(line for j, line in enumerate(lines) if j != i), *obstacles]
        free = []
        along = 4 * SHIFT
        while along + length <= link.length - SHIFT:
            box = link.box(along - 1, length + 2, -below, above)
            if not any(box.intersects_path(other) for other in avoid):
                free.append((along, box))
            along += SHIFT
        choices.append(free)
    labels: dict[int, tuple[float, Path]] = {}
    for i in sorted(range(len(links)), key=lambda i: len(choices[i])):
        for along, box in choices[i]:
            if not any(box.intersects_path(other) for _, other in labels.values()):
                labels[i] = along, box
                break
        else:
            return None
    return [labels[i][0] for i in range(len(links))]
