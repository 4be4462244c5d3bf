"""Which nodes of a plan one array statement computes, and how the parameters lie for it.

Nodes of the same operation at the same depth are a group.  Dot products that share their
right-hand vector are a matrix product, and the parameters are laid out in the order in which the
products read them, so that a layer's weight matrix is a view of the flat vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...ops import OPS, Op
from ..plan import DOT, EACH, SUM, Plan

LOGADDEXP = OPS["logaddexp"]


@dataclass
class Group:
    """Nodes that one statement computes."""

    op: Op
    nodes: list[int]
    inputs: list[Sequence[int]]
    matrix: bool = False  # whether they are dot products with the same right-hand vector

    @property
    def pairs(self) -> int:
        """How many products each dot product has."""
        return DOT.pairs(len(self.inputs[0]))


def grouped(plan: Plan) -> list[Group]:
    """The operations of `plan`, in groups that one statement can compute, in order."""
    inputs: list[Sequence[int]] = list(plan.inputs)
    _gather_logarithms(plan, inputs)
    depth = [0] * len(plan)
    kinds: dict[tuple[Any, ...], list[int]] = {}
    phases = plan.phases
    for i, op in enumerate(plan.ops):
        below = inputs[i]
        if op is None or not below:
            continue
        depth[i] = 1 + max([depth[j] for j in below])
        each = tuple([phases[j] == EACH for j in below]) if len(below) < 3 else len(below)
        key: tuple[Any, ...] = (phases[i], depth[i], op.name, op.n, plan.active[i], each)
        if op is SUM:
            key = (*key, sum([phases[j] == EACH for j in below]))
        elif op is DOT:
            bias = (phases[below[-1]] == EACH,) if len(below) % 2 else ()
            key = (*key, phases[below[0]], phases[below[len(below) // 2]], bias)
        kinds.setdefault(key, []).append(i)
    found: list[Group] = []
    for key in sorted(kinds, key=lambda key: key[:2]):
        nodes = kinds[key]
        op = plan.ops[nodes[0]]
        assert op
        if op is DOT:
            found.extend(_products(plan, nodes))
        else:
            found.append(Group(op, nodes, [inputs[i] for i in nodes]))
    return found


def _products(plan: Plan, nodes: list[int]) -> list[Group]:
    """Dot products as matrix products, one for each right-hand vector that they share."""
    k = DOT.pairs(len(plan.inputs[nodes[0]]))
    inputs: dict[int, Sequence[int]] = {i: plan.inputs[i] for i in nodes}
    first = inputs[nodes[0]]
    once = plan.phases[first[0]] != EACH
    vectors: dict[Sequence[int], list[int]] = {}
    for i in nodes:
        vectors.setdefault(inputs[i][k : 2 * k], []).append(i)
    if once and plan.phases[first[k]] != EACH and len(vectors) == len(nodes) > 1:
        swapped = {i: (*x[k : 2 * k], *x[:k], *x[2 * k :]) for i, x in inputs.items()}
        again: dict[Sequence[int], list[int]] = {}
        for i in nodes:
            again.setdefault(swapped[i][k : 2 * k], []).append(i)
        if len(again) < len(vectors):
            vectors, inputs = again, dict(swapped)
    found: list[Group] = []
    lonely: list[int] = []
    for alike in vectors.values():
        shared = len(alike) > 1 or (len(vectors) <= 2 and not _has_parameter(plan, alike[0]))
        if once and shared:
            found.append(Group(DOT, alike, [inputs[i] for i in alike], matrix=True))
        else:
            lonely.extend(alike)
    if lonely:
        found.append(Group(DOT, lonely, [inputs[i] for i in lonely]))
    return found


def _gather_logarithms(plan: Plan, inputs: list[Sequence[int]]) -> None:
    """Make a tree of ln(exp + exp) one node of many inputs, and leave its inner nodes without."""
    readers = [0] * len(plan)
    reader = [-1] * len(plan)
    heads = [i for i, op in enumerate(plan.ops) if op is LOGADDEXP]
    if not heads:
        return
    for i, below in enumerate(plan.inputs):
        for j in below:
            readers[j] += 1
            reader[j] = i
    inside = {
        i
        for i in heads
        if readers[i] == 1
        and plan.ops[reader[i]] is LOGADDEXP
        and plan.phases[i] == plan.phases[reader[i]]
    }
    for head in heads:
        if head in inside:
            continue
        found, ahead, within = [], [head], []
        while ahead:
            i = ahead.pop()
            if i == head or i in inside:
                within.append(i)
                ahead.extend(reversed(plan.inputs[i]))
            else:
                found.append(i)
        if len({plan.phases[i] == EACH for i in found}) == 1:
            for i in within:
                inputs[i] = ()
            inputs[head] = tuple(found)


def layout(plan: Plan, groups: list[Group], parameters: int) -> list[int]:
    """The parameters in the order in which the matrix products read them; then the rest."""
    order: dict[int, None] = {}
    for group in groups:
        if group.matrix:
            k = DOT.pairs(len(group.inputs[0]))
            read = [i for inputs in group.inputs for i in inputs[:k]]
            read += [inputs[-1] for inputs in group.inputs if len(inputs) > 2 * k]
            order |= dict.fromkeys(plan.parameters[i] for i in read if i in plan.parameters)
    return list(order | dict.fromkeys(range(parameters)))


def _has_parameter(plan: Plan, product: int) -> bool:
    """Whether the right-hand vector of a dot product has a parameter in it."""
    inputs = plan.inputs[product]
    k = DOT.pairs(len(inputs))
    return not plan.parameters.keys().isdisjoint(inputs[k : 2 * k])
