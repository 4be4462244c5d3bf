"""How long pictures take, how large they are, and how small their smallest text is.

    pip install .
    python benchmarks/pictures.py
    python benchmarks/pictures.py --page  # what a page of 760 pixels shows of them

The graphs are those that Graphviz alone lays out in minutes: one leaf that everything reads, shared
weights over time, long chains, tangles.  A picture that is refused says so by its error.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Callable
from statistics import median

from micrograd_lab import (
    MLP,
    Graph,
    Value,
    cross_entropy,
    dot,
    draw,
    draw_network,
    fit,
    lecture,
    moons,
    plot_activation,
    plot_decision_boundary,
    plot_gradient_flow,
    squared_error,
    step,
    total,
)

PAGE = 760 - 2 * 12  # pixels between the margins


def main() -> None:
    """Print a table as Markdown."""
    if sys.argv[1:] == ["--page"]:
        on_a_page()
        return
    print("| graph | nodes | edges | `draw`, svg | drawn | points | smallest text | `step` |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, make in GRAPHS.items():
        result = make()
        result.backward()
        nodes = Graph(result, products=False).nodes
        edges = sum(len(node.inputs) for node in nodes)
        cells = [f"{len(nodes):,}", f"{edges:,}", *drawn(result), stepped(result)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def on_a_page() -> None:
    """The seconds of the processor that each picture takes, its size, and its smallest text."""
    print("| picture | CPU, s | size, px | shown at 760 px, px | SVG, kB | smallest text, px |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, make in PICTURES.items():
        show, times = make(), []
        for _ in range(5):
            start = sum(os.times()[:4])  # of the processor, by this process and its children
            try:
                picture = show()
                html = picture.html
            except ValueError as error:
                print(f"| {name} | refused: {error} | | | | |", flush=True)
                break
            times.append(sum(os.times()[:4]) - start)
        else:
            svg = picture.svg
            width, height = (
                float(x) for x in re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2]
            )
            least, most = (int(x) for x in re.findall(r"(?:min|max)-width:(\d+)px", html)[-2:])
            shown = min(max(PAGE, least), most)
            texts = re.findall(r"font-size:([\d.]+)", svg) or sizes(picture)
            cells = [
                f"{median(times):.2f}",
                f"{width * 4 / 3:.0f} × {height * 4 / 3:.0f}",
                f"{shown} × {shown * height / width:.0f}",
                f"{len(svg.encode()) / 1000:.0f}",
                f"{min(map(float, texts)) * shown / width:.1f}",
            ]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def sizes(picture: object) -> list[float]:
    """The size of each text of a Matplotlib picture in points; its scripts are 0.7 of that."""
    from matplotlib.text import Text

    texts = picture.figure.findobj(Text)  # type: ignore[attr-defined]
    return [text.get_fontsize() for text in texts if text.get_text() and text.get_visible()]


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


def of(make: Callable[[], Value], show: Callable[..., object] = draw, **how: object) -> Callable:
    """A function that records a graph, and gives one that shows it."""

    def prepared() -> Callable[[], object]:
        result = make()
        result.backward()
        return lambda: show(result, **how)

    return prepared


def textbook() -> Value:
    """The cross entropy of the lecture's four scores."""
    scores = [Value(s, f"s_{k}") for k, s in enumerate((-5, -1, 1, 5), start=1)]
    return cross_entropy(scores, [0, 0, 0, 1])


def trained(show: Callable[..., object]) -> Callable:
    """A function that fits a network to two moons, and gives one that shows what came of it."""

    def prepared() -> Callable[[], object]:
        model, data = MLP(2, [8, 1], seed=1), moons(100, seed=1)
        history = fit(model, *data, epochs=50, progress=False)
        return lambda: show(model, data, history)

    return prepared


PICTURES: dict[str, Callable] = {
    "toy": of(lambda: lecture.toy().result),
    "lecture": of(lambda: lecture.network().result),
    "lecture, `layers=True`": of(lambda: lecture.network().result, layers=True),
    "MLP(2, [16, 16, 1]) and its loss": of(GRAPHS["2-16-16-1 and its error"]),
    "cross entropy": of(textbook),
    "cross entropy, `textbook=True`": of(textbook, textbook=True),
    **{name: of(GRAPHS[name]) for name in list(GRAPHS)[2:]},
    "`draw_network` of the lecture": of(lambda: lecture.network().result, draw_network),
    "`draw_network` of MLP(2, [16, 16, 1])": lambda: (
        lambda: draw_network(MLP(2, [16, 16, 1], seed=1))
    ),
    "`draw_network` of MLP(64, [32, 10])": lambda: lambda: draw_network(MLP(64, [32, 10], seed=1)),
    "`draw_network` of 30 layers": lambda: lambda: draw_network(MLP(4, [3] * 29 + [1], seed=1)),
    "a history": trained(lambda model, data, history: history.plot()),
    "`plot_decision_boundary`": trained(
        lambda model, data, _: plot_decision_boundary(model, *data)
    ),
    "`plot_gradient_flow`": trained(lambda model, *_: plot_gradient_flow(model)),
    "`plot_activation`": lambda: plot_activation,
}

if __name__ == "__main__":
    main()
