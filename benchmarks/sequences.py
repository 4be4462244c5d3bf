"""Models of sequences: a GPT, as Andrej Karpathy's microgpt is made, and a recurrent network."""

# mypy: disable-error-code="import-untyped"

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models import Model

SIGNS, HEADS = 27, 4
STEPS, HIDDEN = 20, 32


@dataclass
class GPT:
    """RMS norms without weights, causal attention with 4 heads, and an MLP with ReLU, per layer.

    Attributes:
        letters: how many it reads; it guesses each next one.
    """

    layers: int
    letters: int
    width: int

    def model(self, batch: int) -> Model:
        import numpy as np

        words = np.random.default_rng(1).integers(SIGNS, size=(batch, self.letters + 1))
        rows = words.astype(float)
        return Model(self.shapes(), rows, (words,), self.of_values, self.of_torch, self.of_jax)

    def shapes(self) -> dict[str, tuple[int, int]]:
        width = self.width
        square = (width, width)
        shapes = {"token": (SIGNS, width), "place": (self.letters, width), "head": (SIGNS, width)}
        for k in range(self.layers):
            shapes |= {f"{name}{k}": square for name in ("query", "key", "value", "out")}
            shapes |= {f"up{k}": (4 * width, width), f"down{k}": (width, 4 * width)}
        return shapes

    def of_values(self, m: dict[str, Any], row: list[Any]) -> Any:
        """The mean cross entropy of each next letter."""
        from micrograd_lab import dot, embedding, logsumexp, take, total

        def times(rows: Any, x: list[Any]) -> list[Any]:
            return [dot(weights, x) for weights in rows]

        def normed(x: list[Any]) -> list[Any]:
            scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
            return [a * scale for a in x]

        keys: list[list[Any]] = [[] for _ in range(self.layers)]
        values: list[list[Any]] = [[] for _ in range(self.layers)]
        losses = []
        for letter, place, following in zip(row, m["place"], row[1:]):
            x = normed([a + b for a, b in zip(embedding(m["token"], letter), place)])
            for k in range(self.layers):
                known, read = normed(x), []
                keys[k].append(times(m[f"key{k}"], known))
                values[k].append(times(m[f"value{k}"], known))
                query = times(m[f"query{k}"], known)
                for i in range(0, self.width, size := self.width // HEADS):
                    scores = [
                        dot(query[i : i + size], a[i : i + size]) / size**0.5 for a in keys[k]
                    ]
                    whole = logsumexp(scores)
                    weights = [(score - whole).exp() for score in scores]
                    read += [dot(weights, column) for column in [*zip(*values[k])][i : i + size]]
                x = [a + b for a, b in zip(x, times(m[f"out{k}"], read))]
                hidden = [a.relu() for a in times(m[f"up{k}"], normed(x))]
                x = [a + b for a, b in zip(x, times(m[f"down{k}"], hidden))]
            outputs = times(m["head"], x)
            losses.append(logsumexp(outputs) - take(outputs, following))
        return total(losses) / len(losses)

    def of_torch(self, m: dict[str, Any], words: Any) -> Any:
        from torch.nn.functional import (
            cross_entropy,
            embedding,
            linear,
            rms_norm,
            scaled_dot_product_attention,
        )

        def normed(x: Any) -> Any:
            return rms_norm(x, (self.width,), eps=1e-5)

        def heads(x: Any) -> Any:
            return x.view(len(words), self.letters, HEADS, -1).transpose(1, 2)

        x = normed(embedding(words[:, :-1], m["token"]) + m["place"])
        for k in range(self.layers):
            known = normed(x)
            asked = [heads(linear(known, m[f"{name}{k}"])) for name in ("query", "key", "value")]
            read = scaled_dot_product_attention(*asked, is_causal=True)
            x = x + linear(read.transpose(1, 2).reshape(x.shape), m[f"out{k}"])
            x = x + linear(linear(normed(x), m[f"up{k}"]).relu(), m[f"down{k}"])
        return cross_entropy(linear(x, m["head"]).flatten(0, 1), words[:, 1:].flatten())

    def of_jax(self, m: dict[str, Any], words: Any) -> Any:
        import jax
        import jax.numpy as jnp

        def normed(x: Any) -> Any:
            return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5)

        def heads(x: Any) -> Any:
            return x.reshape(len(words), self.letters, HEADS, -1).swapaxes(1, 2)

        known_yet = jnp.tril(jnp.ones((self.letters, self.letters), bool))
        x = normed(m["token"][words[:, :-1]] + m["place"])
        for k in range(self.layers):
            known = normed(x)
            query, key, value = (
                heads(known @ m[f"{name}{k}"].T) for name in ("query", "key", "value")
            )
            scores = query @ key.swapaxes(2, 3) / query.shape[-1] ** 0.5
            read = jax.nn.softmax(jnp.where(known_yet, scores, -jnp.inf)) @ value
            x = x + read.swapaxes(1, 2).reshape(x.shape) @ m[f"out{k}"].T
            x = x + jax.nn.relu(normed(x) @ m[f"up{k}"].T) @ m[f"down{k}"].T
        scores = jax.nn.log_softmax(x @ m["head"].T)
        return -jnp.take_along_axis(scores, words[:, 1:, None], 2).mean()


def rnn(batch: int) -> Model:
    """A recurrent network that guesses a number after it has read 20."""
    import numpy as np

    shapes = {"in": (HIDDEN, 1), "again": (HIDDEN, HIDDEN), "end": (1, HIDDEN)}
    rows = np.random.default_rng(1).normal(size=(batch, STEPS + 1))
    return Model(shapes, rows, (rows,), rnn_of_values, rnn_of_torch, rnn_of_jax)


def rnn_of_values(m: dict[str, Any], row: list[Any]) -> Any:
    """Half the squared error of what is left after the last step."""
    from micrograd_lab import dot

    *series, target = row
    state: list[Any] = [(weights[0] * series[0]).tanh() for weights in m["in"]]
    for x in series[1:]:
        rows = zip(m["in"], m["again"])
        state = [(dot(again, state) + weights[0] * x).tanh() for weights, again in rows]
    return (dot(m["end"][0], state) - target).half_square()


def rnn_of_torch(m: dict[str, Any], data: Any) -> Any:
    import torch

    return rnn_of_arrays(torch.tanh, m, data)


def rnn_of_jax(m: dict[str, Any], data: Any) -> Any:
    import jax.numpy as jnp

    return rnn_of_arrays(jnp.tanh, m, data)


def rnn_of_arrays(tanh: Any, m: dict[str, Any], data: Any) -> Any:
    state = tanh(data[:, :1] @ m["in"].T)
    for k in range(1, STEPS):
        state = tanh(state @ m["again"].T + data[:, k : k + 1] @ m["in"].T)
    error = (state @ m["end"].T)[:, 0] - data[:, -1]
    return (error * error).mean() / 2
