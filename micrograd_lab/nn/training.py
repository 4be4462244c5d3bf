"""Fit a network to samples.

    >>> from micrograd_lab import MLP, SGD, hinge, moons
    >>> inputs, targets = moons(20, seed=1)
    >>> model = MLP(2, [8, 1], seed=1)
    >>> history = fit(model, inputs, [2 * t - 1 for t in targets], loss=hinge, epochs=30)
    >>> history.loss[-1] < history.loss[0] / 2
    True

An epoch shows every sample once.  Each batch is the loop that you would write by hand: record the
loss of each sample, call `backward`, update the parameters.  If all samples have the same graph, it
is recorded once and replayed at array speed.
"""

from __future__ import annotations

import math
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..domain import recording
from ..engine import Value
from ..graph import Graph
from ..replaying import replay
from ..tell.notation import subscripted
from .losses import squared_error
from .optim import SGD, Optimizer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..drawing import Picture

Loss: TypeAlias = Callable[[Any, Any], Value]


class Network(Protocol):
    """Anything to fit: it has parameters and computes outputs from inputs."""

    def parameters(self) -> list[Value]: ...

    def __call__(self, inputs: list[Value], /) -> Value | list[Value]: ...


@dataclass(repr=False)
class History:
    """The course of a fit, with one entry per finished epoch.

    Attributes:
        loss: the mean loss of the samples, each from before the update of its batch.
        validation: the mean loss of the validation samples after the epoch; empty without any.
        lr: the learning rate.
        stopped: why it stopped: "early", "callback" or "interrupted"; "" after the last epoch.

    >>> History(loss=[2.0, 1.0, 0.5], lr=[0.1] * 3)
    History(3 epochs, loss 2 to 0.5)
    """

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    stopped: str = ""

    @property
    def best(self) -> int:
        """The epoch, counted from 0, with the least validation loss, or loss if there is none."""
        losses = self.validation or self.loss
        return losses.index(min(losses))

    def plot(self, *, theme: str = "light") -> Picture:
        """The losses as curves, as the history shows itself in a notebook."""
        from ..drawing import plot_history

        return plot_history(self, theme=theme)

    def _repr_html_(self) -> str | None:
        return self.plot()._repr_html_() if self.loss else None

    def __repr__(self) -> str:
        curve = f", loss {self.loss[0]:.4g} to {self.loss[-1]:.4g}" if self.loss else ""
        stopped = f", stopped: {self.stopped}" if self.stopped else ""
        return f"History({len(self.loss)} epochs{curve}{stopped})"


