"""The samples that a loss was recorded over: one computation, repeated with other constants."""

from __future__ import annotations

from dataclasses import dataclass, field

from .terms import RecordedTerms, Terms


@dataclass
class Batch:
    """Samples in a sum.

    Attributes:
        head: the position of the sum.
        terms: what sample 0 adds to it.
        rest: the terms of no sample.
        copies: the nodes of all other samples.
        column: node -> the column of the data that replaces it.
        rows: the data, one row per sample.
    """

    head: int
    terms: Terms
    rest: Terms
    copies: set[int]
    column: dict[int, int]
    rows: list[tuple[float, ...]]


def find_batch(graph: RecordedTerms) -> Batch | None:
    """The samples in the last sum that has any."""
    shapes = _shapes(graph)
    for i in sorted(graph.terms, reverse=True):
        single, left, right = graph.terms[i]
        alike: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        for term in (*zip(single), *zip(left, right)):
            alike.setdefault(tuple([shapes[j] for j in term]), []).append(term)
        size = max(map(len, alike.values()))
        if size > 1:
            repeated = [terms for terms in alike.values() if len(terms) == size]
            rest = [term for terms in alike.values() if len(terms) != size for term in terms]
            if batch := _Samples(graph).batch(i, repeated, rest):
                return batch
    return None


def _shapes(graph: RecordedTerms) -> list[int]:
    """A number per node, the same for nodes that differ in constants only; -1 for constants."""
    number: dict[object, int] = {}
    shapes = [-1] * len(graph.order)
    for i, value in enumerate(graph.order):
        if graph.constant[i] or graph.inside[i]:
            continue
        if value.op is None:
            shape: object = i
        elif i in graph.terms:
            shape = tuple([tuple([shapes[j] for j in part]) for part in graph.terms[i]])
        else:
            shape = (value.op, *[shapes[j] for j in graph.inputs[i]])
        shapes[i] = number.setdefault(shape, len(number))
    return shapes


@dataclass
class _Samples:
    """Walks through all samples side by side.

    Attributes:
        seen: the node of sample 0 -> its counterpart in each sample.
        shared: nodes that all samples read.
        reads: how often the samples read each node of theirs.
        columns: the column of constants of sample 0 and their counterparts.
        data: the numbers of each column, one per sample, by their texts.
        numbers: which column that is.
    """

    graph: RecordedTerms
    seen: dict[int, list[int]] = field(default_factory=dict)
    shared: set[int] = field(default_factory=set)
    reads: dict[int, int] = field(default_factory=dict)
    columns: dict[int, int] = field(default_factory=dict)
    data: dict[tuple[str, ...], list[float]] = field(default_factory=dict)
    numbers: dict[tuple[str, ...], int] = field(default_factory=dict)

    def batch(
        self, head: int, alike: list[list[tuple[int, ...]]], rest: list[tuple[int, ...]]
    ) -> Batch | None:
        """The samples whose terms are `alike`, if nothing else connects them or reads them."""
        ahead = [list(nodes) for terms in alike for nodes in zip(*terms)]
        for nodes in ahead:  # which grows as it goes
            below = self._visit(nodes)
            if below is None:
                return None
            ahead.extend(below)
        members = {i for nodes in self.seen.values() for i in nodes}
        outside = any(self.reads[i] != self.graph.readers[i] for i in members)
        if not self.data or outside or not self.shared.isdisjoint(members):
            return None
        first = [terms[0] for terms in alike]
        copies, data = members - {*self.seen}, [*zip(*self.data.values())]
        return Batch(head, _sorted(first), _sorted(rest), copies, self.columns, data)

    def _visit(self, nodes: list[int]) -> list[list[int]] | None:
        """What `nodes`, one per sample, read, side by side; None if they are not alike."""
        graph, first = self.graph, nodes[0]
        if nodes.count(first) == len(nodes):
            self.shared.add(first)
            return []
        numbers = [graph.order[i].data for i in nodes] if graph.constant[first] else []
        if numbers:
            if numbers.count(numbers[0]) == len(numbers):
                self.shared.add(first)
                return []
        elif len({*nodes}) < len(nodes):
            return None
        for i in nodes:
            self.reads[i] = self.reads.get(i, 0) + 1
        if first in self.seen:
            return [] if self.seen[first] == nodes else None
        self.seen[first] = nodes
        if numbers:
            key = tuple(map(repr, numbers))
            self.columns[first] = self.numbers.setdefault(key, len(self.numbers))
            self.data[key] = numbers
            return []
        if first in graph.terms:
            parts = zip(*[graph.terms[i] for i in nodes])
            return [list(each) for part in parts for each in zip(*part)]
        return [list(each) for each in zip(*[graph.inputs[i] for i in nodes])]


def _sorted(terms: list[tuple[int, ...]]) -> Terms:
    """Single terms, and the factors of products."""
    pairs = [term for term in terms if len(term) == 2]
    return [t[0] for t in terms if len(t) == 1], [t[0] for t in pairs], [t[1] for t in pairs]
