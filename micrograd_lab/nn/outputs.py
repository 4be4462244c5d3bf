"""What a model computes for many samples: numbers, at array speed.

One sample is recorded, and the formulas of the table run over the columns of all others that take
the same path through the model: those for which its comparisons go the same way.  A sample that
leaves the path, or a domain, is recorded in turn.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from ..calculus import total
from ..domain import recording
from ..engine import Value, recorded
from ..formulas import compiled
from ..given import Given
from ..guards import Guard, watched
from ..ops import OPS
from ..tell.languages import formula_numpy
from .leaves import leaves

_DOT = OPS["dot"]
_AT_ONCE = 4096  # samples, so that a large network's numbers fit in memory
_MOST_PATHS = 64


def outputs(model: Callable[[Any], Any], inputs: Any, what: str = "sample") -> Any:
    """The numbers of the outputs: one row per row of `inputs`, an array.

    Raises:
        ValueError: if a number is outside a domain, as the engine says it, with the sample.

    >>> import numpy as np
    >>> outputs(lambda x: x[0] * x[1], np.array([[2.0, 3.0], [4.0, 5.0]]))
    array([[ 6.],
           [20.]])
    """
    import numpy as np

    if not inputs.size:
        raise ValueError(f"{len(inputs)} {what}s; give at least 1, with numbers in it")

    def path(i: int) -> _Path:
        return _Path(model, inputs[i].tolist(), f"{what} {i}")

    known = [path(0)]
    found = np.empty((len(inputs), len(known[0].numbers)))
    for left in np.array_split(np.arange(len(inputs)), math.ceil(len(inputs) / _AT_ONCE)):
        for this in known:
            fits, numbers = this.run(inputs[left])
            found[left[fits]] = numbers[fits]
            left = left[~fits]
        while len(left):
            this = path(left[0])
            fits, numbers = this.run(inputs[left])
            if fits[0] and len(known) < _MOST_PATHS:
                known.append(this)
            fits[0], numbers[0] = True, this.numbers
            found[left[fits]] = numbers[fits]
            left = left[~fits]
    last = len(inputs) - 1
    if last and not np.allclose(found[last], path(last).numbers, rtol=1e-9, atol=1e-12):
        # the model read a number that no comparison shows
        found[:] = [path(i).numbers for i in range(len(inputs))]
    return found


def decided(outputs: Any, threshold: float) -> Any:
    """The class of each row, from 0: its largest output; of one output, whether it is above.

    >>> import numpy as np
    >>> decided(np.array([[0.2, 3.0], [5.0, 1.0]]), 0.0), decided(np.array([[0.2]]), 0.0)
    (array([1, 0]), array([1]))
    """
    alone = outputs.shape[1] == 1
    return (outputs[:, 0] > threshold).astype(int) if alone else outputs.argmax(axis=1)


def check_value(what: str, value: object) -> None:
    """Raise an error unless it is a value."""
    if not isinstance(value, Value):
        raise TypeError(
            f"{what} is {type(value).__name__} {value!r:.60}, no Value; a function of math or an "
            "array cuts the graph: write v.tanh(), not math.tanh(v)"
        )


class _Path:
    """One sample, recorded, to be computed for others."""

    def __init__(self, model: Callable[[Any], Any], row: Sequence[float], name: str) -> None:
        self._inputs = leaves(row, "x")
        try:
            with recording(), watched() as self._trace:
                output: Any = model([*self._inputs])
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        self._outputs = [*output] if hasattr(output, "__iter__") else [output]
        for y in self._outputs:
            check_value("an output of the model", y)
        self.numbers = [y.data for y in self._outputs]
        guards = [asked for asked in self._trace if isinstance(asked, Guard)]
        compared = [x for guard in guards for x in (guard.left, guard.right)]
        self._order = recorded(total([*self._outputs, *compared]))[:-1]

    def run(self, rows: Any) -> tuple[Any, Any]:
        """Which rows belong here, with every number finite, and the outputs of all rows."""
        import numpy as np

        if any(isinstance(node.op, Given) for node in self._order):  # without a formula
            return np.zeros(len(rows), bool), np.empty((len(rows), len(self.numbers)))
        at: dict[Value, Any] = dict(zip(self._inputs, rows.T.astype(float)))
        read: dict[Any, Any] = {}  # by sums of products, as one array
        fits = np.ones(len(rows), bool)
        with np.errstate(all="ignore"):
            for node in self._order:
                inputs = [at[x] for x in node.inputs]
                if not node.op:
                    at.setdefault(node, node.data)
                elif node.op is _DOT:
                    k = _DOT.pairs(len(inputs))
                    x = node.inputs[k : 2 * k]
                    if x not in read:
                        read[x] = np.stack(
                            [np.broadcast_to(y, len(rows)) for y in inputs[k : 2 * k]]
                        )
                    at[node] = sum(inputs[2 * k :], _product(inputs[:k], read[x]))
                elif node.op.variadic:
                    at[node] = sum(inputs)
                else:
                    letters = dict(zip("xy", inputs), n=node.op.n, np=np)
                    at[node] = eval(compiled(_in_numpy(node.op.formula)), letters)
                fits &= np.isfinite(at[node])
            for asked in self._trace:
                if not isinstance(asked, Guard):  # a mark: what follows, nobody knows
                    fits[:] = False
                    break
                went = getattr(operator, asked.sign)(at[asked.left], at[asked.right])
                fits &= went == asked.held
        return fits, np.stack([np.broadcast_to(at[y], len(rows)) for y in self._outputs], axis=1)


def _product(weights: list[Any], columns: Any) -> Any:
    """The sum of weight times column; a weight is a number, or a column too."""
    import numpy as np

    if any(isinstance(w, np.ndarray) for w in weights):
        return sum(w * column for w, column in zip(weights, columns))
    return np.array(weights) @ columns


_in_numpy = cache(formula_numpy)
