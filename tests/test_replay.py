"""A replayed graph gives the numbers of the recorded one, by the program one would have written."""

import itertools
import random

import pytest

from micrograd_lab import Value, dot, total
from micrograd_lab.replay.plan import AFTER, EACH, ONCE, plan


def mlp(*sizes, activation="relu", seed=0):
    """A network as a function of its inputs, and its parameters."""
    draw = random.Random(seed).uniform
    layers = [
        [([Value(draw(-1, 1)) for _ in range(n)], Value(draw(-1, 1))) for _ in range(m)]
        for n, m in itertools.pairwise(sizes)
    ]

    def network(x):
        for layer in layers[:-1]:
            x = [getattr(dot(w, x, b), activation)() for w, b in layer]
        return [dot(w, x, b) for w, b in layers[-1]]

    return network, [p for layer in layers for w, b in layer for p in (*w, b)]


def test_a_sum_of_products_becomes_a_dot_product():
    w, x = [Value(i) for i in range(3)], [Value(i) for i in range(3)]
    made = plan(sum((a * b for a, b in zip(w, x)), w[0]).tanh(), x, w)
    assert [op.name for op in made.ops if op] == ["dot", "tanh"]


def test_what_does_not_depend_on_an_input_is_computed_once():
    w, x = Value(2), Value(3)
    made = plan(w.exp() * x, [x], [w])
    assert [(op.name, phase) for op, phase in zip(made.ops, made.phases) if op] == [
        ("exp", ONCE),
        ("mul", EACH),
    ]


@pytest.mark.parametrize("sum_up", [sum, total])
def test_a_loss_recorded_over_a_batch_becomes_one_sample_and_a_table(sum_up):
    network, parameters = mlp(2, 3, 1)
    rows = [(0.5, 1.5, 1.0), (-1.0, 2.5, -1.0), (0.25, 0.5, 1.0)]
    losses = [(1 + -t * network([x, y])[0]).relu() for x, y, t in rows]
    made = plan(sum_up(losses) * (1 / 3) + 1e-4 * sum_up(p * p for p in parameters), [], parameters)
    assert sorted((-t, x, y) for t, x, y in made.batch) == sorted((t, x, y) for x, y, t in rows)
    assert sum(op is not None and op.name == "relu" for op in made.ops) == 4
    assert made.phases[made.result] == AFTER


def test_samples_that_read_each_other_are_no_batch():
    w = Value(2)
    first = (w * 3).tanh()
    assert plan(first + (first * 5).tanh(), [], [w]).batch is None
