"""Every number in the lecture that can be computed, beside the engine's result."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from ..engine import Value
from ..formulas import evaluate
from ..tell.languages import formula_text
from .examples import INPUTS, RATE, TARGETS, WEIGHTS, Example, gate, network, toy, xor
from .tables import ACTIVATIONS, outputs

GATES_SLIDE = "Role of hidden layers: a simple example"
ACTIVATION_SLIDE = "A neural network model: activation function"
SOFTMAX_SLIDE = "A neural network model: cross entropy with softmax"
TOY_SLIDE = "Backpropagation: a toy example"
FORWARD = "Backpropagation algorithm - Forwarding"
BACKWARD = "Backpropagation algorithm - Backwarding"

ROUNDING = 0.02  # more than the relative error of a product of three factors of three digits


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


def _gates() -> Iterator[Printed]:
    corners = [(1, 1), (1, 0), (0, 1), (0, 0)]
    for (x, y), printed in zip(corners, "0111"):
        computed = gate("NAND", Value(x), Value(y)).data
        yield Printed(GATES_SLIDE, f"NAND({x}, {y})", printed, computed, computed)
    for (x, y), printed in zip(corners, "0110"):
        computed = xor(x, y).result.data
        yield Printed(GATES_SLIDE, f"AND(OR, NAND)({x}, {y})", printed, computed, computed)


def _activations() -> Iterator[Printed]:
    for row in ACTIVATIONS:
        if "relu" in row.op.name:
            slope, printed = row.slope_at_0, f"{row.slope_on_slide}"
            where = f"f′(0) of {row.op.symbol}"
            yield Printed(ACTIVATION_SLIDE, where, printed, slope, slope, errata=("E12",))


def _outputs() -> Iterator[Printed]:
    table = outputs()
    columns = {
        "sigmoid": ("0.00669", "0.26894", "0.73106", "0.99331"),
        "normalization": ("0.00334", "0.13447", "0.36553", "0.49666"),
        "softmax": ("0.00004", "0.00243", "0.01794", "0.97959"),
    }
    scale = f"{sum(map(float, columns['sigmoid'])):g}"
    for name, printed in columns.items():
        for k, (text, value) in enumerate(zip(printed, getattr(table, name)), start=1):
            entry = Printed(SOFTMAX_SLIDE, f"{name} of s_{k}", text, value.data, value.data)
            if name == "normalization":
                sigmoid = {"x": columns["sigmoid"][k - 1], "y": scale}
                arithmetic, by_hand = _by_hand("x / y", sigmoid)
                entry = replace(entry, arithmetic=arithmetic, by_hand=by_hand)
            yield entry if entry.kind == "exact" else replace(entry, errata=("E9",))
    H = table.cross_entropy.data
    arithmetic, by_hand = _by_hand("-log(x)", {"x": columns["softmax"][-1]})
    yield Printed(SOFTMAX_SLIDE, "H", "0.020621", H, H, arithmetic, by_hand, ("E10",))


def _toy() -> Iterator[Printed]:
    example = toy()
    example.result.backward()
    moved = example.moved(0.1)
    for quantity, printed, computed in [
        ("∂f/∂w", "5", example["w"].grad),
        ("∂f/∂b", "1", example["b"].grad),
        ("new w", "-1.5", moved["w"]),
        ("new b", "3.1", moved["b"]),
    ]:
        errata = ("E13",) if quantity.startswith("new") else ()
        yield Printed(TOY_SLIDE, quantity, printed, computed, computed, errata=errata)


# letter, slide, quantity, printed, the slide's formula in letters, errata
_NETWORK = (
    ("a1", FORWARD, "a_1", "0.178", "w111 * x1 + w211 * x2 + w011", ()),
    ("a2", FORWARD, "a_2", "0.314", "w121 * x1 + w221 * x2 + w021", ()),
    ("h1", FORWARD, "σ(a_1)", "0.544", "sigmoid(a1)", ()),
    ("h2", FORWARD, "σ(a_2)", "0.578", "sigmoid(a2)", ()),
    ("z1", FORWARD, "z_1 in layer 2", "0.578", "h2", ("E1",)),
    ("z2", FORWARD, "z_2 in layer 2", "0.544", "h1", ("E1",)),
    ("s1", FORWARD, "s_1 (slide: a_1)", "0.703", "w112 * z1 + w212 * z2 + w012", ("E1",)),
    ("s2", FORWARD, "s_2 (slide: a_2)", "0.659", "w122 * z1 + w222 * z2 + w022", ("E1",)),
    ("y1", FORWARD, "y_1 (slide: σ(a_1))", "0.669", "sigmoid(s1)", ("E1",)),
    ("y2", FORWARD, "y_2 (slide: σ(a_2))", "0.659", "sigmoid(s2)", ("E1", "E15")),
    ("E", FORWARD, "E", "0.191", "((t1 - y1) ** 2 + (t2 - y2) ** 2) / 2", ("E1",)),
    ("e1", BACKWARD, "∂E/∂y_1", "0.569", "-(t1 - y1)", ("E1",)),
    ("d1", BACKWARD, "∂y_1/∂s_1", "0.221", "y1 * (1 - y1)", ("E1",)),
    ("sw", BACKWARD, "∂s_1/∂w_{1,1}^{(2)}", "0.578", "z1", ("E1",)),
    ("gw2", BACKWARD, "∂E/∂w_{1,1}^{(2)}", "0.0727", "sw * d1 * e1", ("E1", "E5")),
    ("new2", BACKWARD, "new w_{1,1}^{(2)}", "0.436", "w112 + eta * gw2", ("E1", "E3")),
    ("e2", BACKWARD, "∂E/∂y_2", "-0.241", "-(t2 - y2)", ("E1",)),
    ("d2", BACKWARD, "∂y_2/∂s_2", "0.225", "y2 * (1 - y2)", ("E1",)),
    ("sz1", BACKWARD, "∂s_1/∂z_1", "0.4", "w112", ()),
    ("sz2", BACKWARD, "∂s_2/∂z_1", "0.45", "w122", ()),
    ("gz1", BACKWARD, "∂E_1/∂z_1", "0.0503", "e1 * d1 * sz1", ("E1", "E5")),
    ("gz2", BACKWARD, "∂E_2/∂z_1", "-0.0244", "e2 * d2 * sz2", ("E1",)),
    ("gz", BACKWARD, "∂E/∂z_1", "0.0259", "gz1 + gz2", ("E1", "E5")),
    ("dz", BACKWARD, "∂z_1/∂a_1", "0.2439", "z1 * (1 - z1)", ("E1",)),
    ("aw", BACKWARD, "∂a_1/∂w_{1,1}^{(1)}", "0.12", "x1", ()),
    ("gw1", BACKWARD, "∂E/∂w_{1,1}^{(1)}", "0.00075", "aw * dz * gz", ("E2", "E4")),
    ("new1", BACKWARD, "new w_{1,1}^{(1)}", "0.1504", "w111 + eta * gw1", ("E2", "E3")),
)  # fmt: skip


def _network() -> Iterator[Printed]:
    computed, corrected = _quantities(network("printed")), _quantities(network("corrected"))
    inputs = {**WEIGHTS, **INPUTS, **TARGETS, "eta": RATE}
    letters = {re.sub(r"\W|_", "", name): f"{number:g}" for name, number in inputs.items()}
    letters |= {letter: printed for letter, _, _, printed, _, _ in _NETWORK}
    for letter, slide, quantity, printed, formula, errata in _NETWORK:
        yield Printed(
            slide, quantity, printed, computed[letter], corrected[letter],
            *_by_hand(formula, letters), errata,
        )  # fmt: skip


def _quantities(example: Example) -> dict[str, float]:
    """The quantities of the network's slides by letter, read off the recorded graph."""
    example.result.backward()
    z_1, s_1, s_2, y_1, y_2 = (example[name] for name in ("z_1", "s_1", "s_2", "y_1", "y_2"))
    (a,) = z_1.inputs
    w = a.inputs[0]  # of x_1, to the unit that layer 2 reads as z_1: 0.15, or 0.2 as printed
    first = s_1.inputs[0]  # the weight of z_1
    from_1, from_2 = s_1.slopes[2], s_2.slopes[2]  # the local derivatives of z_1
    return {
        "a1": example["a_1"].data,
        "a2": example["a_2"].data,
        "h1": example["a_1"].sigmoid().data,
        "h2": example["a_2"].sigmoid().data,
        "z1": z_1.data,
        "z2": example["z_2"].data,
        "s1": s_1.data,
        "s2": s_2.data,
        "y1": y_1.data,
        "y2": y_2.data,
        "E": example.result.data,
        "e1": y_1.grad,
        "d1": y_1.slopes[0],
        "sw": s_1.slopes[0],
        "gw2": first.grad,
        "new2": first.data + RATE * first.grad,
        "e2": y_2.grad,
        "d2": y_2.slopes[0],
        "sz1": from_1,
        "sz2": from_2,
        "gz1": from_1 * s_1.grad,
        "gz2": from_2 * s_2.grad,
        "gz": z_1.grad,
        "dz": z_1.slopes[0],
        "aw": a.slopes[0],
        "gw1": w.grad,
        "new1": w.data + RATE * w.grad,
    }


def _by_hand(formula: str, letters: Mapping[str, str]) -> tuple[str, float]:
    """`formula` with printed numbers in it, and its result."""
    text = formula_text(formula, {a: number.replace("-", "−") for a, number in letters.items()})
    return text, float(evaluate(formula, {a: float(number) for a, number in letters.items()}))


PRINTED = (*_gates(), *_activations(), *_outputs(), *_toy(), *_network())
