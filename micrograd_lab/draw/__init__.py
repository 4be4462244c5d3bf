"""Pictures: the recorded graph through Graphviz, the network and the curves through Matplotlib."""

from .boundary import plot_decision_boundary
from .curves import (
    plot_activation,
    plot_gradient_flow,
    plot_history,
    plot_training,
)
from .diagram import Diagram, draw
from .network import draw_network
from .picture import Picture

__all__ = [
    "Diagram",
    "Picture",
    "draw",
    "draw_network",
    "plot_activation",
    "plot_decision_boundary",
    "plot_gradient_flow",
    "plot_history",
    "plot_training",
]
