"""How fast programs of sequences are, recorded as scalars, beside PyTorch and JAX.

    pip install . torch jax
    python benchmarks/sequences.py
    python benchmarks/sequences.py --only GPT --rounds 5

A GPT of the sizes of Andrej Karpathy's microgpt on words of 8 letters, and a recurrent network of
20 steps.  A step is the forward pass, the backward pass and the update.  All ways get the same
numbers, must return the same loss and gradient to 1e-10, and take turns, as in ``replay.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from replay import in_turns, on_one_thread, parsed, table, versions
from workloads import RATE, Step

SIGNS, WIDTH, HEADS, LETTERS = 27, 16, 4, 8
STEPS, HIDDEN = 20, 32


@dataclass
class Model:
    """A model, written for each library.

    Attributes:
        shapes: of its matrices: (rows, columns) by name.
        data: a row per sample; the letters of a word, or the numbers of a sequence and its target.
        of_values: the loss of one sample, from matrices of values and the values of a row.
        of_arrays: the mean loss, from a library (torch or jax.numpy), its matrices and the data.
    """

    shapes: dict[str, tuple[int, int]]
    data: Any
    of_values: Callable[[dict[str, Any], list[Any]], Any]
    of_arrays: Callable[[Any, dict[str, Any], Any], Any]

    def matrices(self) -> dict[str, Any]:
        """The numbers to begin with."""
        import numpy as np

        random = np.random.default_rng(0)
        return {name: random.normal(size=shape) / 8 for name, shape in self.shapes.items()}


def main(arguments: list[str]) -> None:
    """Print the tables, with one thread."""
    options = parsed(arguments, __doc__)
    on_one_thread(__file__, arguments)
    print(versions("numpy", "torch", "jax"))
    for name, model in models().items():
        if options.only in name:
            steps = {
                way: make(model) for way, (package, make) in WAYS.items() if find_spec(package)
            }
            print(table(name, in_turns(steps, options.rounds), "tape"), flush=True)


def models() -> dict[str, Model]:
    """What is computed, by what it is."""
    import numpy as np

    random = np.random.default_rng(1)
    square = (WIDTH, WIDTH)
    gpt = {
        "token": (SIGNS, WIDTH), "place": (LETTERS, WIDTH), "query": square, "key": square,
        "value": square, "out": square, "up": (4 * WIDTH, WIDTH), "down": (WIDTH, 4 * WIDTH),
        "head": (SIGNS, WIDTH),
    }  # fmt: skip
    rnn = {"in": (HIDDEN, 1), "again": (HIDDEN, HIDDEN), "end": (1, HIDDEN)}
    words = random.integers(SIGNS, size=(32, LETTERS + 1)).astype(float)
    series = random.normal(size=(32, STEPS + 1))
    return {
        f"{kind}, batch {batch}": Model(shapes, data[:batch], of_values, of_arrays)
        for kind, shapes, data, of_values, of_arrays in (
            (f"GPT, 1 layer, {LETTERS} letters", gpt, words, gpt_of_values, gpt_of_arrays),
            (f"RNN, {HIDDEN} neurons, {STEPS} steps", rnn, series, rnn_of_values, rnn_of_arrays),
        )
        for batch in (1, 32)
    }


def gpt_of_values(m: dict[str, Any], row: list[Any]) -> Any:
    """The mean cross entropy of each next letter."""
    from micrograd_lab import dot, logsumexp, total

    def times(rows: Any, x: list[Any]) -> list[Any]:
        return [dot(weights, x) for weights in rows]

    def normed(x: list[Any]) -> list[Any]:
        scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
        return [a * scale for a in x]

    hot = [[1 - (abs(letter - k) - 0.5).step() for k in range(SIGNS)] for letter in row]
    columns = [*zip(*m["token"])]
    keys: list[Any] = []
    values: list[Any] = []
    losses = []
    for letter, place, following in zip(hot, m["place"], hot[1:]):
        x = normed([a + b for a, b in zip(times(columns, letter), place)])
        known, read = normed(x), []
        keys.append(times(m["key"], known))
        values.append(times(m["value"], known))
        query = times(m["query"], known)
        for i in range(0, WIDTH, size := WIDTH // HEADS):
            scores = [dot(query[i : i + size], key[i : i + size]) / size**0.5 for key in keys]
            whole = logsumexp(scores)
            weights = [(score - whole).exp() for score in scores]
            read += [dot(weights, column) for column in [*zip(*values)][i : i + size]]
        x = [a + b for a, b in zip(x, times(m["out"], read))]
        hidden = [a.relu() for a in times(m["up"], normed(x))]
        x = [a + b for a, b in zip(x, times(m["down"], hidden))]
        outputs = times(m["head"], x)
        losses.append(logsumexp(outputs) - dot(following, outputs))
    return total(losses) / len(losses)


def gpt_of_arrays(xp: Any, m: dict[str, Any], words: Any) -> Any:
    count, size = len(words), WIDTH // HEADS

    def normed(x: Any) -> Any:
        return x / xp.sqrt((x * x).mean(-1)[..., None] + 1e-5)

    def heads(x: Any) -> Any:
        return xp.swapaxes(x.reshape(count, LETTERS, HEADS, size), 1, 2)

    def log_softmax(x: Any) -> Any:
        x = x - xp.amax(x, -1)[..., None]
        return x - xp.log(xp.exp(x).sum(-1))[..., None]

    x = normed(m["token"][words[:, :-1]] + m["place"])
    known = normed(x)
    query, key, value = (heads(known @ m[name].T) for name in ("query", "key", "value"))
    scores = query @ xp.swapaxes(key, 2, 3) / size**0.5
    ahead = xp.triu(xp.ones((LETTERS, LETTERS)), 1) * -1e30
    read = xp.exp(log_softmax(scores + ahead)) @ value
    x = x + xp.swapaxes(read, 1, 2).reshape(count, LETTERS, WIDTH) @ m["out"].T
    hidden = normed(x) @ m["up"].T
    x = x + (hidden * (hidden > 0)) @ m["down"].T
    chosen = (words[:, 1:, None] == xp.arange(SIGNS)) * log_softmax(x @ m["head"].T)
    return -chosen.sum() / (count * LETTERS)


def rnn_of_values(m: dict[str, Any], row: list[Any]) -> Any:
    """Half the squared error of what is left after the last step."""
    from micrograd_lab import dot

    *series, target = row
    state: list[Any] = [(weights[0] * series[0]).tanh() for weights in m["in"]]
    for x in series[1:]:
        rows = zip(m["in"], m["again"])
        state = [(dot(again, state) + weights[0] * x).tanh() for weights, again in rows]
    return (dot(m["end"][0], state) - target).half_square()


def rnn_of_arrays(xp: Any, m: dict[str, Any], data: Any) -> Any:
    state = xp.tanh(data[:, :1] @ m["in"].T)
    for k in range(1, STEPS):
        state = xp.tanh(state @ m["again"].T + data[:, k : k + 1] @ m["in"].T)
    error = (state @ m["end"].T)[:, 0] - data[:, -1]
    return (error * error).mean() / 2


def by_tape(model: Model) -> Step:
    """The loss of one sample, recorded as scalars and replayed."""
    from micrograd_lab import Value, recording, replay

    matrices = {
        name: [[*map(Value, row)] for row in numbers.tolist()]
        for name, numbers in model.matrices().items()
    }
    row = [Value(0.0, f"x_{k}") for k in range(model.data.shape[1])]
    with recording():
        loss = model.of_values(matrices, row)
        program = replay(loss, row, [w for rows in matrices.values() for r in rows for w in r])
    program.load()

    def step() -> tuple[float, Any]:
        loss = program.run(model.data)
        program.vector -= RATE * program.gradient
        return loss, program.gradient

    return step


def by_torch(model: Model, *, compiled: bool = False) -> Step:
    import torch

    matrices = {name: torch.tensor(m, requires_grad=True) for name, m in model.matrices().items()}
    data = torch.tensor(model.data).long() if "token" in matrices else torch.tensor(model.data)

    loss_of = torch.compile(model.of_arrays) if compiled else model.of_arrays

    def step() -> tuple[float, Any]:
        loss = loss_of(torch, matrices, data)
        slopes = torch.autograd.grad(loss, [*matrices.values()])
        with torch.no_grad():
            for m, slope in zip(matrices.values(), slopes):
                m -= RATE * slope
        return loss.item(), Flat(slopes)

    return step


def by_jax(model: Model) -> Step:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    state = {name: jnp.array(m) for name, m in model.matrices().items()}
    data = jnp.array(model.data).astype(int) if "token" in state else jnp.array(model.data)

    @jax.jit
    def updated(state: Any) -> Any:
        loss, slopes = jax.value_and_grad(lambda m: model.of_arrays(jnp, m, data))(state)
        return loss, slopes, {name: m - RATE * slopes[name] for name, m in state.items()}

    def step() -> tuple[float, Any]:
        nonlocal state
        loss, slopes, state = updated(state)
        return loss.item(), Flat([slopes[name] for name in model.shapes])

    return step


@dataclass
class Flat:
    """Matrices as one vector, made when somebody looks."""

    matrices: Any

    def __iter__(self) -> Iterator[float]:
        for matrix in self.matrices:
            yield from matrix.reshape(-1).tolist()


WAYS: dict[str, tuple[str, Callable[[Model], Step]]] = {
    "tape": ("numpy", by_tape),
    "PyTorch": ("torch", by_torch),
    "torch.compile": ("torch", lambda model: by_torch(model, compiled=True)),
    "jax.jit": ("jax", by_jax),
}


if __name__ == "__main__":
    main(sys.argv[1:])
