"""What a program costs before its first result: time, memory, imports."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

from workloads import duration

from micrograd_lab import Value, replay, total
from micrograd_lab.replaying.tape.kernel import load


def growth() -> str:
    """From recording to the first result, and memory, for graphs of growing size, as Markdown."""
    backends = ["numpy", *(["tape"] if load() else [])]
    for name in backends:
        _first_result(graph(300), name)  # imports
    lines = [
        f"\n| nodes | recording | {' | '.join(f'{name} program' for name in backends)} |",
        f"|---:|---:|{'---:|' * len(backends)}",
    ]
    for nodes in (1_000, 10_000, 100_000):
        recording = _least(partial(graph, nodes))
        recorded, size = _traced(partial(graph, nodes))
        cells = [f"{duration(recording)}, {size / nodes:.0f} B per node"]
        for name in backends:
            spent = _least(partial(_first_result, recorded, name))
            _, size = _traced(partial(_first_result, recorded, name))
            times = f"{duration(spent)}, {spent / recording:.1f} × recording"
            cells.append(f"{times}, {size / nodes:.0f} B per node")
        lines.append(f"| {nodes:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def graph(nodes: int) -> tuple[Value, list[Value], list[Value]]:
    """A graph ten nodes wide: loss, inputs, parameters."""
    x, w = Value(0.5, "x"), [Value(0.1 * k, f"w_{k}") for k in range(10)]
    layer = list(w)
    for _ in range(nodes // 30):
        layer = [(layer[k] * x + layer[k - 1]).tanh() for k in range(10)]
    return total(layer), [x], w


def _first_result(recorded: tuple[Value, list[Value], list[Value]], backend: str) -> Any:
    loss, inputs, parameters = recorded
    program = replay(loss, inputs, parameters, backend=backend)
    program([[0.5]])
    return program


def _least(run: Callable[[], object]) -> float:
    """The least time of three runs."""
    times = []
    for _ in range(3):
        gc.collect()
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
        del result  # freeing it is not part of the time
    return min(times)


def _traced(run: Callable[[], Any]) -> tuple[Any, int]:
    """What `run` returns, and how many bytes are in use because of it."""
    gc.collect()
    tracemalloc.start()
    result = run()
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return result, size


def starting() -> str:
    """What imports cost, and loading the kernel, as Markdown."""
    python = min(_process("pass") for _ in range(5))
    imported = min(_process("import micrograd_lab") for _ in range(5))
    load = "from micrograd_lab.replaying.tape.kernel import load"
    before = min(_process(load) for _ in range(5))
    loaded = min(_process(f"{load}; load()") for _ in range(5))
    rows = [("`import micrograd_lab`", imported - python), ("loading the kernel", loaded - before)]
    lines = [f"| {what} | {duration(max(seconds, 0))} |" for what, seconds in rows]
    return "\n".join(["\n| in a new process | time |", "|---|---:|", *lines])


def _process(code: str) -> float:
    """How long a new Python takes for `code`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - start
