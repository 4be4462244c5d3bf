"""A replayed graph gives the numbers of the recorded one, by the program one would have written."""

import itertools
import math
import os
import random
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from table import ROWS, apply, arity, inside, points, title

from micrograd_lab import Value, dot, ieee, logsumexp, maximum, minimum, replay, total
from micrograd_lab.engine import recorded
from micrograd_lab.nn.losses import cross_entropy
from micrograd_lab.replaying.batch import find_batch
from micrograd_lab.replaying.plan import EACH, ONCE, add_checks, make_plan
from micrograd_lab.replaying.program import by_samples
from micrograd_lab.replaying.python import MAX_LINES, StraightLine, Table


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
    made = make_plan(sum((a * b for a, b in zip(w, x)), w[0]).tanh(), x, w)
    assert [op.name for op in made.ops if op] == ["dot", "tanh"]


def test_what_does_not_depend_on_an_input_is_computed_once():
    w, x = Value(2), Value(3)
    made = make_plan(w.exp() * x, [x], [w])
    assert [(op.name, phase) for op, phase in zip(made.ops, made.phases) if op] == [
        ("exp", ONCE),
        ("mul", EACH),
    ]


@pytest.mark.parametrize("sum_up", [sum, total])
def test_a_loss_recorded_over_a_batch_becomes_one_sample_and_a_table(sum_up):
    network, parameters = mlp(2, 3, 1)
    rows = [(0.5, 1.5, 1.0), (-1.0, 2.5, -1.0), (0.25, 0.5, 1.0)]
    losses = [(1 + -t * network([x, y])[0]).relu() for x, y, t in rows]
    loss = sum_up(losses) * (1 / 3) + 1e-4 * sum_up(p * p for p in parameters)
    found = find_batch(loss, parameters)
    assert sorted(map(sorted, found.rows)) == sorted(sorted([x, y, -t]) for x, y, t in rows)
    assert sum(x.op is not None and x.op.name == "relu" for x in recorded(found.loss)) == 4
    assert found.loss not in recorded(loss)


def test_samples_that_read_each_other_are_no_batch():
    w = Value(2)
    first = (w * 3).tanh()
    assert find_batch(first + (first * 5).tanh(), [w]) is None


def test_samples_that_something_beside_their_sum_reads_are_no_batch():
    w = Value(2)
    mean = total([(w * x).tanh() for x in range(20)]) / 20
    assert find_batch(mean + w**2, [w])
    assert find_batch(mean - mean**2, [w]) is None  # each row would compute all samples again


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_weights_in_no_order_are_read_anew_by_every_call(backend):
    a, b, x = Value(0.3, "w_1"), Value(-0.5, "w_2"), [Value(0, "x_1"), Value(0, "x_2")]
    loss = dot([a, b], x).tanh() * dot([b, a], x).tanh()
    rows = [[i / 50 - 4, 3 - i / 70] for i in range(400)]
    program = replay(loss, x, [a, b], backend=backend)
    program(rows)
    a.data = 2.0
    again = program(rows), a.grad, b.grad
    mean, grads = engine(loss, x, [a, b], rows)
    assert again == pytest.approx((mean, *grads))


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


def test_a_constant_that_others_read_is_of_no_sample():
    w, c, d = Value(2), Value(3), Value(5)
    loss = total([w * c, w * d]) / (w + c)
    assert find_batch(loss, [w]) is None
    assert_same(arrays(loss, [], [w], backend="numpy"), loss, [], [w], [()])


@pytest.mark.parametrize("sum_up", [sum, total])
def test_sums_over_other_parameters_are_no_samples(sum_up):
    w, v, u = parameters = [Value(0.3), Value(-0.5), Value(0.7)]
    loss = sum_up([(w * 2 + v * 3).tanh(), (w * 4 + u * 5).tanh()])
    assert_same(arrays(loss, [], parameters, backend="numpy"), loss, [], parameters, [()])


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


def test_constants_keep_all_their_digits(backend):
    w, x = Value(0.7), [Value(0), Value(0)]
    loss = total((w * x[i % 2] - 0.1 * i).tanh() * w for i in range(5))
    assert_same(arrays(loss, x, [w], backend=backend), loss, x, [w], normal(4, 2))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1), (0, 2, 1, 3), (2, 3, 0, 1)])
