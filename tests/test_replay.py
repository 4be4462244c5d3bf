"""A replayed graph gives the numbers of the recorded one, by the program one would have written."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from table import ROWS, apply, arity, inside, points, title

from micrograd_lab import Value, dot, total
from micrograd_lab.losses import cross_entropy
from micrograd_lab.replay import replay
from micrograd_lab.replay.plan import AFTER, EACH, ONCE, plan
from micrograd_lab.replay.program import BACKENDS
from micrograd_lab.replay.scalar import by_samples


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


def engine(loss, inputs, parameters, rows):
    """The mean loss over `rows` and its gradient, recorded sample by sample."""
    numbers = {parameter: parameter.data for parameter in parameters}
    return by_samples(loss, inputs, numbers, rows)


def arrays(*args, backend):
    """A program that has no choice but its backend's own way."""
    program = replay(*args, backend=backend)
    program._by_samples = None  # it must not ask the engine
    program._runner._is_narrow = lambda samples: False  # nor take plain Python where that is faster
    return program


def assert_same(program, loss, inputs, parameters, rows):
    expected, gradient = engine(loss, inputs, parameters, rows)
    scale = max(map(abs, gradient), default=0.0)
    assert program(rows if inputs else None) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert [p.grad for p in parameters] == pytest.approx(gradient, rel=1e-12, abs=1e-12 * scale)


def normal(rows, columns, seed=0):
    draw = random.Random(seed).gauss
    return [[draw(0, 1) for _ in range(columns)] for _ in range(rows)]


@pytest.fixture(params=BACKENDS)
def backend(request):
    if needed := {"torch": "torch", "jax": "jax", "tape": "numba"}.get(request.param):
        pytest.importorskip(needed)
    return request.param


@pytest.mark.parametrize("samples", [1, 40])
def test_a_network_on_moons_gives_the_numbers_of_the_engine(backend, samples):
    network, parameters = mlp(2, 16, 16, 1)
    x, t = [Value(0), Value(0)], Value(0)
    loss = (1 - t * network(x)[0]).relu() + 1e-4 * total(p * p for p in parameters)
    rows = [[*row, random.Random(1).choice((-1, 1))] for row in normal(samples, 2)]
    program = arrays(loss, [*x, t], parameters, backend=backend)
    assert_same(program, loss, [*x, t], parameters, rows)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "leaky_relu", "sin", "abs"])
def test_a_classifier_with_any_activation(backend, activation):
    network, parameters = mlp(3, 4, 5, activation=activation)
    x, t = [Value(0) for _ in range(3)], [Value(0.2) for _ in range(5)]
    loss = cross_entropy(network(x), t)
    program = arrays(loss, [*x, *t], parameters, backend=backend)
    assert_same(program, loss, [*x, *t], parameters, normal(7, 8))


def test_a_batch_recorded_in_a_loop(backend):
    network, parameters = mlp(2, 4, 3)
    losses = [cross_entropy(network(row), [0, 1, 0]) for row in normal(6, 2)]
    loss = sum(losses) * (1 / 6) + 0.1 * sum(p**2 for p in parameters)
    program = arrays(loss, [], parameters, backend=backend)
    assert_same(program, loss, [], parameters, [()])


@pytest.mark.parametrize("op", ROWS, ids=title)
def test_every_row_of_the_table_on_numbers_of_its_domain(backend, op):
    rows = [[*at, *at] for at in points(op)]
    n = arity(op)
    inputs, parameters = [Value(x) for x in rows[0][:n]], [Value(x) for x in rows[0][n:]]
    loss = total([apply(op, parameters), apply(op, inputs), apply(op, parameters[:1] + inputs[1:])])
    assert_same(
        arrays(loss, inputs, parameters, backend=backend),
        loss,
        inputs,
        parameters,
        [r[:n] for r in rows[:1]],
    )


@st.composite
def graphs(draw):
    """A loss of rows of the table, on three inputs and three parameters."""
    inputs, parameters = ([Value(draw(st.floats(0.25, 2))) for _ in range(3)] for _ in range(2))
    values = [*inputs, *parameters, Value(draw(st.floats(0.25, 2)))]
    for _ in range(draw(st.integers(1, 25))):
        op = draw(st.sampled_from(ROWS))
        read = [draw(st.sampled_from(values)) for _ in range(arity(op))]
        if inside(op, [v.data for v in read]):
            made = apply(op, read)
            if math.isfinite(made.data) and 1e-3 < abs(made.data) < 1e3:
                values.append(made)
    return total(values[-6:]), inputs, parameters


@pytest.mark.parametrize("backend", ["numpy", "python"])
@given(graph=graphs(), scales=st.lists(st.floats(0.999, 1.001), min_size=1, max_size=4))
def test_a_random_graph_gives_the_numbers_of_the_engine(backend, graph, scales):
    loss, inputs, parameters = graph
    rows = [[x.data * scale for x in inputs] for scale in scales]
    try:
        expected, gradient = engine(loss, inputs, parameters, rows)
    except ValueError:
        return  # a kink or the edge of a domain is near
    program = arrays(loss, inputs, parameters, backend=backend)
    assert program(rows) == pytest.approx(expected, rel=1e-12)
    size = max(map(abs, gradient))
    assert [p.grad for p in parameters] == pytest.approx(
        gradient, rel=1e-12, abs=1e-12 * size, nan_ok=True
    )


def test_the_source_is_what_one_would_write():
    network, parameters = mlp(2, 3, 1)
    x = [Value(0), Value(0)]
    source = replay(network(x)[0].half_square(), x, parameters, backend="numpy").source
    for line in (
        "W1 = p[0:6].reshape(3, 2)",
        "dot1 = W1 @ x[0:2] + b1",
        "relu1 = np.maximum(dot1, 0.0)",
        "d_dot1 = d_relu1 * (dot1 > 0.0)",
    ):
        assert line in source
