"""What computes a plan with arrays: NumPy; ``elsewhere.py`` has PyTorch and JAX."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ..domain import recording
from .arrays.groups import array_program, grouped, layout
from .arrays.inplace import in_place
from .arrays.kinds import Group
from .arrays.source import ArrayProgram, listing
from .plan import AFTER, Plan
from .python.straight import StraightLine

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

Vector: TypeAlias = "NDArray[float64]"
MAX_STATEMENTS = 2000  # array statements
MAX_LINES = 1000  # of plain Python that is compiled
_NOTE = "# what runs: these statements with out=; for few samples of a small graph, plain Python\n"


class Arrays:
    """Array statements, on NumPy's arrays or those of another engine.

    What is infinite or NaN on the way makes the loss or the gradient infinite or NaN; then the
    scalar engine decides.

    Attributes:
        layout: which parameter each entry of `vector` and `gradient` is.
        vector: the parameters' numbers, which the caller sets.
        gradient: what a call leaves there.
    """

    def __init__(self, plan: Plan, parameters: int, names: Callable[[int], str]) -> None:
        import numpy as np

        self.plan: Plan = plan
        self.names: Callable[[int], str] = names
        self._np = np
        self.groups: list[Group] = grouped(plan)
        self.layout: list[int] = layout(plan, self.groups, parameters)
        self.vector: Vector = np.zeros(parameters)
        self.gradient: Vector = np.zeros(parameters)

    @cached_property
    def program(self) -> ArrayProgram:
        return array_program(self.plan, self.groups, self.layout)

    @property
    def source(self) -> str:
        return listing(self.program, self.names)

    def keep(self, gradient: Any) -> None:
        """Take over the gradient, a column in the engine's own form."""
        self.gradient[:] = self._np.asarray(gradient)[:, 0]
        if not self._np.isfinite(self.gradient).all():
            raise FloatingPointError("the gradient is not finite")


class NumPy(Arrays):
    """Array statements; straight-line Python where their overhead would be larger."""

    def __init__(self, plan: Plan, parameters: int, names: Callable[[int], str]) -> None:
        super().__init__(plan, parameters, names)
        self._edges = sum(map(len, plan.inputs))
        self._sums = AFTER in plan.phases  # over the samples: plain Python has none
        self._prepared: dict[int, Callable[..., Any]] = {}

    def __call__(self, data: Vector) -> float:
        samples = len(data)
        if self._is_narrow(samples):
            loss, self.gradient[:] = self._straight.run(self.vector.tolist(), data.tolist())
            return loss
        if samples not in self._prepared:
            if len(self._prepared) > 8:
                self._prepared.clear()  # each keeps arrays
            self._prepared[samples] = self._prepare(self.vector[:, None], samples)
        with self._np.errstate(all="ignore"):
            loss, gradient = self._prepared[samples](data.T)
        self.keep(gradient)
        return float(loss)

    @property
    def source(self) -> str:
        if self._is_deep():
            return self._straight.source
        return listing(self.program, self.names, _NOTE)

    @cached_property
    def _prepare(self) -> Callable[..., Any]:
        scope: dict[str, Any] = {}
        with recording():
            exec(compile(in_place(self.program), "<replay>", "exec"), scope)
        return scope["prepare"]  # type: ignore[no-any-return]

    @cached_property
    def _straight(self) -> StraightLine:
        with recording():
            return StraightLine(self.plan, self.layout, MAX_LINES)

    def _is_narrow(self, samples: int) -> bool:
        """Whether one Python operation per number costs less than the overhead of the arrays."""
        overhead = 2.5 * len(self.groups)  # microseconds, as the next
        return not self._sums and (0.1 * self._edges * samples < overhead or self._is_deep())

    def _is_deep(self) -> bool:
        """Whether there are more statements than one can read, or wants to wait for."""
        return len(self.groups) > MAX_STATEMENTS and not self._sums
