"""Gradients of `backward` against slopes measured by moving the inputs a little."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from .engine import Value
from .graph import Graph
from .ops import OPS

__all__ = ["check_gradient"]


def check_gradient(
    of: Value | Callable[..., Value],
    at: Sequence[float | Value] | None = None,
    *,
    tolerance: float = 1e-6,
) -> None:
    """Raise an error unless each gradient of `backward` matches finite differences.

    At a kink, such as ReLU's at 0, any gradient between the slopes on the two sides is right.  No
    `grad` changes.

    Args:
        of: a recorded result, which is recomputed with nearby numbers; or a function of values,
            which is called again.
        at: for a recorded result the values to check, by default all its leaves but indices; for a
            function one number per argument.
        tolerance: the largest difference between gradient and slope, relative to the larger one.

    Raises:
        AssertionError: if they differ; the message has the value's name, gradient and slope.
        ValueError: if a slope cannot be measured.

    >>> w, x = Value(-2, "w"), Value(5, "x")
    >>> check_gradient((w * x).tanh())
    >>> check_gradient(lambda a, b: a / b, [1.0, 3.0])
    """
    if isinstance(of, Value):
        graph = Graph.at_present(of, products=False, gradients=True)
        index = {f.inputs[0] for f in graph.nodes if f.op is OPS["take"]}  # nothing near it is one
        leaves = [x for x, twin in graph.twins.items() if not (x.inputs or twin in index)]
        wrt = leaves if at is None else list(at)
        for value in wrt:
            if not isinstance(value, Value) or value not in graph.twins:
                raise ValueError(f"{value!r} is not part of the computation of {of!r}")
            twin = graph.twins[value]
            name = f"∂{graph.names[graph.result]}/∂{graph.names[twin]}"
            _compare(name, twin.grad, partial(_recompute, graph, twin), twin.data, tolerance)
    else:
        if not callable(of):
            raise TypeError(f"of must be a Value or a function, got {type(of).__name__} {of!r:.60}")
        if at is None:
            raise TypeError("to check a function, give the numbers to call it with")
        point = [float(x) for x in at]
        values = [Value(x) for x in point]
        of(*values).backward()
        for i, value in enumerate(values):
            nearby = partial(_call, of, point, i)
            _compare(f"the gradient of argument {i + 1}", value.grad, nearby, point[i], tolerance)


def slope(f: Callable[[float], float], x: float) -> tuple[float, float]:
    """f′(x) from central differences, and an estimate of its error.

    Shrinks the distance h and extrapolates to h = 0.  A distance that leaves the domain of f, where
    f raises a ValueError, is skipped.

    Source:
        C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in
        Engineering Software 4 (1982) 75-76.

    >>> measured, error = slope(lambda x: x**3, 2.0)
    >>> abs(measured - 12) < 1e-9, error < 1e-9
    (True, True)
    """
    best, error = math.nan, math.inf
    coarse: list[float] = []
    h = 0.1 * max(abs(x), 1e-3)
    for _ in range(16):
        try:
            above, below = f(x + h), f(x - h)
        except ValueError:
            coarse, h = [], h / 4
            continue
        rounding = math.ulp(max(abs(above), abs(below))) / h
        fine = [(above - below) / ((x + h) - (x - h))]
        weight = 1.0
        for coarser in coarse:
            weight *= 16.0
            fine.append((weight * fine[-1] - coarser) / (weight - 1.0))
            apart = max(abs(fine[-1] - fine[-2]), abs(fine[-1] - coarser)) + rounding
            if apart < error:
                best, error = fine[-1], apart
        coarse, h = fine, h / 4
    return best, error


def _compare(
    name: str, gradient: float, f: Callable[[float], float], x: float, tolerance: float
) -> None:
    """Raise an error unless `gradient` is the slope of f at x."""
    measured, error = slope(f, x)
    if math.isnan(measured):
        raise ValueError(f"{name} cannot be measured at {x:g}; the numbers nearby are not finite")
    allowed = error + tolerance * max(abs(gradient), abs(measured))
    if abs(gradient - measured) <= allowed:
        return
    h = 1e-6 * max(abs(x), 1.0)
    left, right = sorted([(f(x) - f(x - h)) / h, (f(x + h) - f(x)) / h])
    size = max(abs(left), abs(right))
    slack = 1e-5 * size  # of a slope measured on one side
    if right - left > 1e-3 * size and left - slack <= gradient <= right + slack:
        return
    raise AssertionError(f"{name} is {gradient:.9g} by backward, but the slope is {measured:.9g}")


def _recompute(graph: Graph, node: Value, x: float) -> float:
    return graph.evaluate({node: x}, along=True)


def _call(f: Callable[..., Value], point: list[float], i: int, x: float) -> float:
    return f(*(Value(x if j == i else y) for j, y in enumerate(point))).data
