"""What a program costs before its first result: time, memory, imports.

python benchmarks/costs.py
"""

from __future__ import annotations

import gc
import math
import random
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from sequences import GPT
from workloads import duration

from micrograd_lab import MLP, Value, dot, hinge, recording, replay, total
from micrograd_lab.engine import recorded
from micrograd_lab.replaying.tape.kernel import load

Graph: TypeAlias = "tuple[Value, list[Value], list[Value]]"  # loss, inputs, parameters

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def growth() -> str:
    """Recording and compiling, for kinds of graphs of growing size, as Markdown."""
    backends = ["tape", "numpy", "python"] if load() else ["numpy", "python"]
    for record in KINDS.values():
        first = record(8)  # imports
    for name in backends:
        _first_result(first, name)
    title = "\n| µs a node, of processor time | nodes | edges a node | recording"
    lines = [
        f"{title} | {' | '.join(backends)} | memory of the first |",
        f"|---|---:|---:|---:|{'---:|' * len(backends)}---:|",
    ]
    for kind, record in KINDS.items():
        for size in SIZES if kind != "GPT" else (8,):
            gc.collect()  # the graph before
            with recording():
                start = time.process_time()
                graph = record(size)
                spent = [time.process_time() - start]
            order = recorded(graph[0])
            nodes, edges = len(order), sum(len(value.inputs) for value in order)
            del order
            often = 3 if nodes < 50_000 else 1
            spent += [_least(partial(_first_result, graph, name), often) for name in backends]
            cells = [f"{seconds / nodes * 1e6:.2f}" for seconds in spent]
            cells.append("")
            if nodes < 500_000:  # tracing is slow
                memory = _traced(partial(_first_result, graph, backends[0])) / nodes
                cells[-1] = f"{memory:.0f} B a node"
            lines.append(f"| {kind} | {nodes:,} | {edges / nodes:.1f} | {' | '.join(cells)} |")
            del graph
    return "\n".join(lines)


def ten_wide(nodes: int) -> Graph:
    """Layers of ten nodes, each of two of the layer before."""
    x, w = Value(0.5, "x"), [Value(0.1 * k, f"w_{k}") for k in range(10)]
    layer = list(w)
    for _ in range(nodes // 30):
        layer = [(layer[k] * x + layer[k - 1]).tanh() for k in range(10)]
    return total(layer), [x], w


def chain(nodes: int) -> Graph:
    """One operation after the other."""
    x, w, b = Value(0.5, "x"), Value(0.99999, "w"), Value(0.00001, "b")
    y = x
    for _ in range(nodes // 2):
        y = y * w + b
    return y, [x], [w, b]


def irregular(nodes: int) -> Graph:
    """Each node of one made lately and of any other."""
    draw = random.Random(1)
    x, w = Value(0.5, "x"), [Value(draw.uniform(0.5, 1), f"w_{k}") for k in range(20)]
    pool = [x, *w]
    while len(pool) < nodes:
        a, b = draw.choice(pool), draw.choice(pool[-200:])
        pool.append(draw.choice((a + b, a * b, a - b, b.sin(), b.tanh())))
    return total(pool[-200:]), [x], w


def network(nodes: int) -> Graph:
    """A network of two hidden layers, with a max-margin loss and L2, of one sample."""
    width = max(4, round((nodes / 2) ** 0.5))
    model = MLP(2, [width, width, 1], seed=1)
    x, t = [Value(0.1, "x_1"), Value(0.2, "x_2")], Value(1.0, "t")
    loss = hinge(model(x), t) + 1e-4 * total(p * p for p in model.parameters())
    return loss, [*x, t], model.parameters()


def recurrent(nodes: int) -> Graph:
    """A recurrent network of 32 neurons, with a tenth of `nodes` and thirty edges each."""
    w = [[Value(0.1 * math.sin(k + j), f"w_{k},{j}") for j in range(33)] for k in range(32)]
    x = [Value(0.1, f"x_{k}") for k in range(max(1, nodes // 640))]
    h = [Value(0.0)] * 32
    for now in x:
        h = [dot(row, [*h, now]).tanh() for row in w]
    return total(h), x, [v for row in w for v in row]


def gpt(letters: int) -> Graph:
    """The GPT of ``sequences.py`` on a word."""
    model = GPT(layers=1, letters=letters, width=16).model(1)
    matrices = {
        name: [[*map(Value, row)] for row in numbers] for name, numbers in model.matrices().items()
    }
    row = [*map(Value, model.rows[0])]
    return model.of_values(matrices, row), row, [v for m in matrices.values() for r in m for v in r]


KINDS: dict[str, Callable[[int], Graph]] = {
    "ten wide": ten_wide,
    "chain": chain,
    "irregular": irregular,
    "network": network,
    "RNN of dot products": recurrent,
    "GPT": gpt,
}


def _first_result(graph: Graph, backend: str) -> Any:
    loss, inputs, parameters = graph
    program = replay(loss, inputs, parameters, backend=backend)
    program([[x.data for x in inputs]])
    return program


def _least(run: Callable[[], object], often: int) -> float:
    """The least processor time of some runs."""
    times = []
    for _ in range(often):
        gc.collect()
        start = time.process_time()
        result = run()
        times.append(time.process_time() - start)
        del result  # freeing it is not part of the time
    return min(times)


def _traced(run: Callable[[], Any]) -> int:
    """How many bytes are in use because of what `run` returns."""
    gc.collect()
    tracemalloc.start()
    result = run()
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del result
    return size


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


if __name__ == "__main__":
    print(growth(), starting(), sep="\n")
