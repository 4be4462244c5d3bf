"""The arithmetic of an epoch: record every sample, or replay the paths that samples take."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any, Protocol

from ..domain import recording
from ..engine import Value
from ..graph import Graph
from ..replaying.paths import Paths, no_value, replay
from ..rows import leaves
from .optim import Optimizer, State
from .samples import Loss, Samples


class Network(Protocol):
    """Anything to fit: it has parameters and computes outputs from inputs."""

    def parameters(self) -> list[Value]: ...

    def __call__(self, inputs: list[Value], /) -> Value | list[Value]: ...


def arithmetic(
    engine: str, model: Network, loss: Loss, optimizer: Optimizer, samples: Samples
) -> Recording:
    """Replaying where it can be; `samples` are some of those to come."""
    if engine not in ("auto", "scalar"):
        raise ValueError(f"no engine {engine!r}; there are auto and scalar")
    if engine == "auto" and set(optimizer.parameters) <= set(model.parameters()):
        try:
            return Replaying(model, loss, samples, optimizer)
        except ValueError:  # a parameter that is computed, or given twice
            pass
    return Recording(model, loss)


class Recording:
    """An epoch's arithmetic, by recording the graph of every sample."""

    def __init__(self, model: Network, loss: Loss) -> None:
        self.model = model
        self._loss = loss

    def epoch(self, batches: Iterable[Samples], optimizer: Optimizer) -> float:
        """Show the samples and update once per batch; the mean of their losses."""
        total, count = 0.0, 0
        for batch in batches:
            parameters = self.model.parameters()
            for parameter in parameters:
                parameter.grad = 0.0
            with recording():
                for i in range(len(batch)):
                    loss = self.recorded(batch, i)
                    loss.backward()
                    total += loss.data
            for parameter in parameters:
                parameter.grad /= len(batch)
            optimizer.step()
            count += len(batch)
        return total / count

    def settle(self, optimizer: Optimizer) -> None:
        """Give the parameters the numbers of the last step, after an interrupt in an epoch."""

    def checked(self, epoch: int, *parts: Samples | None) -> Recording:
        """The arithmetic to go on with: recording is right by itself."""
        return self

    def loss(self, samples: Samples) -> float:
        """The mean loss of the samples."""
        with recording():
            every = [self.recorded(samples, i).data for i in range(len(samples))]
        return sum(every) / len(every)

    def recorded(self, samples: Samples, i: int) -> Value:
        """The loss of sample `i`, or an error with its first number that is not finite."""
        x = leaves(samples.inputs[i].tolist(), "x")
        t = leaves(samples.targets[i].tolist(), "t")
        try:
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
        return loss

    def of_sample(self, inputs: list[Value], target: Any) -> Value:
        loss = self._loss(self.model(inputs), target)
        if not isinstance(loss, Value):
            raise no_value("the loss is", loss)
        return loss


class Replaying(Recording):
    """The same arithmetic, by replaying each path through model and loss that samples take."""

    def __init__(self, model: Network, loss: Loss, samples: Samples, optimizer: Optimizer) -> None:
        super().__init__(model, loss)
        width = samples.inputs.shape[1]

        def of_row(*row: Value) -> Value:
            return self.of_sample([*row[:width]], samples.shaped([*row[width:]]))

        row = [*leaves(samples.inputs[0], "x"), *leaves(samples.targets[0], "t")]
        self.program: Paths = replay(of_row, row, model.parameters())
        self.settled: State = optimizer.state  # that the parameters have got
        self.shown: set[tuple[float, ...]] = set()

    def checked(self, epoch: int, *parts: Samples | None) -> Recording:
        """This, with the parameters' numbers, if recording some samples again gives its losses.

        Otherwise recording.  Another sample in every epoch, and one of another class; in the first,
        one of every class.
        """
        self.program.load()
        for samples in filter(None, parts):
            self.show_targets(samples)
            classes = samples.first_of_each_target[:100]
            some = classes if epoch == 0 else [classes[epoch % len(classes)]]
            for i in dict.fromkeys([epoch % len(samples), *some]):
                row = samples.some([i]).table[0]
                try:
                    told = self.program.difference(row, samples.name(i))
                except ValueError:  # the epoch will raise it, at the first such sample
                    return self
                if told:
                    told = f"epoch {epoch}, {told}; fit goes on with engine='scalar'"
                    warnings.warn(told, stacklevel=4)
                    return Recording(self.model, self._loss)
        return self

    def epoch(self, batches: Iterable[Samples], optimizer: Optimizer) -> float:
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
                self.recorded(samples, i)
            raise ValueError(f"the loss is {loss:g} only when replayed; take engine='scalar'")
        return loss

    def show_targets(self, samples: Samples) -> None:
        """Record a sample of every new target: a loss may refuse it, but a replay would not."""
        for i in samples.first_of_each_target if samples.new else ():
            target = tuple(samples.targets[i].tolist())
            if target not in self.shown:
                self.shown.add(target)
                self.recorded(samples, i)
        samples.new = False
