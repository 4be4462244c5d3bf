"""Places for labels along the links between two columns, clear of lines and of each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = "tuple[float, float]"
Polygon: TypeAlias = "list[Point]"

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

    def box(self, along: float, length: float, below: float, above: float) -> Polygon:
        """A rectangle turned along the link."""
        return [
            self.at(along, below),
            self.at(along + length, below),
            self.at(along + length, above),
            self.at(along, above),
        ]


def place(
    links: Sequence[Segment],
    lengths: Sequence[float],
    above: float,
    below: float,
    obstacles: Sequence[Polygon] = (),
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
    if any(overlap(line, obstacle) for line in lines for obstacle in obstacles):
        return None
    choices: list[list[tuple[float, Polygon]]] = []
    for i, (link, length) in enumerate(zip(links, lengths)):
        avoid = [*(line for j, line in enumerate(lines) if j != i), *obstacles]
        free = []
        along = 4 * SHIFT
        while along + length <= link.length - SHIFT:
            box = link.box(along - 1, length + 2, -below, above)
            if not any(overlap(box, other) for other in avoid):
                free.append((along, box))
            along += SHIFT
        choices.append(free)
    labels: dict[int, tuple[float, Polygon]] = {}
    for i in sorted(range(len(links)), key=lambda i: len(choices[i])):
        for along, box in choices[i]:
            if not any(overlap(box, other) for _, other in labels.values()):
                labels[i] = along, box
                break
        else:
            return None
    return [labels[i][0] for i in range(len(links))]


def overlap(a: Polygon, b: Polygon) -> bool:
    """Whether two convex polygons share a point: no line separates them.

    >>> square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    >>> overlap(square, [(2, 0), (3, 0), (3, 1)]), overlap(square, [(0.5, 0.5), (3, 0), (3, 1)])
    (False, True)
    """
    for polygon in (a, b):
        x, y = polygon[-1]
        for corner_x, corner_y in polygon:
            nx, ny = corner_y - y, x - corner_x
            x, y = corner_x, corner_y
            ours = [nx * p + ny * q for p, q in a]
            theirs = [nx * p + ny * q for p, q in b]
            if max(ours) < min(theirs) or max(theirs) < min(ours):
                return False
    return True
