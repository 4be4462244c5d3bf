"""How fast the define-by-run engine is, beside karpathy/micrograd 0.1.0 and a forty-line value of
the kind that microgpt has, and where its time goes.

    pip install . micrograd==0.1.0
    python benchmarks/engine.py

Both run in this process, in turn, with the cycle collector on; before each measurement what the
other left behind is collected.  Losses and gradients are compared first.  Times are medians of
the rounds, ratios are medians of the ratios round by round.
"""

from __future__ import annotations

import gc
import math
import platform
import random
import statistics
import sys
import threading
import time
import tracemalloc

import gpt
import micrograd.engine
import micrograd.nn

from micrograd_lab import MLP, moons, recording, total
from micrograd_lab.engine import Value, propagate, recorded

Theirs = micrograd.engine.Value


def their_sigmoid(a):
    """micrograd 0.1.0 has no sigmoid; this one is written as its relu is."""
    s = 1 / (1 + math.exp(-a.data))
    out = Theirs(s, (a,), "sigmoid")

    def _backward():
        a.grad += s * (1 - s) * out.grad

    out._backward = _backward
    return out


def lecture_network(value, sigmoid):
    """The lecture's network, its neurons written out in binary operations."""
    weights = [value(w) for w in (0.15, 0.2, 0.1, 0.2, 0.3, 0.2, 0.4, 0.5, 0.2, 0.45, 0.55, 0.1)]
    x1, x2, t1, t2 = (value(x) for x in (0.12, 0.3, 0.1, 0.9))

    def step():
        w = weights
        z1 = sigmoid(w[0] * x1 + w[1] * x2 + w[2])
        z2 = sigmoid(w[3] * x1 + w[4] * x2 + w[5])
        y1 = sigmoid(w[6] * z1 + w[7] * z2 + w[8])
        y2 = sigmoid(w[9] * z1 + w[10] * z2 + w[11])
        e1, e2 = t1 - y1, t2 - y2
        error = (e1 * e1 + e2 * e2) * 0.5
        for weight in weights:
            weight.grad = 0.0
        error.backward()
        return error, weights

    return step


def recorded_chain(y, a, b):
    for _ in range(50_000):
        y = y * a + b
    return y


def chain(value):
    """100,000 operations, each of them needed by the next."""

    def step():
        leaves = value(1.0), value(0.999999), value(1e-6)
        y = recorded_chain(*leaves)
        y.backward()
        return y, leaves

    return step


def moons_step(value, model, added_up, points, labels):
    """One step of micrograd's demo: MLP 2-16-16-1, max-margin loss plus L2, 100 samples.

    Sums are `added_up` by `sum` or, as one Σ, by `total`.
    """

    def step():
        inputs = [list(map(value, point)) for point in points]
        scores = list(map(model, inputs))
        losses = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
        penalty = added_up(p * p for p in model.parameters())
        loss = added_up(losses) * (1.0 / len(losses)) + 1e-4 * penalty
        model.zero_grad()
        loss.backward()
        return loss, model.parameters()

    return step


def seconds(step, repeats):
    gc.collect()
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def compare(name, theirs, ours, *, rounds, repeats, ours_for_one):
    """Check that the numbers agree, time both in turn, print a row."""
    numbers = []
    for step in (theirs, ours):
        loss, parameters = step()
        numbers.append([loss.data, *(p.grad for p in parameters)])
    del loss, parameters  # or the collector would walk their graph in every round
    scale = max(map(abs, numbers[0]))
    off = max(abs(a - b) for a, b in zip(*numbers)) / scale
    if off > 1e-12:
        raise SystemExit(f"{name}: the numbers differ by {off:.1e} of the largest")
    times = [
        (seconds(theirs, repeats), seconds(ours, repeats * ours_for_one)) for _ in range(rounds)
    ]
    a, b = (statistics.median(column) for column in zip(*times))
    ratios = sorted(x / y for x, y in times)
    spread = f"{ratios[0]:.1f} to {ratios[-1]:.1f}"
    middle = statistics.median(ratios)
    print(f"{name:36} {a * 1e3:9.3f} {b * 1e3:9.3f} {middle:8.1f}   {spread:14} {off:.0e}")


