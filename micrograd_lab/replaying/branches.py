"""What a record gives for each of many samples, and which of them take its branches."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from ..calculus import maximum, total
from ..domain import recording
from ..engine import Value, recorded
from ..graph import Graph
from ..guards import Guard
from .arrays.groups import grouped, layout, outputs
from .arrays.source import outputs_function
from .checks import add_checks
from .plan import EACH, make_plan
from .tape.kernel import load
from .tape.tape import Tape

AT_ONCE = 4096  # samples, so that what a large network computes fits in memory


class Outputs:
    """Results of a record for many samples at once: an array program.

    Args:
        results: what to compute.
        inputs: the leaves that differ from sample to sample.
        values: the leaves whose numbers are in the vector; all others keep theirs.
        names: of the nodes to compute, below the results, which are computed if there are none.
            Of a sample that the engine would refuse they are NaN, unless `names` is None.
    """

    def __init__(
        self,
        results: Sequence[Value],
        inputs: Sequence[Value],
        values: Sequence[Value],
        names: tuple[str, ...] | None = None,
    ) -> None:
        import numpy as np

        checked = names is not None
        self.results: list[Value] = named(results, names)
        with recording():
            read = [x.abs() for x in self.results]  # so that none is only a part of a sum
            loss = maximum(0.0, *read)
            known = {*inputs, *values}
            others = [x for x in recorded(loss) if not x.inputs and x not in known]
            plan = make_plan(loss, inputs, [*values, *others], backend="python")
            at = {x: i for i, x in enumerate(plan.values)}
            nodes = [
                plan.inputs[at[x]][0] if x in at else plan.add_constant(x.inputs[0].data)
                for x in read
            ]
            if checked:
                plan.active = [False] * len(plan)  # there is no backward pass to notice a slope
                add_checks(plan)
                nodes.append(plan.result)
            groups = grouped(plan)
            self._order = layout(plan, groups, len(values) + len(others))
            scope: dict[str, Any] = {}
            exec(outputs_function(outputs(plan, groups, self._order, nodes)), scope)
        self._others = np.array([x.data for x in others])
        self._function, self._checked = scope["outputs"], checked

    def __call__(self, rows: Any, vector: Any) -> Any:
        """The numbers of the results: an array with a row per sample."""
        import numpy as np

        numbers = np.concatenate([vector, self._others])[self._order]
        rows, starts = np.asarray(rows), range(0, len(rows) or 1, AT_ONCE)
        with np.errstate(all="ignore"):
            parts = [self._function(numbers[:, None], rows[k : k + AT_ONCE].T).T for k in starts]
        found = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if not self._checked:
            return found
        found[~np.isfinite(found[:, -1])] = np.nan
        return found[:, :-1]


def named(results: Sequence[Value], names: Sequence[str] | None) -> list[Value]:
    """The nodes of these names below `results`; without names, these themselves."""
    if not names:
        return [*results]
    nodes = Graph(results[0] if len(results) == 1 else total(results), products=False).names
    known = {name: node for node, name in nodes.items()}
    for name in names:
        if name not in known:
            near = ", ".join(get_close_matches(f"{name}", known, cutoff=0))
            raise ValueError(f"nothing is called {name!r:.60}; the nearest names are {near}")
    return [known[name] for name in names]


class Branches:
    """Guards as a program over samples: the tape's, or NumPy's where there is no kernel.

    Args:
        inputs: the leaves that differ from sample to sample.
        values: the leaves whose numbers are in the vector.
    """

    def __init__(
        self, guards: Sequence[Guard], inputs: Sequence[Value], values: Sequence[Value]
    ) -> None:
        self.guards: list[Guard] = list(guards)
        self._inputs, self._values = inputs, values
        self._missed: Tape | Outputs | None = None
        if guards:
            with recording():
                missed = total(map(_miss, guards))
                plan = make_plan(missed, inputs, values, backend="tape")
            if load() and plan.phases[plan.result] == EACH:
                self._missed = Tape(plan, len(values), lambda node: "")
            else:
                self._missed = Outputs([missed], inputs, values)

    def misses(self, rows: Any, vector: Any) -> Any:
        """How many guards go another way for each sample; NaN where nobody can tell."""
        import numpy as np

        if not self._missed or not len(rows):
            return np.zeros(len(rows))
        if isinstance(self._missed, Outputs):
            return self._missed(rows, vector)[:, 0]
        self._missed.vector[:] = vector
        return self._missed.each(np.ascontiguousarray(rows, dtype=float))

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
