"""Every number in the lecture that can be computed, beside the engine's result, and the errata.

``slides.json`` has a row for each number: its name, the number as printed, where the engine has it
in the recorded examples, the slide's own arithmetic, and the errata that concern it.
``report.txt`` and ``errata.md`` have the words, and a place for everything that is computed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from itertools import groupby, product
from textwrap import fill
from typing import Any, NamedTuple

from ..drawing.showing import resource
from ..engine import Value
from ..formulas import evaluate
from ..ops import OPS, Op
from ..tell.languages import formula_text
from ..tell.notation import as_given, number
from . import examples
from .examples import RATE, SLIDES, WEIGHTS

__all__ = [
    "ACTIVATIONS", "ERRATA", "PRINTED", "Activation", "Erratum", "Printed", "errata_page", "report",
]  # fmt: skip

ROUNDING = 0.02  # more than the relative error of a product of three factors of three digits


class Activation(NamedTuple):
    """A row of the activation table.

    Attributes:
        name: the lecture's name.
        op: the row of the op table.
        slope_on_slide: the lecture's f'(x) at x = 0; None where the slide has "?".
        slope_at_0: the engine's.
    """

    name: str
    op: Op
    slope_on_slide: float | None
    slope_at_0: float


ACTIVATIONS = tuple(
    Activation(name, OPS[op], slope, getattr(Value(0), op)().slopes[0])
    for name, op, slope in SLIDES["activations"]
)


@dataclass(frozen=True)
class Printed:
    """A number on a slide.

    >>> (H,) = (p for p in PRINTED if p.quantity == "H")
    >>> H.printed, round(H.computed, 8), H.kind, H.reason
    ('0.020621', 0.02062561, 'rounded factors', '−ln(0.97959) = 0.0206212')
    """

    slide: str  # its title
    quantity: str  # its name in `network`, `toy` and `outputs`
    printed: str  # the number as the slide prints it
    computed: float  # the engine's result; for the network, in the wiring that the slides compute
    corrected: float  # the engine's result in the corrected wiring
    arithmetic: str = ""  # the slide's own formula with the numbers printed before it, if any
    by_hand: float = float("nan")  # the result of that arithmetic
    errata: tuple[str, ...] = ()  # the ids of the `ERRATA` that concern it

    @property
    def kind(self) -> str:
        """The relation of the printed number to the computed one.

        "exact": the computed number, rounded.  "rounded factors": the slide's arithmetic on rounded
        factors, rounded.  "truncated": that arithmetic, cut off.  "erratum": none of these.
        """
        if _rounds_to(self.printed, self.computed):
            return "exact"
        if abs(self.by_hand - self.computed) < ROUNDING * abs(self.computed):
            if _rounds_to(self.printed, self.by_hand):
                return "rounded factors"
            if _rounds_to(self.printed, self.by_hand, ROUND_DOWN):
                return "truncated"
        return "erratum"

    @property
    def reason(self) -> str:
        """The slide's arithmetic, where that explains the difference from `computed`."""
        if not self.arithmetic or self.kind == "exact":
            return ""
        return f"{self.arithmetic} = {self.by_hand:.6g}"


def _rounds_to(printed: str, number: float, rounding: str = ROUND_HALF_EVEN) -> bool:
    return Decimal(repr(number)).quantize(Decimal(printed), rounding) == Decimal(printed)


def _read() -> Iterator[Printed]:
    """The rows of ``slides.json``, beside what the engine computes."""
    moving = examples.toy()
    wirings = examples.network("printed"), examples.network("corrected")
    for example in (moving, *wirings):
        example.result.backward()
    shared = {**vars(examples), "table": examples.outputs()}
    shared |= {"toy": moving, "moved": moving.moved(0.1)}
    for slide, rows in SLIDES["printed"].items():
        for quantity, printed, engine, arithmetic, errata in rows:
            computed, corrected = (float(eval(engine, shared | dict(x.nodes))) for x in wirings)
            formula = formula_text(arithmetic, {}) if arithmetic else ""
            by_hand = float(evaluate(arithmetic, {})) if arithmetic else math.nan
            concern = tuple(errata.split())
            yield Printed(slide, quantity, printed, computed, corrected, formula, by_hand, concern)


PRINTED = (*_read(),)


class Erratum(NamedTuple):
    """A mistake, a rounding or an ambiguity in the lecture."""

    id: str  # "E1" to "E17"
    where: str  # the slide or its topic
    printed: str  # the slide's statement, and its consequence
    right: str  # the correct statement


