"""Mistakes, roundings and ambiguities of the slides, each with a computed correction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..tell.notation import as_given, number
from .examples import RATE, WEIGHTS, chain, network, toy_steps, trained, wirings
from .printed import PRINTED
from .tables import ACTIVATIONS, outputs


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


def _update() -> Iterator[Erratum]:
    """The network's wiring, and the sign of its update."""
    right, slides = network("corrected"), network("printed")
    right.result.backward()
    slides.result.backward()
    down = slides.moved(-RATE)
    E, climbed, descended = (trained(1, rate, "printed").result.data for rate in (0, RATE, -RATE))
    yield Erratum(
        "E1",
        "second layer of the forward pass",
        "0.578 is put in for z_1 and 0.544 for z_2, though two slides before σ(a_1) = 0.544 and "
        f"σ(a_2) = 0.578; of {len(wirings())} wirings only this swap gives the printed outputs",
        f"z_1 = {right['z_1'].data:.3f} and z_2 = {right['z_2'].data:.3f} give the sums "
        f"{right['s_1'].data:.7f} and {right['s_2'].data:.7f}, y_1 = {right['y_1'].data:.7f}, "
        f"y_2 = {right['y_2'].data:.7f} and E = {right.result.data:.7f}",
    )
    yield Erratum(
        "E2",
        "update of w_{1,1}^{(1)}",
        "0.15 + 0.5 · 0.00075: in the wiring as printed that is the slope of the weight 0.20, from "
        "x_1 to the unit with output 0.578; the slope of 0.15 is "
        f"{slides['w_{1,1}^{(1)}'].grad:.6f}",
        f"descent takes 0.20 to {down['w_{1,2}^{(1)}']:.5f}; or, in the corrected wiring, 0.15 to "
        f"{right.moved(-RATE)['w_{1,1}^{(1)}']:.5f}, with slope {right['w_{1,1}^{(1)}'].grad:.8f}",
    )
    yield Erratum(
        "E3",
        "updates of w_{1,1}^{(2)} and w_{1,1}^{(1)}; vanishing gradient problem",
        f"w + η ∂E/∂w climbs: in the wiring as printed, one step of all parameters with η = {RATE} "
        f"takes E from {E:.6f} to {climbed:.6f}",
        f"w − η ∂E/∂w takes E to {descended:.6f}: 0.4 becomes {down['w_{1,1}^{(2)}']:.5f} and 0.15 "
        f"becomes {down['w_{1,1}^{(1)}']:.5f}",
    )


def _chain() -> Iterator[Erratum]:
    """The network's chain rule: rounded, or printed with a wrong factor."""
    computed = {p.quantity: p.computed for p in PRINTED}
    on_slide = {p.quantity: float(p.printed) for p in PRINTED}
    slope = "∂E/∂w_{1,1}^{(1)}"
    product = on_slide["∂a_1/∂w_{1,1}^{(1)}"] * on_slide["∂z_1/∂a_1"]
    yield Erratum(
        "E4",
        f"{slope} = 0.00075",
        f"0.12 · 0.2439 · 0.0259 = {product * on_slide['∂E/∂z_1']:.6f}, cut off",
        f"{computed[slope]:.5f}; with unrounded factors {computed[slope]:.8f}",
    )
    carried = ("∂E/∂w_{1,1}^{(2)}", "∂E_1/∂z_1", "∂E/∂z_1")
    yield Erratum(
        "E5",
        "rounding carried forward",
        ", ".join(f"{on_slide[name]:.4f}" for name in carried) + " come from factors of 3 digits",
        ", ".join(f"{computed[name]:.6f}" for name in carried),
    )
    yield Erratum(
        "E6",
        "formula of ∂E_{y_2}/∂z_1",
        "the last factor is printed ∂y_2(input)/∂z_2(output)",
        f"∂y_2(input)/∂z_1(output) = w_{{1,2}}^{{(2)}} = {WEIGHTS['w_{1,2}^{(2)}']:g}",
    )
    yield Erratum(
        "E7",
        "slide of ∂y_1(output)/∂y_1(input) = 0.221",
        "the first factor is printed ∂y_1(output)/∂w_{1,1}^{(2)}",
        "∂y_1(input)/∂w_{1,1}^{(2)}",
    )
    product *= on_slide["∂y_1/∂s_1"] * on_slide["∂E/∂y_1"]
    yield Erratum(
        "E8",
        "last backward slide; vanishing gradient problem",
        "the chain for w_{1,1}^{(1)} leaves out ∂y_1(input)/∂z_1(output), the weight 0.4, and the "
        f"path through y_2; as written the product is {product:.6f}",
        f"the sum over y_1 and y_2, as on the slides before: {computed[slope]:.6f}; with the "
        f"weight but through y_1 alone it would be {product * on_slide['∂s_1/∂z_1']:.6f}",
    )