@pytest.mark.parametrize("samples", [1, 5])
def test_logarithms_of_parameters_and_of_inputs_are_added_up_together(order, samples):
    w, v, x, y = values = [Value(k / 3) for k in range(4)]
    loss = logsumexp([values[i] for i in order]) * (w * x).tanh()
    program = arrays(loss, [x, y], [w, v], backend="numpy")
    assert_same(program, loss, [x, y], [w, v], normal(samples, 2))


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
            try:
                made = apply(op, read)
            except ValueError as error:
                if "overflows" in str(error):  # such as 6.25 ** 518
                    continue
                raise
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
    size = max(1.0, *map(abs, gradient))  # what cancels was of the size of 1
    assert [p.grad for p in parameters] == pytest.approx(
        gradient, rel=1e-12, abs=1e-12 * size, nan_ok=True
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_source_of_random_layers_compiles(seed):
    draw = random.Random(seed)
    inputs, w = ([Value(draw.uniform(0.5, 1)) for _ in range(8)] for _ in range(2))
    pool = [getattr(x, name)() for x in inputs for name in ("tanh", "sin", "exp", "sigmoid")]
    for _ in range(4):
        read = draw.sample(pool, 8)
        for vector in (read, [*read, *draw.sample(pool, 2)]):
            pool.append(dot(draw.choices(w, k=len(vector)), vector).tanh())
            pool.append(dot(draw.choices(w, k=len(vector)), vector).tanh())
    program = replay(total(pool[-16:]), inputs, w, backend="numpy")
    compile(program.source, "<source>", "exec")


@pytest.mark.parametrize("number", [1e-10, 3e20])
def test_a_number_written_with_a_power_of_ten_is_replayed(backend, number):
    w, x = Value(2.0, "w"), Value(1.5, "x")
    loss = (w * x) ** number if number < 1 else (w * x).leaky_relu(number) * number
    assert_same(arrays(loss, [x], [w], backend=backend), loss, [x], [w], [[1.5], [2.0]])


def test_a_power_of_a_constant_is_written_as_a_product():
    x = Value(3.0, "x")
    source = replay(x ** Value(2.0), [x], [], backend="numpy").source
    assert "pow1 = x[0:1] * x[0:1]  # v3" in source


def test_a_label_hides_nothing_that_the_program_calls():
    w, x = Value(0.5), Value(1)
    loss = w * x
    for label in (
        "add",
        "np",
        "exp",
        "p",
        "x",
        "n",
        "lambda",
        "print",
        "program",
        "put",
        "d_w",
        "i1",
        "σ",
        "t1",
    ):
        loss = loss.tanh() * w
        loss.label = label
        loss = loss.sigmoid()
        loss.label = label
    assert_same(arrays(loss, [x], [w], backend="numpy"), loss, [x], [w], [[1], [2]])
    exec(replay(loss, [x], [w], backend="numpy").source, {})


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


def test_an_error_names_sample_and_node(backend):
    w, x = Value(2, "w"), Value(1, "x")
    scaled = w * x
    scaled.label = "a"
    program = replay(scaled.log(), [x], [w], backend=backend)
    message = r"sample 2, v4: log is undefined at x = Value\(a: -6, .*it needs x > 0"
    with pytest.raises(ValueError, match=message):
        program([[1], [2], [-3], [-4]])


def test_a_number_that_became_infinite_is_found_where_the_engine_finds_it(backend):
    w, x = Value(1, "w"), Value(1, "x")
    program = replay((w * x).exp().sigmoid(), [x], [w], backend=backend)
    with pytest.raises(ValueError, match=r"sample 1, v4: exp overflows at x = Value.*800"):
        program([[1], [800]])


def test_the_first_nan_is_named(backend):
    w, x = Value(1, "w"), Value(1, "x")
    program = replay((w * x).tanh(), [x], [w], backend=backend)
    with pytest.raises(ValueError, match="sample 1, x: it is nan; replay within ieee"):
        program([[1], [math.nan]])
    w.data = 0
    with pytest.raises(ValueError, match="sample 0, v3: mul of 0, inf is nan; replay within ieee"):
        program([[math.inf]])


def test_within_ieee_a_program_goes_on_as_the_engine_does(backend):
    w, x = Value(1, "w"), Value(1, "x")
    program = replay((w * x).log() + w, [x], [w], backend=backend)
    with ieee():
        assert program([[0]]) == -math.inf
        assert math.isnan(program([[-1]]))


def test_a_dead_relu_stops_an_infinite_gradient(backend):
    w, x = Value(-1, "w"), Value(-1, "x")
    loss = (w * x).relu() ** 0.5 + w
    program = replay(loss, [x], [w], backend=backend)
    with ieee():
        assert program([[1]]) == -1
        assert w.grad == 1


def test_parameters_are_read_and_gradients_set_at_every_call(backend):
    w, x = Value(1, "w"), Value(1, "x")
    program = replay((w * x).half_square(), [x], [w], backend=backend)
    for w.data in (2.0, 3.0):
        assert program([[1], [2]]) == w.data**2 * 2.5 / 2
        assert w.grad == w.data * 2.5


def test_a_parameter_that_is_not_read_has_no_slope(backend):
    w, unused, x = Value(1, "w"), Value(1, "u"), Value(1, "x")
    unused.grad = 7
    replay(w * x, [x], [unused, w], backend=backend)([[2]])
    assert (w.grad, unused.grad) == (2, 0)


@pytest.mark.parametrize(
    ("result", "gradient"),
    [(lambda w, x: w, 1), (lambda w, x: x, 0), (lambda w, x: w + 3, 1), (lambda w, x: Value(5), 0)],
    ids=["a parameter", "an input", "a sum", "a constant"],
)
def test_the_smallest_losses(backend, result, gradient):
    w, x = Value(2, "w"), Value(3, "x")
    loss = result(w, x)
    assert replay(loss, [x], [w], backend=backend)([[3]]) == loss.data
    assert w.grad == gradient


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1, 2], r"2 rows of 1 numbers; give one row per sample|data \[1, 2\]; give one row of"),
        ([[1, 2, 3]], "1 rows of 3 numbers; give one row per sample, 2 numbers in each"),
        ([], "give one row per sample, 2 numbers in each|0 rows; give at least 1"),
        ([[1, 2], [3]], "2 rows of 1 and 2 numbers; give|sample 1 has 1 numbers, sample 0 has 2"),
        (
            [["a", "b"]],
            "sample 0 holds str 'a'; give real|data .* give one row of numbers per sample",
        ),
    ],
)
def test_data_of_another_shape_is_refused(backend, data, message):
    x, y = Value(1), Value(2)
    with pytest.raises((TypeError, ValueError), match=message):
        replay(x * y, [x, y], [], backend=backend)(data)


