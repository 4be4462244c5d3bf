"""A graph folded until it can be read: a node per neuron, `⋮` for the middle of a wide layer, `⋯`
for what repeats itself, such as time steps, samples or terms of a chain.

`fold` decides, by the numbers of nodes and edges, how much of that a picture needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from ...engine import Value, record
from ...formulas import np
from ...graph import MAX_READABLE_NODES, MAX_SHOWN, Graph, shorten
from ...ops import OPS, Op
from ..layers import Layers, RecordedNeuron, layers_of

MAX_BRANCHES = 4  # of a fork that carry their contributions; more would hide the rest
MAX_READABLE_EDGES = 2 * MAX_READABLE_NODES
FEW = 6  # neurons of a layer that are shown where even neurons are too many
FEWEST = 4  # repetitions that are worth folding: the first and the last are always drawn


def fold(graph: Graph) -> Graph:
    """`graph` itself if one can read it; else its neurons, fewer of them, or what repeats once.

    A network that was applied to several samples, or to several moments, repeats itself first.
    """
    if readable(graph):
        return graph
    candidates: list[Graph] = [graph]
    with suppress(ValueError):  # no neurons
        layers = layers_of(graph)
        weights = [neuron.weights for layer in layers.layers for neuron in layer]
        closed = [Folded(graph, _Neurons(graph, layers, most)) for most in (MAX_SHOWN, FEW)]
        if len({*weights}) < len(weights):
            candidates += closed
        elif readable(closed[0]):
            return closed[0]
        else:
            candidates = [closed[-1]]
    for small in candidates:
        while not readable(small) and (smaller := repetitions(small)) is not small:
            small = smaller
        if not readable(small) and any(len(node.inputs) > MAX_SHOWN for node in small.nodes):
            small = Folded(small, _Wide(small))
        if readable(small):
            break
    return small


def readable(graph: Graph) -> bool:
    """Whether a person can read a drawing of `graph`, by its numbers of nodes and edges."""
    edges = sum(len(node.inputs) for node in graph.nodes)
    return len(graph) <= MAX_READABLE_NODES and edges <= MAX_READABLE_EDGES


def neurons(graph: Graph) -> Folded:
    """`graph` with a node per neuron, ⋮ for the middle of many, and a leaf for a penalty."""
    return Folded(graph, _Neurons(graph, layers_of(graph), MAX_SHOWN))


def repetitions(graph: Graph) -> Graph:
    """`graph` with the longest part that repeats itself folded: the first, `⋯` and the last."""
    found = longest_repetition(graph)
    return Folded(graph, _Repetition(graph, *found)) if found else graph


class Folded(Graph):
    """A graph in which one node may stand for several values."""

    def __init__(self, graph: Graph, places: _Places) -> None:
        self.notes: list[str] = graph.notes
        self.parameters: frozenset[Value] = graph.parameters
        self._contributions: dict[tuple[Value, int], float] = {}
        inner = graph if isinstance(graph, Folded) else None
        twins: dict[Value, Value] = {}
        several = {*places.several, *(inner.several if inner else ())}
        neurons = (inner.neurons if inner else {}) | places.neurons
        pending = places.reached()
        while pending:  # one round, unless a neuron in ⋮ was computed after a reader of ⋮
            for place in pending:
                if all(edge[0] in twins for edge in places.inputs[place]):
                    twins[place] = self._node(place, places, twins)
            pending = [place for place in pending if place not in twins]
        of_neurons = {node: neurons[x] for x, node in twins.items() if x in neurons}
        self.neurons: dict[Value, RecordedNeuron] = of_neurons  # that a node stands for
        # the nodes that stand for several others, and have no number
        self.several: set[Value] = {node for x, node in twins.items() if x in several}
        drawn = {node: twins[at] for node, at in places.place.items() if at in twins}
        if inner:
            drawn = {node: drawn[at] for node, at in inner.drawn.items() if at in drawn}
        self.drawn: dict[Value, Value] = drawn  # the node that shows each value, if one does
        self.nodes: list[Value] = list(twins.values())
        self.names: dict[Value, str] = {twin: places.name(place) for place, twin in twins.items()}
        self.result: Value = twins[places.place[graph.result]]

    def contribution(self, node: Value, i: int) -> float:
        return self._contributions[node, i]

    def _node(self, place: Value, places: _Places, twins: dict[Value, Value]) -> Value:
        """The node at a place."""
        edges = places.inputs[place]
        inputs, slopes = tuple(twins[x] for x, _, _ in edges), tuple(d for _, d, _ in edges)
        node = place
        if place in places.several:
            node = record(0.0, places.op(place), inputs, slopes, label=places.name(place))
        elif place.inputs:
            op = places.op(place) if edges else None
            node = record(place.data, op, inputs, slopes, place.grad, place.label)
        self._contributions |= {(node, i): share for i, (_, _, share) in enumerate(edges)}
        return node


def frames_of(graph: Graph) -> dict[Value, int]:
    """The layer of each node of a neuron, its weights included."""
    if isinstance(graph, Folded):
        return {node: neuron.layer for node, neuron in graph.neurons.items()}
    layers = layers_of(graph)
    frames = {node: neuron.layer for node, neuron in layers.inside.items()}
    for neuron in (neuron for layer in layers.layers for neuron in layer):
        biases = [neuron.bias] if neuron.bias else []
        frames |= dict.fromkeys((*neuron.weights, *biases), neuron.layer)
    return frames


class _Places:
    """The values that share a place, one of which stands for it, and the inputs of each place."""

    symbol = "⋮"
    leaves = True  # whether edges from leaves enter what stands for several

    def __init__(self, graph: Graph) -> None:
        self.graph: Graph = graph
        self.order: list[Value] = graph.nodes
        self.neurons: dict[Value, RecordedNeuron] = {}
        self.several: dict[Value, list[Value]] = {}  # the members of each ⋮
        self.place = {node: node for node in graph.nodes}
        self.inputs: dict[Value, list[tuple[Value, float, float]]] = {}

    def reached(self) -> list[Value]:
        """The places that the result depends on, in the order of the graph."""
        order = [self.place[self.graph.result]]
        reached = set(order)
        for place in order:  # which grows as it goes
            for x, _, _ in self.inputs[place]:
                if x not in reached:
                    reached.add(x)
                    order.append(x)
        return [node for node in self.order if node in reached]

    def name(self, place: Value) -> str:
        if place in self.several:
            return f"{len(self.several[place])} more"
        return self.graph.names[place]

    def op(self, place: Value) -> Op | None:
        """The operation that a place shows inside."""
        if place in self.several:
            return replace(OPS["dot"], name="several", symbol=self.symbol)
        if place in self.neurons:
            symbol = "│".join(filter(None, ("Σ", self.neurons[place].symbol)))
            return replace(OPS["dot"], name="neuron", symbol=symbol)
        return place.op

    def edges(self, node: Value) -> list[tuple[Value, float, float]]:
        """(input, local derivative, contribution) for each input of a place."""
        edges = []
        for member in self.several.get(node, [node]):
            if neuron := self.neurons.get(member):
                parts = [(x, d, d * neuron.sum.grad) for x, d in zip(neuron.inputs, neuron.slopes)]
            else:
                shares = [self.graph.contribution(member, k) for k in range(len(member.inputs))]
                parts = [*zip(member.inputs, member.slopes, shares)]
            edges += [(self.place[x], local, share) for x, local, share in parts]
        if node in self.several:
            once = dict.fromkeys(x for x, _, _ in edges)
            return [(x, 0.0, 0.0) for x in once if x is not node and (self.leaves or x.inputs)]
        once = dict.fromkeys(x for x, _, _ in edges if x in self.several)
        return [edge for edge in edges if edge[0] not in once] + [(x, 0.0, 0.0) for x in once]


class _Neurons(_Places):
    def __init__(self, graph: Graph, layers: Layers, most: int) -> None:
        super().__init__(graph)
        self.neurons = {neuron.out: neuron for layer in layers.layers for neuron in layer}
        for column in (layers.inputs, *([n.out for n in layer] for layer in layers.layers)):
            shown = set(shorten(column, most))
            middle = [node for node in column if node not in shown]
            if middle:
                self.several[middle[0]] = middle
                self.place |= dict.fromkeys(middle, middle[0])
        for node, neuron in layers.inside.items():
            self.place[node] = self.place[neuron.out]
        varies = set(layers.inputs) | set(layers.targets)
        for node in graph.nodes:
            if not varies.isdisjoint(node.inputs):
                varies.add(node)
            inside = node in self.several and node not in self.neurons
            # a ⋮ of inputs has none, since they may depend on each other
            self.inputs[node] = self.edges(node) if node in varies and not inside else []


class _Wide(_Places):
    """Of what an operation reads, a node ⋮ for all but the first and the last."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.order = []
        for node in graph.nodes:
            edges = self.inputs[node] = self.edges(node)
            if None in (shown := shorten(edges)):
                dots = record(0.0, None, (), ())
                gap = shown.index(None)
                self.several[dots] = [x for x, _, _ in edges[gap : gap + 1 - len(shown)]]
                self.inputs[dots] = []
                self.inputs[node] = [edge or (dots, 0.0, 0.0) for edge in shown]
                self.order.append(dots)
            self.order.append(node)


