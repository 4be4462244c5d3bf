"""Optimisers: gradient descent, Adam, and schedules of the learning rate.

    >>> from micrograd_lab import Value
    >>> w = Value(3.0, "w")
    >>> optimizer = SGD([w], lr=0.1)
    >>> for epoch in range(50):
    ...     optimizer.zero_grad()
    ...     (w**2).backward()
    ...     optimizer.step()
    >>> round(w.data, 4)
    0.0

Each computes the same numbers as the optimiser of the same name in `torch.optim`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from ctypes import c_ssize_t, c_void_p
from typing import Any, NamedTuple

from ..engine import Value
from ..formulas import Floats, np
from ..replaying.program import Vectors, index
from ..replaying.tape.kernel import load


class State(NamedTuple):
    """Where an optimizer is: all that a step changes, so that one assignment takes the step."""

    steps: int = 0
    moments: Floats | tuple[Floats | float, ...] = (0.0, 0.0)  # kept of earlier gradients
    numbers: Floats | None = None  # those of the parameters after the step


class Optimizer:
    """Moves parameters, all at once, by their gradients.

    A step that Ctrl-C interrupts is taken in full or not at all.

    Args:
        parameters: the values to move.
        lr: the learning rate η; it may change before any step.
        weight_decay: the fraction of each parameter to add to its gradient: λ of ½ λ Σ w².
    """

    def __init__(self, parameters: Iterable[Value], lr: float, weight_decay: float) -> None:
        self.parameters: list[Value] = list(parameters)
        if not self.parameters:
            raise ValueError(
                "0 parameters to move; give a model's: model.parameters(); a class of your own "
                "lists them: def parameters(self): return self.mlp.parameters()"
            )
        for w in self.parameters:
            if not isinstance(w, Value):
                raise TypeError(f"a parameter must be a Value, got {type(w).__name__} {w!r:.60}")
        _check(lr=(lr, math.inf), weight_decay=(weight_decay, math.inf))
        self.lr: float = lr
        self.weight_decay: float = weight_decay
        self.state: State = State()
        self._values: list[Value] = []  # of the program whose places are known
        self._at: Any = None

    def __repr__(self) -> str:
        kinds = int, float, bool, tuple
        numbers = {name: it for name, it in vars(self).items() if it and type(it) in kinds}
        options = "".join(f", {name}={it}" for name, it in numbers.items())
        name, count = type(self).__name__, len(self.parameters)
        return f"{name}({count} parameters{options}) after {self.steps} steps"

    @property
    def steps(self) -> int:
        """The number of steps so far."""
        return self.state.steps

    def step(self, program: Vectors | None = None) -> None:
        """Move every parameter once.

        Args:
            program: a replay, to move the numbers in its `vector` along its `gradient`; its `store`
                writes them to the parameters.

        Raises:
            ValueError: if a parameter is none of the program's.

        >>> from micrograd_lab import Value, replay
        >>> w, x = Value(2, "w"), Value(0, "x")
        >>> program = replay((w * x).half_square(), [x], [w])
        >>> loss = program.run([[1]])
        >>> SGD([w], lr=0.5).step(program)
        >>> program.vector.tolist()
        [1.0]
        """
        count = len(self.parameters)
        if program is None:
            data = np.fromiter((p.data for p in self.parameters), float, count)
            grad = np.fromiter((p.grad for p in self.parameters), float, count)
        else:
            at = self.places(program)
            data, grad = program.vector[at], program.gradient[at]
        after = self.after(data, grad)
        try:
            self.state = after  # the step is taken
            self.store(program)
        except BaseException:  # Ctrl-C, anywhere in these two lines
            if self.state is after:
                self.store(program)
            raise

    def places(self, program: Vectors) -> Any:
        """Where the parameters are in the vector of a program: an index."""
        if self._values is not program.values:
            try:
                self._at = index(self.parameters, program.values)
            except KeyError as missing:
                raise ValueError(f"{missing} is no parameter of the program") from None
            self._values = program.values
        return self._at

    def after(self, data: Floats, grad: Floats) -> State:
        """The state after a step from `data` along these gradients; nothing changes."""
        before = self.state.numbers
        if before is not None and len(before) != len(data):
            raise ValueError(
                f"{len(data)} parameters, where the last step moved {len(before)}; "
                "make a new optimizer"
            )
        with np.errstate(all="ignore"):  # infinity and NaN pass, as in torch
            return self._after(data, grad, self.state.steps + 1)

    def store(self, program: Vectors | None = None) -> None:
        """Write the numbers of the last step to the parameters, or to the vector of a program."""
        assert self.state.numbers is not None, "there was a step"
        if program is not None:
            program.vector[self.places(program)] = self.state.numbers
            return
        for parameter, number in zip(self.parameters, self.state.numbers.tolist()):
            parameter.data = number

    def _after(self, data: Floats, grad: Floats, steps: int) -> State:
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, before the next `backward` adds to it."""
        for parameter in self.parameters:
            parameter.grad = 0.0


