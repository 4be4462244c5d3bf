"""What computes a plan: NumPy, plain Python, PyTorch or JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

from ..formulas import ELEMENTARY
from .arrays.arrays import ArrayProgram
from .arrays.emit import constants_source, function, readable
from .arrays.groups import grouped, layout
from .arrays.inplace import fast
from .plan import AFTER, Plan
from .python.straight import StraightLine

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Vector = NDArray[float64]


_DEEP = 2000  # array statements


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
        self.layout = range(parameters)
        self.vector = [0.0] * parameters
        self.gradient = [0.0] * parameters
        self._program = StraightLine(plan, self.layout)
        self.source = self._program.source

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
        self.layout = layout(plan, self._groups, parameters)
        self.vector: Vector = np.zeros(parameters)
        self.gradient: Vector = np.zeros(parameters)
        self._edges = sum(map(len, plan.inputs))
        self._prepared: dict[int, Callable[[Vector], float]] = {}

    @cached_property
    def program(self) -> ArrayProgram:
        return ArrayProgram(self._plan, self._groups, self.layout)

    @cached_property
    def source(self) -> str:
        return self._straight.source if self._is_deep() else readable(self.program, self._names)

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
        return len(self._groups) > _DEEP and AFTER not in self._plan.phases

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


class _Elsewhere:
    """The readable program in an engine whose arrays are not NumPy's.

    Attributes:
        function: from the column of parameters and the data (a row for each input, a column for
            each sample) to the loss and its gradient, on the engine's own arrays.
    """

    def __init__(self, plan: Plan, parameters: int, names: Callable[[int], str]) -> None:
        import numpy as np

        groups = grouped(plan)
        self.layout = layout(plan, groups, parameters)
        self.vector: Vector = np.zeros(parameters)
        self.gradient: Vector = np.zeros(parameters)
        self._program, self._names = ArrayProgram(plan, groups, self.layout), names
        scope = self.scope()
        exec(constants_source(self._program) + function(self._program), scope)
        self.function: Callable[..., Any] = scope["program"]

    @cached_property
    def source(self) -> str:
        return readable(self._program, self._names)

    def scope(self) -> dict[str, Any]:
        """What the program calls: `np` and `put`."""
        raise NotImplementedError

    def keep(self, gradient: Any) -> None:
        """Take over the gradient, a column in the engine's own form."""
        import numpy as np

        self.gradient[:] = np.asarray(gradient)[:, 0]
        if not np.isfinite(self.gradient).all():
            raise FloatingPointError("the gradient is not finite")


class Torch(_Elsewhere):
    """The readable program under PyTorch."""

    def scope(self) -> dict[str, Any]:
        torch = required("torch", "PyTorch")
        self._torch = torch

        def number(x: Any) -> Any:
            return x if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=torch.float64)

        def array(numbers: list[Any]) -> Any:
            positions = isinstance(numbers[0], int)
            return torch.tensor(numbers, dtype=torch.int64 if positions else torch.float64)

        def made(what: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *args: what(*args, dtype=torch.float64)

        def reduceat(x: Any, starts: Any) -> Any:
            lengths = torch.diff(starts, append=torch.tensor([len(x)]))
            return torch.stack([part.sum(0) for part in torch.split(x, lengths.tolist())])

        def put(count: int, at: Any, rows: Any) -> Any:
            return torch.zeros(count, rows.shape[1], dtype=torch.float64).index_copy(0, at, rows)

        np = SimpleNamespace(
            **{name: getattr(torch, name) for name in ELEMENTARY if hasattr(torch, name)},
            array=array,
            power=torch.pow,
            floor=torch.floor,
            maximum=lambda x, y: torch.maximum(number(x), number(y)),
            where=lambda test, x, y: torch.where(test, number(x), number(y)),
            full=made(torch.full),
            ones=made(torch.ones),
            zeros=made(torch.zeros),
            concatenate=torch.cat,
            broadcast_to=lambda x, shape: torch.broadcast_to(number(x), shape),
            repeat=torch.repeat_interleave,
            add=SimpleNamespace(reduceat=reduceat),
        )
        np.max = lambda x, axis, keepdims=False: torch.amax(x, axis, keepdims)
        return {"np": np, "put": put}

    def __call__(self, data: Vector) -> float:
        torch = self._torch
        with torch.no_grad():
            p, x = torch.from_numpy(self.vector)[:, None], torch.from_numpy(data).T
            loss, gradient = self.function(p, x)
        self.keep(gradient)
        return float(loss)


class JAX(_Elsewhere):
    """The readable program under JAX, compiled by `jax.jit` for each number of samples."""

    def scope(self) -> dict[str, Any]:
        jax = required("jax", "JAX")
        import jax.numpy as jnp
        import numpy

        def reduceat(x: Any, starts: Any) -> Any:
            lengths = jnp.diff(starts, append=len(x))
            part = jnp.repeat(jnp.arange(len(starts)), lengths, total_repeat_length=len(x))
            return jax.ops.segment_sum(x, part, num_segments=len(starts))

        def put(count: int, at: Any, rows: Any) -> Any:
            return jnp.zeros((count, rows.shape[1])).at[at].set(rows)

        self._jax = jax
        ours = {"add": SimpleNamespace(reduceat=reduceat), "array": numpy.array}
        np = SimpleNamespace(**{**vars(jnp), **ours})
        return {"np": np, "put": put}

    @cached_property
    def _compiled(self) -> Callable[..., Any]:
        return self._jax.jit(self.function)  # type: ignore[no-any-return]

    def __call__(self, data: Vector) -> float:
        with self._jax.enable_x64(True):
            loss, gradient = self._compiled(self.vector[:, None], data.T)
            self.keep(gradient)
            return float(loss)


def required(module: str, name: str) -> Any:
    """The module, or an error that says how to install it."""
    try:
        return import_module(module)
    except ImportError:
        raise ImportError(f"{name} is not installed; run: pip install {module}") from None
