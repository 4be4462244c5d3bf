"""Fit a network to samples.

Each batch is the loop that you would write by hand: record the loss of each sample, call
`backward`, update the parameters; but what was recorded once is replayed at array speed.
"""

from __future__ import annotations

import math
import random
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..engine import Value
from ..formulas import np
from ..rows import leaves
from .arithmetic import FOR_CLASSES, Arithmetic, Classes, Loss, Network, find_classes, read
from .losses import squared_error
from .modules import Module, decided, outputs
from .optim import SGD, Optimizer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..drawing import Picture
    from ..drawing.film import Film

Inputs: TypeAlias = "ArrayLike | Iterable[tuple[ArrayLike, ArrayLike]]"  # or batches


class Frame(NamedTuple):
    """All parameters after so many epochs, and the gradients of the last batch; NaN before it."""

    epoch: int
    numbers: Any
    gradients: Any


@dataclass(repr=False)
class History:
    """The course of a fit, with one entry per finished epoch.

    Attributes:
        loss: the mean loss of the samples, each from before the update of its batch.
        validation: the mean loss of the validation samples after the epoch; empty without any.
        lr: the learning rate.
        stopped: why it stopped: "early", "callback" or "interrupted"; "" after the last epoch.
        classes: those that the targets name, in sorted order; empty if they are numbers.
        frames: the moments that `watch` kept; of `watched`, which is (model, inputs, targets).

    >>> History(loss=[2.0, 1.0, 0.5], lr=[0.1] * 3)
    History(3 epochs, loss 2 to 0.5)
    """

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    stopped: str = ""
    classes: list[Any] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list, compare=False)
    watched: tuple[Any, Any, Any] = field(default=(None, None, None), compare=False)

    @property
    def best(self) -> int:
        """The epoch, counted from 0, with the least validation loss, or loss if there is none."""
        losses = self.validation or self.loss
        return losses.index(min(losses))

    def plot(self, *, theme: str = "auto") -> Picture:
        """The losses as curves, as the history shows itself in a notebook."""
        from ..drawing import plot_history

        return plot_history(self, theme=theme)

    def film(self) -> Film:
        """Boundary, weights, gradients and loss at the moments that were watched.

        Raises:
            ValueError: if there are none; `fit` keeps them with ``watch=60``.

        >>> from micrograd_lab import MLP, gate
        >>> fit(MLP(2, [2, 1], seed=1), *gate("xor"), epochs=9, watch=4).film()
        Film of 4 moments of 9 epochs; show it in a notebook, or .save("film.html")
        """
        from ..drawing.film import Film

        return Film(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        shown = self.plot()._repr_mimebundle_() if self.loss else {}
        return shown | {"text/plain": repr(self)}

    def __repr__(self) -> str:
        curve = f", loss {self.loss[0]:.4g} to {self.loss[-1]:.4g}" if self.loss else ""
        stopped = f", stopped: {self.stopped}" if self.stopped else ""
        return f"History({len(self.loss)} epochs{curve}{stopped})"


def fit(
    model: Network,
    inputs: Inputs,
    targets: ArrayLike | None = None,
    *,
    loss: Loss = squared_error,
    optimizer: Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    validation: tuple[ArrayLike, ArrayLike] | Iterable[Any] | None = None,
    schedule: Callable[[int], float] | None = None,
    patience: int | None = None,
    callbacks: Iterable[Callable[[History], object]] = (),
    watch: int = 0,
    seed: int | None = None,
    progress: bool | None = None,
    engine: str = "auto",
) -> History:
    """Move the parameters of `model` so that the mean loss of the samples falls.

    Ctrl-C ends it early and keeps the parameters as they are after the last whole batch.

    Args:
        model: an `MLP`, or anything with `parameters()` that can be called on a list of values.
        inputs: a row of numbers per sample: lists, an array, a frame or a tensor.  Or, without
            `targets`, batches of inputs and targets: a `DataLoader` of PyTorch, or a list.
        targets: a number or a row of numbers per sample; or the name of its class, a text, or for
            `cross_entropy` a number.  The model keeps the classes, in sorted order.
        loss: a function of the outputs and targets of one sample: `squared_error`, `hinge`, ...
        optimizer: by default `SGD` with η = 0.1.
        epochs: number of passes through the samples.
        batch_size: samples per update, shuffled anew in every epoch; by default all samples.
        validation: inputs and targets, or batches, to measure the loss on, not to learn from.
        schedule: the learning rate as a function of the epoch, counted from 0.
        patience: the number of epochs without a new least loss (on the validation samples, if there
            are any) after which it stops and restores the parameters of the best epoch.
        callbacks: called with the history after each epoch; one that returns True stops the fit.
        watch: how many moments, evenly apart, to keep for `History.film`: at least 2, or True for
            60.  Each takes 16 bytes per parameter.
        seed: of the shuffling; the same seed repeats a run bit for bit.
        progress: whether to show a progress bar; by default in notebooks and terminals.
        engine: "scalar" records every sample in every epoch.  "auto" replays each path that samples
            take through model and loss; in every epoch it records some again, and goes on with
            "scalar" if they differ: something read a number that no comparison of values shows.

    Raises:
        TypeError: if inputs or targets are nothing like that.
        ValueError: if a number or a loss is NaN or infinite; says at which epoch, sample and node.

    >>> from micrograd_lab import MLP, Adam, binary_cross_entropy, gate
    >>> xor, model = gate("xor"), MLP(2, [4, 1], activation="tanh", seed=1)
    >>> adam = Adam(model.parameters(), lr=0.1)
    >>> fit(model, *xor, loss=binary_cross_entropy, optimizer=adam, epochs=60, patience=20).best
    59
    >>> accuracy(model, *xor)
    1.0
    """
    if not callable(loss):
        raise TypeError(f"loss is {loss!r:.60}; give a function, as micrograd_lab.squared_error")
    watch = 60 if watch is True else watch
    counts = {"epochs": epochs, "batch_size": batch_size, "patience": patience, "watch": watch}
    for (name, count), least in zip(counts.items(), (0, 1, 1, 2)):
        if count is not None and not hasattr(count, "__index__"):
            raise TypeError(f"{name} is {count!r:.60}; give a whole number")
        if count is not None and count < least and not (name == "watch" and count == 0):
            more = ", or 0" if name == "watch" else ""
            raise ValueError(f"{name} is {count}; it needs to be at least {least}{more}")
    _check_model(model)
    data = read(inputs, targets)
    labels = data.targets  # before they are what the loss takes
    if batch_size and data.source:
        raise ValueError(f"batch_size is {batch_size}, but the batches come as they are")
    optimizer = optimizer or SGD(model.parameters(), lr=0.1)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be an SGD, Adam or AdamW, got {optimizer!r:.60}")
    if set(optimizer.parameters).isdisjoint(model.parameters()):
        raise ValueError(
            f"none of the optimizer's {len(optimizer.parameters)} parameters are the model's; "
            f"give it those: {type(optimizer).__name__}(model.parameters())"
        )
    classes = None
    if loss in FOR_CLASSES or data.targets.ndim == 1:
        count = outputs(model, data.inputs[:1]).shape[1]
        classes = find_classes(data, count, loss, getattr(model, "classes", ()))
    named: Any = model
    named.classes = classes.names if classes else []
    data.encoded(classes)
    held_out = None
    if validation is not None:
        apart = isinstance(validation, tuple) and len(validation) == 2
        x, t = validation if apart else (validation, None)
        held_out = read(x, t, "validation ").all().encoded(classes)
    used = Arithmetic(engine, model, loss, data, optimizer)
    shuffle = random.shuffle if seed is None else random.Random(seed).shuffle
    history, best = History(classes=named.classes), _Best(-1, math.inf, [])
    every = math.ceil(epochs / (watch - 1)) if watch else 0
    if watch:
        history.watched = model, data.inputs, labels
        history.frames.append(_frame(0, model))

    def learn(epoch: int) -> dict[str, float]:
        """The losses of an epoch, after it."""
        try:
            used.begin(epoch, data, held_out)
            last = {"loss": used.epoch(data.batches(batch_size, shuffle), optimizer)}
            for i in np.flatnonzero(~np.isfinite(optimizer.state.numbers)):
                w = optimizer.parameters[i]
                raise ValueError(
                    f"last update: {w.label or 'a parameter'} is {w.data:g}; take a smaller "
                    "learning rate or scale the inputs"
                )
            return last | ({"validation": used.loss(held_out)} if held_out else {})
        except ValueError as error:
            raise ValueError(f"epoch {epoch}, {error}") from error

    def settle() -> None:
        """Make whole what Ctrl-C may have left half done; it can be called again."""
        used.settle(optimizer)
        for losses in (history.loss, history.validation):
            del losses[len(history.lr) :]
        if patience and best.epoch < len(history.loss) - 1:
            for parameter, number in zip(model.parameters(), best.numbers):
                parameter.data = number

    try:
        with _bar(epochs, progress) as bar:
            for epoch in bar:
                if schedule:
                    optimizer.lr = schedule(epoch)
                before = _numbers(model) if patience else []
                last = learn(epoch)
                history.loss.append(last["loss"])
                history.validation.extend([*last.values()][1:])
                history.lr.append(optimizer.lr)  # with this the epoch counts
                bar.set_postfix({name: f"{loss:.4g}" for name, loss in last.items()}, refresh=False)
                *_, newest = last.values()
                if newest < best.loss:
                    # the training loss belongs to the parameters before the updates
                    numbers = _numbers(model) if patience and held_out else before
                    best = _Best(epoch, newest, numbers)
                if patience and epoch - best.epoch >= patience:
                    history.stopped = "early"
                for callback in callbacks:
                    if callback(history) is True:
                        history.stopped = "callback"
                if watch and (history.stopped or epoch + 1 == epochs or (epoch + 1) % every == 0):
                    history.frames.append(_frame(epoch + 1, model))
                if history.stopped:
                    break
        settle()
    except KeyboardInterrupt:
        history.stopped = "interrupted"
        settle()
    except BaseException:
        used.settle(optimizer)
        raise
    return history


def accuracy(
    model: Network, inputs: Inputs, targets: ArrayLike | None = None, *, loss: Loss | None = None
) -> float:
    """The fraction of samples whose class, or else whose target, is the one that the model gives.

    Args:
        model, inputs, targets: as for `fit`.
        loss: the model gives the target for which it is lowest; by default of the classes that it
            was fitted to that of the largest score, as `predict` does, or `squared_error`.

    >>> from micrograd_lab import Neuron, hinge
    >>> line = Neuron(1, activation=None)
    >>> line.w[0].data = 1.0
    >>> accuracy(line, [[-2], [-1], [0.1], [3]], [-1, 1, 1, 1], loss=hinge)
    0.75
    """
    samples = read(inputs, targets).all()
    found = outputs(model, samples.inputs)
    known = getattr(model, "classes", ())
    if known and loss is None:
        own = Classes([*known], found).indices(samples)
        return float((decided(found) == own).mean())
    of_sample = loss or squared_error
    samples.encoded(find_classes(samples, found.shape[1], of_sample, known))
    kinds, own = np.unique(samples.targets, axis=0, return_inverse=True)
    if len(kinds) > 100:
        raise ValueError(f"{len(kinds)} different targets; accuracy is for up to 100 classes")

    def cost(kind: list[float]) -> Callable[[list[Value]], Value]:
        t = samples.shaped(leaves(kind, "t"))
        return lambda y: of_sample(y[0] if len(y) == 1 else y, t)

    costs = np.hstack([outputs(cost(kind), found) for kind in kinds.tolist()])
    return float((costs.argmin(axis=1) == own.reshape(-1)).mean())


class _Best(NamedTuple):
    """The epoch with the least loss so far, and its parameters."""

    epoch: int
    loss: float
    numbers: list[float]


def _check_model(model: Any) -> None:
    """Raise an error, with what to write, unless the model has parameters."""
    name = type(model).__name__
    if isinstance(model, type):
        raise TypeError(f"{model.__name__} is a class; give a model of it: {model.__name__}(...)")
    if hasattr(model, "parameters") and model.parameters():
        return
    held = [part for part, x in getattr(model, "__dict__", {}).items() if isinstance(x, Module)]
    what = " + ".join(f"self.{part}.parameters()" for part in held) or "[its values]"
    raise TypeError(f"{name} has no parameters to move; write: def parameters(self): return {what}")


def _frame(epoch: int, model: Network) -> Frame:
    gradients = [parameter.grad if epoch else math.nan for parameter in model.parameters()]
    return Frame(epoch, np.array(_numbers(model)), np.array(gradients))


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
    hide = None if show is None else not show
    file = sys.stdout if notebook else sys.stderr  # which a notebook tints
    return tqdm(range(epochs), unit="epoch", disable=hide, file=file)
