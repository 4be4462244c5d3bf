"""A recorded graph by position, with every tree of additions gathered into its terms.

Read ``engine.py`` before this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..engine import Value, recorded
from ..ops import OPS, Op

ADD, MUL, SUM, DOT, TAKE = (OPS[name] for name in ("add", "mul", "sum", "dot", "take"))
SUMS = frozenset((ADD, SUM, DOT))
_LINEAR = SUMS | {MUL}
ONE = -1  # a node that is 1, in a plan's numbering

Terms: TypeAlias = "tuple[list[int], list[int], list[int]]"  # single ones; factors of products


class RecordedTerms:
    """What `loss` was computed from, as lists with an entry for each node.

    Attributes:
        order: the values, inputs before what is computed from them.
        inputs: the positions of a node's inputs.
        column, parameter: position of a leaf -> which column of the data or parameter it is.
        constant: whether a node depends on neither.
        readers: how many inputs of other nodes it is.
        inside: whether a node is only a part of a larger sum.
        terms: position of a sum -> its terms: single nodes, and products by their factors.
    """

    def __init__(self, loss: Value, inputs: Sequence[Value], parameters: Sequence[Value]) -> None:
        self.order: list[Value] = recorded(loss)
        at = {value: i for i, value in enumerate(self.order)}
        self.inputs: list[tuple[int, ...]] = [
            tuple([at[x] for x in value.inputs]) for value in self.order
        ]
        self.column: dict[int, int] = {at[x]: k for k, x in enumerate(inputs) if x in at}
        self.parameter: dict[int, int] = {at[x]: k for k, x in enumerate(parameters) if x in at}
        self.constant: list[bool] = []
        self.readers: list[int] = [0] * len(at)
        self.inside: list[bool] = [False] * len(at)
        self.terms: dict[int, Terms] = {}
        self._read()
        for i, value in enumerate(self.order):
            if value.op in SUMS and not self.inside[i] and not self.constant[i]:
                self.terms[i] = self._gather(i)

    def _read(self) -> None:
        """Find out what reads each node."""
        constant, readers, inside = self.constant, self.readers, self.inside
        for i, (value, below) in enumerate(zip(self.order, self.inputs)):
            op = value.op
            known = op is not None or (i not in self.column and i not in self.parameter)
            for j in below:
                readers[j] += 1
                if not constant[j]:
                    known = False
            constant.append(known)
            if op in SUMS:
                for j in below if op is not DOT else below[len(below) // 2 * 2 :]:
                    inside[j] = not constant[j] and self.order[j].op in _LINEAR
        for i, count in enumerate(readers):
            if count > 1:
                inside[i] = False

    def _gather(self, head: int) -> Terms:
        """The terms of the sum at `head`."""
        single: list[int] = []
        left: list[int] = []
        right: list[int] = []
        ahead = [head]
        while ahead:
            i = ahead.pop()
            op, inputs = self.order[i].op, self.inputs[i]
            if i != head and not self.inside[i]:
                single.append(i)
            elif op is ADD or op is SUM:
                ahead.extend(reversed(inputs))
            else:
                pairs = len(inputs) // 2
                left += inputs[:pairs]
                right += inputs[pairs : 2 * pairs]
                ahead.extend(inputs[2 * pairs :])
        return single, left, right


def products(op: Op, inputs: tuple[int, ...]) -> list[tuple[int, int]]:
    """The products that `op`, a sum, adds up; a single term is multiplied by 1."""
    pairs = op.pairs(len(inputs))
    single = [(x, ONE) for x in inputs[2 * pairs :]]
    return [*zip(inputs[:pairs], inputs[pairs : 2 * pairs]), *single]
