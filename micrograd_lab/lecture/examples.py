"""The lecture's worked examples as recorded graphs, with the lecture's name for every node."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from ..calculus import dot, total
from ..drawing.showing import resource
from ..engine import Value, recorded
from ..graph import Graph
from ..nn.losses import cross_entropy, labelled, softmax
from ..ops import OPS
from ..tell.notation import subscripted

__all__ = [
    "GATES", "INPUTS", "LABEL", "RATE", "SCORES", "TARGETS", "WEIGHTS", "Example", "Outputs",
    "chain", "gate", "network", "outputs", "toy", "toy_steps", "trained", "wirings", "xor",
]  # fmt: skip


SLIDES: dict[str, Any] = json.loads(resource("slides.json", __package__))
WEIGHTS: Mapping[str, float] = SLIDES["weights"]
INPUTS: Mapping[str, float] = SLIDES["inputs"]
TARGETS: Mapping[str, float] = SLIDES["targets"]
RATE: float = SLIDES["rate"]  # η of the network; the toy has 0.1
GATES: Mapping[str, Mapping[str, float]] = SLIDES["gates"]  # two weights, then the bias
SCORES = (-5.0, -1.0, 1.0, 5.0)
LABEL = (0, 0, 0, 1)


@dataclass(frozen=True)
class Example:
    """A recorded example."""

    result: Value  # where `backward` starts
    nodes: Mapping[str, Value]  # by the lecture's names
    parameters: Sequence[Value]  # which training moves
    # the slides of the toy and of the network, for `step(result, chapters=...)`, with errata
    chapters: Mapping[str, tuple[Any, ...]]

    def __getitem__(self, name: str) -> Value:
        if name in self.nodes:
            return self.nodes[name]
        raise KeyError(f"the lecture has no {name!r} here; it has {', '.join(self.nodes)}")

    def moved(self, rate: float) -> dict[str, float]:
        """Each parameter after ``w + rate · grad``; a negative rate descends."""
        return {w.label: w.data + rate * w.grad for w in self.parameters}


def toy(w: float = -2, b: float = 3, *, target: float | None = None) -> Example:
    """f = wx + b with x = 5; with a target, also its error E = ½(f − t)².

    The slide moves w and b by "+ η ∂f/∂w", which climbs f.  That is right here and nowhere else in
    the lecture, because f = −7 should rise to 3.  Nothing ends the climb: see `toy_steps`.

    Source: Lecture 7, "Backpropagation: a toy example".

    >>> example = toy()
    >>> example.result.backward()
    >>> {name: (node.data, node.grad) for name, node in example.nodes.items()}
    {'w': (-2.0, 5.0), 'x': (5.0, -2.0), 'g': (-10.0, 1.0), 'b': (3.0, 1.0), 'f': (-7.0, 1.0)}
    """
    g = labelled(Value(w, "w") * Value(5, "x"), "g")
    f = labelled(g + Value(b, "b"), "f")
    if target is None:
        return _example(f, "toy")
    return _example(labelled(labelled(f - Value(target, "t"), "e").half_square(), "E"))


def toy_steps(steps: int, rate: float = 0.1, *, target: float | None = None) -> list[float]:
    """f before and after each update: the slide's climb, or the descent of ½(f − target)².

    >>> [round(f, 6) for f in toy_steps(5)]
    [-7.0, -4.4, -1.8, 0.8, 3.4, 6.0]
    >>> [round(f, 6) for f in toy_steps(2, target=3)]
    [-7.0, 19.0, -22.6]
    """
    at, results = {"w": -2.0, "b": 3.0}, []
    for _ in range(steps + 1):
        example = toy(**at, target=target)
        example.result.backward()
        results.append(example["f"].data)
        at = example.moved(rate if target is None else -rate)
    return results


def network(wiring: str = "corrected", weights: Mapping[str, float] | None = None) -> Example:
    """The 2-2-2 network of the lecture with its error E.

    x → a → σ → z → s → σ → y → e = y − t → E = E₁ + E₂.  The lecture calls both a and s "a" in
    the forward pass, and z(input), z(output), y(input), y(output) in the backward pass.

    Args:
        wiring: "corrected", with z_1 = σ(a_1); or "printed", with z_1 = σ(a_2) and z_2 = σ(a_1)
            in the second layer, as the slides compute it.
        weights: numbers to replace the lecture's, by name; the others stay.

    Source: Lecture 7, "Backpropagation algorithm - Forwarding" and "- Backwarding".

    >>> network().result, network("printed").result
    (Value(E: 0.191088, grad=0), Value(E: 0.190847, grad=0))
    """
    if wiring not in ("corrected", "printed"):
        raise ValueError(f'there is no {wiring!r} wiring; there are "corrected" and "printed"')
    numbers = {**WEIGHTS, **(weights or {})}
    if unknown := [name for name in numbers if name not in WEIGHTS]:
        raise ValueError(f"the network has no {unknown[0]}; it has {', '.join(WEIGHTS)}")
    x = [Value(number, name) for name, number in INPUTS.items()]
    hidden = [a.sigmoid() for a in _sums("a", x, numbers, layer=1)]
    z = hidden if wiring == "corrected" else hidden[::-1]
    for k in (0, 1):
        labelled(z[k], f"z_{k + 1}")
    sums = _sums("s", z, numbers, layer=2)
    y = [labelled(s.sigmoid(), f"y_{k}") for k, s in enumerate(sums, start=1)]
    errors = []
    for k, (t, number) in enumerate(TARGETS.items()):
        e = labelled(y[k] - Value(number, t), f"e_{k + 1}")
        errors.append(labelled(e.half_square(), f"E_{k + 1}"))
    more = {"first hidden": hidden[0], "last hidden": hidden[1]}
    return _example(labelled(errors[0] + errors[1], "E"), "network", more)


def trained(
    steps: int, rate: float = -RATE, wiring: str = "corrected", weights: Sequence[str] = ()
) -> Example:
    """The network after `steps` updates of every parameter, or of those named in `weights`.

    A negative rate descends; the printed "+ η" is ``rate=RATE``, and climbs.

    >>> [round(trained(steps).result.data, 6) for steps in (0, 1, 10)]
    [0.191088, 0.175838, 0.074893]
    """
    example = network(wiring)
    for _ in range(steps):
        example.result.backward()
        moved = example.moved(rate)
        example = network(wiring, {name: moved[name] for name in weights or moved})
    return example


def wirings() -> dict[tuple[int, int, int, int], int]:
    """How many of the slides' four layer-2 numbers each possible wiring produces.

    A key has the hidden units that the first output reads as z_1 and z_2, then those of the second.
    Only one of the 16 wirings produces all four: both outputs read the hidden units swapped.

    >>> max(wirings().items(), key=lambda item: item[1])
    ((2, 1, 2, 1), 4)
    """
    right = network()
    hidden = {1: right["z_1"], 2: right["z_2"]}
    matches = {}
    for p, q, r, s in product(hidden, repeat=4):
        first = _sums("s", [hidden[p], hidden[q]], WEIGHTS, layer=2)[0]
        second = _sums("s", [hidden[r], hidden[s]], WEIGHTS, layer=2)[1]
        computed = [first, second, first.sigmoid(), second.sigmoid()]
        slides = ["0.703", "0.659", "0.669", "0.659"]
        matches[p, q, r, s] = sum(f"{v.data:.3f}" == slide for v, slide in zip(computed, slides))
    return matches


def gate(name: str, x_1: Value, x_2: Value, *, steepness: float | None = None) -> Value:
    """A neuron that computes OR, NAND or AND of two inputs.

    With a steepness, a factor on its weights, it is a sigmoid instead of a step function.

    >>> [gate("NAND", Value(x), Value(y)).data for x, y in [(1, 1), (1, 0), (0, 1), (0, 0)]]
    [0.0, 1.0, 1.0, 1.0]
    """
    if name not in GATES:
        raise ValueError(f"there is no gate {name}; there are {', '.join(GATES)}")
    scale = steepness or 1
    *weights, bias = (Value(number * scale, label) for label, number in GATES[name].items())
    a = dot(weights, [x_1, x_2], bias)
    return a.sigmoid() if steepness else a.step()


def xor(x_1: float, x_2: float, *, steepness: float | None = None) -> Example:
    """XOR, which no single neuron can compute, as AND of OR and NAND.

    Source: Lecture 7, "Role of hidden layers: a simple example".  The slide's first column, printed
    above the words "AND gate", is NAND = z_2; the second is XOR.

    >>> [xor(x, y).result.data for x, y in [(1, 1), (1, 0), (0, 1), (0, 0)]]
    [0.0, 1.0, 1.0, 0.0]
    """
    x = Value(x_1, "x_1"), Value(x_2, "x_2")
    z_1 = labelled(gate("OR", *x, steepness=steepness), "z_1")
    z_2 = labelled(gate("NAND", *x, steepness=steepness), "z_2")
    return _example(labelled(gate("AND", z_1, z_2, steepness=steepness), "y"))


def chain(activation: str = "sigmoid", layers: int = 20, x: float = 0.5) -> Example:
    """An activation applied `layers` times; each sigmoid shrinks the gradient of x to at most ¼.

    Source: Lecture 7, "Vanishing gradient problem".

    >>> example = chain()
    >>> example.result.backward()
    >>> f"{example['x'].grad:.3g}"
    '1.14e-13'
    """
    if activation not in OPS or not OPS[activation].unary:
        known = ", ".join(op.name for op in OPS.values() if op.unary)
        raise ValueError(f"{activation} is not an operation of one input; there are {known}")
    z = Value(x, "x")
    for layer in range(1, layers + 1):
        z = labelled(getattr(z, activation)(), subscripted("z", layer))
    return _example(z)


@dataclass(frozen=True)
class Outputs:
    """Scores as numbers between 0 and 1, in the lecture's four columns, and the loss H."""

    scores: tuple[Value, ...]
    sigmoid: tuple[Value, ...]
    normalization: tuple[Value, ...]
    softmax: tuple[Value, ...]
    label: tuple[int, ...]
    cross_entropy: Value


