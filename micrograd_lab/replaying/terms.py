"""A recorded graph by position, with every tree of additions gathered into its terms.

Read ``engine.py`` before this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..engine import Value, recorded
from ..ops import OPS

ADD, MUL, SUM, DOT = OPS["add"], OPS["mul"], OPS["sum"], OPS["dot"]
SUMS = frozenset((ADD, SUM, DOT))
_LINEAR = SUMS | {MUL}

Term: TypeAlias = "tuple[int, ...]"  # (i,), or (i, j) for a product


class RecordedTerms:
    """What `loss` was computed from, as lists with an entry for each node.

    Attributes:
        order: the values, inputs before what is computed from them.
        inputs: the positions of a node's inputs.
        column, parameter: which column of the data or which parameter a leaf is, or -1.
        constant: whether a node depends on neither.
        readers: how many inputs of other nodes it is.
        inside: whether a node is only a part of a larger sum.
        terms: position of a sum -> its terms: (i,), or (i, j) for a product.
    """

    def __init__(self, loss: Value, inputs: Sequence[Value], parameters: Sequence[Value]) -> None:
        self.order: list[Value] = recorded(loss)
        at = {value: i for i, value in enumerate(self.order)}
        self.inputs: list[tuple[int, ...]] = [
            tuple([at[x] for x in value.inputs]) for value in self.order
        ]
        self.column: list[int] = self._numbered(at, inputs)
        self.parameter: list[int] = self._numbered(at, parameters)
        self.constant: list[bool] = self._constants()
        self.readers: list[int] = [0] * len(self.order)
        for below in self.inputs:
            for j in below:
                self.readers[j] += 1
        summed = self._summed()
        self.inside: list[bool] = [
            summed[i] and self.readers[i] == 1 and value.op in _LINEAR and not self.constant[i]
            for i, value in enumerate(self.order)
        ]
        self.terms: dict[int, list[Term]] = {
            i: self._gather(i)
            for i, value in enumerate(self.order)
            if value.op in SUMS and not self.inside[i] and not self.constant[i]
        }

    def _numbered(self, at: dict[Value, int], values: Sequence[Value]) -> list[int]:
        """For each node, which of `values` it is, or -1."""
        numbers = [-1] * len(self.order)
        for k, value in enumerate(values):
            if value in at:
                numbers[at[value]] = k
        return numbers

    def _constants(self) -> list[bool]:
        constant = [False] * len(self.order)
        for i, value in enumerate(self.order):
            if value.op is None:
                constant[i] = self.column[i] < 0 and self.parameter[i] < 0
            else:
                constant[i] = all(map(constant.__getitem__, self.inputs[i]))
        return constant

    def _summed(self) -> list[bool]:
        """For each node, whether a sum reads it as a term."""
        summed = [False] * len(self.order)
        for value, below in zip(self.order, self.inputs):
            if value.op is ADD or value.op is SUM:
                for j in below:
                    summed[j] = True
            elif value.op is DOT and len(below) % 2:
                summed[below[-1]] = True
        return summed

    def _gather(self, head: int) -> list[Term]:
        """The terms of the sum at `head`."""
        terms: list[Term] = []
        ahead = [head]
        while ahead:
            i = ahead.pop()
            op, inputs = self.order[i].op, self.inputs[i]
            if i != head and not self.inside[i]:
                terms.append((i,))
            elif op is MUL:
                terms.append(inputs)
            elif op is DOT:
                pairs = op.pairs(len(inputs))
                terms.extend(zip(inputs[:pairs], inputs[pairs:]))
                ahead.extend(inputs[2 * pairs :])
            else:
                ahead.extend(reversed(inputs))
        return terms
