"""Samples to learn from: tables of inputs and targets, batches of them, and classes by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias

from ..engine import Value
from ..rows import array, table
from .losses import binary_cross_entropy, cross_entropy, hinge

Loss: TypeAlias = Callable[[Any, Any], Value]
FOR_CLASSES = (cross_entropy, binary_cross_entropy, hinge)


@dataclass
class Samples:
    """Rows of inputs and of targets.

    Attributes:
        inputs, targets: arrays with a row per sample; of names, one dimension, until `classes`
            turn them into what a loss takes.
        single: whether a target is one number, and not a row.
        where: what stands before "sample" in messages.
        numbers: of the samples, if they are some of many.
        new: whether the loss has not seen these targets yet.
    """

    inputs: Any
    targets: Any
    single: bool
    where: str = ""
    numbers: Sequence[int] | None = None
    new: bool = True

    @classmethod
    def of(cls, inputs: Any, targets: Any, where: str = "") -> Samples:
        """Samples from anything that the door takes."""
        x, t = table(inputs, f"{where}input"), array(targets, f"{where}target")
        if t.dtype.kind not in "US":
            single = t.ndim == 1
            t = table(t, f"{where}target")
        else:
            single, t = True, t.reshape(-1)
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
        """Every sample once, in batches."""
        if size is None:
            yield self
            return
        order = list(range(len(self)))
        shuffle(order)
        room = self._room(min(size, len(order)))  # for every batch: memory anew costs more
        for start in range(0, len(order), size):
            yield self.some(order[start : start + size], room)

    def some(self, rows: list[int], room: Any = None) -> Samples:
        """A few of the samples, in this order; in the beginning of `room`, if there is one."""
        table = self._room(len(rows)) if room is None else room[: len(rows)]
        x, t = table[:, : self.inputs.shape[1]], table[:, self.inputs.shape[1] :]
        x[:], t[:] = self.inputs[rows], self.targets[rows]
        some = Samples(x, t, self.single, self.where, rows, new=False)
        some.table = table
        return some

    def _room(self, rows: int) -> Any:
        import numpy as np

        return np.empty((rows, self.inputs.shape[1] + self.targets.shape[1]))

    @property
    def first(self) -> Samples:
        """The first batch: all of them."""
        return self

    def all(self, where: str = "") -> Samples:
        return self

    @cached_property
    def first_of_each_target(self) -> list[int]:
        """One sample of each target."""
        import numpy as np

        _, first = np.unique(self.targets, axis=0, return_index=True)
        return sorted(first.tolist())

    @cached_property
    def table(self) -> Any:
        """One row per sample: its inputs, then its targets."""
        import numpy as np

        return np.concatenate([self.inputs, self.targets], axis=1, dtype=float)

    def encoded(self, classes: Classes | None) -> Samples:
        """The samples with targets as the loss takes them."""
        if classes:
            self.targets, self.single = classes.encoded(self)
        elif self.targets.ndim == 1:
            raise TypeError(f"{self.where}targets are names, those to learn from are numbers")
        return self


class Stream:
    """Batches of (inputs, targets) from a source that gives them anew in every epoch.

    Attributes:
        first: the first batch.
    """

    def __init__(self, source: Any) -> None:
        if not hasattr(source, "__iter__") or iter(source) is source:
            raise TypeError(
                f"without targets, inputs are batches of (inputs, targets), anew in every epoch: a "
                f"DataLoader or a list, not {type(source).__name__} {source!r:.60}"
            )
        self._source: Iterable[Any] = source
        self._classes: Classes | None = None
        self._open: Iterator[Any] | None = iter(source)
        try:
            self._begun = next(self._open)
        except StopIteration:
            raise ValueError("0 batches; give at least 1") from None
        self.first = self._samples(0, self._begun)

    def batches(self, size: int | None, shuffle: Callable[[list[int]], None]) -> Iterator[Samples]:
        """Every batch, as the source gives it."""
        begun, self._open = self._open, None
        every = chain([self._begun], begun) if begun else self._source
        for k, batch in enumerate(every):
            yield self._samples(k, batch).encoded(self._classes)

    def encoded(self, classes: Classes | None) -> Stream:
        self._classes = classes
        self.first.encoded(classes)
        return self

    def all(self, where: str = "") -> Samples:
        """All batches as one, from a pass of its own."""
        import numpy as np

        every = [self._samples(k, batch) for k, batch in enumerate(self._source)]
        inputs = np.concatenate([batch.inputs for batch in every])
        targets = np.concatenate([batch.targets for batch in every])
        return Samples(inputs, targets, self.first.single, where)

    def _samples(self, k: int, batch: Any) -> Samples:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise TypeError(
                f"batch {k} is {type(batch).__name__} {batch!r:.60}; give batches of (inputs, "
                "targets), or inputs and targets apart: fit(model, *data)"
            )
        inputs, targets = batch
        return Samples.of(inputs, targets, f"batch {k}, ")


def read(inputs: Any, targets: Any, where: str = "") -> Samples | Stream:
    """What `fit` learns from: samples, or without targets, a source of batches."""
    return Stream(inputs) if targets is None else Samples.of(inputs, targets, where)


@dataclass(frozen=True)
class Classes:
    """Classes by name, in sorted order.

    Attributes:
        names: texts, or numbers.
        targets: what the loss takes for each, a row.
        threshold: with one output, the second class is above it.
    """

    names: list[Any]
    targets: Any
    threshold: float = 0.0

    def indices(self, samples: Samples) -> Any:
        """The class of each sample, from 0."""
        import numpy as np

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

    def encoded(self, samples: Samples) -> tuple[Any, bool]:
        """The targets as the loss takes them, and whether each is one number."""
        width = self.targets.shape[1]
        if samples.targets.ndim == 2 and samples.targets.shape[1] == width:
            return samples.targets, samples.single
        return self.targets[self.indices(samples)], width == 1


def find_classes(
    data: Samples | Stream, outputs: int, loss: Loss, known: Sequence[Any]
) -> Classes | None:
    """The classes that the targets name, or None if they are numbers to come near to.

    Args:
        outputs: how many the model has.
        known: the classes that it was fitted with before.
    """
    import numpy as np

    labels = data.first.targets
    if labels.ndim == 2:
        width = labels.shape[1]
        if outputs == width == 1 and loss in (binary_cross_entropy, hinge):
            pair = [0, 1] if loss is binary_cross_entropy else [-1, 1]
            names = pair if labels.dtype != bool else [False, True]
            return Classes(names, np.array([pair]).T) if np.isin(labels, pair).all() else None
        if loss is not cross_entropy or outputs == 1:
            return None
        if width > 1:
            one_hot = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
            return Classes([*range(width)], np.eye(width)) if one_hot else None
        if (odd := np.flatnonzero(labels % 1)).size:
            raise ValueError(f"target {odd[0]} is {labels[odd[0], 0]:g}; a class is a whole number")
    if not (known and set(np.unique(labels).tolist()) <= set(known)):
        inside = labels.dtype.kind in "iuf" and 0 <= labels.min() <= labels.max() < outputs
        known = [*range(outputs)] if inside else np.unique(data.all().targets).tolist()
        known = [int(name) if isinstance(name, float) else name for name in known]
    if len(known) != max(outputs, 2):
        raise ValueError(
            f"{len(known)} classes ({_some(known)}) but {outputs} outputs; give the last layer one "
            "per class, or one for two"
        )
    return _one_output([*known], loss) if outputs == 1 else Classes([*known], np.eye(outputs))


def _one_output(names: list[Any], loss: Loss) -> Classes:
    """Two classes for one output: 0 and 1, or -1 and 1 for a loss that refuses 0."""
    import numpy as np

    def at_zero(target: float) -> float:
        try:
            return loss(Value(0.0), Value(target)).data
        except (ArithmeticError, AttributeError, TypeError, ValueError):
            return math.nan

    pair = (-1.0, 1.0) if math.isnan(at_zero(0.0)) else (0.0, 1.0)
    by_sign = math.isclose(*map(at_zero, pair))  # a score, and not a number to come near to
    return Classes(names, np.array([pair]).T, 0.0 if by_sign else sum(pair) / 2)


def _some(names: Sequence[Any]) -> str:
    more = ", ..." if len(names) > 6 else ""
    return ", ".join(map(repr, names[:6])) + more