def test_a_vector_may_be_changed_or_replaced(backend):
    w, x = Value(1, "w"), Value(1, "x")
    program = replay(w * x, [x], [w], backend=backend)
    for numbers in ([3.0], [4.0]):
        program.vector = numbers
        assert program.run([[2]]) == 2 * numbers[0]
    assert w.data == 1
    program.store()
    assert (w.data, w.grad) == (4, 2)


def test_a_number_is_no_loss():
    with pytest.raises(TypeError, match=r"the loss is float 3.0; give a value"):
        replay(3.0)


def test_data_and_inputs_go_together():
    x = Value(1)
    with pytest.raises(TypeError, match="no data; give one row per sample, 1 numbers in each"):
        replay(x * 2, [x])()
    with pytest.raises(TypeError, match="data, but no inputs to put it in"):
        replay(x * 2)([[1]])


@pytest.mark.parametrize(
    ("inputs", "parameters", "error", "message"),
    [
        ([1.5], [], TypeError, "input 0 is float 1.5; give values"),
        ([], [X := Value(1, "x"), X], ValueError, r"parameter 1, Value\(x: 1, .* is given twice"),
        ([X], [X], ValueError, r"parameter 0, Value\(x: 1, .* is given twice"),
        ([X * 2], [], ValueError, r"input 0 is computed, Value\(2, grad=0\); give leaves"),
    ],
)
def test_inputs_and_parameters_are_leaves(inputs, parameters, error, message):
    with pytest.raises(error, match=message):
        replay(X * 2, inputs, parameters)


