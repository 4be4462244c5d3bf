"""The lecture's two tables: activation functions, and four columns from scores to a loss."""

from __future__ import annotations

from dataclasses import dataclass

from ..calculus import total
from ..engine import Value
from ..nn.losses import cross_entropy, softmax
from ..ops import OPS, Op
from ..tell.notation import subscripted
from .examples import SLIDES

SCORES = (-5.0, -1.0, 1.0, 5.0)
LABEL = (0, 0, 0, 1)


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
class Outputs:
    """Scores as numbers between 0 and 1, in the lecture's four columns, and the loss H."""

    scores: tuple[Value, ...]
    sigmoid: tuple[Value, ...]
    normalization: tuple[Value, ...]
    softmax: tuple[Value, ...]
    label: tuple[int, ...]
    cross_entropy: Value


def outputs() -> Outputs:
    """The table of sigmoid, normalization, softmax and cross entropy, recorded.

    Source:
        Lecture 7, "A neural network model: cross entropy with softmax".

    >>> table = outputs()
    >>> [round(p.data, 5) for p in table.normalization]
    [0.00335, 0.13447, 0.36553, 0.49665]
    >>> table.cross_entropy.backward()
    >>> [round(score.grad, 5) for score in table.scores]
    [4e-05, 0.00243, 0.01794, -0.02041]
    """
    scores = tuple(Value(s, subscripted("s", k)) for k, s in enumerate(SCORES, start=1))
    sigmoids = tuple(score.sigmoid() for score in scores)
    scale = total(sigmoids)
    return Outputs(
        scores,
        sigmoids,
        tuple(sigmoid / scale for sigmoid in sigmoids),
        tuple(softmax(scores)),
        LABEL,
        cross_entropy(scores, LABEL),
    )