class SGD(Optimizer):
    """Gradient descent: w ← w − η ∂E/∂w, "stochastic" when E is the error of a batch.

    Args:
        momentum: the fraction of the last direction to keep, from 0 to below 1.
        nesterov: whether to look ahead by the momentum.

    Source:
        Lecture 7, "Backpropagation algorithm": w* from w = 0.4 with η = 0.5.  The slide prints a
        plus sign and 0.436, which climbs.

    >>> w = Value(0.4)
    >>> w.grad = 0.0727
    >>> SGD([w], lr=0.5).step()
    >>> round(w.data, 5)
    0.36365
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.1,
        *,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        _check(momentum=(momentum, 1.0))
        if nesterov and not momentum:
            raise ValueError(f"nesterov looks ahead by the momentum, which is {momentum:g}")
        self.momentum = momentum
        self.nesterov = nesterov

    def _after(self, data: Floats, grad: Floats, steps: int) -> State:
        grad = grad + self.weight_decay * data
        direction = self.momentum * self.state.moments[0] + grad
        step = grad + self.momentum * direction if self.nesterov else direction
        return State(steps, (direction,) if self.momentum else (0.0,), data - self.lr * step)


class Adam(Optimizer):
    """Adam: each parameter moves by its mean gradient, divided by the gradient's usual size.

    Args:
        betas: the fractions of the mean gradient and of the mean squared gradient to keep.
        eps: added to the usual size, so that nothing is divided by 0.

    Source:
        Kingma and Ba (2015), algorithm 1.

    >>> w = Value(1.0)
    >>> w.grad = 250.0
    >>> Adam([w], lr=0.01).step()
    >>> round(w.data, 6)
    0.99
    """

    _direct, _decay = False, 0.0  # whether it shrinks the weights, and is no gradient; by default

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float | None = None,
    ) -> None:
        super().__init__(parameters, lr, self._decay if weight_decay is None else weight_decay)
        for beta in betas:
            _check(betas=(beta, 1.0), eps=(eps, math.inf))
        self.betas = betas
        self.eps = eps

    def _after(self, data: Floats, grad: Floats, steps: int) -> State:
        if self._direct:
            data = data * (1 - self.lr * self.weight_decay)
        elif self.weight_decay:
            grad = grad + self.weight_decay * data
        keep, keep_square = self.betas
        rate, root = self.lr / (1 - keep**steps), (1 - keep_square**steps) ** -0.5
        if not (adam := load("_adam")):
            mean, square = self.state.moments
            mean = keep * mean + (1 - keep) * grad
            square = keep_square * square + (1 - keep_square) * np.square(grad)
            size = np.sqrt(square) * root + self.eps
            return State(steps, (mean, square), data - rate * mean / size)
        before, after = self.state.moments, np.empty((3, len(data)))
        if isinstance(before, tuple):  # zeros, or what was kept where there was no kernel
            before = np.zeros((2, len(data))) + np.reshape(before, (2, -1))
        numbers = np.array([keep, keep_square, rate, root, self.eps])
        vectors = [np.ascontiguousarray(x, float) for x in (data, grad, before, after, numbers)]
        adam(*(c_void_p(x.ctypes.data) for x in vectors), c_ssize_t(len(data)))
        return State(steps, after[:2], after[2])


class AdamW(Adam):
    """Adam that shrinks the weights directly, instead of adding them to their gradients.

    Args:
        weight_decay: a step multiplies each parameter by 1 − lr · weight_decay; by default 0.01.

    Source:
        Loshchilov and Hutter (2019), algorithm 2.

    >>> w = Value(1.0)
    >>> AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w.data
    0.95
    """

    _direct, _decay = True, 0.01


def step_decay(lr: float, every: int, factor: float = 0.1) -> Callable[[int], float]:
    """A function from the epoch to a learning rate, multiplied by `factor` every `every` epochs.

    >>> schedule = step_decay(0.5, every=10)
    >>> schedule(9), schedule(10)
    (0.5, 0.05)
    """
    if every < 1:
        raise ValueError(f"every is {every}; it needs to be at least 1 epoch")
    return lambda epoch: lr * factor ** (epoch // every)


def cosine(lr: float, epochs: int, end: float = 0.0) -> Callable[[int], float]:
    """A function from the epoch to a learning rate: half a cosine from `lr` to `end`, then `end`.

    >>> schedule = cosine(0.5, epochs=100)
    >>> schedule(0), schedule(50), schedule(100), schedule(200)
    (0.5, 0.25, 0.0, 0.0)
    """
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}; it needs to be at least 1")
    return lambda epoch: end + (lr - end) * (1 + math.cos(math.pi * min(epoch / epochs, 1))) / 2


def _check(**limits: tuple[float, float]) -> None:
    """Raise an error unless each number is at least 0 and below its limit."""
    for name, (number, limit) in limits.items():
        if not 0 <= number < limit:
            below = "" if limit == math.inf else f" and below {limit:g}"
            raise ValueError(f"{name} is {number:g}; it needs to be at least 0{below}")
