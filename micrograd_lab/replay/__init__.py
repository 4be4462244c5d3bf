"""Replay: record a loss once, then run it at array speed.

``plan.py`` reads the recorded graph as flat lists.  ``arrays.py`` writes array statements over
(nodes x samples), with formulas from the op table that ``simplify.py`` makes cheap, and ``emit.py``
writes them as source; ``straight.py`` writes plain Python instead.  ``runners.py`` computes, and
``program.py`` is what a user sees.  Where a number is not finite, ``scalar.py`` asks the engine.
"""

from .program import Program, replay

__all__ = ["Program", "replay"]
