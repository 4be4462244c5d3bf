"""Which nodes of a plan one array statement computes, and how the parameters lie for it.

Nodes of the same operation at the same depth are a group.  Dot products that share their
right-hand vector are a matrix product, and the parameters are laid out in the order in which the
products read them, so that a layer's weight matrix is a view of the flat vector.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from ...ops import OPS, Op
from ..plan import EACH, Plan
from ..terms import ADD, DOT, SUM
from .kinds import Elementwise, Group, LogSumExp, MatrixProduct, ProductSums, Sum
from .source import ArrayProgram
from .writer import Writer

LOGADDEXP = OPS["logaddexp"]


def array_program(plan: Plan, groups: list[Group], layout: Sequence[int]) -> ArrayProgram:
    """The statements that compute the loss and its gradient.

    Args:
        groups: those of `grouped`.
        layout: which parameter each row of `p` is.
    """
    writer = Writer(plan, layout)
    outer: Sequence[int] = [plan.result]
    last = plan.ops[plan.result]
    if (last is ADD or last is SUM) and plan.phases[plan.result] == EACH:
        # the mean of a sum: what is computed once need not be added to every sample
        outer = plan.inputs[plan.result]
        groups = [group for group in groups if group.nodes != [plan.result]]
    for group in groups:
        group.write(writer)
    writer.begin(outer)
    for group in reversed(groups):
        group.go_back(writer)
    writer.gradient(writer.p, "g")
    return writer.program


def outputs(
    plan: Plan, groups: list[Group], layout: Sequence[int], nodes: list[int]
) -> ArrayProgram:
    """The statements of the forward pass alone; `loss` is a list, of the row of each of `nodes`."""
    writer = Writer(plan, layout)
    for group in groups:
        group.write(writer)
    writer.program.loss = ast.List([writer.rows([node]) for node in nodes], ast.Load())
    return writer.program


def grouped(plan: Plan) -> list[Group]:
    """The operations of `plan`, in groups that one statement can compute, in order."""
    inputs: list[Sequence[int]] = list(plan.inputs)
    _gather_logarithms(plan, inputs)
    depth = [0] * len(plan)
    alike: dict[tuple[Any, ...], list[int]] = {}
    for i, op in enumerate(plan.ops):
        below = inputs[i]
        if op is not None and below:
            depth[i] = 1 + max([depth[j] for j in below])
            alike.setdefault(_key(plan, i, op, below, depth[i]), []).append(i)
    groups: list[Group] = []
    for key in sorted(alike, key=lambda key: key[:2]):
        nodes = alike[key]
        op = plan.ops[nodes[0]]
        assert op
        read = [inputs[i] for i in nodes]
        if op is DOT:
            groups.extend(_products(plan, nodes))
        elif op is SUM:
            groups.append(Sum(op, nodes, read))
        elif len(read[0]) > len(op.partials):
            groups.append(LogSumExp(op, nodes, read))
        else:
            groups.append(Elementwise(op, nodes, read))
    return groups


def _key(plan: Plan, i: int, op: Op, below: Sequence[int], depth: int) -> tuple[Any, ...]:
    """What the nodes of a group have in common, the phase and the depth first."""
    phases = plan.phases
    few = len(below) <= max(2, len(op.partials))
    each = tuple([phases[j] == EACH for j in below]) if few else len(below)
    key: tuple[Any, ...] = (phases[i], depth, op, plan.active[i], each)
    if op is SUM:
        return (*key, sum([phases[j] == EACH for j in below]))
    if op is DOT:
        bias = (phases[below[-1]] == EACH,) if len(below) % 2 else ()
        return (*key, phases[below[0]], phases[below[len(below) // 2]], bias)
    return key


def _products(plan: Plan, nodes: list[int]) -> list[Group]:
    """Dot products as matrix products, one for each right-hand vector that they share."""
    k = DOT.pairs(len(plan.inputs[nodes[0]]))
    once = plan.phases[plan.inputs[nodes[0]][0]] != EACH
    vectors: dict[Sequence[int], list[int]] = {}
    for i in nodes:
        vectors.setdefault(plan.inputs[i][k : 2 * k], []).append(i)
    groups: list[Group] = []
    lonely: list[int] = []
    for alike in vectors.values():
        shared = len(alike) > 1 or (len(vectors) <= 2 and not _has_parameter(plan, alike[0]))
        if once and shared:
            groups.append(MatrixProduct(DOT, alike, [plan.inputs[i] for i in alike]))
        else:
            lonely.extend(alike)
    if lonely:
        groups.append(ProductSums(DOT, lonely, [plan.inputs[i] for i in lonely]))
    return groups


def _gather_logarithms(plan: Plan, inputs: list[Sequence[int]]) -> None:
    """Make a tree of ln(exp + exp) one node of many inputs, and leave its inner nodes without."""
    gathered: dict[int, list[int]] = {}
    readers = Counter(chain.from_iterable(plan.inputs)) if LOGADDEXP in plan.ops else {}
    for i, op in enumerate(plan.ops):
        if op is not LOGADDEXP:
            continue
        inner = {
            j
            for j in plan.inputs[i]
            if j in gathered and readers[j] == 1 and plan.phases[i] == plan.phases[j]
        }
        terms = [k for j in plan.inputs[i] for k in (gathered[j] if j in inner else [j])]
        if len({plan.phases[k] == EACH for k in terms}) == 1:
            gathered[i] = terms
            inputs[i] = tuple(terms)
            for j in inner:
                inputs[j] = ()


def layout(plan: Plan, groups: list[Group], parameters: int) -> list[int]:
    """The parameters in the order in which the matrix products read them; then the rest."""
    order: dict[int, None] = {}
    for group in groups:
        if isinstance(group, MatrixProduct):
            read = [i for inputs in group.inputs for i in inputs[: group.pairs]] + group.bias
            order |= dict.fromkeys(plan.parameters[i] for i in read if i in plan.parameters)
    return list(order | dict.fromkeys(range(parameters)))


def _has_parameter(plan: Plan, product: int) -> bool:
    """Whether the right-hand vector of a dot product has a parameter in it."""
    inputs = plan.inputs[product]
    k = DOT.pairs(len(inputs))
    return not plan.parameters.keys().isdisjoint(inputs[k : 2 * k])
