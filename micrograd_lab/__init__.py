"""See every scalar of backpropagation, then run it at array speed."""

from .checks import check_gradient
from .data import Data, circles, digits, gate, moons, spirals
from .draw import (
    Diagram,
    Picture,
    draw,
    draw_network,
    plot_activation,
    plot_decision_boundary,
    plot_gradient_flow,
    plot_history,
    plot_training,
)
from .engine import Value, dot, gradients, ieee, total
from .explanation import explain
from .expressions import expression
from .files import from_torch, load, save, to_torch
from .graph import Graph
from .losses import (
    binary_cross_entropy,
    cross_entropy,
    hinge,
    mean_squared_error,
    softmax,
    squared_error,
)
from .nn import MLP, Layer, Module, Neuron
from .optim import SGD, Adam, AdamW, cosine, step_decay
from .replay import Program, replay
from .stepper import Stepper, step
from .steps import backward_steps, forward_steps
from .training import History, accuracy, fit

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "Data",
    "Diagram",
    "Graph",
    "History",
    "Layer",
    "Module",
    "Neuron",
    "Picture",
    "Program",
    "Stepper",
    "Value",
    "accuracy",
    "backward_steps",
    "binary_cross_entropy",
    "check_gradient",
    "circles",
    "cosine",
    "cross_entropy",
    "digits",
    "dot",
    "draw",
    "draw_network",
    "explain",
    "expression",
    "fit",
    "forward_steps",
    "from_torch",
    "gate",
    "gradients",
    "hinge",
    "ieee",
    "load",
    "mean_squared_error",
    "moons",
    "plot_activation",
    "plot_decision_boundary",
    "plot_gradient_flow",
    "plot_history",
    "plot_training",
    "replay",
    "save",
    "softmax",
    "spirals",
    "squared_error",
    "step",
    "step_decay",
    "to_torch",
    "total",
]

__version__ = "0.1.0"