class _Repetition(_Places):
    symbol = "⋯"
    leaves = False  # which are seen the first and the last time

    def __init__(self, graph: Graph, nodes: list[Value], start: int, period: int, times: int):
        super().__init__(graph)
        self.times = times - 2
        middle = nodes[start + period : start + period * (times - 1)]
        last = middle[-1]  # stands for all, since it comes after them
        self.several[last] = middle
        self.place |= dict.fromkeys(middle, last)
        for node in graph.nodes:
            self.inputs[node] = self.edges(node)

    def name(self, place: Value) -> str:
        return f"× {self.times}" if place in self.several else super().name(place)


def longest_repetition(graph: Graph) -> tuple[list[Value], int, int, int] | None:
    """What repeats itself and covers most nodes, if anything is worth folding.

    It is told as the computed nodes, where among them it starts, its length and times.  A node
    repeats one before it if it is the same operation on the same inputs, or on leaves of the same
    kind, or on nodes that lie as far apart as the two.
    """
    nodes = [node for node in graph.nodes if node.inputs]
    position = {node: i for i, node in enumerate(nodes)}
    alike: dict[object, int] = {}
    rows = (node.op and (node.op.name, node.op.symbol, node.op.n) for node in nodes)
    signs = ((row, len(node.inputs)) for row, node in zip(rows, nodes))
    codes = np.array([alike.setdefault(sign, len(alike)) for sign in signs])
    best, found = 1, None
    for period in range(1, len(nodes) // FEWEST + 1):
        least = (FEWEST - 1) * period
        for start, end in _runs(codes[period:] == codes[:-period], least):
            pairs = zip(nodes[start:end], nodes[start + period :])
            same = [_repeats(graph, position, node, again, period) for node, again in pairs]
            for begin, stop in _runs(same, least):
                times = (stop - begin) // period + 1
                if (saved := (times - 2) * period) > best:
                    best, found = saved, (nodes, start + begin, period, times)
    return found


def _runs(same: object, least: int) -> Iterator[tuple[int, int]]:
    """Where at least so many neighbours in an array are true: start and end of each run."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], np.asarray(same, dtype=np.int8), [0]))))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist()):
        if end - start >= least:
            yield start, end


def _repeats(
    graph: Graph, position: dict[Value, int], node: Value, again: Value, period: int
) -> bool:
    for x, y in zip(node.inputs, again.inputs):
        both = x.inputs and y.inputs
        alike = position[y] - position[x] == period if both else graph.kind(x) == graph.kind(y)
        if not alike and x is not y:
            return False
    return True
