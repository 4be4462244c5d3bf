"""A function as programs, one for each path through it.

Every comparison of values on the way is a guard: a sample belongs to a path if all guards of the
path go for it as they went when it was recorded.  Samples are grouped by path, and each group runs
at array speed; a sample that belongs to none is recorded, and that is the next path.  A function
that reads a value as a plain number, from which nobody knows what follows, is recorded for each
sample.  Read ``context.py`` and ``program.py`` before this file.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, cached_property, partial
from threading import RLock
from types import FunctionType
from typing import Any, overload

from ..calculus import total
from ..context import Guard, Mark, Trace, is_ieee, recording, watched
from ..engine import Value, recorded
from ..formulas import np
from ..graph import listed
from ..protocols import Given
from ..rows import check_rows, rows_in_lists
from ..tell.notation import subscripted
from .program import Program, Vectors, check_leaves, default_backend, index
from .runners import Branches, Outputs, named

MAX_PATHS = 64


@overload
def replay(
    loss: Value,
    inputs: Sequence[Value] = (),
    parameters: Sequence[Value] | None = None,
    *,
    backend: str | None = None,
) -> Program: ...


@overload
def replay(
    loss: Callable[..., Value | list[Value]],
    inputs: Sequence[Value] = (),
    parameters: Sequence[Value] = (),
    *,
    backend: str | None = None,
) -> Paths: ...


def replay(
    loss: Value | Callable[..., Value | list[Value]],
    inputs: Sequence[Value] = (),
    parameters: Sequence[Value] | None = None,
    *,
    backend: str | None = None,
) -> Program | Paths:
    """A program that computes `loss` again, for other numbers, at array speed.

    Of a recorded loss it repeats the operations; a sample that would take another branch at a
    comparison of its values is an error.  A function is recorded by calling it, once for each path
    that samples take through it, and is right for every sample: ``if``, ``while``, ``max`` and
    ``sorted`` may depend on the data.  All other leaves keep the numbers they have now.

    Args:
        loss: of one sample, or of a whole batch if there are no `inputs`; or a function of one
            value per input that returns the loss of one sample.
        inputs: the leaves that differ from sample to sample, one for each column of the data; for
            a function, leaves with the labels of its inputs, or nothing if rows differ in length.
        parameters: the leaves to differentiate with respect to; by default, for a recorded loss,
            as `Graph` finds them, by their labels.
        backend: "tape", "numpy", "python" (the standard library only), "torch" or "jax"; by default
            "tape", or "numpy" where no kernel could be compiled for the tape.

    Raises:
        TypeError: if an input or a parameter is not a value, or a function has no parameters.
        ValueError: if one is computed or stands there twice, or if there is no such backend.

    >>> w, x, t = Value(2, "w"), Value(0, "x"), Value(0, "t")
    >>> program = replay((w * x - t).half_square(), [x, t], [w], backend="numpy")
    >>> program([[1, 1], [2, 5]]), w.grad
    (0.5, -0.5)
    >>> absolute = replay(lambda x, t: w * x - t if w * x > t else t - w * x, [x, t], [w])
    >>> absolute([[1, 1], [2, 5]]), w.grad, len(absolute.paths)
    (1.0, -0.5, 2)
    """
    if isinstance(loss, Value) or not callable(loss):
        return Program(loss, inputs, parameters, backend)
    if parameters is None:
        raise TypeError("a function has no labels to go by; name its parameters: parameters=[...]")
    check_leaves(inputs, parameters)
    return Paths(loss, inputs, parameters, backend)


class Paths(Vectors):
    """What `replay` makes of a function; it is used as a `Program` is.

    Attributes:
        paths: those that samples have taken so far, each for rows of one length.
        by_sample: whether a sample that takes none of them is recorded, every time.

    >>> w = Value(2, "w")
    >>> Paths(lambda *xs: total(w * x for x in xs), [], [w], "numpy")([[1, 2, 3], [4]])
    10.0
    """

    def __init__(
        self,
        function: Callable[..., Value | list[Value]],
        inputs: Sequence[Value],
        parameters: Sequence[Value],
        backend: str | None = None,
    ) -> None:
        self.values: list[Value] = list(parameters)
        self.labels: list[str] = [value.label for value in inputs]
        self.function: Callable[..., Any] = function
        self.backend: str = backend or default_backend()
        self._chosen: str | None = backend
        self.vector: Any = np.array([value.data for value in self.values])
        self.gradient: Any = np.zeros(len(self.values))
        self.paths: list[Path] = []
        self.by_sample: bool = False
        self.watched: Callable[[], AbstractContextManager[Trace]] = watched
        self._alone = RLock()  # the function may ask again

    def check(self, data: Any) -> None:
        """Record the function anew for a few rows, and compare with what `run` gives at `vector`.

        Raises:
            ValueError: if the losses of a sample differ, because of what no comparison of values
                shows: a number read as ``p.data``, or one that has changed since.

        >>> w, x, scale = Value(2, "w"), Value(0, "x"), [1.0]
        >>> program = replay(lambda x: scale[0] * w * x, [x], [w])
        >>> program.check([[3], [4]])
        >>> scale[0] = 10.0
        >>> program.check([[3], [4]])
        Traceback (most recent call last):
        ValueError: sample 0: recording gives the loss 60, the replay 6; the function...
        """
        with self._alone:
            for i, row in enumerate(self._checked(data)):
                if difference := self.difference(row, f"sample {i}"):
                    raise ValueError(difference)

    def difference(self, row: Sequence[float], name: str) -> str:
        """How the loss of a sample, recorded, differs from what `run` gives, in words, or ""."""
        with self._alone:
            recorded, replayed = self.record(row, name)[0].data, self.run([row])
        lost = not (math.isfinite(recorded) or math.isfinite(replayed))  # whichever way
        if lost or math.isclose(recorded, replayed, rel_tol=1e-9, abs_tol=1e-12):
            return ""
        return (
            f"{name}: recording gives the loss {recorded:.6g}, the replay {replayed:.6g}; the "
            "function read a number that no comparison of values shows, such as p.data or one "
            "that has changed since"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        function, plain = self.function, isinstance(self.function, FunctionType)
        if plain and (self.values or "<" in function.__qualname__):
            raise TypeError(
                f"a copy of {function.__qualname__} would read the values that it reads now, and "
                "not their copies; replay what holds its parameters: an object with __call__, a "
                "method or functools.partial(function, model)"
            )
        inputs = [Value(0.0, label) for label in self.labels]
        return Paths, (function, inputs, self.values, self._chosen), (None, {"vector": self.vector})

    def _times(self, weight: Value) -> Paths:
        function, inputs = self.function, [Value(0.0, label) for label in self.labels]
        inputs += [weight] if inputs else []
        return Paths(lambda *x: function(*x[:-1]) * x[-1], inputs, self.values, self._chosen)

    def _checked(self, data: Any) -> Any:
        return check_rows(data, len(self.labels)) if self.labels else rows_in_lists(data)

    def _run(self, data: Any) -> float:
        rows, loss = self._checked(data), 0.0
        self.gradient[:] = 0.0
        for path, samples, mine, result in self._by_path(rows, several=False):
            part = len(samples) / len(rows)
            if not path:
                each = (self.record(row, f"sample {i}")[0] for i, row in zip(samples, mine))
                loss += part * self._backward([result] if result else each, part)
                continue
            program = path.program
            program.vector[:] = self.vector[path.order]
            try:
                loss += part * program.run(mine if program.inputs else None)
            except ValueError as error:
                number = re.match(r"sample (\d+)(.*)", f"{error}", re.DOTALL)
                told = f"sample {samples[int(number[1])]}{number[2]}" if number else f"{error}"
                raise ValueError(told) from error
            if part == 1.0:
                self.gradient[path.order] = program.gradient
            else:
                self.gradient[path.order] += np.multiply(part, program.gradient)
        return loss

    def _outputs(self, data: Any, names: tuple[str, ...]) -> Any:
        """The last row is recorded too; if it differs, as for `check`, every row is."""
        rows = self._checked(data)
        width = len(self._numbers(rows, names, 0))
        found = np.empty((len(rows), width))
        for path, samples, mine, _ in self._by_path(rows, several=True):
            outputs = path.outputs(names) if path and len(samples) > 1 else None
            if outputs and len(outputs.results) == width:
                found[samples] = outputs(mine, self.vector)
                samples = samples[np.isnan(found[samples]).any(axis=1)]
            for i in samples:
                found[i] = self._numbers(rows, names, i, width)
        again = self._numbers(rows, names, len(rows) - 1)
        if not np.allclose(found[-1], again, rtol=1e-9, atol=1e-12, equal_nan=True):
            found[:] = [self._numbers(rows, names, i) for i in range(len(rows))]
        return found

    def _numbers(self, rows: Any, names: Any, i: int, width: int | None = None) -> list[float]:
        """What the function gives for a sample, recorded: `width` numbers, if that is known."""
        result, _, _ = self.record(rows[i], f"sample {i}", several=True)
        numbers = [value.data for value in named(_listed(result), names)]
        if not numbers or width not in (None, len(numbers)):
            others = "at least 1" if width is None else f"{width}, as for sample 0"
            raise ValueError(
                f"sample {i}: the function returned {len(numbers)} values, not {others}"
            )
        return numbers

    def _by_path(self, rows: Any, *, several: bool) -> Iterator[tuple[Path | None, Any, Any, Any]]:
        """Each path that is taken, by which samples, their rows, and what the first one recorded.

        Without a path they can only be recorded.
        """
        lengths = [len(self.labels)] * len(rows) if self.labels else [*map(len, rows)]
        for length in dict.fromkeys(lengths):
            left, mine = np.arange(len(rows)), rows
            if not self.labels:
                left = np.array([i for i in left if lengths[i] == length])
                mine = np.array([rows[i] for i in left], dtype=float)
            known = iter([path for path in self.paths if len(path.leaves) == length])
            while len(left):
                path, result = next(known, None), None
                if not path and self.by_sample:
                    yield None, left, mine, None
                    break
                if not path:
                    found = self.record(mine[0], f"sample {left[0]}", several=several)
                    path, result = self._path(*found, several), found[0]
                missed = path.branches.misses(mine, self.vector) if path else np.ones(1)
                belongs = missed == 0  # no NaN does
                if path and result is not None and belongs[0]:
                    self.paths.append(path)
                elif result is not None:
                    path, belongs = None, np.arange(len(left)) == 0
                if belongs.all():
                    yield path, left, mine, result
                    break
                if belongs.any():
                    yield path, left[belongs], mine[belongs], result
                left, mine = left[~belongs], mine[~belongs]

    @property
    def source(self) -> str:
        """The programs of the paths taken so far, each after its guards."""
        return "\n\n".join(path.source for path in self.paths)

    def __repr__(self) -> str:
        counts = f"{len(self.paths)} paths so far, {len(self.values)} parameters"
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"Paths of {name} on {self.backend}: {counts}"

    def record(
        self, row: Sequence[float], name: str, *, several: bool = False
    ) -> tuple[Any, list[Value], Trace]:
        """The function of one sample, recorded at `vector`: its result, inputs, and questions."""
        labels = self.labels or [subscripted("x", k) for k in range(1, len(row) + 1)]
        leaves = [Value(x, label) for x, label in zip(row, labels)]
        before = [value.data for value in self.values]
        try:
            for value, number in zip(self.values, self.vector.tolist()):
                value._data = number  # for this moment: nothing has moved
            with recording(), self.watched() as trace:
                result: Any = self.function(*leaves)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        finally:
            for value, number in zip(self.values, before):
                value._data = number
        for value in _listed(result) if several else [result]:
            if not isinstance(value, Value):
                raise no_value(f"{name}: the function returned", value)
        if not several and math.isnan(result.data) and not is_ieee():
            raise ValueError(f"{name}: the loss is nan; replay within ieee() to go on with it")
        return result, leaves, trace

    def _path(self, result: Any, leaves: list[Value], trace: Trace, several: bool) -> Path | None:
        """The path that was recorded, if it can be replayed."""
        guards = [event for event in trace if isinstance(event, Guard)]
        if several:  # an operation without a formula has to be recorded
            compared = [x for guard in guards for x in (guard.left, guard.right)]
            nodes = recorded(total([*_listed(result), *compared]))
            if any(isinstance(x.op, Given) for x in nodes):
                return None
        first = self.values and not (several or trace or self.paths)
        if first and set(self.values).isdisjoint(recorded(result)):
            names = listed([x.label or repr(x) for x in self.values])
            raise ValueError(
                f"the function reads none of the {len(self.values)} parameters, {names}; give "
                "those that it reads: replay(function, parameters=...)"
            )
        detached = [event.detached for event in trace if isinstance(event, Mark)]
        if not all(detached) or self.by_sample:
            if not (self.by_sample or any(detached)) and isinstance(result, Value):
                self._check_for_a_cut(result, leaves)
            self.by_sample = True
            return None
        if sum(len(path.leaves) == len(leaves) for path in self.paths) == MAX_PATHS:
            self.by_sample = True
            warnings.warn(
                f"more than {MAX_PATHS} paths lead through {self.function!r:.60}; every further "
                "sample is recorded, one by one. maximum(...) and minimum(...) record no choice, "
                "where max(...) and min(...) compare",
                stacklevel=3,
            )
            return None
        return Path(result, leaves, self.values, guards, self._chosen)

    def _check_for_a_cut(self, result: Value, leaves: list[Value]) -> None:
        """Raise an error if a number that was read depends on the parameters, and moves the result.

        The slope along one direction is measured, and compared with that of the recorded graph.
        """
        vector, gradient, row = self.vector, self.gradient, [x.data for x in leaves]
        direction = np.cos(np.arange(len(vector)))

        def at(distance: float) -> float:
            self.vector = vector + distance * direction
            return float(self.record(row, "nearby")[0].data)

        try:
            if at(0.0) != result.data:
                return  # random: no slope can be measured
            h = 1e-5 * (1.0 + np.abs(vector).max(initial=0.0))
            wide, slope = ((at(d) - at(-d)) / (2.0 * d) for d in (h, h / 2.0))
            self.gradient = np.zeros(len(vector))
            self._backward([result])
            recorded = float(self.gradient @ direction)
        except ValueError:  # outside a domain
            return
        finally:
            self.vector, self.gradient = vector, gradient
        off = abs(slope - recorded)
        if off > 1e-4 * (abs(slope) + abs(recorded)) + 10.0 * abs(wide - slope) + 1e-8:
            raise TypeError(
                f"a value was read as a plain number, and the gradient is cut there: along one "
                f"direction the result's slope is {slope:.6g}, by its graph {recorded:.6g}; write "
                "v.tanh(), not math.tanh(v), and v.detach() to cut it on purpose"
            )

    def _backward(self, results: Iterable[Value], part: float = 1.0) -> float:
        """The mean of recorded losses; adds this part of its gradient to `gradient`."""
        kept, losses = [value.grad for value in self.values], []
        for value in self.values:
            value.grad = 0.0
        for result in results:
            result.backward()
            losses.append(result.data)
        self.gradient += part / len(losses) * np.array([value.grad for value in self.values])
        for value, grad in zip(self.values, kept):
            value.grad = grad
        return sum(losses) / len(losses)


@dataclass(eq=False)
class Path:
    """One way through a function: the program, and the guards that lead to it."""

    result: Any
    leaves: list[Value]
    values: list[Value]
    guards: list[Guard]
    backend: str | None

    def __post_init__(self) -> None:
        of_names = partial(Outputs, _listed(self.result), self.leaves, self.values)
        self.outputs: Callable[..., Outputs] = cache(of_names)
        self.branches: Branches = Branches(self.guards, self.leaves, self.values)

    @cached_property
    def program(self) -> Program:
        return Program(self.result, self.leaves, self.values, self.backend)

    @cached_property
    def order(self) -> Any:
        """Where the program's parameters are among the values: an index."""
        return index(self.program.values, self.values)

    @property
    def source(self) -> str:
        names = {x: x.label for guard in self.guards for x in (guard.left, guard.right)}
        return "".join(f"# {guard.told(names)}\n" for guard in self.guards) + self.program.source


def no_value(what: str, found: Any) -> TypeError:
    """An error: `what` is something else than a value."""
    return TypeError(
        f"{what} {type(found).__name__} {found!r:.60}, no Value; a function of math or an array "
        "cuts the graph: write v.tanh(), not math.tanh(v), and maximum(0, v), not max(0, v)"
    )


def _listed(result: Any) -> Sequence[Value]:
    return result if isinstance(result, list | tuple) else [result]