def fit(
    model: Network,
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    loss: Loss = squared_error,
    optimizer: Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    schedule: Callable[[int], float] | None = None,
    patience: int | None = None,
    callbacks: Iterable[Callable[[History], object]] = (),
    seed: int | None = None,
    progress: bool | None = None,
    engine: str = "auto",
) -> History:
    """Move the parameters of `model` so that the mean loss of the samples falls.

    Ctrl-C ends it early and keeps the parameters as they are.

    Args:
        model: an `MLP`, or anything with `parameters()` that can be called on a list of values.
        inputs: a row of numbers per sample.
        targets: a number or a row of numbers per sample.
        loss: a function of the outputs and targets of one sample: `squared_error`, `hinge`, ...
        optimizer: by default `SGD` with η = 0.1.
        epochs: number of passes through the samples.
        batch_size: samples per update, shuffled anew in every epoch; by default all samples.
        validation: inputs and targets to measure the loss on, not to learn from.
        schedule: the learning rate as a function of the epoch, counted from 0.
        patience: the number of epochs without a new least loss (on the validation samples, if there
            are any) after which it stops and restores the parameters of the best epoch.
        callbacks: called with the history after each epoch; one that returns True stops the fit.
        seed: of the shuffling; the same seed repeats a run bit for bit.
        progress: whether to show a progress bar; by default in notebooks and terminals.
        engine: "scalar" records every sample in every epoch.  "auto" records one for each path
            that samples take through model and loss, and replays it for the others; in every
            epoch it records some again, and goes on with "scalar" if they differ, because model
            or loss read a number that no comparison of values shows.

    Returns:
        The losses, epoch by epoch; it plots itself.

    Raises:
        ValueError: if a loss is NaN or infinite; the message names the epoch, the sample and the
            first such node.

    >>> from micrograd_lab import MLP, Adam, binary_cross_entropy, gate
    >>> xor, model = gate("xor"), MLP(2, [4, 1], activation="tanh", seed=1)
    >>> adam = Adam(model.parameters(), lr=0.1)
    >>> fit(model, *xor, loss=binary_cross_entropy, optimizer=adam, epochs=60, patience=20).best
    59
    >>> accuracy(model, *xor, loss=binary_cross_entropy)
    1.0
    """
    if epochs < 0:
        raise ValueError(f"epochs is {epochs}; it needs to be at least 0")
    for name, count in (("batch_size", batch_size), ("patience", patience)):
        if count is not None and count < 1:
            raise ValueError(f"{name} is {count}; it needs to be at least 1")
    samples = _Samples.of(inputs, targets)
    held_out = _Samples.of(*validation, name="validation sample") if validation else None
    optimizer = optimizer or SGD(model.parameters(), lr=0.1)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be an SGD, Adam or AdamW, got {optimizer!r:.60}")
    if set(optimizer.parameters).isdisjoint(model.parameters()):
        raise ValueError(
            f"none of the optimizer's {len(optimizer.parameters)} parameters are the model's; "
            f"give it those: {type(optimizer).__name__}(model.parameters())"
        )
    arithmetic = _arithmetic(engine, model, loss, optimizer, samples, held_out)
    shuffle = random.shuffle if seed is None else random.Random(seed).shuffle
    history, best = History(), _Best(model)
    try:
        with _bar(epochs, progress) as bar:
            for epoch in bar:
                if schedule:
                    optimizer.lr = schedule(epoch)
                before = _numbers(model)
                try:
                    arithmetic = arithmetic.checked(epoch, samples, held_out)
                    batches = _batches(len(samples.inputs), batch_size, shuffle)
                    last = {"loss": arithmetic.epoch(samples, batches, optimizer)}
                    _check_finite(optimizer.parameters)
                    if held_out:
                        last["validation"] = arithmetic.loss(held_out)
                except ValueError as error:
                    raise ValueError(f"epoch {epoch}, {error}") from error
                history.loss.append(last["loss"])
                history.validation.extend([last["validation"]] if held_out else [])
                history.lr.append(optimizer.lr)
                bar.set_postfix({name: f"{loss:.4g}" for name, loss in last.items()}, refresh=False)
                if held_out:
                    best.update(epoch, last["validation"], _numbers(model))
                else:  # the loss belongs to the parameters before the updates
                    best.update(epoch, last["loss"], before)
                if patience and epoch - best.epoch >= patience:
                    history.stopped = "early"
                for callback in callbacks:
                    if callback(history) is True:
                        history.stopped = "callback"
                if history.stopped:
                    break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    if patience and best.epoch < len(history.loss) - 1:
        for parameter, number in zip(model.parameters(), best.numbers):
            parameter.data = number
    return history


def accuracy(
    model: Network, inputs: ArrayLike, targets: ArrayLike, *, loss: Loss = squared_error
) -> float:
    """The fraction of samples whose own target has the lowest loss.

    That is the usual criterion of each loss: the nearest target for a squared error, the sign of
    the score for a hinge, the largest score for a cross entropy.

    >>> from micrograd_lab import Neuron, hinge
    >>> line = Neuron(1, activation=None)
    >>> line.w[0].data = 1.0
    >>> accuracy(line, [[-2], [-1], [0.1], [3]], [-1, 1, 1, 1], loss=hinge)
    0.75
    """
    samples = _Samples.of(inputs, targets)
    classes = sorted(set(map(tuple, samples.targets)))
    if len(classes) > 100:
        raise ValueError(f"{len(classes)} different targets; accuracy is for up to 100 classes")
    right = 0
    for x, own in zip(samples.inputs, samples.targets):
        y = model(_values("x", x))
        leaves = y.detach() if isinstance(y, Value) else [output.detach() for output in y]
        losses = {t: loss(leaves, samples.shaped(_values("t", t))).data for t in classes}
        right += min(classes, key=losses.__getitem__) == tuple(own)
    return right / len(samples.inputs)


class _Best:
    """The epoch with the least loss so far, and its parameters."""

    def __init__(self, model: Network) -> None:
        self.epoch = -1
        self.loss = math.inf
        self.numbers = _numbers(model)

    def update(self, epoch: int, loss: float, numbers: list[float]) -> None:
        if loss < self.loss:
            self.epoch, self.loss, self.numbers = epoch, loss, numbers