def test_a_backend_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no backend 'fortran'; there are tape, numpy, torch, jax"):
        replay(X * 2, [X], [], backend="fortran")


def test_a_backend_that_is_missing_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="PyTorch is not installed; run: pip install torch"):
        replay(X * 2, [X], [], backend="torch")


def test_a_python_decision_is_frozen_as_recorded():
    x = Value(3.0, "x")
    magnitude = x if x > 0 else -x
    assert replay(magnitude * 1, [x], [], backend="numpy")([[-2.0]]) == -2.0


def test_a_chain_is_no_matter_of_its_length():
    w = v = Value(0.5, "w")
    for _ in range(3000):
        v = (v * w).sin() + w
    program = replay(v, [], [w], backend="numpy")
    v.backward()
    assert program() == v.data
    assert program.source


def test_many_contributions_are_added_up_step_by_step():
    w, x = Value(0.5, "w"), Value(1, "x")
    v = x
    for _ in range(300):
        v = (v * w).sin()
    assert_same(arrays(v, [x], [w], backend="numpy"), v, [x], [w], [[1], [2]])


@pytest.mark.parametrize("width", [400, 2000])
def test_a_loss_adds_up_any_number_of_terms(backend, width):
    w, x = [Value(math.sin(k), f"w_{k}") for k in range(width)], Value(0, "x")
    loss = total([(v * x).half_square() for v in w])
    assert_same(arrays(loss, [x], w, backend=backend), loss, [x], w, normal(30, 1))


def test_a_loss_adds_up_terms_that_no_statement_computes_together():
    w, x = Value(0.5, "w"), Value(0, "x")
    loss = total((w * x + 2 + w) ** (k / 700) for k in range(1, 701))
    assert_same(arrays(loss, [x], [w], backend="numpy"), loss, [x], [w], normal(30, 1))


@pytest.mark.parametrize("samples", [1, 2, 30])
def test_many_contributions_to_a_value_of_each_sample_are_added_up(samples):
    w, x = [Value(0.5, "w_1"), Value(0.7, "w_2")], Value(1, "x")
    z = [(v * x).tanh() for v in w]
    loss = total((y + 2) ** (k / 7) for k in range(2, 50) for y in z)
    rows = normal(samples, 1)
    assert_same(arrays(loss, [x], w, backend="numpy"), loss, [x], w, rows)


def test_a_logarithm_of_a_sum_of_exponentials_is_one_line():
    scores, w = [Value(k / 3, f"s_{k}") for k in range(4)], Value(0.5, "w")
    loss = logsumexp([s * w for s in scores])
    loss.label = "L"
    source = replay(loss, scores, [w], backend="numpy").source
    assert source.count("np.max(") == source.count("np.log1p(") == 1
    assert re.search(r"\n    L = h1 \+ np\.log1p\(.*  # L\n", source)


def test_the_first_sample_of_a_batch_gives_the_source_its_names():
    w = Value(0.5, "w")
    terms = [(w * k - 1).tanh() for k in (1.5, 2.5, 3.5)]
    terms[0].label = "y"
    source = replay(sum(terms) * (1 / 3) + w * w, [], [w], backend="numpy").source
    assert re.search(r"\n    y = np.tanh\(.*  # y\n", source)


def test_an_error_without_samples_names_the_node_alone(backend):
    w = Value(1, "w")
    program = replay(w.log(), [], [w], backend=backend)
    w.data = -1
    with pytest.raises(ValueError, match=r"^v2: log is undefined at x = "):
        program()


def test_contributions_all_over_the_parameters():
    draw = random.Random(1)
    parameters = [Value(draw.uniform(0.5, 1)) for _ in range(40)]
    x = Value(1)
    v = [x, x]
    for _ in range(120):
        p, q = (draw.choice(parameters) for _ in range(2))
        v = [(v[0] * p).tanh() + q, (v[1] * q).sin() * p]
    loss = total(v) * x
    assert_same(arrays(loss, [x], parameters, backend="numpy"), loss, [x], parameters, [[1], [2]])


