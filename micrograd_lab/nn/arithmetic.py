"""What an epoch shows, tables of inputs and targets in batches, and what it computes of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from ..context import recording
from ..engine import Value
from ..formulas import np
from ..graph import Graph
from ..replaying.paths import Paths, no_value
from ..rows import array, leaves, table
from .losses import binary_cross_entropy, cross_entropy, hinge
from .optim import Optimizer, State


class Network(Protocol):
    """Anything to fit: it has parameters and computes outputs from inputs."""

    def parameters(self) -> list[Value]: ...

    def __call__(self, inputs: list[Value], /) -> Value | list[Value]: ...


class Arithmetic:
    """What an epoch computes: each path through model and loss that samples take is replayed.

    With engine="scalar", every sample is recorded instead; `samples` are some of those to come.
    """

    def __init__(
        self, engine: str, model: Network, loss: Loss, samples: Samples, optimizer: Optimizer
    ) -> None:
        if engine not in ("auto", "scalar"):
            raise ValueError(f"no engine {engine!r}; there are auto and scalar")
        self._loss, self._model, width = loss, model, samples.inputs.shape[1]

        def of_row(*row: Value) -> Value:
            return self.of_sample([*row[:width]], samples.shaped([*row[width:]]))

        row = [*leaves(samples.inputs[0], "x"), *leaves(samples.targets[0], "t")]
        parameters = [*dict.fromkeys([*model.parameters(), *optimizer.parameters])]
        self.program: Paths = Paths(of_row, row, parameters)
        # a program has no parameters that are computed themselves
        if engine == "scalar" or any(w.inputs for w in parameters):
            self.program.by_sample = True
            self.program.watched = lambda: nullcontext([])  # numbers that are read are warned of
        self.settled: State = optimizer.state  # that the parameters have got
        self.shown: set[tuple[float, ...]] = set()

    def begin(self, epoch: int, *parts: Samples | None) -> None:
        """Read the parameters' numbers, and go on recording if replays give other losses than that.

        Compared are another sample in every epoch, and one of another class; in the first, one of
        every class.
        """
        self.program.load()
        for samples in filter(None, parts):
            self.show_targets(samples)
            classes = samples.first_of_each_target[:100]
            some = classes if epoch == 0 else [classes[epoch % len(classes)]]
            for i in dict.fromkeys([epoch % len(samples), *some]):
                if self.program.by_sample:
                    return
                row = samples.some([i]).table[0]
                try:
                    told = self.program.difference(row, samples.name(i))
                except ValueError:  # the epoch will raise it, at the first such sample
                    return
                if told:
                    told = f"epoch {epoch}, {told}; fit goes on with engine='scalar'"
                    warnings.warn(told, stacklevel=4)
                    self.program.paths, self.program.by_sample = [], True

    def epoch(self, batches: Iterable[Samples], optimizer: Optimizer) -> float:
        """Show the samples and update once per batch; the mean of their losses."""
        program, total, count = self.program, 0.0, 0
        for batch in batches:
            self.show_targets(batch)
            total += self.loss(batch) * len(batch)
            count += len(batch)
            optimizer.step(program)
        program.store()
        self.settled = optimizer.state
        return total / count

    def settle(self, optimizer: Optimizer) -> None:
        """Give the parameters the numbers of the last step, after an interrupt in an epoch."""
        if optimizer.state is not self.settled:
            optimizer.store(self.program)
            self.program.store()

    def loss(self, samples: Samples) -> float:
        """The mean loss of the samples; if it is not finite, the error from recording it."""
        try:
            loss = self.program.run(samples.table)
        except ValueError:
            loss = math.nan
        if not math.isfinite(loss):
            self.program.store()
            for i in range(len(samples)):
                self.check(samples, i)
            raise ValueError(f"the loss is {loss:g} only when replayed; take engine='scalar'")
        return loss

    def check(self, samples: Samples, i: int) -> None:
        """Record sample `i`; an error with its first number that is not finite."""
        x = leaves(samples.inputs[i].tolist(), "x")
        t = leaves(samples.targets[i].tolist(), "t")
        try:
            with recording():
                loss = self.of_sample(x, samples.shaped(t))
        except ValueError as error:
            raise ValueError(f"{samples.name(i)}: {error}") from error
        if not math.isfinite(loss.data):
            graph = Graph(loss, products=False)
            node = next(node for node in graph.nodes if not math.isfinite(node.data))
            raise ValueError(
                f"{samples.name(i)}: {graph.names[node]} is {node.data:g}, and the loss "
                f"{loss.data:g}; take a smaller learning rate or scale the inputs"
            )

    def of_sample(self, inputs: list[Value], target: Any) -> Value:
        loss = self._loss(self._model(inputs), target)
        if not isinstance(loss, Value):
            raise no_value("the loss is", loss)
        return loss

    def show_targets(self, samples: Samples) -> None:
        """Record a sample of every new target: a loss may refuse it, but a replay would not."""
        if samples.new and not self.program.by_sample:
            for i in samples.first_of_each_target:
                target = tuple(samples.targets[i].tolist())
                if target not in self.shown:
                    self.shown.add(target)
                    self.check(samples, i)
        samples.new = False


Loss: TypeAlias = Callable[[Any, Any], Value]
FOR_CLASSES = (cross_entropy, binary_cross_entropy, hinge)


@dataclass
class Samples:
    """Rows of inputs and of targets, in arrays.

    Names of classes are targets too, in one dimension, until `encoded` makes rows of them.
    """

    inputs: Any
    targets: Any
    single: bool  # whether a target is one number, and not a row
    where: str = ""  # what stands before "sample" in messages
    numbers: Sequence[int] | None = None  # of the samples, if they are some of many
    new: bool = True  # whether the loss has not seen these targets yet
    source: tuple[Iterable[Any], str] | None = None  # of all batches, if they are the first
    classes: Classes | None = None

    @classmethod
    def of(cls, inputs: Any, targets: Any, where: str = "") -> Samples:
        """Samples from anything that the door takes."""
        x, t = table(inputs, f"{where}input"), array(targets, f"{where}target")
        single = t.ndim == 1
        t = t if t.dtype.kind == "U" else table(t, f"{where}target")
        if len(x) != len(t) or not x.size:
            raise ValueError(f"{where}{len(x)} inputs but {len(t)} targets; give one each")
        return cls(x, t, single, where)

    def __len__(self) -> int:
        return len(self.inputs)

    def name(self, i: int) -> str:
        return f"{self.where}sample {i if self.numbers is None else self.numbers[i]}"

    def shaped(self, target: Sequence[Any]) -> Any:
        """A target in the form that the loss takes."""
        return target[0] if self.single else target

    def batches(self, size: int | None, shuffle: Callable[[list[int]], None]) -> Iterator[Samples]:
        """Every sample once, in batches, or every batch as the source gives it."""
        if self.source:
            yield from (batch.encoded(self.classes) for batch in _batches(*self.source))
            return
        if size is None:
            yield self
            return
        order = list(range(len(self)))
        shuffle(order)
        for start in range(0, len(order), size):
            yield self.some(order[start : start + size])

    def some(self, rows: list[int]) -> Samples:
        """A few of the samples, in this order."""
        found, width = self.table[rows], self.inputs.shape[1]
        parts = found[:, :width], found[:, width:]
        some = Samples(*parts, self.single, self.where, rows, new=False)
        some.table = found
        return some

    def all(self) -> Samples:
        """All of them, where these are the first batch."""
        if not self.source:
            return self
        every = [(batch.inputs, batch.targets) for batch in _batches(*self.source)]
        inputs, targets = map(np.concatenate, zip(*every))
        return Samples(inputs, targets, self.single, self.source[1])

    @cached_property
    def first_of_each_target(self) -> list[int]:
        """One sample of each target."""
        _, first = np.unique(self.targets, axis=0, return_index=True)
        return sorted(first.tolist())

    @cached_property
    def table(self) -> Any:
        """One row per sample: its inputs, then its targets."""
        return np.concatenate([self.inputs, self.targets], axis=1, dtype=float)

    def encoded(self, classes: Classes | None) -> Samples:
        """The samples with targets as the loss takes them."""
        self.classes = classes
        if classes and self.targets.shape[1:] != classes.targets.shape[1:]:
            self.single = classes.targets.shape[1] == 1
            self.targets = classes.targets[classes.indices(self)]
        elif not classes and self.targets.ndim == 1:
            raise TypeError(f"{self.where}targets are names, those to learn from are numbers")
        return self


def read(inputs: Any, targets: Any, where: str = "") -> Samples:
    """What `fit` learns from; without targets, the first of the batches of both in `inputs`."""
    if targets is not None:
        return Samples.of(inputs, targets, where)
    if not hasattr(inputs, "__iter__") or iter(inputs) is inputs:
        raise TypeError(
            f"without targets, inputs are batches of (inputs, targets), anew in every epoch: a "
            f"DataLoader or a list, not {type(inputs).__name__} {inputs!r:.60}"
        )
    if (first := next(_batches(inputs, where), None)) is None:
        raise ValueError("0 batches; give at least 1")
    first.source = inputs, where
    return first


def _batches(source: Iterable[Any], where: str) -> Iterator[Samples]:
    for k, batch in enumerate(source):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise TypeError(
                f"batch {k} is {type(batch).__name__} {batch!r:.60}; give batches of (inputs, "
                "targets), or inputs and targets apart: fit(model, *data)"
            )
        inputs, targets = batch
        yield Samples.of(inputs, targets, f"{where}batch {k}, ")


@dataclass(frozen=True)
class Classes:
    """Classes by name, in sorted order."""

    names: list[Any]  # texts, or numbers
    targets: Any  # what the loss takes for each, a row

    def indices(self, samples: Samples) -> Any:
        """The class of each sample, from 0."""
        labels = samples.targets
        if labels.ndim == 2 and labels.shape[1] > 1:  # one-hot
            return labels.argmax(axis=1)
        kinds, first, place = np.unique(labels, return_index=True, return_inverse=True)
        known = {name: k for k, name in enumerate(self.names)}
        for name, i in zip(kinds.tolist(), first):
            if name not in known:
                raise ValueError(
                    f"{samples.where}target {i} is {name!r}; the classes are {_some(self.names)}"
                )
        return np.array([known[name] for name in kinds.tolist()])[place.reshape(-1)]


def find_classes(data: Samples, outputs: int, loss: Loss, known: Sequence[Any]) -> Classes | None:
    """The classes that the targets name, or None if they are numbers to come near to.

    The model has so many `outputs`, and was fitted with the `known` classes before.
    """
    labels = data.targets
    pair = [0, 1] if loss is binary_cross_entropy else [-1, 1] if loss is hinge else []
    if labels.ndim == 2:
        if outputs == labels.shape[1] == 1 and pair:
            return Classes(pair, np.array([pair]).T) if np.isin(labels, pair).all() else None
        if loss is not cross_entropy or outputs == 1:
            return None
        if (width := labels.shape[1]) > 1:
            one_hot = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
            return Classes([*range(width)], np.eye(width)) if one_hot else None
        if (odd := np.flatnonzero(labels % 1)).size:
            raise ValueError(f"target {odd[0]} is {labels[odd[0], 0]:g}; a class is a whole number")
    names = [*known]
    if not set(np.unique(labels).tolist()) <= set(names):
        inside = labels.dtype.kind != "U" and 0 <= labels.min() <= labels.max() < outputs
        names = [*range(outputs)] if inside else np.unique(data.all().targets).tolist()
        names = names if labels.ndim == 1 else [*map(int, names)]
    if len(names) != max(outputs, 2):
        raise ValueError(
            f"{len(names)} classes ({_some(names)}) but {outputs} outputs; give the last layer one "
            "per class, or one for two"
        )
    if outputs == 1 and not pair:
        raise ValueError(
            f"names ({_some(names)}) for one output need binary_cross_entropy or hinge; give "
            "numbers, or the last layer 2 outputs"
        )
    return Classes(names, np.array([pair]).T if outputs == 1 else np.eye(outputs))


def _some(names: Sequence[Any]) -> str:
    more = ", ..." if len(names) > 6 else ""
    return ", ".join(map(repr, names[:6])) + more
