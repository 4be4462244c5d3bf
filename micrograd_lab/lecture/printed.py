"""Every number in the lecture that can be computed, beside the engine's result.

``slides.json`` has a row for each: its name, the number as printed, where the engine has it in the
recorded examples, the slide's own arithmetic, and the errata that concern it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from ..engine import Value
from ..formulas import evaluate
from ..ops import OPS, Op
from ..tell.languages import formula_text
from .examples import RATE, SLIDES, gate, network, outputs, toy, xor

__all__ = ["ACTIVATIONS", "PRINTED", "Activation", "Printed"]

ROUNDING = 0.02  # more than the relative error of a product of three factors of three digits


@dataclass(frozen=True)
class Activation:
    """A row of the activation table, with formula and derivative from the op table.

    Attributes:
        name: the lecture's name.
        op: the row of the op table.
        slope_on_slide: the lecture's f'(x) at x = 0; None where the slide has "?".
    """

    name: str
    op: Op
    slope_on_slide: float | None

    @property
    def formula(self) -> str:
        return self.op.shown[0]

    @property
    def derivative(self) -> str:
        return self.op.shown[1]

    @property
    def slope_at_0(self) -> float:
        """The engine's derivative at x = 0."""
        return float(getattr(Value(0), self.op.name)().slopes[0])


ACTIVATIONS = tuple(Activation(name, OPS[op], slope) for name, op, slope in SLIDES["activations"])


@dataclass(frozen=True)
class Printed:
    """A number on a slide.

    Attributes:
        slide: the slide's title.
        quantity: its name in `network`, `toy` and `outputs`.
        printed: the number as the slide prints it.
        computed: the engine's result; for the network, in the wiring that the slides compute.
        corrected: the engine's result in the corrected wiring.
        arithmetic: the slide's own formula with the numbers printed before it; "" if there is none.
        by_hand: the result of that arithmetic; NaN if there is none.
        errata: the ids of the `ERRATA` that concern it.

    >>> (H,) = (p for p in PRINTED if p.quantity == "H")
    >>> H.printed, round(H.computed, 8), H.kind, H.reason
    ('0.020621', 0.02062561, 'rounded factors', '−ln(0.97959) = 0.0206212')
    """

    slide: str
    quantity: str
    printed: str
    computed: float
    corrected: float
    arithmetic: str = ""
    by_hand: float = float("nan")
    errata: tuple[str, ...] = ()

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
    moving = toy()
    wirings = network("printed"), network("corrected")
    for example in (moving, *wirings):
        example.result.backward()
    shared = {"Value": Value, "gate": gate, "xor": xor, "table": outputs(), "RATE": RATE}
    shared |= {"toy": moving, "moved": moving.moved(0.1)}
    for slide, rows in SLIDES["printed"].items():
        for quantity, printed, engine, arithmetic, errata in rows:
            computed, corrected = (float(eval(engine, shared | dict(x.nodes))) for x in wirings)
            formula = formula_text(arithmetic, {}) if arithmetic else ""
            by_hand = float(evaluate(arithmetic, {})) if arithmetic else math.nan
            concern = tuple(errata.split())
            yield Printed(slide, quantity, printed, computed, corrected, formula, by_hand, concern)


PRINTED = (*_read(),)
