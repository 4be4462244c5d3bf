"""How long `fit` takes on data of the size of small images, beside a loop in PyTorch.

    pip install . torch
    python benchmarks/fitting.py

60,000 random rows of 784 numbers and one of ten classes; a network 784-128-10, cross entropy,
batches of 128, Adam; after every epoch the loss of 10,000 more rows, and a progress bar; one
thread, float64.  Each takes turns of three epochs; the first epoch of a turn includes reading the
data and, for `fit`, recording and compiling.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

from replay import Turn, on_one_thread, parsed, versions

ROWS, COLUMNS, HIDDEN, CLASSES, BATCH, EPOCHS = 60_000, 784, 128, 10, 128, 3
HELD_OUT = 10_000


def main(arguments: list[str]) -> None:
    """Print the times of epochs, with one thread."""
    options = parsed(arguments, __doc__, tables=False)
    on_one_thread(__file__, arguments)
    import numpy as np

    print(versions("numpy", "torch"))
    random = np.random.default_rng(0)
    inputs = random.random((ROWS + HELD_OUT, COLUMNS))
    labels = random.integers(CLASSES, size=ROWS + HELD_OUT)
    rounds: dict[str, list[list[Turn]]] = {"fit": [], "PyTorch": []}
    for _ in range(min(options.rounds, 3)):
        for name, ways in (("fit", by_fit), ("PyTorch", by_torch)):
            rounds[name].append(timed(ways, inputs, labels))
            if name == "fit" and len(rounds[name]) == 1:
                most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("\n| | first epoch | of the processor | a later epoch | of the processor |")
    print("|---|---:|---:|---:|---:|")
    for name, turns in rounds.items():
        epochs = [turn[0] for turn in turns], [epoch for turn in turns for epoch in turn[1:]]
        cells = [median(times) for some in epochs for times in zip(*some)]
        print(f"| {name} | {' | '.join(f'{seconds:.2f} s' for seconds in cells)} |")
    print(f"\nmemory until `fit` had ended: {most:.0f} MB, of which the data are 439")


def timed(way: Callable[..., Any], inputs: Any, labels: Any) -> list[Turn]:
    """The times of each epoch."""

    def now() -> Turn:
        return Turn(time.perf_counter(), time.process_time())

    ends = [now()]
    way(inputs, labels, lambda *_: ends.append(now()))
    return [Turn(b.wall - a.wall, b.cpu - a.cpu) for a, b in pairwise(ends)]


def by_fit(inputs: Any, labels: Any, ended: Callable[..., None]) -> None:
    from micrograd_lab import MLP, Adam, cross_entropy, fit

    model = MLP(COLUMNS, [HIDDEN, CLASSES], seed=1)
    optimizer = Adam(model.parameters(), lr=1e-3)
    fit(
        model, inputs[:ROWS], labels[:ROWS], loss=cross_entropy, optimizer=optimizer, epochs=EPOCHS,
        batch_size=BATCH, validation=(inputs[ROWS:], labels[ROWS:]), progress=True,
        callbacks=[ended],
    )  # fmt: skip


def by_torch(inputs: Any, labels: Any, ended: Callable[..., None]) -> None:
    import torch
    from tqdm import tqdm

    x, t = torch.tensor(inputs), torch.tensor(labels)
    model = torch.nn.Sequential(
        torch.nn.Linear(COLUMNS, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES)
    ).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    bar = tqdm(range(EPOCHS), unit="epoch")
    for _ in bar:
        total = 0.0
        for rows in torch.randperm(ROWS).split(BATCH):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x[rows]), t[rows])
            loss.backward()
            total += loss.item() * len(rows)
            optimizer.step()
        with torch.no_grad():
            validation = torch.nn.functional.cross_entropy(model(x[ROWS:]), t[ROWS:]).item()
        bar.set_postfix(loss=total / ROWS, validation=validation)
        ended()


if __name__ == "__main__":
    main(sys.argv[1:])
