"""The neurons of a recorded computation, and their layers.

A neuron is a Σ of weight times input plus bias, then its activation, which is computed from that
sum alone.  An `MLP`, neurons built with `dot` and sums of products spelled out by hand are
recognised alike, because all are read from the recorded graph.  They need weights labelled as in
the lecture, or a list of the weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple, Protocol, TypeGuard

from ..calculus import total
from ..engine import Value
from ..graph import Graph
from ..ops import OPS


class Model(Protocol):
    """A network: anything with parameters, such as an `MLP`."""

    def parameters(self) -> list[Value]: ...


def is_model(network: object) -> TypeGuard[Model]:
    """Whether `network` has parameters."""
    return callable(getattr(network, "parameters", None))


@dataclass(frozen=True, eq=False)
class RecordedNeuron:
    """A neuron in a recorded graph."""

    layer: int  # 1 for a neuron that reads only inputs
    sum: Value  # Σ
    out: Value  # the output; `sum` itself if there is no activation
    weights: tuple[Value, ...]
    inputs: tuple[Value, ...]  # one per weight
    slopes: tuple[float, ...]  # ∂Σ/∂(each input), as recorded
    bias: Value | None

    @property
    def symbol(self) -> str:
        """The symbol of the activation in drawings; empty for a linear neuron."""
        if self.out is self.sum:
            return ""
        return self.out.op.symbol if self.out.op and self.out.inputs == (self.sum,) else "f"


@dataclass(frozen=True, eq=False)
class Layers:
    """The neurons of a recorded network."""

    graph: Graph
    inputs: list[Value]  # which neurons read and no neuron computes
    layers: list[list[RecordedNeuron]]  # in the order of their computation
    owner: dict[Value, RecordedNeuron]  # of a value inside a neuron, or computed from it alone
    tail: list[Value]  # computed after the last neurons, up to the loss
    targets: list[Value]  # labelled leaves that only the tail reads
    result: Value | None  # the end of the tail, if there is one

    @property
    def inside(self) -> dict[Value, RecordedNeuron]:
        """The neuron that each value is part of, up to its output."""
        return {x: neuron for x, neuron in self.owner.items() if x.serial <= neuron.out.serial}


def find_layers(
    network: Value | Sequence[Value] | Model,
    *,
    parameters: Iterable[Value] | None = None,
    gradients: bool | None = None,
) -> Layers:
    """The neurons of a loss, an output, all outputs, or a model, which is applied to zeros."""
    outputs: Sequence[Value] = []
    if is_model(network):
        parameters = network.parameters()
        output = apply_to_zeros(network)
        outputs = [output] if isinstance(output, Value) else output
    elif isinstance(network, Sequence):
        outputs = network
    elif not isinstance(network, Value):
        raise TypeError(f"network must be a Value, a list of them or a model, got {network!r:.60}")
    for output in outputs:
        if not isinstance(output, Value):
            raise TypeError(f"an output of a network must be a Value, got {output!r:.60}")
    if not isinstance(network, Value) and not outputs:
        raise ValueError("0 outputs; give the values that the network computed")
    result = network if isinstance(network, Value) else total(outputs)
    if is_model(network):  # which has the gradients of all its samples
        graph = Graph(result, parameters=parameters, products=False)
    else:
        graph = Graph.at_present(result, parameters=parameters, products=False, gradients=gradients)
        outputs = [graph.twins[output] for output in outputs]
    finder = _Finder(graph, outputs)
    uses = Counter(terms.weights for terms in finder.sums.values())
    weights, times = uses.most_common(1)[0]
    if times > 1:
        raise ValueError(
            f"{times} neurons share the weight {graph.names[weights[0]]}: the network was "
            "applied to several samples; give the result for one, or the model"
        )
    return finder.layers()


def layers_of(graph: Graph) -> Layers:
    """The neurons of a graph, perhaps of several samples."""
    return _Finder(graph, ()).layers()


def title(layer: int, layers: int) -> str:
    """The lecture's name for a layer of links, counted from 1."""
    if layer == layers:
        return "output layer"
    return "hidden layer" if layers == 2 else f"hidden layer {layer}"


def apply_to_zeros(model: Model) -> Value | Sequence[Value]:
    """The output of `model` for inputs of 0."""
    first: object = model
    while not hasattr(first, "nin"):
        inside = getattr(first, "layers", None) or getattr(first, "neurons", None)
        if not inside:
            raise ValueError(f"the number of inputs of {model!r} is unknown; give its outputs")
        first = inside[0]
    return model([0.0] * first.nin)  # type: ignore[no-any-return, operator]


class _Sum(NamedTuple):
    """A weighted sum, or a part of one."""

    weights: tuple[Value, ...] = ()
    inputs: tuple[Value, ...] = ()
    slopes: tuple[float, ...] = ()
    biases: tuple[Value, ...] = ()
    inside: tuple[Value, ...] = ()  # its products and partial sums


