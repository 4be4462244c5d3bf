"""Walk through a recorded graph, in a notebook or in a page of its own."""

from .page import Stepper, step

__all__ = ["Stepper", "step"]
