"""The colours of a diagram, on a light and on a dark page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """One colour for each thing that a diagram shows; a shape is (line, fill)."""

    page: str
    ink: str  # names and symbols
    quiet: str  # default names, and the legend
    wire: str
    value: str
    grad: str
    shapes: dict[str, tuple[str, str]]  # by the kind of node


THEMES = {
    "light": Theme(
        page="#ffffff",
        ink="#1f2937",
        quiet="#667085",
        wire="#8a94a3",
        value="#00694f",
        grad="#b8400a",
        shapes={
            "parameter": ("#2b6aa5", "#e3edfa"),
            "input": ("#7d8592", "#eeeff1"),
            "constant": ("#c3c8d0", "#f7f8f9"),
            "computed": ("#3b4757", "#ffffff"),
            "result": ("#b8400a", "#fdece1"),
        },
    ),
    "dark": Theme(
        page="#12171f",
        ink="#e6eaf0",
        quiet="#98a2b3",
        wire="#727e8f",
        value="#4fd6a8",
        grad="#ff9d5c",
        shapes={
            "parameter": ("#6ea8e5", "#17304d"),
            "input": ("#8b95a5", "#2a313c"),
            "constant": ("#525c6b", "#1b212b"),
            "computed": ("#c3ccd9", "#1b222d"),
            "result": ("#ff9d5c", "#43291a"),
        },
    ),
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
