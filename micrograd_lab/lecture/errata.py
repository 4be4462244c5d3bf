"""Mistakes, roundings and ambiguities of the slides, each with a computed correction.

``errata.md`` is the page that lists them, with a place for every computed number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..tell.notation import as_given, number
from .examples import RATE, WEIGHTS, chain, network, packaged, toy_steps, trained, wirings
from .printed import PRINTED, Printed
from .tables import ACTIVATIONS, Activation, outputs


@dataclass(frozen=True)
class Erratum:
    """A mistake, a rounding or an ambiguity in the lecture.

    Attributes:
        id: "E1" to "E17".
        where: the slide or its topic.
        printed: the slide's statement, and its consequence.
        right: the correct statement.
    """

    id: str
    where: str
    printed: str
    right: str


def errata_page() -> str:
    """The errata as a page of Markdown.

    >>> errata_page().splitlines()[0]
    '# Errata of the lecture'
    """
    right, slides = network("corrected"), network("printed")
    for example in (right, slides):
        example.result.backward()
    slide = _by_name({p.quantity: p for p in PRINTED})
    chained = ("∂a_1/∂w_1,1^(1)", "∂z_1/∂a_1", "∂y_1/∂s_1", "∂E/∂y_1")  # on the last slide
    as_written = math.prod(float(slide[name].printed) for name in chained)
    climb, tries = toy_steps(5), toy_steps(1, target=3)
    factor = (tries[1] - 3) / (tries[0] - 3)  # 1 − η (x² + 1)
    return packaged("errata.md").format(
        slide=slide,
        right=_by_name(right.nodes),
        slides=_by_name(slides.nodes),
        down=_by_name(slides.moved(-RATE)),
        right_down=_by_name(right.moved(-RATE)),
        climbed=trained(1, RATE, "printed"),
        descended=trained(1, -RATE, "printed"),
        wirings=len(wirings()),
        rate=RATE,
        parameters=len(WEIGHTS),
        as_written=as_written,
        through_y_1=as_written * WEIGHTS["w_{1,1}^{(2)}"],
        table=outputs(),
        toy=climb,
        toy_before=as_given(climb[0]),
        toy_factor=number(factor, digits=2),
        toy_limit=(1 - factor) / 0.1 / 2,
        fixed=chain("sigmoid", layers=40).result,
        activations="\n".join(map(_activation_row, ACTIVATIONS)),
        printed="\n".join(map(_printed_row, PRINTED)),
    )


def _by_name(things: Mapping[str, Any]) -> dict[str, Any]:
    """`things` by names without braces, which mean something else in the page's places."""
    return {re.sub("[{}]", "", name): thing for name, thing in things.items()}


def _activation_row(row: Activation) -> str:
    slide = "?" if row.slope_on_slide is None else f"{row.slope_on_slide:g}"
    shown = f"`{row.formula}` | `{row.derivative}`"
    return f"| {row.name} | {shown} | {slide} | {row.slope_at_0:g} |"


def _printed_row(p: Printed) -> str:
    more = "; ".join(filter(None, [p.reason, " ".join(p.errata)]))
    corrected = "" if p.corrected == p.computed else f"{p.corrected:.12g}"
    numbers = f"{p.printed} | {p.computed:.12g} | {corrected}"
    return f"| {p.slide} | {p.quantity} | {numbers} | {p.kind} | {more} |"


ERRATA = tuple(
    Erratum(*cells)
    for cells in re.findall(r"^\| (E\d+) \| (.*) \| (.*) \| (.*) \|$", errata_page(), re.MULTILINE)
)