def test_the_function_goes_to_another_device_of_torch():
    torch = pytest.importorskip("torch")
    network, parameters = mlp(2, 3, 2)
    x = [Value(0.5), Value(1.5)]
    with torch.device("meta"):  # a device without numbers: nothing may stay behind on the CPU
        program = replay(cross_entropy(network(x), [0.25, 0.75]), x, parameters, backend="torch")
        p = torch.empty(len(parameters), 1, dtype=torch.float64)
        loss, gradient = program.function(p, torch.empty(2, 7, dtype=torch.float64))
    assert loss.device.type == gradient.device.type == "meta"


SHARDED = """
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from micrograd_lab import MLP, Value, hinge, replay, total

jax.config.update("jax_enable_x64", True)
assert len(jax.devices()) == 4
model = MLP(2, [8, 1], seed=1)
x, t = [Value(0), Value(0)], Value(1)
loss = hinge(model(x), t) + 1e-4 * total(p * p for p in model.parameters())
program = replay(loss, [*x, t], model.parameters(), backend="jax")
draw = np.random.default_rng(0)
data = np.hstack([draw.normal(size=(64, 2)), draw.choice([-1.0, 1.0], size=(64, 1))])
program.load()
expected = program.run(data)
samples = NamedSharding(Mesh(np.array(jax.devices()), ["samples"]), PartitionSpec(None, "samples"))
shards = jax.device_put(data.T, samples)
assert len(shards.sharding.device_set) == 4
compiled = jax.jit(program.function).lower(program.vector[:, None], shards).compile()
assert "all-reduce" in compiled.as_text()
found, gradient = compiled(program.vector[:, None], shards)
assert abs(found - expected) < 1e-10
assert abs(gradient[:, 0] - program.gradient).max() < 1e-10
"""

PROCESS = """
import sys, torch, numpy as np
import torch.distributed as dist
from micrograd_lab import MLP, Value, hinge, replay

rank, file = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
model = MLP(2, [8, 1], seed=1)
x, t = [Value(0), Value(0)], Value(1)
program = replay(hinge(model(x), t), [*x, t], model.parameters(), backend="torch")
draw = np.random.default_rng(0)
data = np.hstack([draw.normal(size=(64, 2)), draw.choice([-1.0, 1.0], size=(64, 1))])
program.load()
loss = torch.tensor(program.run(data[rank::2]), dtype=torch.float64)
gradient = torch.from_numpy(program.gradient.copy())
dist.all_reduce(loss)
dist.all_reduce(gradient)
expected = program.run(data)
assert abs(loss / 2 - expected) < 1e-10
assert abs(gradient.numpy() / 2 - program.gradient).max() < 1e-10
dist.destroy_process_group()
"""


