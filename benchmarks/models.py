"""A model written for each library, and a training step of it by each.

A step is the forward pass, the backward pass and the update of the parameters.
"""

# mypy: disable-error-code="import-untyped"

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workloads import RATE, Step


@dataclass
class Model:
    """A model, written for each library.

    Attributes:
        shapes: of its matrices: (rows, columns) by name.
        rows: of numbers, one per sample.
        arrays: the same samples as a library takes them.
        of_values: the loss of one sample, from matrices of values and the values of a row.
        of_torch, of_jax: the mean loss, from matrices and arrays.
        branches: whether `of_values` compares values, and goes on accordingly.
        of_compiled: what to compile instead of `of_torch`, where that cannot be or is slower.
    """

    shapes: dict[str, tuple[int, int]]
    rows: Any
    arrays: tuple[Any, ...]
    of_values: Callable[[dict[str, Any], list[Any]], Any]
    of_torch: Callable[..., Any]
    of_jax: Callable[..., Any]
    branches: bool = False
    of_compiled: Callable[..., Any] | None = None

    def matrices(self) -> dict[str, Any]:
        """The numbers to begin with."""
        import numpy as np

        random = np.random.default_rng(0)
        return {name: random.normal(size=shape) / 8 for name, shape in self.shapes.items()}


def by_tape(model: Model) -> Step:
    """The loss of one sample, recorded as scalars and replayed."""
    from micrograd_lab import recording, replay

    with recording():
        program = replay(*recorded(model))
    program.load()

    def step() -> tuple[float, Any]:
        loss = program.run(model.rows)
        program.vector -= RATE * program.gradient
        return loss, program.gradient

    return step


def recorded(model: Model) -> tuple[Any, list[Any], list[Any]]:
    """The loss, or the function of it where it has branches; its inputs and its parameters."""
    from micrograd_lab import Value

    matrices = {
        name: [[*map(Value, row)] for row in numbers.tolist()]
        for name, numbers in model.matrices().items()
    }
    row = [Value(number, f"x_{k}") for k, number in enumerate(model.rows[0].tolist(), start=1)]
    parameters = [w for rows in matrices.values() for row in rows for w in row]
    if model.branches:
        return lambda *row: model.of_values(matrices, [*row]), row, parameters
    return model.of_values(matrices, row), row, parameters


def by_torch(model: Model, *, compiled: bool = False) -> Step:
    import torch

    matrices = {name: torch.tensor(m, requires_grad=True) for name, m in model.matrices().items()}
    arrays = [*map(torch.tensor, model.arrays)]
    loss_of = torch.compile(model.of_compiled or model.of_torch) if compiled else model.of_torch

    def step() -> tuple[float, Any]:
        loss = loss_of(matrices, *arrays)
        slopes = torch.autograd.grad(loss, [*matrices.values()])
        with torch.no_grad():
            for m, slope in zip(matrices.values(), slopes):
                m -= RATE * slope
        return loss.item(), Flat(slopes)

    return step


def by_jax(model: Model) -> Step:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    state = {name: jnp.array(m) for name, m in model.matrices().items()}
    arrays = [*map(jnp.array, model.arrays)]

    @jax.jit
    def updated(state: Any, arrays: Any) -> Any:
        loss, slopes = jax.value_and_grad(model.of_jax)(state, *arrays)
        return loss, slopes, {name: m - RATE * slopes[name] for name, m in state.items()}

    def step() -> tuple[float, Any]:
        nonlocal state
        loss, slopes, state = updated(state, arrays)
        return loss.item(), Flat([slopes[name] for name in model.shapes])

    return step


@dataclass
class Flat:
    """Matrices as one vector, made when somebody looks."""

    matrices: Any

    def __iter__(self) -> Iterator[float]:
        for matrix in self.matrices:
            yield from matrix.reshape(-1).tolist()


WAYS: dict[str, tuple[str, Callable[[Model], Step]]] = {
    "tape": ("numpy", by_tape),
    "PyTorch": ("torch", by_torch),
    "torch.compile": ("torch", lambda model: by_torch(model, compiled=True)),
    "jax.jit": ("jax", by_jax),
}
