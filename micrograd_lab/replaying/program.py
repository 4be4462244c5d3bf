"""A recorded loss as a program: the mean loss and its gradient from the numbers of many samples."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache, cached_property, partial
from math import isfinite, isnan
from threading import RLock
from typing import Any

from ..calculus import apply
from ..context import guards_of, is_ieee, recording
from ..engine import Value, recorded
from ..formulas import np
from ..graph import Graph
from ..rows import check_rows, table
from ..tell.notation import preformatted
from .batch import Batch, find_batch
from .plan import add_checks, make_plan
from .python import StraightLine
from .runners import JAX, Branches, Elsewhere, NumPy, Outputs, Torch
from .tape import kernel
from .tape.tape import Tape

_RUNNERS: dict[str, type[Tape | NumPy | Torch | JAX]] = {
    "tape": Tape, "numpy": NumPy, "torch": Torch, "jax": JAX,
}  # fmt: skip
BACKENDS = (*_RUNNERS, "python")
MAX_CHARACTERS = 20_000  # of a source in a notebook


class Vectors:
    """What runs on a vector of parameters and leaves a gradient: a `Program`, and `Paths`."""

    values: list[Value]  # the parameters, in the order of the next two
    vector: Any
    gradient: Any
    _alone: AbstractContextManager[Any]  # a lock: runs write into the same arrays
    _checked: Any  # the data as rows of numbers
    _run: Callable[[Any], float]  # the mean loss of data
    _times: Any  # what runs the loss times a value, which is one more input
    _outputs: Any  # what nodes are, from the data and the nodes' names

    def __call__(self, data: Any = None, weights: Any = None, *, reduction: str = "mean") -> float:
        """The mean loss over the samples; sets `grad` of each parameter to that of the mean.

        Args:
            data: one row per sample, one column per input; nothing if there are no inputs.
            weights: a number for each sample; the mean is Σ weight · loss over Σ weight.
            reduction: "sum" for Σ weight · loss, which is divided by nothing.

        Raises:
            ValueError: if `data` or weights do not fit; or, as the engine says it, if a sample
                leaves the domain of an operation or gives a NaN, unless within `ieee()`.

        >>> w, x = Value(2, "w"), Value(0, "x")
        >>> program = Program(w * x, [x], [w])
        >>> program([[1], [4]]), program([[1], [4]], [1, 2]), program([[1], [4]], reduction="sum")
        (5.0, 6.0, 10.0)
        """
        with self._alone:
            self.load()
            loss = self.run(data, weights, reduction=reduction)
            for value, grad in zip(self.values, _floats(self.gradient)):
                value.grad = grad
        return loss

    def run(self, data: Any = None, weights: Any = None, *, reduction: str = "mean") -> float:
        """The mean loss at `vector`; leaves its gradient in `gradient`, and the values alone.

        For training: between two calls change `vector`, and `store` it at the end.

        >>> w, x = Value(2, "w"), Value(0, "x")
        >>> program = Program((w * x).half_square(), [x], [w])
        >>> for _ in range(3):
        ...     loss = program.run([[1]])
        ...     program.vector -= 0.5 * program.gradient
        >>> program.store()
        >>> w.data
        0.25
        """
        with self._alone:
            if weights is None and reduction == "mean":
                return self._run(data)
            return self._weighed(data, weights, reduction)

    def losses(self, data: Any) -> list[float]:
        """The loss of each sample at `vector`."""
        return [float(row[0]) for row in self.outputs(data)]

    def outputs(self, data: Any = None, *names: str | list[str]) -> Any:
        """What nodes of the record are for each sample at `vector`: a row for each, in an array.

        Args:
            data: as for a call.
            names: of the nodes, one by one or in a list: their labels, or what drawings and
                messages call them; by default the loss, or all that a function returns, perhaps
                a list of values.

        Raises:
            ValueError: if nothing has such a name, or if a number is outside a domain.

        >>> w, x = Value(2, "w"), Value(0, "x")
        >>> y = w * x
        >>> y.label = "y"
        >>> Program(y.half_square(), [x], [w]).outputs([[1], [3]], "y", "x").tolist()
        [[2.0, 1.0], [6.0, 3.0]]
        """
        listed: list[Any] = []
        for name in names:
            listed += name if isinstance(name, list | tuple) else [name]
        for name in listed:
            if not isinstance(name, str):
                raise TypeError(f"a name is text, not {type(name).__name__} {name!r:.60}")
        with self._alone:
            return self._outputs(data, (*listed,))

    def load(self) -> None:
        """Read the parameters' numbers from the values into `vector`."""
        self.vector[:] = [value.data for value in self.values]

    def store(self) -> None:
        """Write `vector` and `gradient` to the values."""
        for value, data, grad in zip(self.values, _floats(self.vector), _floats(self.gradient)):
            value.data, value.grad = data, grad

    @property
    def source(self) -> str:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """The start of the source, below the line that a prompt shows."""
        more = "\n…" * (len(self.source) > MAX_CHARACTERS)
        return preformatted(f"{self!r}\n\n{self.source[:MAX_CHARACTERS]}{more}")

    def _weighed(self, data: Any, weights: Any, reduction: str) -> float:
        """Run a program of loss × weight, where the weight is one more input."""
        if data is None:
            raise TypeError("weights or a sum, but no data; a loss without inputs is one number")
        rows, (program, at) = self._checked(data), self._weighted
        scales = _scales(len(rows), weights, reduction)
        if hasattr(rows, "shape"):
            rows = np.column_stack((rows, scales))
        else:
            rows = [[*row, scale] for row, scale in zip(rows, scales)]
        program.vector[:] = self.vector[at]
        loss = program._run(rows)
        self.gradient[at] = program.gradient
        return loss

    @cached_property
    def _weighted(self) -> tuple[Vectors, Any]:
        """That program, and where its parameters are in `vector`."""
        program = self._times(Value(1.0, "weight"))
        return program, index(program.values, self.values)


