"""A recorded loss as a program: the mean loss and its gradient from the numbers of many samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from ..domain import recording
from ..engine import Value, recorded
from ..graph import Graph
from .elsewhere import JAX, Torch
from .plan import Plan, make_plan
from .runners import NumPy, Python, Runner
from .scalar import by_samples
from .tape.tape import Tape

_RUNNERS: dict[str, Callable[..., Runner]] = {
    "tape": Tape,
    "numpy": NumPy,
    "torch": Torch,
    "jax": JAX,
}
BACKENDS = (*_RUNNERS, "python")


def replay(
    loss: Value,
    inputs: Sequence[Value] = (),
    parameters: Sequence[Value] | None = None,
    *,
    backend: str | None = None,
) -> Program:
    """A program that computes `loss` again, for other numbers, at array speed.

    The operations are those that were recorded: an ``if`` on a value's number was decided then,
    and stays decided.  All leaves but `inputs` and `parameters` keep the numbers they have now.

    Args:
        loss: the loss of one sample; or of a whole batch, if there are no `inputs`.
        inputs: the leaves that differ from sample to sample, one for each column of the data.
        parameters: the leaves to find the gradient by.  If not given: as `Graph` finds them, by
            their labels.
        backend: "tape" (needs Numba), "numpy", "python" (the standard library only), "torch" or
            "jax".  If not given: the fastest that is installed, "tape" or "numpy".

    Raises:
        TypeError: if an input or a parameter is not a value.
        ValueError: if one is computed, or given twice, or if there is no such backend.

    >>> w, x, t = Value(2, "w"), Value(0, "x"), Value(0, "t")
    >>> program = replay((w * x - t).half_square(), [x, t], [w], backend="numpy")
    >>> program([[1, 1], [2, 5]]), w.grad
    (0.5, -0.5)
    >>> print(program.source)  # doctest: +ELLIPSIS
    import numpy as np
    ...
    """
    return Program(loss, inputs, parameters, backend)


class Program:
    """What `replay` makes.

    Attributes:
        values: the parameters, in the order of `vector` and `gradient`.
        backend: which one computes.

    >>> w, x = Value(2, "w"), Value(0, "x")
    >>> Program((w * x).half_square(), [x], [w])([[1], [3]])
    10.0
    """

    def __init__(
        self,
        loss: Value,
        inputs: Sequence[Value] = (),
        parameters: Sequence[Value] | None = None,
        backend: str | None = None,
    ) -> None:
        if not isinstance(loss, Value):
            raise TypeError(f"the loss is {type(loss).__name__} {loss!r:.60}; give a value")
        self.inputs: list[Value] = list(inputs)
        if parameters is None:
            found = Graph(loss, products=False).parameters.difference(self.inputs)
            parameters = [value for value in recorded(loss) if value in found]
        self.parameters: list[Value] = list(parameters)
        _check_leaves(self.inputs, self.parameters)
        self.loss: Value = loss
        self.backend: str = backend or ("tape" if find_spec("numba") else "numpy")
        self._rows: Any = object()  # the array that was checked last, and its shape
        self._shape: tuple[int, ...] = ()
        with recording():
            self._runner: Runner = self._make_runner()
        self.values: list[Value] = [self.parameters[i] for i in self._runner.layout]

    def __call__(self, data: Any = None) -> float:
        """The mean loss over the samples; sets `grad` of each parameter to that of the mean.

        Reads the parameters' numbers from the values.

        Args:
            data: one row per sample, one column per input; nothing if there are no inputs.

        Raises:
            ValueError: if `data` has another shape; or, as the engine says it, if a sample leaves
                the domain of an operation or gives a NaN, unless within `ieee()`.
        """
        self.load()
        loss = self.run(data)
        for value, grad in zip(self.values, _floats(self.gradient)):
            value.grad = grad
        return loss

    def run(self, data: Any = None) -> float:
        """The mean loss at `vector`; leaves its gradient in `gradient`, and the values alone.

        For training: between two calls change `vector`, and `store` it at the end.

        >>> w, x = Value(2, "w"), Value(0, "x")
        >>> program = replay((w * x).half_square(), [x], [w])
        >>> program.load()
        >>> for _ in range(3):
        ...     loss = program.run([[1]])
        ...     program.vector -= 0.5 * program.gradient
        >>> program.store()
        >>> w.data
        0.25
        """
        rows = self._checked(data)
        try:
            loss = self._runner(rows)
            if math.isfinite(loss):
                return loss
        except (ArithmeticError, ValueError):
            pass
        return self._by_samples(rows)

    @property
    def vector(self) -> Any:
        """The parameters' numbers: an array that `run` reads, and that may be changed."""
        return self._runner.vector

    @vector.setter
    def vector(self, numbers: Any) -> None:
        if numbers is not self._runner.vector:
            self._runner.vector[:] = numbers

    @property
    def gradient(self) -> Any:
        """The gradient of the last loss, which the next `run` overwrites."""
        return self._runner.gradient

    def load(self) -> None:
        """Read the parameters' numbers from the values into `vector`."""
        self.vector[:] = [value.data for value in self.values]

    def store(self) -> None:
        """Write `vector` and `gradient` to the values."""
        for value, data, grad in zip(self.values, _floats(self.vector), _floats(self.gradient)):
            value.data, value.grad = data, grad

    @property
    def source(self) -> str:
        """The program: NumPy as one would write it, Python, or what the tape computes."""
        return self._runner.source

    @property
    def function(self) -> Callable[..., Any]:
        """The backend's own function, for "torch" and "jax".

        It takes the column of parameters and the data, a row for each input and a column for each
        sample, and returns the loss and its gradient by the parameters.
        """
        if not isinstance(self._runner, Torch | JAX):
            raise TypeError(f"{self.backend} has no function of arrays; torch and jax have")
        return self._runner.function

    def _make_runner(self) -> Runner:
        count = len(self.parameters)
        if self.backend == "python":
            return Python(self._plan(batch=False), count)
        made = self._plan()
        if self.backend not in _RUNNERS:
            raise ValueError(f"no backend {self.backend!r}; there are {', '.join(BACKENDS)}")
        graph_names: dict[Value, str] = {}

        def name(node: int) -> str:
            if not graph_names:
                graph_names.update(Graph(self.loss, parameters=(), products=False).names)
            value = made.values[node]
            return graph_names[value] if value else ""

        return _RUNNERS[self.backend](made, count, name)

    def _plan(self, *, batch: bool = True) -> Plan:
        made = make_plan(self.loss, self.inputs, self.parameters, batch=batch)
        self._batch: Any = made.batch
        return made

    def _checked(self, data: Any) -> Any:
        """`data` as rows of numbers, in the form that the backend takes."""
        if data is self._rows and data.shape == self._shape:
            return data  # as in the step before: checking again would cost as much as a small step
        if self.inputs and data is None:
            raise TypeError(f"no data; give one row per sample, {len(self.inputs)} numbers in each")
        if not self.inputs and data is not None:
            raise TypeError("data, but no inputs to put it in; name them: replay(loss, inputs=...)")
        rows: Any
        shape: tuple[int, ...]
        if self.backend == "python":
            try:
                rows = [[]] if data is None else [[*map(float, row)] for row in data]
            except TypeError:
                raise TypeError(f"data {data!r:.60}; give one row of numbers per sample") from None
            shape = len(rows), len(rows[0]) if rows else 0
            if any(len(row) != shape[1] for row in rows):
                raise ValueError("the rows of the data differ in length; give one number per input")
        else:
            import numpy as np

            if data is None:
                if self._batch is None:
                    return np.zeros((1, 0))
                self._batch = np.ascontiguousarray(self._batch, dtype=float)
                return self._batch
            rows = np.ascontiguousarray(data, dtype=float)
            shape = rows.shape
        if len(shape) != 2 or shape[1] != len(self.inputs) or not shape[0]:
            raise ValueError(
                f"data of shape {shape}; "
                f"give one row per sample, {len(self.inputs)} numbers in each"
            )
        if rows is data:
            self._rows, self._shape = rows, shape
        return rows

    def _by_samples(self, rows: Any) -> float:
        """What the scalar engine makes of `rows`, which may be an error."""
        numbers = dict(zip(self.values, _floats(self.vector)))
        rows = _floats(rows) if self.inputs else [()]
        loss, gradient = by_samples(self.loss, self.inputs, numbers, rows)
        self.gradient[:] = gradient
        return loss


def _floats(numbers: Any) -> list[float]:
    return numbers.tolist() if hasattr(numbers, "tolist") else numbers  # type: ignore[no-any-return]


def _check_leaves(inputs: list[Value], parameters: list[Value]) -> None:
    seen: set[Value] = set()
    for what, values in (("input", inputs), ("parameter", parameters)):
        for number, value in enumerate(values):
            if not isinstance(value, Value):
                raise TypeError(
                    f"{what} {number} is {type(value).__name__} {value!r:.60}; give values"
                )
            if value.inputs:
                raise ValueError(f"{what} {number} is computed, {value!r}; give leaves")
            if value in seen:
                raise ValueError(f"{what} {number}, {value!r}, is given twice")
            seen.add(value)
