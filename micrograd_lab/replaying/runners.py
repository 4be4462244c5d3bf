"""What computes a plan with arrays: NumPy, PyTorch or JAX; and records for many samples at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import cached_property, lru_cache, partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from ..calculus import maximum, total
from ..context import Guard, recording
from ..engine import Value, recorded
from ..formulas import ELEMENTARY, NUMPY_NAME, Floats, np
from ..graph import Graph
from .arrays import source as statements
from .arrays.groups import Group, array_program, grouped, layout, outputs
from .plan import EACH, Plan, add_checks, make_plan
from .python import StraightLine, defined
from .tape.kernel import load
from .tape.tape import Tape

MAX_STATEMENTS = 2000  # array statements
MAX_LINES = 1000  # of plain Python that is compiled
_NOTE = "# what runs: these statements with out=; for few samples of a small graph, plain Python\n"


class Arrays:
    """Array statements, on NumPy's arrays or those of another engine.

    What is infinite or NaN on the way makes the loss or the gradient infinite or NaN; then the
    scalar engine decides.
    """

    def __init__(self, plan: Plan, parameters: int, names: Callable[[int], str]) -> None:
        self.plan: Plan = plan
        self.names: Callable[[int], str] = names
        self.groups: list[Group] = grouped(plan)
        self.layout: list[int] = layout(plan, self.groups, parameters)  # of the next two
        self.vector: Floats = np.zeros(parameters)  # their numbers, which the caller sets
        self.gradient: Floats = np.zeros(parameters)  # what a call leaves there

    @cached_property
    def program(self) -> statements.ArrayProgram:
        return array_program(self.plan, self.groups, self.layout)

    @property
    def source(self) -> str:
        return statements.listing(self.program, self.names)

    def keep(self, gradient: Any) -> None:
        """Take over the gradient, a column in the engine's own form."""
        self.gradient[:] = np.asarray(gradient)[:, 0]
        if not np.isfinite(self.gradient).all():
            raise FloatingPointError("the gradient is not finite")


class NumPy(Arrays):
    """Array statements; straight-line Python where their overhead would be larger."""

    def __init__(self, plan: Plan, parameters: int, names: Callable[[int], str]) -> None:
        super().__init__(plan, parameters, names)
        self._edges = sum(map(len, plan.inputs))
        # more statements than one can read, or wants to wait for
        self._deep = len(self.groups) > MAX_STATEMENTS

    def __call__(self, data: Floats) -> float:
        if self._is_narrow(len(data)):
            loss, self.gradient[:] = self._straight.run(self.vector.tolist(), data.tolist())
            return loss
        run = self._prepare(len(data))
        with np.errstate(all="ignore"):
            loss, gradient = run(data.T)
        self.keep(gradient)
        return float(loss)

    @property
    def source(self) -> str:
        if self._deep:
            return self._straight.source
        return statements.listing(self.program, self.names, _NOTE)

    @cached_property
    def _prepare(self) -> Callable[..., Any]:
        with recording():
            prepare = defined(statements.in_place(self.program), "prepare", {})
        # for each number of samples, with its arrays
        return lru_cache(maxsize=8)(partial(prepare, self.vector[:, None]))

    @cached_property
    def _straight(self) -> StraightLine:
        with recording():
            return StraightLine(self.plan, self.layout, MAX_LINES)

    def _is_narrow(self, samples: int) -> bool:
        """Whether one Python operation per number costs less than the overhead of the arrays."""
        overhead = 2.5 * len(self.groups)  # microseconds, as the next
        return self._deep or 0.1 * self._edges * samples < overhead


MAX_SECONDS = 10  # of compiling


