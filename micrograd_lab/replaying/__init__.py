"""Replay: record a loss or a function, then run it at array speed.

``batch.py`` finds the samples that a loss was recorded over.  ``plan.py`` reads the recorded graph
as flat lists, and ``simplify.py`` makes formulas cheap.  In ``arrays/``, ``groups.py`` finds what
one array statement can compute, ``writer.py`` puts statements together and ``source.py`` makes a
text of them.  ``python.py`` writes plain Python instead, and ``tape/`` integers for an interpreter
made of the op table.  ``runners.py`` runs statements on arrays, ``program.py`` is what a user sees
of a recorded loss, and ``paths.py`` of a function.
"""

from .paths import Paths, replay
from .program import Program

__all__ = ["Paths", "Program", "replay"]
