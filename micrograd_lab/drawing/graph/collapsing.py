"""A graph with one node per neuron, which keeps drawings of larger networks readable."""

from __future__ import annotations

from dataclasses import replace

from ...engine import Value, record
from ...graph import Graph
from ...ops import OPS, Op
from ..layers import Layers, layers_of, shorten

MAX_BRANCHES = 4  # of a fork that carry their contributions; more would hide the rest


class Collapsed(Graph):
    """`graph` with one node per neuron, without its weights.

    Of more than 16 neurons in a layer, or 16 inputs, one node stands for those in the middle.  A
    value computed from parameters alone, such as a penalty on them, is a leaf.

    Attributes:
        several: the nodes that stand for several others and have no number.
        frames: the layer of each neuron.
        drawn: the node that shows each value of `graph`, if one does.

    Raises:
        ValueError: if there is no neuron in the graph.

    >>> from micrograd_lab.nn import MLP
    >>> graph = Graph(MLP(2, [3, 1], seed=1)([0.5, 0.25]), products=False)
    >>> small = Collapsed(graph)
    >>> len(graph), [small.names[node] for node in small.nodes]
    (22, ['x_1', 'x_2', 'z_1', 'z_2', 'z_3', 's_1'])
    """

    def __init__(self, graph: Graph) -> None:
        plan = _Places(graph, layers_of(graph))
        self.notes: list[str] = graph.notes
        self.parameters: frozenset[Value] = graph.parameters
        self.several: set[Value] = set()
        self.frames: dict[Value, int] = {}
        self._contributions: dict[tuple[Value, int], float] = {}
        twins: dict[Value, Value] = {}
        pending = plan.reached()
        while pending:  # one round, unless a neuron in ⋮ was computed after a reader of ⋮
            for place in pending:
                if all(edge[0] in twins for edge in plan.inputs[place]):
                    twins[place] = self._node(place, plan, twins)
            pending = [place for place in pending if place not in twins]
        self.drawn: dict[Value, Value] = {
            node: twins[at] for node, at in plan.place.items() if at in twins
        }
        self.nodes: list[Value] = list(twins.values())
        self.names: dict[Value, str] = {twin: plan.name(place) for place, twin in twins.items()}
        self.result: Value = twins[plan.place[graph.result]]

    def contribution(self, node: Value, i: int) -> float:
        return self._contributions[node, i]

    def _node(self, place: Value, plan: _Places, twins: dict[Value, Value]) -> Value:
        """The node at a place."""
        edges = plan.inputs[place]
        inputs, slopes = tuple(twins[x] for x, _, _ in edges), tuple(d for _, d, _ in edges)
        if place in plan.several:
            node = record(0.0, plan.op(place), inputs, slopes, label=plan.name(place))
            self.several.add(node)
        elif edges:
            node = record(place.data, plan.op(place), inputs, slopes, place.grad, place.label)
        elif place.inputs:
            node = record(place.data, None, (), (), place.grad, place.label)
        else:
            node = place
        if place in plan.neurons:
            self.frames[node] = plan.neurons[place].layer
        self._contributions |= {(node, i): share for i, (_, _, share) in enumerate(edges)}
        return node


def frames_of(graph: Graph) -> dict[Value, int]:
    """The layer of each node of a neuron, its weights included."""
    if isinstance(graph, Collapsed):
        return graph.frames
    layers = layers_of(graph)
    frames = {
        node: neuron.layer
        for node, neuron in layers.owner.items()
        if node.serial <= neuron.out.serial
    }
    for neuron in (neuron for layer in layers.layers for neuron in layer):
        frames |= dict.fromkeys(neuron.weights, neuron.layer)
        if neuron.bias:
            frames[neuron.bias] = neuron.layer
    return frames


class _Places:
    """The values that share a place in the drawing, and the inputs of each place.

    One of its values stands for a place: for a neuron, its output.
    """

    def __init__(self, graph: Graph, layers: Layers) -> None:
        self.graph = graph
        self.neurons = {neuron.out: neuron for layer in layers.layers for neuron in layer}
        self.several: dict[Value, list[Value]] = {}  # the members of each ⋮
        self.place = {node: node for node in graph.nodes}
        for column in (layers.inputs, *([n.out for n in layer] for layer in layers.layers)):
            shown = set(shorten(column))
            middle = [node for node in column if node not in shown]
            if middle:
                self.several[middle[0]] = middle
                self.place |= dict.fromkeys(middle, middle[0])
        for node, neuron in layers.owner.items():
            if node.serial <= neuron.out.serial:
                self.place[node] = self.place[neuron.out]
        varies = set(layers.inputs) | set(layers.targets)
        self.inputs: dict[Value, list[tuple[Value, float, float]]] = {}
        for node in graph.nodes:
            if not varies.isdisjoint(node.inputs):
                varies.add(node)
            self.inputs[node] = self._edges(node) if node in varies else []

    def reached(self) -> list[Value]:
        """The places that the result depends on, in the order of the graph."""
        order = [self.place[self.graph.result]]
        reached = set(order)
        for place in order:  # which grows as it goes
            for x, _, _ in self.inputs[place]:
                if x not in reached:
                    reached.add(x)
                    order.append(x)
        return [node for node in self.graph.nodes if node in reached]

    def name(self, place: Value) -> str:
        if place in self.several:
            return f"{len(self.several[place])} more"
        return self.graph.names[place]

    def op(self, place: Value) -> Op | None:
        """The operation that a place shows inside."""
        if place in self.several:
            symbol = "⋮"
        elif place in self.neurons:
            symbol = "│".join(filter(None, ("Σ", self.neurons[place].symbol)))
        else:
            return place.op
        return replace(OPS["dot"], name="neuron", symbol=symbol)

    def _edges(self, node: Value) -> list[tuple[Value, float, float]]:
        """(input, local derivative, contribution) for each input of a place."""
        if node in self.several and node not in self.neurons:
            return []  # a ⋮ of inputs, which may depend on each other
        edges = []
        for member in self.several.get(node, [node]):
            if neuron := self.neurons.get(member):
                parts = [(x, d, d * neuron.sum.grad) for x, d in zip(neuron.inputs, neuron.slopes)]
            else:
                shares = [self.graph.contribution(member, k) for k in range(len(member.inputs))]
                parts = [*zip(member.inputs, member.slopes, shares)]
            edges += [(self.place[x], local, share) for x, local, share in parts]
        if node in self.several:
            return [(x, 0.0, 0.0) for x in dict.fromkeys(x for x, _, _ in edges)]
        once = dict.fromkeys(x for x, _, _ in edges if x in self.several)
        return [edge for edge in edges if edge[0] not in once] + [(x, 0.0, 0.0) for x in once]