class Elsewhere(Arrays):
    """The readable program, `function`, in an engine whose arrays are not NumPy's."""

    costs: tuple[float, float]  # seconds: of a statement; of a matrix product, or of moving rows

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        scope = self.scope()
        self._weigh(len(self.groups), 0)  # to write them would take long, too
        text = statements.function(self.program)
        self._weigh(text.count("\n"), len(re.findall(r"put\(|concatenate\(|\[i\d+\]| @ ", text)))
        text = statements.constants_source(self.program) + text
        self.function: Callable[..., Any] = defined(text, "program", scope)

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

        def array(numbers: list[Any]) -> Any:
            positions = isinstance(numbers[0], int)
            return torch.tensor(numbers, dtype=torch.int64 if positions else torch.float64)

        def reduceat(x: Any, starts: Any) -> Any:
            lengths = torch.diff(starts, append=torch.tensor([len(x)]))
            return torch.stack([part.sum(0) for part in torch.split(x, lengths.tolist())])

        def put(count: int, at: Any, rows: Any) -> Any:
            return torch.zeros(count, rows.shape[1], dtype=torch.float64).index_copy(0, at, rows)

        names = [*(NUMPY_NAME.get(name, name) for name in ELEMENTARY), "floor"]
        np = SimpleNamespace(**{name: getattr(torch, name, None) for name in names})
        double = {"dtype": torch.float64}
        number = partial(torch.as_tensor, **double)
        vars(np).update(
            array=array,
            full=partial(torch.full, **double),
            ones=partial(torch.ones, **double),
            zeros=partial(torch.zeros, **double),
            power=torch.pow,
            maximum=lambda x, y: torch.maximum(number(x), number(y)),
            where=lambda test, x, y: torch.where(test, number(x), number(y)),
            concatenate=torch.cat,
            broadcast_to=lambda x, shape: torch.broadcast_to(number(x), shape),
            repeat=torch.repeat_interleave,
            add=SimpleNamespace(reduceat=reduceat),
            max=lambda x, axis, keepdims=False: torch.amax(x, axis, keepdims),
        )
        return {"np": np, "put": put, "erf": torch.erf, "erfc": torch.erfc}

    def __call__(self, data: Floats) -> float:
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

        self._jax, special = jax, jax.scipy.special
        ours = {"add": SimpleNamespace(reduceat=reduceat), "array": numpy.array}
        np = SimpleNamespace(**vars(jnp) | ours)
        return {"np": np, "put": put, "erf": special.erf, "erfc": special.erfc}

    @cached_property
    def _compiled(self) -> Callable[..., Any]:
        return self._jax.jit(self.function)  # type: ignore[no-any-return]

    def __call__(self, data: Floats) -> float:
        with self._jax.enable_x64(True):
            loss, gradient = self._compiled(self.vector[:, None], data.T)
            self.keep(gradient)
            return float(loss)


def required(module: str, name: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise ImportError(f"{name} is not installed; run: pip install {module}") from None


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
        self.results: list[Value] = named(results, names)
        self._checked = names is not None
        with recording():
            read = [x.abs() for x in self.results]  # so that none is only a part of a sum
            loss = maximum(0.0, *read)
            known = {*inputs, *values}
            others = [x for x in recorded(loss) if not x.inputs and x not in known]
            plan = make_plan(loss, inputs, [*values, *others])
            at = {x: i for i, x in enumerate(plan.values)}
            constant = plan.add_constant
            nodes = [plan.inputs[at[x]][0] if x in at else constant(x.inputs[0].data) for x in read]
            if self._checked:
                plan.active = [False] * len(plan)  # there is no backward pass to notice a slope
                add_checks(plan)
                nodes.append(plan.result)
            groups = grouped(plan)
            self._order = layout(plan, groups, len(values) + len(others))
            source = statements.outputs_function(outputs(plan, groups, self._order, nodes))
            self._function = defined(source, "outputs", {})
        self._others = np.array([x.data for x in others])

    def __call__(self, rows: Any, vector: Any) -> Any:
        """The numbers of the results: an array with a row per sample."""
        numbers = np.concatenate([vector, self._others])[self._order]
        rows, starts = np.asarray(rows), range(0, len(rows) or 1, AT_ONCE)
        with np.errstate(all="ignore"):
            parts = [self._function(numbers[:, None], rows[k : k + AT_ONCE].T).T for k in starts]
        found = np.concatenate(parts)
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
    """Guards as a program over samples: the tape's, or `Outputs` where there is no kernel."""

    def __init__(
        self, guards: Sequence[Guard], inputs: Sequence[Value], values: Sequence[Value]
    ) -> None:
        self.guards: list[Guard] = list(guards)
        self._inputs, self._values = inputs, values
        self._missed: Tape | Outputs | None = None
        if guards:
            with recording():
                missed = total(map(_miss, guards))
                plan = make_plan(missed, inputs, values, one_hot=False)
            if load() and plan.phases[plan.result] == EACH:
                self._missed = Tape(plan, len(values), lambda node: "")
            else:
                self._missed = Outputs([missed], inputs, values)

    def misses(self, rows: Any, vector: Any) -> Any:
        """How many guards go another way for each sample; NaN where nobody can tell."""
        if not self._missed or not len(rows):
            return np.zeros(len(rows))
        if isinstance(self._missed, Outputs):
            return self._missed(rows, vector)[:, 0]
        self._missed.vector[:] = vector
        return self._missed.each(np.ascontiguousarray(rows, dtype=float))

    def first_miss(self, rows: Any, vector: Any) -> tuple[int, Guard] | None:
        """The first sample that would take another branch, and the guard there."""
        wrong = np.flatnonzero(self.misses(rows, vector))
        if not len(wrong):
            return None
        sample = int(wrong[0])
        row = np.asarray(rows)[sample : sample + 1]
        each = ((guard, Branches([guard], self._inputs, self._values)) for guard in self.guards)
        return sample, next(guard for guard, alone in each if alone.misses(row, vector)[0])


def _miss(guard: Guard) -> Value:
    """A value that is 0 where `guard` goes as it went, and 1 or NaN where it does not."""
    low, high = guard.left, guard.right
    if guard.sign in ("gt", "le"):
        low, high = high, low
    reached: Value = (low - high).step()  # 1 where low >= high: low < high does not hold
    return reached if guard.held == (guard.sign in ("lt", "gt")) else 1 - reached