class Program(Vectors):
    """What `replay` makes of a recorded loss, on its `backend`.

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
            labelled = Graph(loss, products=False).parameters.difference(self.inputs)
            parameters = [value for value in recorded(loss) if value in labelled]
        self.parameters: list[Value] = list(parameters)
        check_leaves(self.inputs, self.parameters)
        self.loss: Value = loss
        self.backend: str = backend or default_backend()
        self._rows: Any = object()  # the array that was checked last, and its shape
        self._shape: tuple[int, ...] = ()
        self._alone = RLock()
        with recording():
            self._runner = self._make_runner(by_default=backend is None)
        self._compute = self._runner.__call__  # without a look-up at every call
        self.values: list[Value] = [self.parameters[i] for i in self._runner.layout]
        self.load()
        self._of_names = cache(partial(Outputs, [loss], self.inputs, self.values))
        self._branches = Branches(self._guards, self.inputs, self.values) if self._guards else None

    def _run(self, data: Any) -> float:
        # the data of the step before: to check them again would cost as much as a small step
        known = data is self._rows and data.shape == self._shape
        rows = data if known else self._checked(data)
        if self._branches:
            self._check_branches(rows)
        try:
            loss = self._compute(rows)
            if isfinite(loss):
                return loss
        except (ArithmeticError, ValueError):
            pass
        return self._by_samples(rows)

    def _by_samples(self, rows: Any) -> float:
        """What the scalar engine makes of `rows`, which may be an error."""
        numbers = dict(zip(self.values, _floats(self.vector)))
        rows = _floats(rows) if self.inputs else [()]
        loss, self.gradient[:] = by_samples(self.loss, self.inputs, numbers, rows)
        return loss

    def _times(self, weight: Value) -> Program:
        return Program(self.loss * weight, [*self.inputs, weight], self.parameters, self.backend)

    def _outputs(self, data: Any, names: tuple[str, ...]) -> Any:
        rows = self._checked(data) if self.inputs else [()]
        self._check_branches(rows)
        outputs, numbers = self._of_names(names), dict(zip(self.values, _floats(self.vector)))
        found = outputs(rows, self.vector)
        for i in np.flatnonzero(np.isnan(found).any(axis=1)).tolist():  # the engine decides
            row: Any = _floats(rows[i : i + 1])
            found[i] = [by_samples(x, self.inputs, numbers, row, i)[0] for x in outputs.results]
        return found

    def __repr__(self) -> str:
        counts = f"{len(self.inputs)} inputs, {len(self.parameters)} parameters"
        return f"Program on {self.backend}: {counts}, {len(recorded(self.loss))} nodes"

    def __reduce__(self) -> tuple[Any, ...]:
        made_from = self.loss, self.inputs, self.parameters, self.backend
        return Program, made_from, (None, {"vector": _floats(self.vector)})

    def _check_branches(self, rows: Any) -> None:
        """Raise an error if a sample would take another branch than the recorded one."""
        if self._branches and (missed := self._branches.first_miss(rows, self.vector)):
            sample, guard = missed
            told = guard.told({x: self._names.get(x, x.label) for x in (guard.left, guard.right)})
            where = f"sample {sample}: " if self.inputs else ""
            raise ValueError(
                f"{where}{told} when this was recorded, and picked a branch that these numbers do "
                "not take; replay the function itself: replay(function, inputs=..., parameters=...)"
            )

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

    @property
    def source(self) -> str:
        """The program: NumPy as one would write it, Python, or what the tape computes."""
        return self._runner.source

    @property
    def function(self) -> Callable[..., Any]:
        """The backend's own function, for "torch" and "jax".

        It takes the column of parameters and the data, a row for each input and a column for each
        sample, and returns the loss and its gradient with respect to the parameters.
        """
        if not isinstance(self._runner, Elsewhere):
            raise TypeError(f"{self.backend} has no function of arrays; torch and jax have")
        return self._runner.function

    def _make_runner(self, *, by_default: bool) -> StraightLine | Tape | NumPy | Torch | JAX:
        if self.backend not in BACKENDS:
            raise ValueError(f"no backend {self.backend!r}; there are {', '.join(BACKENDS)}")
        count, one_hot = len(self.parameters), self.backend != "tape"
        batch = None if self.inputs else find_batch(self.loss, self.parameters)
        batch = batch or Batch(self.loss, self.inputs, [()], {})
        plan = make_plan(batch.loss, batch.inputs, self.parameters, one_hot=one_hot)
        add_checks(plan)
        order = recorded(self.loss)
        self._guards = [guard for x in order if hasattr(x, "aside") for guard in guards_of(x)]
        self._batch: Any = batch.rows
        if self.backend == "python":
            return StraightLine(plan, range(count))
        known = kernel.codes() if self.backend == "tape" else {}
        rows = [op.name for op in plan.ops if op and not op.variadic]
        if unknown := [name for name in rows if known and name not in known]:
            if not by_default:
                others = ", ".join(other for other in BACKENDS if other != "tape")
                raise ValueError(
                    f"the tape's kernel does not know the operation {unknown[0]}, which was added "
                    f"to the table; these backends run it: {others}"
                )
            self.backend = "numpy"
            return self._make_runner(by_default=False)

        def name(node: int) -> str:
            value = plan.values[node]
            return self._names.get(batch.recorded.get(value, value), "") if value else ""

        return _RUNNERS[self.backend](plan, count, name)

    @cached_property
    def _names(self) -> dict[Value, str]:
        return Graph(self.loss, parameters=(), products=False).names

    def _checked(self, data: Any) -> Any:
        """`data` as rows of numbers, in the form that the backend takes."""
        if self.inputs and data is None:
            raise TypeError(f"no data; give one row per sample, {len(self.inputs)} numbers in each")
        if not self.inputs and data is not None:
            raise TypeError("data, but no inputs to put it in; name them: replay(loss, inputs=...)")
        if data is None:
            if self.backend != "python":
                self._batch = check_rows(self._batch, len(self._batch[0]))
            return self._batch
        rows = check_rows(data, len(self.inputs), in_lists=self.backend == "python")
        if rows is data:
            self._rows, self._shape = rows, rows.shape
        return rows


@cache
def default_backend() -> str:
    """The tape, where its kernel was compiled when the package was installed; else NumPy."""
    if kernel.load():
        return "tape"
    told = "no kernel was compiled when this was installed; replays run on NumPy, more slowly"
    print(f"micrograd_lab: {told}", file=sys.stderr)
    return "numpy"


def _floats(numbers: Any) -> list[float]:
    return numbers.tolist() if hasattr(numbers, "tolist") else numbers  # type: ignore[no-any-return]


def _scales(count: int, weights: Any, reduction: str) -> list[float]:
    """What to multiply each of `count` losses by, so that their mean is a weighted mean or sum."""
    if reduction not in ("mean", "sum"):
        raise ValueError(f"no reduction {reduction!r}; there are mean and sum")
    given = [1.0] * count if weights is None else weights
    numbers = table(given, "weight", finite=False).reshape(-1).tolist()
    if len(numbers) != count:
        raise ValueError(f"{len(numbers)} weights but {count} samples; give one weight each")
    for i, weight in enumerate(numbers):
        if not isfinite(weight) or (weight < 0 and reduction == "mean"):
            raise ValueError(f"weight {i} is {weight:g}; give finite numbers, for a mean from 0 up")
    if not (whole := sum(numbers) if reduction == "mean" else 1.0):
        raise ValueError("the weights sum to 0; one has to be larger")
    return [weight * count / whole for weight in numbers]


def index(values: Sequence[Value], of: Sequence[Value]) -> Any:
    """Where `values` are in an array of others: a slice, which copies nothing, where they run."""
    place = {value: k for k, value in enumerate(of)}
    places = [place[value] for value in values]
    return slice(len(places)) if places == [*range(len(places))] else np.array(places, dtype=int)


def check_leaves(inputs: Sequence[Value], parameters: Sequence[Value]) -> None:
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


def by_samples(
    loss: Value,
    inputs: Sequence[Value],
    parameters: Mapping[Value, float],
    rows: Sequence[Sequence[float]],
    first: int = 0,
) -> tuple[float, list[float]]:
    """The mean loss over `rows`, numbered from `first`, and its gradient, or the engine's error."""
    names = Graph(loss, products=False).names
    leaves = [Value(number, parameter.label) for parameter, number in parameters.items()]
    losses = []
    with recording():
        for sample, row in enumerate(rows, start=first):
            values: dict[Value, Value] = dict(zip(parameters, leaves))
            values |= {value: Value(x, value.label) for value, x in zip(inputs, row)}
            for node in recorded(loss):
                where = f"sample {sample}, {names[node]}" if inputs else names[node]
                read = [values[x] for x in node.inputs]
                if node not in values:
                    try:
                        values[node] = apply(node.op, read) if node.op else Value(node.data)
                    except ValueError as error:
                        raise ValueError(f"{where}: {error}") from None
                    values[node].label = node.label
                if isnan(values[node].data) and not is_ieee():
                    numbers = ", ".join(f"{x.data:g}" for x in read)
                    of = f"{node.op.name} of {numbers}" if node.op else "it"
                    raise ValueError(f"{where}: {of} is nan; replay within ieee() to go on with it")
            values[loss].backward()
            losses.append(values[loss].data)
    return sum(losses) / len(losses), [leaf.grad / len(losses) for leaf in leaves]
