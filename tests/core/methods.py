"""The operators and methods that the table gives to `Value`, as a stub for editors and checkers.

python tests/core/methods.py    # after a change to the table: writes micrograd_lab/methods.pyi
"""

from __future__ import annotations

from pathlib import Path
from textwrap import indent, wrap

from micrograd_lab import engine
from micrograd_lab.ops import OPS

STUB = Path(engine.__file__).with_name("methods.pyi")
HEAD = '''\
"""What the table of ``ops.py`` gives to `Value`; written by tests/core/methods.py, and tested."""

from collections.abc import Callable
from typing import Any, SupportsFloat

from typing_extensions import Self

class Methods:
    m: Any
    v: Any
    velocity: Any
    momentum: Any
    @property
    def _backward(self) -> Callable[[], None]: ...
    @_backward.setter
    def _backward(self, function: Callable[[], None]) -> None: ...
    def __array_ufunc__(self, ufunc: Any, how: str, *inputs: Any, **options: Any) -> Any: ...
    def __copy__(self) -> Self: ...
    def __neg__(self) -> Self: ...
    def __pos__(self) -> Self: ...
    def __abs__(self) -> Self: ...
'''


def stub():
    """The stub as text: operators by their sign, then one method for each row of one input."""
    lines = [HEAD]
    for sign in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow"):
        lines.append(f"    def __{sign}__(self, other: SupportsFloat) -> Self: ...\n")
    for sign in ("lt", "le", "gt", "ge"):
        lines.append(f"    def __{sign}__(self, other: SupportsFloat) -> bool: ...\n")
    for op in OPS.values():
        if op.unary:
            number = "" if op.n is None else f", n: SupportsFloat = {op.n}"
            lines.append(f"    def {op.name}(self{number}) -> Self:\n")
            text = f'"""{getattr(engine.Value, op.name).__doc__}"""'
            lines.append(indent("\n".join(wrap(text, 92)), " " * 8) + "\n")
    return "".join(lines)


if __name__ == "__main__":
    STUB.write_text(stub(), "utf-8")
