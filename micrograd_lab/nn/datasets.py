"""Small data sets to learn from, generated from a seed.

>>> inputs, targets = moons(100, seed=1)
>>> len(inputs), len(inputs[0]), sorted(set(targets))
(100, 2, [0, 1])
"""

from __future__ import annotations

import math
import random
from cmath import rect
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..graph import shorten
from ..tell.notation import as_given, preformatted
from .arithmetic import Samples
from .modules import Table

MAX_ROWS, MAX_COLUMNS, MAX_KINDS = 5, 8, 10  # of data in a notebook

# the numbers of inputs at 1 for which the output is 1
GATES: dict[str, tuple[int, ...]] = {
    "and": (2,), "or": (1, 2), "nand": (0, 1), "nor": (0,), "xor": (1,), "xnor": (0, 2),
}  # fmt: skip


class Data(NamedTuple):
    """Samples and their targets.

    Attributes:
        inputs: one row of numbers per sample; a list, an array, a frame or a tensor.
        targets: one target per sample: 0 or 1, or a row with a 1 at the index of the class.

    >>> Data(inputs=[[0.0, 1.0], [1.0, 1.0]], targets=[1, 0])
    Data(inputs=[[0.0, 1.0], [1.0, 1.0]], targets=[1, 0])
    >>> moons(100, seed=1)  # many samples are shown by their shapes
    Data(inputs: 100 × 2, targets: 100)
    """

    inputs: Any
    targets: Any

    def __repr__(self) -> str:
        shapes = [_shape(part) for part in self]
        if math.prod(shapes[0]) <= 32:
            return f"Data(inputs={self.inputs!r}, targets={self.targets!r})"
        inputs, targets = (" × ".join(map(str, shape)) for shape in shapes)
        return f"Data(inputs: {inputs}, targets: {targets})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """A table of the first samples; below it all of them, if they are points of a plane."""
        from ..drawing.plots import plot_points

        shown = {"text/plain": repr(self)}
        try:
            samples = Samples.of(self.inputs, self.targets)
        except (TypeError, ValueError):
            return shown
        x, t = samples.inputs, samples.targets
        kinds = Counter(targets := [*map(_target, t.tolist())])
        told = f"{len(kinds)} different ones"
        if len(kinds) <= MAX_KINDS:
            told = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
            shown = plot_points(x, t)._repr_mimebundle_() | shown if x.shape[1] == 2 else shown
        numbered = [f"x_{i + 1}" for i in range(x.shape[1])]
        names = [*map(str, getattr(self.inputs, "columns", numbered))]
        lines = zip([names, *x[:MAX_ROWS].tolist()], ["target", *targets])
        rows = [(*map(_cell, shorten(line, MAX_COLUMNS)), target) for line, target in lines]
        text = f"{len(x)} × {x.shape[1]} inputs; targets: {told}\n\n{Table.of(rows)}"
        text += "\n⋮" * (len(x) > MAX_ROWS)
        return shown | {"text/html": preformatted(text) + shown.get("text/html", "")}

    def split(self, part: float, seed: int | None = None) -> tuple[Data, Data]:
        """The samples, shuffled and cut in two: the second set holds the fraction `part` of them.

        >>> train, validation = moons(100, seed=1).split(0.2, seed=1)
        >>> len(train.inputs), len(validation.inputs)
        (80, 20)
        """
        if not 0 < part < 1:
            raise ValueError(f"part is {part:g}; it needs to be between 0 and 1")
        order = list(range(len(self.inputs)))
        random.Random(seed).shuffle(order)
        cut = len(order) - round(part * len(order))
        first, second = ([_rows(x, rows) for x in self] for rows in (order[:cut], order[cut:]))
        return Data(*first), Data(*second)


def moons(samples: int = 100, *, noise: float = 0.1, seed: int | None = None) -> Data:
    """Two interlocking half circles.

    Args:
        samples: number of points, half of them in each class.
        noise: standard deviation of the noise in each coordinate.
        seed: the same seed gives the same points.

    >>> moons(4, noise=0, seed=3).targets
    [1, 0, 0, 1]
    """

    def place(along: float, target: int) -> complex:
        upper = rect(1.0, math.pi * along)
        return 1 + 0.5j - upper if target else upper

    return _two_classes(place, samples, noise, seed)


def circles(samples: int = 100, *, noise: float = 0.05, seed: int | None = None) -> Data:
    """A circle of radius 1, class 0, around one of radius ½, class 1.

    Args:
        samples, noise, seed: as for `moons`.

    >>> inputs, targets = circles(3, noise=0, seed=1)
    >>> [round(math.hypot(x, y), 9) for x, y in inputs], targets
    ([0.5, 1.0, 1.0], [1, 0, 0])
    """

    def place(along: float, target: int) -> complex:
        return rect(0.5 if target else 1.0, 2 * math.pi * along)

    return _two_classes(place, samples, noise, seed)


def spirals(
    samples: int = 200, *, turns: float = 1.5, noise: float = 0.02, seed: int | None = None
) -> Data:
    """Two arms that wind around each other, from the middle out to radius 1.

    Args:
        samples, noise, seed: as for `moons`.
        turns: number of turns of each arm around the middle.

    >>> len(spirals(300, seed=1).inputs)
    300
    """

    def place(along: float, target: int) -> complex:
        return rect(along, 2 * math.pi * turns * along + math.pi * target)

    return _two_classes(place, samples, noise, seed)


def gate(name: str, samples: int = 4, *, noise: float = 0.0, seed: int | None = None) -> Data:
    """The truth table of a logic gate, in the lecture's order of rows.

    Args:
        name: "and", "or", "nand", "nor", "xor" or "xnor".
        samples: number of points; beyond 4 the table starts again.
        noise, seed: as for `moons`.

    Source:
        Lecture 7, "Role of hidden layers: a simple example".

    >>> gate("xor")
    Data(inputs=[[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], targets=[0, 1, 1, 0])
    """
    if name.lower() not in GATES:
        raise ValueError(f"no gate {name!r}; there are {', '.join(GATES)}")
    _check(samples, noise)
    generator = random.Random(seed)
    table = [((1, 1), 2), ((1, 0), 1), ((0, 1), 1), ((0, 0), 0)]
    rows = [table[k % 4] for k in range(samples)]
    return Data(
        [[x + generator.gauss(0, noise) for x in corner] for corner, _ in rows],
        [int(ones in GATES[name.lower()]) for _, ones in rows],
    )


def digits() -> Data:
    """1797 handwritten digits of 8 × 8 pixels: 64 inputs from 0 to 1, and a one-hot target of 10.

    Source:
        Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
        Repository; the copy in scikit-learn.

    >>> from micrograd_lab import MLP, cross_entropy, fit
    >>> train, validation = digits().split(0.2, seed=1)  # doctest: +SKIP
    >>> fit(MLP(64, [32, 10]), *train, loss=cross_entropy, epochs=20)  # doctest: +SKIP
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError("digits needs scikit-learn; pip install scikit-learn") from None
    pixels, classes = load_digits(return_X_y=True)
    return Data((pixels / 16).tolist(), [[int(k == digit) for k in range(10)] for digit in classes])


def _cell(x: Any) -> str:
    """A number or a name of a table."""
    return "…" if x is None else x if isinstance(x, str) else as_given(x)


def _target(target: Any) -> str:
    """A target in a table; a row with a 1 at the index of the class as that index."""
    row = target if isinstance(target, list) else [target]
    one_hot = len(row) > 1 and sorted(row) == [0] * (len(row) - 1) + [1]
    return f"class {row.index(1)}" if one_hot else " ".join(map(_cell, row))


def _shape(part: Any) -> tuple[int, ...]:
    """The number of rows, and the number in a row if it is one."""
    first = part[0] if isinstance(part, list | tuple) and part else 0
    inner = (len(first),) if isinstance(first, list | tuple) else ()
    return tuple(getattr(part, "shape", (len(part), *inner)))


def _rows(part: Any, rows: Sequence[int]) -> Any:
    """Some rows of a list, a frame, an array or a tensor."""
    if isinstance(part, list | tuple):
        return [part[i] for i in rows]
    return part.iloc[rows] if hasattr(part, "iloc") else part[rows]


def _two_classes(
    place: Callable[[float, int], complex], samples: int, noise: float, seed: int | None
) -> Data:
    """Random points of the complex plane along two curves, in random order."""
    _check(samples, noise)
    generator = random.Random(seed)
    targets = [k % 2 for k in range(samples)]
    generator.shuffle(targets)
    inputs = []
    for target in targets:
        at = place(generator.random(), target)
        inputs.append([x + generator.gauss(0, noise) for x in (at.real, at.imag)])
    return Data(inputs, targets)


def _check(samples: int, noise: float) -> None:
    if samples < 1:
        raise ValueError(f"{samples} samples; at least 1 is needed")
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise is {noise:g}; it needs to be at least 0")
