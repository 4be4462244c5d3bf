"""The record in words and formulas: steps, derivations, and expressions read from text."""

from .explanation import explain
from .expressions import expression
from .languages import value_bundle as value_bundle
from .steps import backward_steps, forward_steps

__all__ = ["backward_steps", "explain", "expression", "forward_steps"]
