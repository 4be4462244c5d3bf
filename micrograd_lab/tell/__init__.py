"""The record in words and formulas: steps, derivations, and expressions read from text."""

from .explanation import explain
from .expressions import expression
from .steps import backward_steps, forward_steps
from .writing import value_bundle as value_bundle

__all__ = ["backward_steps", "explain", "expression", "forward_steps"]
