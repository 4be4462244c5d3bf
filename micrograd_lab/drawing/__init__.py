"""Pictures: the recorded graph through Graphviz, the network and the curves through Matplotlib."""

from .graph.diagram import Diagram, draw
from .graph.diagram import graph_bundle as graph_bundle
from .network.view import draw_network
from .plots import (
    plot_activation,
    plot_decision_boundary,
    plot_gradient_flow,
    plot_history,
    plot_training,
)
from .showing import Picture

__all__ = [
    "Diagram", "Picture", "draw", "draw_network", "plot_activation", "plot_decision_boundary",
    "plot_gradient_flow", "plot_history", "plot_training",
]  # fmt: skip