def outputs() -> Outputs:
    """The table of sigmoid, normalization, softmax and cross entropy, recorded.

    Source: Lecture 7, "A neural network model: cross entropy with softmax".

    >>> table = outputs()
    >>> [round(p.data, 5) for p in table.normalization]
    [0.00335, 0.13447, 0.36553, 0.49665]
    >>> table.cross_entropy.backward()
    >>> [round(score.grad, 5) for score in table.scores]
    [4e-05, 0.00243, 0.01794, -0.02041]
    """
    scores = tuple(Value(s, subscripted("s", k)) for k, s in enumerate(SCORES, start=1))
    sigmoids = tuple(score.sigmoid() for score in scores)
    scale = total(sigmoids)
    normalized, H = tuple(s / scale for s in sigmoids), cross_entropy(scores, LABEL)
    return Outputs(scores, sigmoids, normalized, tuple(softmax(scores)), LABEL, H)


def _sums(
    name: str, inputs: Sequence[Value], numbers: Mapping[str, float], layer: int
) -> list[Value]:
    """The two linear summations of a layer, with a leaf for each weight."""
    sums = []
    for j in (1, 2):
        w_1, w_2, bias = (f"w_{{{i},{j}}}^{{({layer})}}" for i in (1, 2, 0))
        weights = [Value(numbers[w_1], w_1), Value(numbers[w_2], w_2)]
        sums.append(labelled(dot(weights, inputs, Value(numbers[bias], bias)), f"{name}_{j}"))
    return sums


def _example(
    result: Value, slides: str | None = None, more: Mapping[str, Value] | None = None
) -> Example:
    """The record of `result`; `more` are names that only its chapters use."""
    graph = Graph(result, products=False)
    nodes = {node.label: node for node in recorded(result) if node.label}
    chapters = {}
    for title, (place, *rest) in SLIDES["chapters"].get(slides, {}).items():
        name, note = (*rest, None, None)[:2]
        chapters[title] = place, name and {**nodes, **(more or {})}[name], note
    parameters = [node for node in graph.nodes if graph.kind(node) == "parameter"]
    return Example(result, nodes, parameters, chapters)
