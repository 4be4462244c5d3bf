"""The kernel of the tape: written from the op table, compiled once on a machine, then kept.

Numba keeps compiled code beside the source that it was compiled from.  So the source is written
out, under a name that says what is in it, to a folder that belongs to the user; the next process
finds both.  An installed package need not be writable.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ...formulas import ELEMENTARY, in_floats
from ...ops import OPS, Op
from ...saving import write_whole

_ARRAYS = "int64[::1], float64[::1], float64[::1], float64[::1], float64[:, ::1]"
_TYPES = f"UniTuple(float64, 2)({_ARRAYS}, int64)"


@cache
def load() -> Callable[..., tuple[float, float]]:
    """The compiled kernel.

    Raises:
        ImportError: if Numba is not installed.
    """
    try:
        importlib.import_module("numba")
    except ImportError:
        message = 'Numba is not installed; run: pip install "micrograd-lab[fast]"'
        raise ImportError(message) from None
    source = kernel_source()
    name = f"micrograd_lab_tape_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    path = _written(f"{name}.py", source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba imports it by name when it loads what it kept
    spec.loader.exec_module(module)
    if not any(path.parent.rglob(f"{name}*.nbi")):
        print("micrograd_lab: compiling the tape's kernel, once on this machine", file=sys.stderr)
    module.run.compile(_TYPES)
    return module.run  # type: ignore[no-any-return]


def kernel_source() -> str:
    """The interpreter with the op table's functions and branches in it."""
    template = Path(__file__).with_name("kernel.py.in").read_text(encoding="utf-8")
    parts = {"functions": _functions(), "forward": _forward(), "backward": _backward()}
    return re.sub(r" *# table: (\w+)\n", lambda found: parts[found[1]], template)


@cache
def codes() -> dict[str, int]:
    """The number of each instruction that computes a row of one or two inputs, by its name."""
    return {op.name: i for i, op in enumerate(_rows())}


@cache
def edge_codes() -> dict[tuple[str, bool], int]:
    """The number of each instruction that hands a gradient on, by partial and gate."""
    edges = dict.fromkeys((partial, op.gate) for op in _rows() for partial in op.partials)
    return {edge: i for i, edge in enumerate(edges)}


def _rows() -> list[Op]:
    return [op for op in OPS.values() if not op.variadic]


def _functions() -> str:
    """What a formula may call besides the functions of `math`."""
    return "\n\n".join(
        f"@inlined\ndef {op.name}(x):\n    return {in_floats(op.formula)}\n"
        for op in _rows()
        if op.unary and op.n is None and op.name not in ELEMENTARY
    )


def _forward() -> str:
    """For each row of the table, a loop over the samples."""
    return "".join(
        _branch(number, op.formula, f"pf[s] = {in_floats(op.formula)}")
        for number, op in enumerate(_rows())
    )


def _backward() -> str:
    """For each partial derivative, a loop over the samples: the chain rule along one edge."""
    step = {
        False: "to[s] += local * up[s]",
        True: "to[s] += local * up[s] if local != 0.0 else 0.0",
    }
    return "".join(
        _branch(number, partial, f"local = {in_floats(partial)}", step[gate])
        for (partial, gate), number in edge_codes().items()
    )


def _branch(number: int, formula: str, *statements: str) -> str:
    """What instruction `number` does, for each sample `s`, with what its formula reads."""
    letters = {node.id for node in ast.walk(ast.parse(formula)) if isinstance(node, ast.Name)}
    reads = [f"{letter} = p{letter}[s]" for letter in "xyf" if letter in letters]
    lines = [f"if code == {number}:", "    for s in range(width):"]
    lines += [f"        {line}" for line in (*reads, *statements)]
    return "".join(f"        {'el' * (number > 0 and line is lines[0])}{line}\n" for line in lines)


def _written(name: str, source: str) -> Path:
    """The path of a file that holds `source`, where Numba can keep its code beside it."""
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != source:
            write_whole(path, source.encode())
    except (OSError, RuntimeError):  # no place of its own: compile for this process alone
        path = Path(tempfile.mkdtemp(prefix="micrograd_lab-")) / name
        path.write_bytes(source.encode())
    return path


def _folder() -> Path:
    """NUMBA_CACHE_DIR, or the user's folder for such things on this system."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(given)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "micrograd_lab"
