"""Replay: record a loss or a function, then run it at array speed.

``plan.py`` reads the recorded graph as flat lists, with ``terms.py`` and ``batches.py``, and
``checks.py`` adds what only the engine would notice.  In
``arrays/``, ``groups.py`` finds what one array statement can compute, ``kinds.py`` has a class for
each kind of group, ``source.py`` writes the statements as one reads them and ``inplace.py`` with
the arrays that they go to, and ``simplify.py`` makes their formulas cheap.  ``python/`` writes
plain Python instead, and ``tape/`` integers for an interpreter made of the op table.
``runners.py`` runs statements on NumPy's arrays and ``elsewhere.py`` on those of other engines,
``program.py`` is what a user sees of a recorded loss and ``paths.py`` of a function, with
``branches.py``; where a number is not finite, ``scalar.py`` asks the engine.
"""

from .paths import Paths, replay
from .program import Program

__all__ = ["Paths", "Program", "replay"]
