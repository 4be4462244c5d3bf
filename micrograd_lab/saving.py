"""Files, written whole or not at all, and recorded values as JSON.

A file of values has nodes as rows, each after its inputs, with the numbers as they were recorded,
slopes included, so that nothing is computed when it is read, and nothing in it could run.  What is
not finite is a text, "nan", "inf" or "-inf", since JSON has no such numbers.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from bisect import bisect
from pathlib import Path
from secrets import token_hex
from typing import Any

from .context import kept, moved, needed, set_aside
from .engine import Value, record
from .ops import OPS, Op, row
from .protocols import Given, given, settle


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`, or leave an earlier file there as it was; links lead to theirs."""
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{token_hex(8)}.part")  # not tempfile: the umask decides who may read
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(content)  # a device or FIFO, where there is nothing to lose
            return
        try:
            part.write_bytes(content)
            if target.exists():
                shutil.copymode(target, part)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:  # name the file that the caller asked for
        raise OSError(error.errno, error.strerror, str(path)) from None


def check_suffix(path: str | os.PathLike[str], *known: str) -> str:
    """The suffix of a file name, which must be one of `known`, in lower case."""
    path = Path(path)
    if path.suffix.lower() not in known:
        *others, last = known
        endings = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{path.name!r} has no known format; end it in {endings}")
    return path.suffix.lower()


FORMAT = "micrograd_lab graph 1"

_OWN = "Value(data, inputs, slopes)"  # the call that makes a node of a program's own
_LEAF: dict[str, Any] = {"grad": 0.0, "label": "", "op": "", "n": None, "call": ""}
_LEAF |= {"inputs": [], "slopes": [], "guards": [], "moved": 0}


def packed(result: Value, parameters: frozenset[Value]) -> str:
    """`result` and what it was computed from, and the values that comparisons need, as JSON."""
    nodes = sorted(needed(result), key=lambda node: node.serial)
    settle(nodes)
    places, made, rows = {x: i for i, x in enumerate(nodes)}, [x.serial for x in nodes], []
    for node in nodes:
        grad = float(node.grad or 0)
        told: dict[str, Any] = {"data": node.data, "grad": grad, "label": node.label}
        if op := node.op:
            call = _OWN if isinstance(op, Given) else getattr(op, "call", "")
            told |= {"op": op.name, "n": op.n, "call": call, "slopes": [*map(_text, node.slopes)]}
            told["inputs"] = [places[x] for x in node.inputs]
        told["guards"] = [[places[x], *guard] for x, *guard in kept(node)]
        told["moved"] = moved(node) and bisect(made, moved(node))  # before which node
        rows.append({key: _text(it) for key, it in told.items() if it != _LEAF.get(key)})
    among = [places[x] for x in nodes if x in parameters]
    about = json.dumps({"format": FORMAT, "result": places[result], "parameters": among})
    return f'{about[:-1]}, "nodes": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]}\n"


def unpacked(text: str) -> tuple[Value, list[Value]]:
    """What `packed` was given; a ValueError if the text is not what it writes."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no complete JSON: {error}") from None
    match told:
        case {"format": form, "result": at, "parameters": [*among], "nodes": [*rows]}:
            pass
        case _:
            raise ValueError("this has no format, result, parameters and nodes")
    if form != FORMAT:
        raise ValueError(f"its format is {form!r:.60}, not {FORMAT!r}, as Graph.save writes it")
    nodes: list[Value] = []
    for i, each in enumerate(rows):
        nodes.append(_node(each, nodes, f"node {i}"))
    made = [*(x.serial for x in nodes), record(0.0, None, (), ()).serial]
    for i, (node, each) in enumerate(zip(nodes, rows)):
        if when := each.get("moved"):
            set_aside(node, moved=_one(made, when, f"node {i}"))
        for guard in each.get("guards", []):
            match guard:
                case [x, "lt" | "le" | "gt" | "ge" as sign, bool(first), bool(held)]:
                    one = _one(nodes, x, f"node {i}"), sign, first, held
                    set_aside(node, guards=(*kept(node), one))
                case _:
                    raise ValueError(f"node {i} has {guard!r:.60} for a comparison")
    return _one(nodes, at, "the file"), [_one(nodes, x, "the file") for x in among]


def _node(told: Any, before: list[Value], where: str) -> Value:
    for key, default in _LEAF.items():
        it = told.get(key, default) if isinstance(told, dict) else told
        if isinstance(default, str | list | int) and type(it) is not type(default):
            raise ValueError(f"{where} has {it!r:.60} for its {key}")
    told = _LEAF | told
    inputs = [_one(before, x, where) for x in told["inputs"]]
    slopes = [_number(x, where) for x in told["slopes"]]
    op = _op(told, len(inputs), where) if told["op"] or inputs else None
    if len(slopes) != len(inputs):
        raise ValueError(f"{where} has {len(inputs)} inputs but {len(slopes)} slopes")
    data, grad = (_number(told.get(key), where) for key in ("data", "grad"))
    return record(data, op, (*inputs,), (*slopes,), grad, told["label"])


def _op(told: dict[str, Any], count: int, where: str) -> Op:
    """The row of the table for a node of so many inputs."""
    name, n, call = told["op"], told["n"], told["call"]
    if call == _OWN and count:
        return given(name, count)
    op = OPS.get(name)
    if op is None or call != getattr(op, "call", ""):
        make = f"; first make it: {call}" if call else ", which is not in the table"
        raise ValueError(f"{where} has the operation {name!r:.60}{make}")
    if not min(len(op.partials), 2) <= count <= (math.inf if op.variadic else len(op.partials)):
        raise ValueError(f"{where} has {count} inputs, which {name} does not take")
    if (n is None) is not (op.n is None):
        raise ValueError(f"{where} has {'no' if n is None else 'a'} number n for {name}")
    return row(op, n if n is None else _number(n, where))


def _one(things: list[Any], i: Any, where: str) -> Any:
    """The one of `things` with the number `i`."""
    if type(i) is int and 0 <= i < len(things):
        return things[i]
    raise ValueError(f"{where} names node {i!r:.60}, but can name only the {len(things)} from 0 on")


def _number(x: Any, where: str) -> float:
    if x in ("nan", "inf", "-inf") or (type(x) in (int, float) and abs(x) <= sys.float_info.max):
        return float(x)
    raise ValueError(f'{where} has {x!r:.60} for a number; a finite one, "nan", "inf" or "-inf"')


def _text(x: Any) -> Any:
    """`x`, and as text if it is a number that is not finite."""
    return str(x) if isinstance(x, float) and not math.isfinite(x) else x
