"""Replay: record a loss once, then run it at array speed.

``plan.py`` reads the recorded graph as flat lists.  ``groups.py`` finds what one array statement
can compute, ``arrays.py`` makes the statements, with formulas from the op table that
``simplify.py`` makes cheap, ``emit.py`` writes them as one reads them and ``inplace.py`` as NumPy
runs them fastest.  ``straight.py`` writes plain Python instead, and ``tape.py`` integers for the
interpreter that ``kernel.py`` makes of the op table.  ``runners.py`` computes, ``program.py`` is
what a user sees; where a number is not finite, ``scalar.py`` asks the engine.
"""

from .paths import Paths, replay
from .program import Program

__all__ = ["Paths", "Program", "replay"]