@dataclass
class _Samples:
    """Rows of inputs and of targets; `single` if each target is a number, not a row."""

    inputs: list[list[float]]
    targets: list[list[float]]
    single: bool
    name: str

    @classmethod
    def of(cls, inputs: Any, targets: Any, *, name: str = "sample") -> _Samples:
        if len(inputs) != len(targets) or not len(inputs):
            raise ValueError(f"{len(inputs)} inputs but {len(targets)} targets; give one each")
        single = not hasattr(targets[0], "__len__")
        return cls(_rows(inputs, "input"), _rows(targets, "target"), single, name)

    def shaped(self, target: Sequence[Any]) -> Any:
        """A target in the form that the loss takes."""
        return target[0] if self.single else target

    @cached_property
    def first_of_each_class(self) -> list[int]:
        """One sample of each target, up to 100 of them."""
        first: dict[tuple[float, ...], int] = {}
        for i, target in enumerate(self.targets):
            first.setdefault(tuple(target), i)
        return [*first.values()][:100]

    @cached_property
    def table(self) -> Any:
        """One row per sample: its inputs, then its targets."""
        import numpy as np

        return np.hstack([np.array(self.inputs), np.array(self.targets)])


class _Scalar:
    """An epoch's arithmetic, by recording the graph of every sample."""

    def __init__(self, model: Network, loss: Loss) -> None:
        self.model = model
        self.of_sample = loss

    def epoch(self, samples: _Samples, batches: list[list[int]], optimizer: Optimizer) -> float:
        """Show the samples and update once per batch; the mean of their losses."""
        total = 0.0
        for batch in batches:
            parameters = self.model.parameters()
            for parameter in parameters:
                parameter.grad = 0.0
            with recording():
                for i in batch:
                    loss = self.recorded(samples, i)
                    loss.backward()
                    total += loss.data
            for parameter in parameters:
                parameter.grad /= len(batch)
            optimizer.step()
        return total / len(samples.inputs)

    def checked(self, epoch: int, *parts: _Samples | None) -> _Scalar:
        """The arithmetic to go on with: recording is right by itself."""
        return self

    def loss(self, samples: _Samples) -> float:
        """The mean loss of the samples."""
        count = len(samples.inputs)
        with recording():
            return sum(self.recorded(samples, i).data for i in range(count)) / count

    def recorded(self, samples: _Samples, i: int) -> Value:
        """The loss of sample `i`, or an error with its first number that is not finite."""
        return self.with_leaves(samples, i)[0]

    def with_leaves(self, samples: _Samples, i: int) -> tuple[Value, list[Value]]:
        """The loss of sample `i`, and its inputs and targets as values."""
        x, t = _values("x", samples.inputs[i]), _values("t", samples.targets[i])
        try:
            loss = self.of_sample(self.model(x), samples.shaped(t))
        except ValueError as error:
            raise ValueError(f"{samples.name} {i}: {error}") from error
        _check_value("the loss", loss)
        if not math.isfinite(loss.data):
            graph = Graph(loss, products=False)
            node = next(node for node in graph.nodes if not math.isfinite(node.data))
            raise ValueError(
                f"{samples.name} {i}: {graph.names[node]} is {node.data:g}, and the loss "
                f"{loss.data:g}; take a smaller learning rate or scale the inputs"
            )
        return loss, [*x, *t]