def gpt_step(value):
    """The loss of one word by a GPT of 4,192 parameters, and its gradients."""
    matrices = gpt.parameters(value)
    leaves = [leaf for matrix in matrices.values() for row in matrix for leaf in row]

    def step():
        for leaf in leaves:
            leaf.grad = 0.0
        loss = gpt.loss(matrices, gpt.WORD)
        loss.backward()
        return loss, leaves

    return step


def compare_with_forty_lines(rounds):
    """Check that the numbers agree, time the GPT with and without the cycle collector."""
    theirs, ours = gpt_step(gpt.ChildrenAndSlopes), gpt_step(Value)
    numbers = [[loss.data, *(p.grad for p in leaves)] for loss, leaves in (theirs(), ours())]
    off = max(abs(a - b) for a, b in zip(*numbers)) / max(map(abs, numbers[0]))
    if off > 1e-12:
        raise SystemExit(f"the GPT: the numbers differ by {off:.1e} of the largest")

    def resting(step):
        with recording():
            step()

    ways = {
        "forty lines": theirs,
        "forty lines, the collector off": lambda: resting(theirs),
        "this": ours,
        "this, within recording()": lambda: resting(ours),
    }
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds(way, 1))
    print(f"\none word through a GPT of 4,192 parameters, ms (off by {off:.0e})")
    for name, own in times.items():
        ratio = statistics.median(a / b for a, b in zip(times["forty lines"], own))
        print(f"  {name:34} {statistics.median(own) * 1e3:6.1f}   {ratio:4.2f} times as fast")


def where_the_time_goes():
    """Nanoseconds per operation of the chain, phase by phase."""

    def record():
        return recorded_chain(Value(1.0), Value(0.999999), Value(1e-6))

    def best(function):
        return min(seconds(function, 1) for _ in range(7)) / 100_000 * 1e9

    gc.disable()
    recording = best(record)
    gc.enable()
    collecting = best(record) - recording
    y = record()
    backward = best(y.backward)
    computed = [node for node in reversed(recorded(y)) if node.inputs]
    chain_rule = best(lambda: propagate(computed))
    print("\none operation of the chain, in nanoseconds (best of 7)")
    print(f"  recording it                       {recording:6.0f}")
    print(f"  the cycle collector meanwhile      {collecting:6.0f}")
    print(f"  backward: finding and ordering it  {backward - chain_rule:6.0f}")
    print(f"  backward: the chain rule           {chain_rule:6.0f}")
    tracemalloc.start()
    y = record()
    y.backward()
    print(f"  bytes alive after backward         {tracemalloc.get_traced_memory()[0] / 1e5:6.0f}")
    tracemalloc.stop()


def main():
    print(f"Python {platform.python_version()} on {platform.machine()}, collector on")
    print(f"{'one training step':36} {'micrograd':>9} {'this':>9} {'ratio':>8}   {'rounds':14} off")
    random.seed(1337)
    theirs, ours = micrograd.nn.MLP(2, [16, 16, 1]), MLP(2, [16, 16, 1])
    for mine, their in zip(ours.parameters(), theirs.parameters()):
        mine.data = their.data
    points, labels = moons(100, noise=0.1, seed=1337)
    labels = [2 * label - 1 for label in labels]
    steps = (
        moons_step(Theirs, theirs, sum, points, labels),
        moons_step(Value, ours, total, points, labels),
    )
    compare("moons, MLP 2-16-16-1, 100 samples", *steps, rounds=9, repeats=1, ours_for_one=10)
    steps = lecture_network(Theirs, their_sigmoid), lecture_network(Value, Value.sigmoid)
    compare("the lecture's network, binary", *steps, rounds=25, repeats=300, ours_for_one=3)
    steps = chain(Theirs), chain(Value)
    compare("chain of 100,000, binary", *steps, rounds=9, repeats=1, ours_for_one=2)
    compare_with_forty_lines(rounds=9)
    where_the_time_goes()


if __name__ == "__main__":
    sys.setrecursionlimit(1_000_000)  # micrograd recurses over the graph
    threading.stack_size(512 * 1024 * 1024)
    worker = threading.Thread(target=main)
    worker.start()
    worker.join()
