"""The kernel of the tape: C, written from the op table and compiled when the wheel is built.

Where nothing could compile it, there is no kernel, and NumPy runs replays instead.
"""

from __future__ import annotations

import ast
import ctypes
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from ...formulas import ELEMENTARY
from ...ops import OPS
from ...tell.languages import formula_c
from ..simplify import slope_rows

_TEMPLATE = Path(__file__).with_name("kernel.c.in")
_ROWS = [op for op in (*OPS.values(), *slope_rows()) if not op.variadic]
LIBRARY = "libkernel" + {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


@cache
def load(end: str = "") -> Any:
    """The compiled kernel for this processor, a function of the address of a job, if there is one.

    With "_adam" it is the step of that optimiser.  A library that was compiled from another table,
    as a checkout may have it, is not used.
    """
    try:
        compiled = library()
        written_from = ctypes.c_uint.in_dll(compiled, "written_from").value
    except (OSError, ValueError):
        return None
    level = compiled.level()
    return compiled[f"run_{level}{end}"] if level and written_from == fingerprint() else None


def library() -> ctypes.CDLL:
    """The library that the build put beside this file; while it computes, other threads run."""
    return ctypes.CDLL(str(_TEMPLATE.with_name(LIBRARY)))


def fingerprint() -> int:
    """A number that tells one kernel's source from another's, without writing it."""
    rows = [(op.name, op.formula, op.partials, op.gate) for op in _ROWS]
    return crc32(_TEMPLATE.read_bytes() + repr(rows).encode())


def kernel_source() -> str:
    """The interpreter, with the op table's functions and branches in it."""
    parts = {
        "functions": "".join(
            f"INLINE double {op.name}_of(double x) {{ return {formula_c(op.formula)}; }}\n"
            for op in _ROWS
            if op.unary and op.n is None and op.name not in ELEMENTARY
        ),
        "forward": _forward("EACH_OF(s, width) {{ {}f[s] = {}; }}"),
        "forward of one": _forward("*f = {1};"),
        "backward": _backward("[s]", "EACH_OF(s, width) {{ {}double {}; {}; }}"),
        "backward of one": _backward("[0]", "{1}; {2};"),
        "fingerprint": f"EXPORT const unsigned written_from = {fingerprint()}u;\n",
    }
    template = _TEMPLATE.read_text(encoding="utf-8")
    return re.sub(r" *// table: (.+)\n", lambda found: parts[found[1]], template)


@cache
def codes() -> dict[str, int]:
    """The number of each instruction that computes a row of one to three inputs, by its name."""
    return {op.name: i for i, op in enumerate(_ROWS)}


def _forward(statement: str) -> str:
    """A branch for each row of the table."""
    steps = [statement.format(_reads(op.formula), formula_c(op.formula)) for op in _ROWS]
    return "".join(f"      case {i}: {step} break;\n" for i, step in enumerate(steps))


def _backward(index: str, statement: str) -> str:
    """A branch for each row of the table: the chain rule, along the edges to its inputs."""
    lines = []
    for number, op in enumerate(_ROWS):
        lines.append(f"      case {number}:\n")
        for partial, letter in zip(op.partials, "xyz"):
            step = f"local * up{index}"
            if op.gate:
                step = f"local != 0.0 ? {step} : 0.0"
            parts = _reads(partial), f"local = {formula_c(partial)}", f"g{letter}{index} += {step}"
            lines.append(f"        if (to_{letter}) {{ {statement.format(*parts)} }}\n")
        lines.append("        break;\n")
    return "".join(lines)


def _reads(formula: str) -> str:
    """The letters of a formula, each read for sample `s`."""
    letters = {node.id for node in ast.walk(ast.parse(formula)) if isinstance(node, ast.Name)}
    return "".join(f"double {letter} = p{letter}[s]; " for letter in "xyzf" if letter in letters)