class _Replayed(_Scalar):
    """The same arithmetic, by replaying each path through model and loss that samples take."""

    def __init__(self, model: Network, loss: Loss, samples: _Samples, optimizer: Optimizer) -> None:
        import numpy as np

        super().__init__(model, loss)
        x, t = _values("x", samples.inputs[0]), _values("t", samples.targets[0])

        def of_sample(*leaves: Value) -> Value:
            return loss(model([*leaves[: len(x)]]), samples.shaped([*leaves[len(x) :]]))

        self.program = replay(of_sample, [*x, *t], model.parameters())
        place = {parameter: k for k, parameter in enumerate(self.program.values)}
        self.moves = np.array([place[parameter] for parameter in optimizer.parameters])

    def checked(self, epoch: int, *parts: _Samples | None) -> _Scalar:
        """This, if recording some samples again gives the replay's loss; otherwise recording.

        Another sample in every epoch, and one of another class; in the first, one of every class.
        """
        self.program.load()
        for samples in filter(None, parts):
            classes = samples.first_of_each_class
            some = classes if epoch == 0 else [classes[epoch % len(classes)]]
            for i in dict.fromkeys([epoch % len(samples.inputs), *some]):
                try:
                    recorded, replayed = self.recorded(samples, i).data, self.run(samples, [i])
                except ValueError:  # the epoch will raise it, at the first such sample
                    return self
                if not math.isclose(recorded, replayed, rel_tol=1e-9, abs_tol=1e-12):
                    warnings.warn(
                        f"epoch {epoch}, {samples.name} {i}: recording gives the loss "
                        f"{recorded:.6g}, the replay {replayed:.6g}; model or loss read a number "
                        "that no comparison of values shows, such as p.data or one that a "
                        "callback changes; fit goes on with engine='scalar'",
                        stacklevel=3,
                    )
                    return _Scalar(self.model, self.of_sample)
        return self

    def epoch(self, samples: _Samples, batches: list[list[int]], optimizer: Optimizer) -> float:
        program, total = self.program, 0.0
        program.load()
        try:
            for batch in batches:
                total += self.run(samples, batch) * len(batch)
                optimizer.state = optimizer.after(
                    program.vector[self.moves], program.gradient[self.moves]
                )
                program.vector[self.moves] = optimizer.state.numbers
        finally:  # an error or Ctrl-C keeps the updates so far
            program.store()
        return total / len(samples.inputs)

    def loss(self, samples: _Samples) -> float:
        self.program.load()
        return self.run(samples, range(len(samples.inputs)))

    def run(self, samples: _Samples, batch: Sequence[int]) -> float:
        """The mean loss of a batch; if it is not finite, the error from recording it."""
        try:
            loss = self.program.run(samples.table[batch])
        except ValueError:
            loss = math.nan
        if not math.isfinite(loss):
            self.program.store()
            for i in batch:
                self.recorded(samples, i)
            raise ValueError(f"the loss is {loss:g} only when replayed; take engine='scalar'")
        return loss

    def show_targets(self, samples: _Samples) -> None:
        """Call the loss with every target once: it may refuse one, but the replay would not."""
        outputs = self.model(_values("x", samples.inputs[0]))
        for target in dict.fromkeys(map(tuple, samples.targets)):
            self.of_sample(outputs, samples.shaped(_values("t", target)))


def _arithmetic(
    engine: str,
    model: Network,
    loss: Loss,
    optimizer: Optimizer,
    samples: _Samples,
    held_out: _Samples | None,
) -> _Scalar:
    """Replaying, if the loss takes every target; else recording, which says why not."""
    if engine not in ("auto", "scalar"):
        raise ValueError(f"no engine {engine!r}; there are auto and scalar")
    if engine == "auto" and set(optimizer.parameters) <= set(model.parameters()):
        try:
            replayed = _Replayed(model, loss, samples, optimizer)
            for part in filter(None, (samples, held_out)):
                replayed.show_targets(part)
            return replayed
        except ValueError:  # recording will raise it again, with the epoch
            pass
    return _Scalar(model, loss)


def _check_value(what: str, value: object) -> None:
    if not isinstance(value, Value):
        raise TypeError(
            f"{what} is {type(value).__name__} {value!r:.60}, no Value; a function of math or an "
            "array cuts the graph: write v.tanh(), not math.tanh(v)"
        )


def _batches(
    samples: int, batch_size: int | None, shuffle: Callable[[list[int]], None]
) -> list[list[int]]:
    """Every sample once, in batches."""
    order = list(range(samples))
    if batch_size is None:
        return [order]
    shuffle(order)
    return [order[start : start + batch_size] for start in range(0, samples, batch_size)]


def _check_finite(parameters: Iterable[Value]) -> None:
    for parameter in parameters:
        if not math.isfinite(parameter.data):
            raise ValueError(
                f"last update: {parameter.label or 'a parameter'} is {parameter.data:g}; take a "
                "smaller learning rate or scale the inputs"
            )


def _rows(numbers: Sequence[Any], what: str) -> list[list[float]]:
    """Rows of equal length; a number is a row of one."""
    listed = [list(row) if hasattr(row, "__len__") else [row] for row in numbers]
    rows = [[Value(x).data for x in row] for row in listed]
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise ValueError(f"{what} {i} has {len(row)} numbers, {what} 0 has {len(rows[0])}")
    return rows


def _values(name: str, numbers: Sequence[float]) -> list[Value]:
    """Labelled leaves."""
    return [Value(x, subscripted(name, i)) for i, x in enumerate(numbers, start=1)]


def _numbers(model: Network) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


def _bar(epochs: int, progress: bool | None) -> Any:
    """A progress bar over the epochs, in a notebook or a terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is experimental, or widgets are missing
        from tqdm.autonotebook import tqdm
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    notebook = hasattr(shell, "kernel")
    show = notebook or None if progress is None else progress  # None: in a terminal
    return tqdm(
        range(epochs),
        unit="epoch",
        disable=None if show is None else not show,
        file=sys.stdout if notebook else sys.stderr,  # a notebook tints what goes to stderr
    )
