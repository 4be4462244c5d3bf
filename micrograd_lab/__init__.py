"""See every scalar of backpropagation, then run it at array speed."""

from .engine import Value, dot, gradients, ieee, total

__all__ = ["Value", "dot", "gradients", "ieee", "total"]
