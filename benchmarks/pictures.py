"""How long pictures take, how large they are, and how small their smallest text is.

    pip install .
    python benchmarks/pictures.py

The graphs are those that Graphviz alone lays out in minutes: one leaf that everything reads, shared
weights over time, long chains, tangles.  A picture that is refused says so by its error.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

from micrograd_lab import MLP, Graph, Value, dot, draw, lecture, squared_error, step, total


def main() -> None:
    """Print a table as Markdown."""
    print("| graph | nodes | edges | `draw`, svg | drawn | points | smallest text | `step` |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, make in GRAPHS.items():
        result = make()
        result.backward()
        nodes = Graph(result, products=False).nodes
        edges = sum(len(node.inputs) for node in nodes)
        cells = [f"{len(nodes):,}", f"{edges:,}", *drawn(result), stepped(result)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def drawn(result: Value) -> list[str]:
    """Seconds, nodes in the picture, its size, and its smallest text in points."""
    start = time.perf_counter()
    try:
        picture = draw(result)
        svg = picture.svg
    except ValueError as error:
        return ["refused", f"{error}"[:40], "", ""]
    seconds = time.perf_counter() - start
    width, height = re.findall(r'\b(?:width|height)="([\d.]+)pt"', svg)[:2]
    smallest = min(map(float, re.findall(r"font-size:([\d.]+)", svg)))
    shown = svg.count('class="node ')
    return [f"{seconds:.2f} s", f"{shown}", f"{width} × {height}", f"{smallest:g}"]


def stepped(result: Value) -> str:
    """Seconds for the page, or why there is none."""
    start = time.perf_counter()
    try:
        page = step(result).html
    except ValueError:
        return "refused"
    return f"{time.perf_counter() - start:.2f} s, {len(page) / 1000:.0f} kB"


def sums(terms: int) -> Value:
    """x + x + ..."""
    x = Value(1.0, "x")
    f = x
    for _ in range(terms - 1):
        f = f + x
    return f


def recurrent(steps: int) -> Value:
    """Two neurons with shared weights over time."""
    draw = random.Random(1)
    w = [[Value(draw.uniform(-1, 1), f"w_{{{i},{j}}}") for j in range(3)] for i in range(2)]
    h = [Value(0.0, "h_1"), Value(0.0, "h_2")]
    for t in range(steps):
        x = Value(draw.uniform(-1, 1), f"x_{t}")
        h = [(row[0] * h[0] + row[1] * h[1] + row[2] * x).tanh() for row in w]
    return h[0] + h[1]


def horner(degree: int) -> Value:
    """A polynomial by Horner's scheme."""
    x, f = Value(0.5, "x"), Value(1.0, f"a_{degree}")
    for k in range(degree - 1, -1, -1):
        f = f * x + Value(1.0, f"a_{k}")
    return f


def newton(steps: int) -> Value:
    """The square root of 2 by Newton's method."""
    a, x = Value(2.0, "a"), Value(1.0, "x")
    for _ in range(steps):
        x = (x + a / x) / 2.0
    return x


def rounds(times: int) -> Value:
    """v · 1.001 + 0.1, again and again."""
    v = Value(1.0, "v")
    for _ in range(times):
        v = v * 1.001 + 0.1
    return v


def squares(count: int) -> Value:
    """A dot product of one value with itself."""
    x = Value(1.0, "x")
    return dot([x] * count, [x] * count)


def tangle(nodes: int) -> Value:
    """Each node of one made lately and of any other."""
    draw = random.Random(0)
    pool = [Value(draw.uniform(0.5, 2.0), f"x_{k}") for k in range(5)]
    while len(pool) < nodes:
        a, b = draw.choice(pool[-20:]), draw.choice(pool)
        pool.append(draw.choice((a * b, a + b, a - b, a.tanh(), b.sin())))
    return total(pool[-10:])


def dense() -> Value:
    """Six layers of sixteen weighted sums."""
    draw = random.Random(2)
    h = [Value(draw.random(), f"x_{k}") for k in range(16)]
    for _ in range(6):
        h = [dot(h, [Value(draw.random(), "w") for _ in h]).tanh() for _ in range(16)]
    return total(h)


def network(inputs: int, *sizes: int) -> Value:
    """The error of a network for one sample."""
    outputs = MLP(inputs, list(sizes), seed=1)([0.5] * inputs)
    return squared_error(outputs, 1.0 if sizes[-1] == 1 else [1.0] * sizes[-1])


GRAPHS: dict[str, Callable[[], Value]] = {
    "the lecture's network": lambda: lecture.network().result,
    "2-16-16-1 and its error": lambda: network(2, 16, 16, 1),
    "64-32-10 and its error": lambda: network(64, 32, 10),
    "4-3-3-…-1, 30 layers": lambda: network(4, *[3] * 29, 1),
    "x + x + …, 61 terms": lambda: sums(61),
    "two neurons, 15 steps": lambda: recurrent(15),
    "two neurons, 200 steps": lambda: recurrent(200),
    "Horner, degree 30": lambda: horner(30),
    "Newton, 20 steps": lambda: newton(20),
    "500 rounds of v · 1.001 + 0.1": lambda: rounds(500),
    "x · x + …, 1,000 products": lambda: squares(1000),
    "x · x + …, 4,000 products": lambda: squares(4000),
    "tangle of 150 nodes": lambda: tangle(150),
    "tangle of 300 nodes": lambda: tangle(300),
    "tangle of 600 nodes": lambda: tangle(600),
    "tangle of 2,000 nodes": lambda: tangle(2000),
    "six dense layers of 16": dense,
}

if __name__ == "__main__":
    main()
