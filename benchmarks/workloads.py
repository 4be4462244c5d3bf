"""What the benchmarks compute: four networks with their samples, and a chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Step: TypeAlias = "Callable[[], tuple[float, Any]]"  # the loss and the gradient before the update

RATE = 1e-12  # of learning: as much work as any, and the numbers stay where they are
CHAIN = 100_000  # operations


@dataclass
class Network:
    """A network, its loss, and the samples.

    Attributes:
        sizes: how many inputs, then how many neurons in each layer.
        activation: of the hidden layers; the lecture's sigmoid is that of the outputs, too.
        loss: "hinge", "cross_entropy" or "squared_error".
        penalty: how much the sum of the squared parameters costs.
        x, t: inputs and targets, a row per sample.
        p: the parameters, for each neuron its weights and its bias.
    """

    sizes: list[int]
    activation: str
    loss: str
    penalty: float
    x: Any
    t: Any
    p: Any

    def layers(self, p: Any) -> list[Any]:
        """Views of the flat vector `p`: for each layer a row per neuron, its bias last."""
        views, start = [], 0
        for inputs, neurons in zip(self.sizes, self.sizes[1:]):
            stop = start + neurons * (inputs + 1)
            views.append(p[start:stop].reshape(neurons, inputs + 1))
            start = stop
        return views


@dataclass
class Chain:
    """x·a + b, again and again: deep and narrow, one sample, two parameters."""

    x: float = 0.5
    a: float = 0.99999
    b: float = 0.00001


def chained(x: Any, a: Any, b: Any) -> Any:
    """The end of the chain: `CHAIN` operations on numbers of any kind."""
    for _ in range(CHAIN // 2):
        x = x * a
        x = x + b
    return x


def workloads() -> dict[str, Network | Chain]:
    """The five computations, by what they are."""
    import numpy as np

    random = np.random.default_rng(0)

    def network(
        sizes: list[int], samples: int, activation: str, loss: str, penalty: float
    ) -> Network:
        count = sum((sizes[k] + 1) * sizes[k + 1] for k in range(len(sizes) - 1))
        p = random.normal(size=count) / 4
        x = random.normal(size=(samples, sizes[0]))
        if loss == "hinge":
            t = np.where(x[:, :1] > 0, 1.0, -1.0)
        else:
            t = np.eye(sizes[-1])[random.integers(sizes[-1], size=samples)]
        return Network(sizes, activation, loss, penalty, x, t, p)

    lecture = network([2, 2, 2], 1, "sigmoid", "squared_error", 0.0)
    lecture.p[:] = [0.15, 0.2, 0.1, 0.2, 0.3, 0.2, 0.4, 0.5, 0.2, 0.45, 0.55, 0.1]
    lecture.x[:], lecture.t[:] = [0.12, 0.3], [0.1, 0.9]
    digits = "digits, 64-32-10, softmax cross entropy, batch"
    return {
        "moons, 2-16-16-1, 100 samples, max-margin and L2": network(
            [2, 16, 16, 1], 100, "relu", "hinge", 1e-4
        ),
        f"{digits} 32": network([64, 32, 10], 32, "relu", "cross_entropy", 0.0),
        f"{digits} 256": network([64, 32, 10], 256, "relu", "cross_entropy", 0.0),
        "the lecture's network, 2-2-2, one sample": lecture,
        f"chain of {CHAIN:,} operations, one sample": Chain(),
    }


def duration(seconds: float) -> str:
    """A time with three digits.

    >>> duration(0.00123)
    '1.23 ms'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
