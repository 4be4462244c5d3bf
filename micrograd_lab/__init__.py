"""See every scalar of backpropagation, then run it at array speed."""

from .checks import check_gradient
from .engine import Value, dot, gradients, ieee, total
from .expressions import expression
from .graph import Graph
from .nn import MLP, Layer, Module, Neuron
from .steps import backward_steps, forward_steps

__all__ = [
    "MLP",
    "Graph",
    "Layer",
    "Module",
    "Neuron",
    "Value",
    "backward_steps",
    "check_gradient",
    "dot",
    "expression",
    "forward_steps",
    "gradients",
    "ieee",
    "total",
]

__version__ = "0.1.0"
