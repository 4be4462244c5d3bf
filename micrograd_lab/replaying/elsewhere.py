"""What computes a plan in another engine: PyTorch or JAX."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from ..formulas import ELEMENTARY, NUMPY_NAME
from .arrays.source import constants_source, function
from .runners import Arrays, Vector

MAX_SECONDS = 10  # of compiling


class Elsewhere(Arrays):
    """The readable program in an engine whose arrays are not NumPy's.

    Raises:
        ValueError: if to compile it would take longer than `MAX_SECONDS`, by the times measured.

    Attributes:
        function: from the column of parameters and the data (a row for each input, a column for
            each sample) to the loss and its gradient, on the engine's own arrays.
    """

    costs: tuple[float, float]  # seconds: of a statement; of a matrix product, or of moving rows

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        scope = self.scope()
        self._weigh(len(self.groups), 0)  # to write them would take long, too
        text = function(self.program)
        self._weigh(text.count("\n"), len(re.findall(r"put\(|concatenate\(|\[i\d+\]| @ ", text)))
        exec(constants_source(self.program) + text, scope)
        self.function: Callable[..., Any] = scope["program"]

    def _weigh(self, statements: int, moves: int) -> None:
        seconds = statements * self.costs[0] + moves * self.costs[1]
        if seconds > MAX_SECONDS:
            raise ValueError(
                f"{type(self).__name__} would compile the {statements:,} statements of this graph "
                f"for about {seconds:.0f} s, more than {MAX_SECONDS}, since so few of its nodes "
                'are alike; backend="tape" compiles nothing'
            )

    def scope(self) -> dict[str, Any]:
        """What the program calls: `np`, `put`, and what NumPy lacks."""
        raise NotImplementedError


class Torch(Elsewhere):
    """The readable program under PyTorch."""

    costs: tuple[float, float] = 0.0007, 0.0

    def scope(self) -> dict[str, Any]:
        torch = required("torch", "PyTorch")
        self._torch = torch

        def number(x: Any) -> Any:
            return x if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=torch.float64)

        def array(numbers: list[Any]) -> Any:
            positions = isinstance(numbers[0], int)
            return torch.tensor(numbers, dtype=torch.int64 if positions else torch.float64)

        def in_doubles(what: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *args: what(*args, dtype=torch.float64)

        def reduceat(x: Any, starts: Any) -> Any:
            lengths = torch.diff(starts, append=torch.tensor([len(x)]))
            return torch.stack([part.sum(0) for part in torch.split(x, lengths.tolist())])

        def put(count: int, at: Any, rows: Any) -> Any:
            return torch.zeros(count, rows.shape[1], dtype=torch.float64).index_copy(0, at, rows)

        names = [NUMPY_NAME.get(name, name) for name in ELEMENTARY]
        np = SimpleNamespace(**{name: getattr(torch, name, None) for name in names})
        vars(np).update(
            array=array,
            power=torch.pow,
            floor=torch.floor,
            maximum=lambda x, y: torch.maximum(number(x), number(y)),
            where=lambda test, x, y: torch.where(test, number(x), number(y)),
            full=in_doubles(torch.full),
            ones=in_doubles(torch.ones),
            zeros=in_doubles(torch.zeros),
            concatenate=torch.cat,
            broadcast_to=lambda x, shape: torch.broadcast_to(number(x), shape),
            repeat=torch.repeat_interleave,
            add=SimpleNamespace(reduceat=reduceat),
        )
        np.max = lambda x, axis, keepdims=False: torch.amax(x, axis, keepdims)
        return {"np": np, "put": put, "erf": torch.erf, "erfc": torch.erfc}

    def __call__(self, data: Vector) -> float:
        torch = self._torch
        with torch.no_grad():
            p, x = torch.from_numpy(self.vector)[:, None], torch.from_numpy(data).T
            loss, gradient = self.function(p, x)
        self.keep(gradient)
        return float(loss)


class JAX(Elsewhere):
    """The readable program under JAX, compiled by `jax.jit` for each number of samples."""

    costs: tuple[float, float] = 0.0015, 0.02

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
        special = jax.scipy.special
        return {"np": np, "put": put, "erf": special.erf, "erfc": special.erfc}

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
