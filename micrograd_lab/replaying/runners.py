"""What computes a plan: NumPy or plain Python; ``elsewhere.py`` has PyTorch and JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from .arrays.groups import array_program, grouped, layout
from .arrays.inplace import fast
from .arrays.source import listing
from .arrays.statements import ArrayProgram
from .plan import AFTER, Plan
from .python.straight import StraightLine

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Vector = NDArray[float64]


MAX_STATEMENTS = 2000  # array statements
_NOTE = "# what runs: these statements with out=; for few samples of a small graph, plain Python\n"


class Runner(Protocol):
    """One backend's form of a plan.

    Attributes:
        layout: which parameter each entry of `vector` and `gradient` is.
        source: the program, to be read.
        vector: the parameters' numbers, which the caller sets.
        gradient: what a call leaves there.
    """

    vector: Any
    gradient: Any

    @property
    def layout(self) -> Sequence[int]: ...

    @property
    def source(self) -> str: ...

    def __call__(self, data: Any) -> float:
        """The loss for `data`, one row per sample; fills `gradient`."""


class Python:
    """Straight-line Python; `vector` and `gradient` are lists."""

    def __init__(self, plan: Plan, parameters: int) -> None:
        self.layout: Sequence[int] = range(parameters)
        self.vector: list[float] = [0.0] * parameters
        self.gradient: list[float] = [0.0] * parameters
        self._program = StraightLine(plan, self.layout)
        self.source: str = self._program.source

    def __call__(self, data: Any) -> float:
        rows = data.tolist() if hasattr(data, "tolist") else data
        loss, self.gradient[:] = self._program(self.vector, rows)
        return loss


class NumPy:
    """Array statements; straight-line Python where their overhead would be larger."""

    def __init__(self, plan: Plan, parameters: int, names: Callable[[int], str]) -> None:
        import numpy as np

        self._plan, self._names, self._np = plan, names, np
        self._groups = grouped(plan)
        self.layout: list[int] = layout(plan, self._groups, parameters)
        self.vector: Vector = np.zeros(parameters)
        self.gradient: Vector = np.zeros(parameters)
        self._edges = sum(map(len, plan.inputs))
        self._prepared: dict[int, Callable[[Vector], float]] = {}

    @cached_property
    def program(self) -> ArrayProgram:
        return array_program(self._plan, self._groups, self.layout)

    @cached_property
    def source(self) -> str:
        if self._is_deep():
            return self._straight.source
        return listing(self.program, self._names, _NOTE)

    @cached_property
    def _prepare(self) -> Callable[..., Any]:
        scope: dict[str, Any] = {}
        exec(compile(fast(self.program), "<replay>", "exec"), scope)
        return scope["prepare"]  # type: ignore[no-any-return]

    @cached_property
    def _straight(self) -> StraightLine:
        return StraightLine(self._plan, self.layout)

    def _is_narrow(self, samples: int) -> bool:
        """Whether one Python operation per number costs less than the overhead of the arrays."""
        if AFTER in self._plan.phases:
            return False
        overhead = 2.5 * len(self._groups)  # microseconds, as the next
        return 0.1 * self._edges * samples < overhead or self._is_deep()

    def _is_deep(self) -> bool:
        """Whether there are more statements than one can read, or wants to wait for."""
        return len(self._groups) > MAX_STATEMENTS and AFTER not in self._plan.phases

    def __call__(self, data: Vector) -> float:
        samples = len(data)
        run = self._prepared.get(samples)
        if run is None:
            run = self._prepared[samples] = self._made(samples)
        return run(data)

    def _made(self, samples: int) -> Callable[[Vector], float]:
        np = self._np
        if len(self._prepared) > 8:
            self._prepared.clear()  # each keeps arrays
        if self._is_narrow(samples):
            straight, vector, gradient = self._straight, self.vector, self.gradient

            def narrow(data: Vector) -> float:
                loss, gradient[:] = straight(vector.tolist(), data.tolist())
                return loss

            return narrow
        program, arrays = self._prepare(self.vector[:, None], self.gradient[:, None], samples)

        def wide(data: Vector) -> float:
            try:
                with np.errstate(over="raise", divide="raise", invalid="raise"):
                    return program(data.T)  # type: ignore[no-any-return]
            except FloatingPointError:  # some matrix products report what did not happen
                with np.errstate(all="ignore"):
                    loss: float = program(data.T)
                if all(np.isfinite(array).all() for array in (self.gradient, *arrays)):
                    return loss
                raise

        return wide
