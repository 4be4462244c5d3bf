"""See every scalar of backpropagation, then run it at array speed."""

from .engine import Value, dot, gradients, ieee, total
from .graph import Graph

__all__ = ["Graph", "Value", "dot", "gradients", "ieee", "total"]
