"""Names for the arrays of a program: after the labels of their nodes, where these agree."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from keyword import kwlist

from ...engine import Value
from ...formulas import NOT_IN_NUMPY
from ...tell.notation import label_places

_OURS = (*"pxgn", "loss", "put", "prepare", "program", "math", *NOT_IN_NUMPY)
_RESERVED = frozenset((*_OURS, *dir(builtins), *kwlist))


class Names:
    """Gives each name once."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}  # the last number after each name

    def shared(self, values: Iterable[Value | None], otherwise: str) -> str:
        """The letter and layer that the labels of `values` share, or `otherwise` with a number."""
        name = _shared(values)
        if not name or name in self._last:
            return self.numbered(name or otherwise)
        self._last[name] = 0
        return name

    def numbered(self, name: str) -> str:
        """`name` with the next number that makes it new."""
        while True:
            self._last[name] = number = self._last.get(name, 0) + 1
            if f"{name}{number}" not in self._last:
                self._last[f"{name}{number}"] = 0
                return f"{name}{number}"


def _shared(values: Iterable[Value | None]) -> str:
    names = set()
    for value in values:
        places = label_places(value.label if value else "", lambda text, *_: text)
        names.add(places[""] + places.get("sup", "").strip("()"))
    name = names.pop() if len(names) == 1 else ""
    taken = name in _RESERVED or name.startswith(("np", "d_", "_"))
    return name if name.isidentifier() and name.isascii() and not taken else ""
