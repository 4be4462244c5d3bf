"""Pictures: the recorded graph through Graphviz."""

from .diagram import Diagram, draw

__all__ = ["Diagram", "draw"]
