"""See every scalar of backpropagation, then run it at array speed."""

from .engine import Value, dot, gradients, ieee, total
from .graph import Graph
from .steps import backward_steps, forward_steps

__all__ = [
    "Graph",
    "Value",
    "backward_steps",
    "dot",
    "forward_steps",
    "gradients",
    "ieee",
    "total",
]