def report() -> str:
    """The slides' numbers beside the engine's, with reasons; updated weights; errata.

    >>> print(*report().splitlines()[:5], sep="\\n")
    Lecture 7, "Neural Networks": the numbers on the slides, computed
    <BLANKLINE>
    Role of hidden layers: a simple example
                           slide says  engine says   why they differ
      NAND(1, 1)                    0  0             exact
    """
    steps = examples.toy_steps
    climbs = {"climb": steps(5), "fast": steps(4, target=3), "slow": steps(4, 0.01, target=3)}
    corrections = [
        fill(f"{e.where} → {e.right}", 80, initial_indent=f"  {e.id:5}", subsequent_indent=" " * 7)
        for e in ERRATA
    ]
    parts = {"comparison": _comparison(), "updates": _updates(), "errata": corrections}
    text = resource("report.txt", __package__).format(
        rate=RATE,
        toy=number(climbs["climb"][0]),
        **{name: "\n".join(lines) for name, lines in parts.items()},
        **{name: ", ".join(map(number, f)) for name, f in climbs.items()},
    )
    return text.rstrip()


def errata_page() -> str:
    """The errata as a page of Markdown.

    >>> errata_page().splitlines()[0]
    '# Errata of the lecture'
    """
    right, slides = examples.network("corrected"), examples.network("printed")
    for example in (right, slides):
        example.result.backward()
    slide = _by_name({p.quantity: p for p in PRINTED})
    chained = ("∂a_1/∂w_1,1^(1)", "∂z_1/∂a_1", "∂y_1/∂s_1", "∂E/∂y_1")  # on the last slide
    as_written = math.prod(float(slide[name].printed) for name in chained)
    climb, tries = examples.toy_steps(5), examples.toy_steps(1, target=3)
    factor = (tries[1] - 3) / (tries[0] - 3)  # 1 − η (x² + 1)
    return resource("errata.md", __package__).format(
        slide=slide,
        right=_by_name(right.nodes),
        slides=_by_name(slides.nodes),
        down=_by_name(slides.moved(-RATE)),
        right_down=_by_name(right.moved(-RATE)),
        climbed=examples.trained(1, RATE, "printed"),
        descended=examples.trained(1, -RATE, "printed"),
        wirings=len(examples.wirings()),
        rate=RATE,
        parameters=len(WEIGHTS),
        as_written=as_written,
        through_y_1=as_written * WEIGHTS["w_{1,1}^{(2)}"],
        table=examples.outputs(),
        toy=climb,
        toy_before=as_given(climb[0]),
        toy_factor=number(factor, digits=2),
        toy_limit=(1 - factor) / 0.1 / 2,
        fixed=examples.chain("sigmoid", layers=40).result,
        activations="\n".join(
            f"| {name} | `{op.shown[0]}` | `{op.shown[1]}` | "
            f"{'?' if slide is None else f'{slide:g}'} | {here:g} |"
            for name, op, slide, here in ACTIVATIONS
        ),
        printed="\n".join(map(_row, PRINTED)),
    )


def _comparison() -> Iterator[str]:
    """A table of the numbers for each slide."""
    for slide, group in groupby(PRINTED, key=lambda p: p.slide):
        numbers = list(group)
        both = any(p.corrected != p.computed for p in numbers)
        corrected = f"{'corrected':14}" if both else ""
        yield f"\n{slide}"
        yield f"  {'':20}{'slide says':>11}  {'engine says':14}{corrected}why they differ"
        for p in numbers:
            corrected = f"{p.corrected:<14.8g}" if both else ""
            errata = " ".join(p.errata)
            line = f"  {p.quantity:20}{p.printed:>11}  {p.computed:<14.8g}{corrected}{p.kind}"
            yield line if p.reason or not errata else f"{line}  {errata}"
            if p.reason:
                yield f"{'':35}{p.reason}  {errata}".rstrip()


def _updates() -> Iterator[str]:
    """Each weight, then the error, before and after an update."""
    row = "  {:16}{:>8}{:12.6f}{:12.6f}  {:12.6f}{:12.6f}"
    ways = [*product(("corrected", "printed"), (-RATE, RATE))]
    after = [examples.trained(1, rate, wiring) for wiring, rate in ways]
    for name, before in WEIGHTS.items():
        yield row.format(name, f"{before:.2f}", *(example[name].data for example in after))
    yield row.format("E before", "", *(examples.network(wiring).result.data for wiring, _ in ways))
    yield row.format("E after", "", *(example.result.data for example in after))


def _by_name(things: Mapping[str, Any]) -> dict[str, Any]:
    """`things` by names without braces, which mean something else in the page's places."""
    return {re.sub("[{}]", "", name): thing for name, thing in things.items()}


def _row(p: Printed) -> str:
    more = "; ".join(filter(None, [p.reason, " ".join(p.errata)]))
    corrected = "" if p.corrected == p.computed else f"{p.corrected:.12g}"
    numbers = f"{p.printed} | {p.computed:.12g} | {corrected}"
    return f"| {p.slide} | {p.quantity} | {numbers} | {p.kind} | {more} |"


ERRATA = tuple(
    Erratum(*cells)
    for cells in re.findall(r"^\| (E\d+) \| (.*) \| (.*) \| (.*) \|$", errata_page(), re.MULTILINE)
)