def _tables() -> Iterator[Erratum]:
    """The table of outputs and the table of activations."""
    table = outputs()
    first, *_, last = (p.data for p in table.normalization)
    low, high = (p.by_hand for p in PRINTED if p.errata == ("E9",))
    yield Erratum(
        "E9",
        "normalization column",
        f"0.00334 and 0.49666: quotients of rounded sigmoids, {low:g} and {high:g}, to even",
        f"{first:.5f} and {last:.5f} ({first:.7f}, {last:.7f})",
    )
    yield Erratum(
        "E10",
        "H(y) = 0.020621",
        "−ln 0.97959, of a softmax that was rounded before",
        f"{table.cross_entropy.data:.7f} ({table.cross_entropy.data:.17f})",
    )
    relu, leaky = (row.slope_at_0 for row in ACTIVATIONS if "relu" in row.op.name)
    yield Erratum(
        "E12",
        "ReLU and leaky ReLU in the activation table",
        "f′(0) = 1, by the branch x ≥ 0",
        "there is no derivative at 0, and the value is a convention; here, as in PyTorch, JAX and "
        f"micrograd, it is {relu:g} for ReLU, and as in PyTorch {leaky:g} for leaky ReLU",
    )


def _toy() -> Iterator[Erratum]:
    """The toy example."""
    climb, tries = toy_steps(5), toy_steps(1, target=3)
    factor = (tries[1] - 3) / (tries[0] - 3)  # 1 − η (x² + 1)
    yield Erratum(
        "E13",
        "toy example",
        f"w + η ∂f/∂w is right only because f = {as_given(climb[0])} has to rise to 3; there is no "
        f"error on the slide, and nothing ends the climb (4 steps: {climb[4]:.1f}, 5 steps: "
        f"{climb[5]:.1f})",
        "descend E = ½(f − 3)² with minus; η = 0.1 multiplies f − 3 by "
        f"{number(factor, digits=2)} in each step and diverges, η must be below "
        f"1/{(1 - factor) / 0.1 / 2:.0f}",
    )


def _words() -> Iterator[Erratum]:
    """Ambiguous words and names."""
    yield Erratum(
        "E11",
        '"same procedures are applied for"',
        "w_{1,2}, w_{2,1} and w_{2,2} of each layer",
        f"the four biases too, which makes {len(WEIGHTS)} parameters",
    )
    yield Erratum(
        "E14",
        "names",
        "a_1, σ(a_1) in the forward pass are z_1(input), z_1(output) in the backward pass, and in "
        "the second layer y_1(input), y_1(output); so a_1 means two different things",
        "one name for each node: a and z in the first layer, s and y in the second",
    )
    yield Erratum(
        "E15",
        "a_2 = 0.659 and σ(a_2) = 0.659",
        "looks like a copying error",
        "a coincidence: σ(x) = x at x = "
        f"{chain('sigmoid', layers=40).result.data:.10f}, so a sum near it stays near it",
    )
    yield Erratum(
        "E16",
        "E(σ(a)) = ½ Σ_i (t_i − σ(a))²",
        "the same σ(a) for every i, and a derivative without the sum",
        "σ(a_i), an output for each target, and ∂E/∂σ(a_i) = −(t_i − σ(a_i))",
    )
    yield Erratum(
        "E17",
        "bias and weight initialization",
        "Xarvier (2010)",
        "Xavier: Glorot and Bengio, 2010; He and others, 2015",
    )


ERRATA = tuple(
    sorted(
        [*_update(), *_chain(), *_tables(), *_toy(), *_words()],
        key=lambda erratum: int(erratum.id[1:]),
    )
)
