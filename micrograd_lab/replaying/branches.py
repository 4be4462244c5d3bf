"""Which samples would take the branches that were recorded, at array speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..calculus import total
from ..domain import recording
from ..engine import Value
from ..guards import Guard
from .arrays.groups import grouped, layout, outputs
from .arrays.source import outputs_function
from .plan import make_plan


class Branches:
    """Guards as an array program over samples.

    Args:
        inputs: the leaves that differ from sample to sample.
        values: the leaves whose numbers are in the vector.
    """

    def __init__(
        self, guards: Sequence[Guard], inputs: Sequence[Value], values: Sequence[Value]
    ) -> None:
        self.guards, self._inputs, self._values = list(guards), inputs, values
        if not guards:
            return
        with recording():
            plan = make_plan(total(map(_miss, guards)), inputs, values, batch=False)
            groups = grouped(plan)
            self._order = layout(plan, groups, len(values))
            scope: dict[str, Any] = {}
            exec(outputs_function(outputs(plan, groups, self._order)), scope)
        self._function = scope["outputs"]

    def misses(self, rows: Any, vector: Any) -> Any:
        """How many guards go another way for each sample; NaN where nobody can tell."""
        import numpy as np

        if not self.guards:
            return np.zeros(len(rows))
        numbers = np.asarray(vector)[self._order]
        with np.errstate(all="ignore"):
            return self._function(numbers[:, None], np.asarray(rows).T)

    def first_miss(self, rows: Any, vector: Any) -> tuple[int, Guard] | None:
        """The first sample that would take another branch, and the guard there."""
        import numpy as np

        wrong = np.flatnonzero(self.misses(rows, vector))
        if not len(wrong):
            return None
        sample = int(wrong[0])
        row = np.asarray(rows)[sample : sample + 1]
        for guard in self.guards:
            if Branches([guard], self._inputs, self._values).misses(row, vector)[0]:
                return sample, guard
        raise AssertionError("a sum of misses has a miss in it")


def _miss(guard: Guard) -> Value:
    """A value that is 0 where `guard` goes as it went, and 1 or NaN where it does not."""
    low, high = guard.left, guard.right
    if guard.sign in ("gt", "le"):
        low, high = high, low
    reached: Value = (low - high).step()  # 1 where low >= high: low < high does not hold
    return reached if guard.held == (guard.sign in ("lt", "gt")) else 1 - reached
