"""What the links of a network show: its weights, their gradients, or the next update."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from ...engine import Value
from ...formulas import np
from ...graph import Graph

KINDS = ("weight", "gradient", "update")


class Optimizer(Protocol):
    """What moves parameters: `after` gives the state after a step, and changes nothing."""

    parameters: list[Value]

    def after(self, data: Any, grad: Any, /) -> Any: ...


class Links(NamedTuple):
    """An amount for each weight and bias, its symbol and its meaning."""

    kind: str
    amounts: Mapping[Value, float]
    symbol: str
    meaning: str
    largest: float  # without its sign


def find_links(
    graph: Graph, kind: str | None, optimizer: Optimizer | None, *, sample: bool
) -> Links:
    """The amounts that links of this kind have; see `draw_network`."""
    recorded = sample and graph.has_gradients
    if kind is None:
        kind = "update" if optimizer else "gradient" if recorded else "weight"
    if kind not in KINDS:
        raise ValueError(f"links is {kind!r}; choose one of {', '.join(KINDS)}")
    if optimizer is not None and not hasattr(optimizer, "after"):
        raise TypeError(f"optimizer must be an SGD, Adam or AdamW, got {optimizer!r:.60}")
    if optimizer and kind != "update":
        raise ValueError(f"an optimizer says nothing about links={kind!r}; take links='update'")
    name = graph.names[graph.result] if sample and graph.result.label else "E"
    slope = f"∂{name}/∂w" if len(name) < 6 else "∂E/∂w"
    amounts = {p: p.data if kind == "weight" else p.grad for p in graph.parameters}
    symbol, meaning = ("w", "weight w") if kind == "weight" else (slope, f"gradient {slope}")
    if kind == "update":
        symbol, meaning = "Δw", f"next step Δw = −η·{slope}, for η = 1"
        amounts = {p: -grad for p, grad in amounts.items()}
        if optimizer:
            meaning = f"next step Δw of {type(optimizer).__name__}"
            amounts = _steps(graph, optimizer)
    if not (kind == "weight" or recorded or any(amounts.values())):
        raise ValueError("the network has no gradients yet; call backward on its loss first")
    sizes = (abs(amount) for amount in amounts.values() if math.isfinite(amount))
    return Links(kind, amounts, symbol, meaning, max(sizes, default=0.0))


def _steps(graph: Graph, optimizer: Optimizer) -> dict[Value, float]:
    """By how much the next step moves each parameter."""
    data, grad = np.array([(p.data, p.grad) for p in optimizer.parameters]).T
    steps = (optimizer.after(data, grad).numbers - data).tolist()
    moved = {graph.twins.get(p, p): step for p, step in zip(optimizer.parameters, steps)}
    if graph.parameters.isdisjoint(moved):
        raise ValueError(f"none of the optimizer's {len(data)} parameters are in this network")
    return {p: moved.get(p, 0.0) for p in graph.parameters}