class _Finder:
    """Reads the nodes of a graph; `outputs` are values known to leave the network."""

    def __init__(self, graph: Graph, outputs: Sequence[Value]) -> None:
        self.graph = graph
        self.nodes = graph.nodes[:-1] if outputs else graph.nodes  # not the Σ that joins them
        self.outputs = outputs
        self.readers = graph.readers()
        self.sums = self._sums()
        if not self.sums:
            raise ValueError(
                f"no neuron among {len(self.nodes)} nodes: no Σ of weights times inputs; label the "
                "weights w_{1,1}^{(1)} and so on, or give parameters="
            )
        self.depth: dict[Value, int] = {}
        self.belongs: dict[Value, Value | None] = {}  # to which Σ
        for node in self.nodes:
            self.depth[node] = max((self.depth[x] for x in node.inputs), default=0)
            above = {self.belongs[x] for x in node.inputs if self.depth[x]}
            self.belongs[node] = above.pop() if len(above) == 1 else None
            if node in self.sums:
                self.depth[node] += 1
                self.belongs[node] = node

    def layers(self) -> Layers:
        outs = self._outs()
        layers: list[list[RecordedNeuron]] = [[] for _ in range(max(self.depth.values()))]
        owner: dict[Value, RecordedNeuron] = {}
        for node, (weights, read, slopes, biases, inside) in self.sums.items():
            layer, bias = self.depth[node], biases[0] if biases else None
            neuron = RecordedNeuron(layer, node, outs[node], weights, read, slopes, bias)
            layers[layer - 1].append(neuron)
            owner |= dict.fromkeys((*inside, node), neuron)
        for node, belongs in self.belongs.items():
            if belongs is not None and node not in owner:
                owner[node] = owner[belongs]
        summands = {x for terms in self.sums.values() for x in terms.inputs}
        inputs = [node for node in self.nodes if node in summands and not self.depth[node]]
        found = Layers(self.graph, inputs, layers, owner, [], [], None)
        leads: set[Value] = set()  # to neurons
        for node in reversed(self.nodes):
            if node in self.sums or node in leads:
                leads.update(node.inputs)
        leads.update(found.inside)
        tail = [node for node in self.nodes if node.inputs and node not in leads]
        leaves = [x for x in self.nodes if self.graph.kind(x) == "input" and x not in inputs]
        targets = [x for x in leaves if all(reader in tail for reader, _ in self.readers[x])]
        result = self.graph.result if self.graph.result in tail else None
        return replace(found, tail=tail, targets=targets, result=result)

    def _sums(self) -> dict[Value, _Sum]:
        """Every weighted sum that is not part of a larger one."""
        parameters = self.graph.parameters
        sums: dict[Value, _Sum] = {}
        part = {node: _Sum(biases=(node,)) for node in self.nodes if node in parameters}
        for node in self.nodes:
            if not node.op:
                if node.data == 0 and not node.label:  # the start of Python's sum()
                    part[node] = _Sum()
                continue
            if pairs := node.op.pairs(len(node.inputs)):
                weights, inputs = node.inputs[:pairs], node.inputs[pairs : 2 * pairs]
                slopes, biases = node.slopes[pairs : 2 * pairs], node.inputs[2 * pairs :]
                if parameters.issuperset(weights):
                    sums[node] = part[node] = _Sum(weights, inputs, slopes, biases)
            elif node.op is OPS["mul"]:
                weights = tuple(x for x in node.inputs if x in parameters)
                inputs = tuple(x for x in node.inputs if x not in parameters)
                if len(weights) == 1 and (inputs[0].inputs or inputs[0].label):
                    slope = node.slopes[node.inputs.index(inputs[0])]
                    sums[node] = part[node] = _Sum(weights, inputs, (slope,))
            elif node.op in (OPS["add"], OPS["sum"]) and all(i in part for i in node.inputs):
                inner = _Sum(inside=tuple(x for x in node.inputs if x.inputs))
                parts = zip(*(part[x] for x in node.inputs), inner)
                whole = _Sum(*(tuple(chain.from_iterable(of_each)) for of_each in parts))
                if whole.weights and len(whole.biases) <= 1:
                    sums[node] = part[node] = whole
                    for x in node.inputs:
                        sums.pop(x, None)
        return sums

    def _outs(self) -> dict[Value, Value]:
        """For each Σ the output of its neuron."""
        outs: dict[Value, Value] = {}
        for terms in self.sums.values():
            for x in terms.inputs:
                belongs = self.belongs[x]
                if belongs is not None:
                    outs.setdefault(belongs, x)
                elif self.depth[x]:
                    raise ValueError(
                        f"{self.graph.names[terms.weights[0]]} weighs {self.graph.names[x]} "
                        f"({x.op.name if x.op else 'a leaf'}), which is neither an input "
                        "nor the output of one neuron; draw shows such a graph"
                    )
        for output in self.outputs:
            if (belongs := self.belongs[output]) is not None:
                outs.setdefault(belongs, output)
        for node in self.sums:
            if node not in outs:
                after = [reader for reader, _ in self.readers[node]]
                outs[node] = after[0] if len(after) == 1 and len(after[0].inputs) == 1 else node
        return outs
