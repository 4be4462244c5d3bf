"""See every scalar of backpropagation, then run it at array speed.

A core that records, and six wings that read the record: tell, draw, step, learn, replay, lecture.
"""

from .calculus import dot, gradients, logsumexp, maximum, minimum, total
from .checks import check_gradient
from .domain import ieee, recording
from .drawing import (
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
from .engine import Value
from .graph import Graph
from .nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Data,
    History,
    Layer,
    Module,
    Neuron,
    accuracy,
    binary_cross_entropy,
    circles,
    cosine,
    cross_entropy,
    digits,
    fit,
    from_torch,
    gate,
    hinge,
    load,
    mean_squared_error,
    moons,
    save,
    softmax,
    spirals,
    squared_error,
    step_decay,
    to_torch,
)
from .replaying import Program, replay
from .stepper import Stepper, step
from .tell import backward_steps, explain, expression, forward_steps

# fmt: off
__all__ = [  # noqa: RUF022  # by wing
    # the core: record
    "Value", "dot", "total", "maximum", "minimum", "logsumexp", "gradients", "ieee", "recording",
    "Graph", "check_gradient",
    # tell
    "forward_steps", "backward_steps", "explain", "expression",
    # draw
    "draw", "Diagram", "draw_network", "Picture", "plot_activation", "plot_decision_boundary",
    "plot_gradient_flow", "plot_history", "plot_training",
    # step
    "step", "Stepper",
    # learn
    "Module", "Neuron", "Layer", "MLP", "squared_error", "mean_squared_error", "hinge",
    "binary_cross_entropy", "cross_entropy", "softmax", "SGD", "Adam", "AdamW", "cosine",
    "step_decay", "Data", "moons", "circles", "spirals", "gate", "digits", "fit", "History",
    "accuracy", "save", "load", "to_torch", "from_torch",
    # replay
    "replay", "Program",
]
# fmt: on

__version__ = "0.1.0"