def run(script, *arguments, **environment):
    """Start `script` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_jax_computes_a_batch_on_four_devices():
    pytest.importorskip("jax")
    process = run(SHARDED, XLA_FLAGS="--xla_force_host_platform_device_count=4")
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors


@pytest.mark.slow
def test_two_processes_of_torch_compute_a_batch_together(tmp_path):
    pytest.importorskip("torch")
    loopback = {"GLOO_SOCKET_IFNAME": "lo"}
    processes = [run(PROCESS, rank, tmp_path / "meeting", **loopback) for rank in (0, 1)]
    for process in processes:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors


def test_an_array_that_changed_its_shape_is_checked_again():
    np = pytest.importorskip("numpy")
    w, x, y = Value(2, "w"), Value(0, "x"), Value(0, "y")
    program = replay(w * x + y, [x, y], [w], backend="numpy")
    data = np.ones((2, 2))
    assert program(data) == program(data) == 3
    for wrong in (np.ones((4, 1)), np.ones(4), ()):
        with pytest.raises(ValueError, match="give one row per sample, 2 numbers in each"):
            program(wrong)


@pytest.mark.parametrize(
    "operation",
    [Value.step, lambda x: maximum(x, 1), lambda x: minimum(1, x)],
    ids=["step", "maximum", "minimum"],
)
def test_no_operation_hides_a_nan_from_a_replay(backend, operation):
    x = Value(0.0, "x")
    program = replay(operation(x), [x], [], backend=backend)
    with pytest.raises(ValueError, match="sample 0, x: it is nan"):
        program([[math.nan], [1.0]])
    with ieee():
        assert math.isnan(program([[math.nan], [1.0]]))
    assert program([[2.0], [2.0]]) == operation(Value(2.0)).data


@pytest.mark.parametrize("with_samples", [True, False])
def test_a_long_python_program_is_not_compiled(with_samples):
    w, v, x = Value(0.7, "w"), Value(-0.3, "v"), Value(0.0, "x")
    inputs, rows = ([x], [[0.5], [-1.5], [2.0]]) if with_samples else ([], [()])
    node, once = x + 0.1, w * v
    for _ in range(2000):
        once = (once + v).tanh()
        node = (node * w + once).sin()
    program = arrays(node, inputs, [w, v], backend="python")
    assert program.source.count("\n") > MAX_LINES
    assert_same(program, node, inputs, [w, v], rows)
    assert isinstance(program._runner.run.__self__, Table)


@given(graph=graphs(), scales=st.lists(st.floats(0.999, 1.001), min_size=1, max_size=3))
def test_a_table_gives_the_numbers_of_the_lines_it_stands_for(graph, scales):
    loss, inputs, parameters = graph
    plan = make_plan(loss, inputs, parameters)
    add_checks(plan)
    numbers = [w.data for w in parameters], [[x.data * k for x in inputs] for k in scales]
    try:
        expected, gradient = StraightLine(plan, range(3)).run(*numbers)
    except (ArithmeticError, ValueError) as error:
        with pytest.raises(type(error)):
            StraightLine(plan, range(3), 0).run(*numbers)
        return
    found, slopes = StraightLine(plan, range(3), 0).run(*numbers)
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert slopes == pytest.approx(gradient, rel=1e-12, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("op", ROWS, ids=title)
def test_a_table_has_a_step_for_every_row(op):
    at = points(op)[0]
    x, w = [Value(number) for number in at], [Value(number) for number in at]
    loss = total([apply(op, x), apply(op, w), apply(op, [*w[:1], *x[1:]])])
    expected, gradient = engine(loss, x, w, [at])
    table = StraightLine(make_plan(loss, x, w), range(len(w)), 0)
    found, slopes = table.run(at, [at])
    assert found == pytest.approx(expected, rel=1e-12)
    assert slopes == pytest.approx(gradient, rel=1e-12)


def irregular(nodes):
    """A loss of one input and 20 parameters whose nodes hardly have a pattern."""
    draw = random.Random(nodes)
    x, w = Value(0.5), [Value(draw.uniform(0.5, 1)) for _ in range(20)]
    pool = [x, *w]
    for _ in range(nodes):
        a, b = draw.choice(pool), draw.choice(pool[-50:])
        pool.append(draw.choice([a + b, a * b, a - b, b.sin(), (a * b).sigmoid()]))
    return total(v.tanh() for v in pool[-50:]), [x], w


@pytest.mark.parametrize(
    ("engine", "recorded", "told"),
    [
        ("jax", lambda: irregular(600), r"JAX would .* the 1,\d\d\d statements .* about 1\d s"),
        ("torch", lambda: chained(20_000), "Torch would .* the 20,000 statements .* about 14 s"),
    ],
)
def test_an_engine_refuses_what_it_would_compile_for_longer_than_ten_seconds(
    engine, recorded, told
):
    pytest.importorskip(engine)
    with pytest.raises(ValueError, match=f'{told}, more than 10, .*; backend="tape" compiles'):
        replay(*recorded(), backend=engine)


def chained(nodes):
    """A loss that no two nodes of can be computed together."""
    x = v = Value(0.5)
    w = Value(0.9)
    for _ in range(nodes // 2):
        v = (v * w).sin()
    return v, [x], [w]


@pytest.mark.parametrize("engine", ["torch", "jax"])
def test_a_large_regular_graph_is_compiled(engine):
    pytest.importorskip(engine)
    network, parameters = mlp(2, 100, 100, 1)
    x = [Value(0.5), Value(1.5)]
    (loss,) = network(x)
    program = replay(loss, x, parameters, backend=engine)
    assert program([[0.5, 1.5]]) == pytest.approx(loss.data, rel=1e-12)
