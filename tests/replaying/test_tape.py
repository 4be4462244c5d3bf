import contextlib
import math
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_lab import Value, dot, ieee, replay, total
from micrograd_lab.nn import MLP
from micrograd_lab.nn.losses import cross_entropy, hinge, squared_error
from micrograd_lab.ops import OPS
from micrograd_lab.replaying.batch import find_batch
from micrograd_lab.replaying.plan import make_plan
from micrograd_lab.replaying.simplify import slope_rows

np = pytest.importorskip("numpy")

from micrograd_lab.replaying.tape import kernel
from micrograd_lab.replaying.tape.tape import Tape

if not kernel.load():
    pytest.skip("no kernel was compiled for this checkout", allow_module_level=True)

UNARY = [op for op in OPS.values() if op.unary]
BINARY = [op for op in OPS.values() if len(op.partials) == 2 and not op.variadic]


def taped(loss, inputs, parameters, data):
    """The loss and the gradient by the tape."""
    tape = Tape(make_plan(loss, inputs, parameters), len(parameters), lambda node: "")
    tape.vector[:] = [parameter.data for parameter in parameters]
    with contextlib.suppress(FloatingPointError):  # the numbers are there
        tape(np.array(data, dtype=float).reshape(len(data), len(inputs)))
    return [tape._job.loss, *tape.gradient]


def recorded(loss_of, inputs, parameters, data):
    """The mean loss and its gradient by the engine, recorded for every sample."""
    for parameter in parameters:
        parameter.grad = 0.0
    loss = 0.0
    for row in data:
        each = loss_of([Value(number) for number in row])
        each.backward()
        loss += each.data / len(data)
    return [loss, *(parameter.grad / len(data) for parameter in parameters)]


def check(loss_of, inputs, parameters, data):
    """The tape agrees with the engine to 1e-12 of the largest number."""
    leaves = [Value(number, f"x_{k}") for k, number in enumerate(data[0])]
    found = np.array(taped(loss_of(leaves), leaves, parameters, data))
    expected = np.array(recorded(loss_of, inputs, parameters, data))
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    finite = np.isfinite(expected)
    assert np.array_equal(found[~finite], expected[~finite], equal_nan=True)
    scale = 1 + np.abs(expected[finite]).max(initial=0)
    assert np.abs(found[finite] - expected[finite]).max(initial=0) <= 1e-12 * scale


def samples(count, columns, seed="samples"):
    generator = random.Random(seed)
    return [[generator.gauss(0, 1) for _ in range(columns)] for _ in range(count)]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 100, 128, 129, 300])
def test_the_moons_network_has_the_engines_loss_and_gradient(count):
    model = MLP(2, [16, 16, 1], seed=1)
    parameters = model.parameters()

    def loss(row):
        t = row[2]
        return hinge(model(row[:2]), t) + 1e-4 * total(p * p for p in parameters)

    data = [[*row, 1.0 if row[0] > 0 else -1.0] for row in samples(count, 2)]
    check(loss, 3, parameters, data)


def test_the_lectures_network_has_the_engines_loss_and_gradient():
    model = MLP(2, [2, 2], activation=["sigmoid", "sigmoid"], seed=1)
    check(lambda row: squared_error(model(row[:2]), row[2:]), 4, model.parameters(), samples(3, 4))


def test_softmax_and_cross_entropy_have_the_engines_loss_and_gradient():
    model = MLP(5, [9, 10], activation="tanh", seed=1)
    data = [
        [*row, *(float(k == i % 10) for k in range(10))] for i, row in enumerate(samples(20, 5))
    ]
    check(lambda row: cross_entropy(model(row[:5]), row[5:]), 15, model.parameters(), data)


@pytest.mark.parametrize("sizes", [(5, 4, 6), (13, 15, 7), (270, 150, 140, 3)])
def test_layers_of_any_width_have_the_engines_loss_and_gradient(sizes):
    inputs, *hidden, outputs = sizes
    model = MLP(inputs, [*hidden, outputs], activation="tanh", seed=1)
    columns = inputs + outputs

    def loss(row):
        return squared_error(model(row[:inputs]), row[inputs:])

    check(loss, columns, model.parameters(), samples(35, columns))


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_every_row_of_one_input_has_the_engines_numbers(op):
    w = Value(1.0, "w")
    data = [[x] for x in (-3.0, -0.5, 0.0, 1e-20, 0.3, 0.7, 2.5, 40.0)]
    with ieee():
        inside = [row for row in data if math.isfinite(getattr(w * row[0], op.name)().data)]
        check(lambda row: getattr(w * row[0], op.name)(), 1, [w], inside)


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
def test_every_row_of_two_inputs_has_the_engines_numbers(op):
    from micrograd_lab.engine import method

    v, w = Value(1.5, "v"), Value(0.5, "w")
    data = [[x, y] for x in (0.3, 1.0, 2.5) for y in (-2.0, 0.5, 1.0, 3.0)]
    check(lambda row: method(op)(v * row[0], w + row[1]), 2, [v, w], data)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, -800.0])
@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_extreme_numbers_are_ieees(op, number):
    w = Value(1.0, "w")
    with ieee():
        check(lambda row: getattr(w * row[0], op.name)(), 1, [w], [[number]])


def test_a_dead_relu_stops_an_infinite_gradient():
    w = Value(-1.0, "w")
    with ieee():
        check(lambda row: (w * row[0]).relu().sqrt(), 1, [w], [[1.0]])


def test_an_infinite_sample_spoils_no_other_weight():
    model = MLP(3, [5, 2], activation="tanh", seed=1)
    with ieee():
        check(
            lambda row: squared_error(model(row), [0, 0]),
            3,
            model.parameters(),
            [[1.0, 2.0, 3.0], [1.0, math.inf, 3.0], [0.5, 0.5, 0.5]],
        )


def test_weights_may_be_shared_computed_and_out_of_order():
    w = [Value(0.1 * k, f"w_{k}") for k in range(1, 7)]

    def loss(row):
        first = dot([w[2], w[0], w[1]], row, w[5])
        again = dot([w[0], w[0], w[4] * w[3]], row, row[0])
        both = dot([w[1], w[2]], [first, again], first * again)
        return (first * both + dot([w[1], w[1]], [row[0], row[0]])).tanh()

    check(loss, 3, w, samples(11, 3))


def test_the_same_input_twice_in_a_dot_product_counts_twice():
    w = [Value(0.3, "w_1"), Value(-0.7, "w_2")]

    def loss(row):
        hidden = (w[0] * row[0]).tanh()
        return dot([w[0], w[1], w[1]], [hidden, hidden, row[0]])

    check(loss, 1, w, samples(9, 1))


@pytest.mark.parametrize("count", [1, 9])
def test_layers_of_the_same_weights_may_read_the_same_inputs(count):
    drawn = random.Random(1)
    w = [[Value(drawn.gauss(0, 0.1)) for _ in range(130)] for _ in range(2)]
    scale = Value(0.7)

    def loss(row):
        hidden = [scale * x for x in row]
        patches = [hidden[k : k + 130] for k in range(6)]
        return total(dot(weights, patch).tanh() for patch in patches for weights in w)

    check(loss, 135, [scale, *w[0], *w[1]], samples(count, 135))


def test_layers_of_the_same_weights_may_follow_from_each_other():
    w = [[Value(0.3 * i - 0.2 * j) for j in range(3)] for i in range(3)]

    def loss(x):
        for _ in range(6):
            x = [dot(weights, x) for weights in w]
        return total(x)

    check(loss, 3, [v for weights in w for v in weights], samples(1, 3))


def test_a_mean_over_a_recorded_batch_is_the_same_program():
    w, b = Value(0.5, "w"), Value(0.1, "b")
    rows = samples(150, 2)
    loss = total((w * x + b - t).half_square() for x, t in rows) / 150 + w * w
    batch = find_batch(loss, [w, b])
    tape = Tape(make_plan(batch.loss, batch.inputs, [w, b]), 2, lambda node: "")
    tape.vector[:] = [0.5, 0.1]
    data = np.array(batch.rows)
    found = [tape(data), *tape.gradient]
    loss.backward()
    assert found == pytest.approx([loss.data, w.grad, b.grad], rel=1e-12)


def test_a_result_that_depends_on_no_sample_is_computed_once():
    w = Value(3.0, "w")
    assert taped(w * w, [], [w], [[]]) == [9.0, 6.0]


def test_a_chain_of_20000_operations_has_the_engines_numbers():
    w, x = Value(0.999, "w"), Value(0.5, "x")

    def loss(row):
        node = row[0]
        for _ in range(10_000):
            node = node * w + 0.001
        return node

    found = np.array(taped(loss([x]), [x], [w], [[0.5]]))
    expected = np.array(recorded(loss, 1, [w], [[0.5]]))
    assert found == pytest.approx(expected, rel=1e-12)


STEPS = {
    "+": lambda a, b, c, d: a + b,
    "-": lambda a, b, c, d: a - b,
    "*": lambda a, b, c, d: (a * b).tanh(),
    "dot": lambda a, b, c, d: dot([a, b], [c, d], a).tanh(),
    "total": lambda a, b, c, d: total([a, b, c]).tanh(),
    "tanh": lambda a, b, c, d: a.tanh(),
    "sigmoid": lambda a, b, c, d: a.sigmoid(),
    "relu": lambda a, b, c, d: a.relu(),
    "sin": lambda a, b, c, d: a.sin(),
}


@st.composite
def graphs(draw):
    """What records a random graph from a row of numbers and parameters."""
    places = st.tuples(*[st.integers(0, 10**6)] * 4)
    steps = draw(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), places), max_size=25))

    def record(row, w):
        nodes = [*row, *w]
        for name, at in steps:
            nodes.append(STEPS[name](*(nodes[i % len(nodes)] for i in at)))
        return total(node * 0.1 for node in nodes[-5:])

    return record


@given(graphs(), st.integers(1, 20))
@settings(deadline=None, max_examples=60)
def test_random_graphs_have_the_engines_numbers(record, count):
    w = [Value(0.5, "w_1"), Value(-1.2, "w_2"), Value(0.3, "w_3")]
    check(lambda row: record(row, w), 3, w, samples(count, 3))


@pytest.mark.parametrize("op", UNARY + BINARY + slope_rows(), ids=lambda op: op.name)
def test_the_kernel_has_four_branches_for_every_row(op):
    source = kernel.kernel_source()
    assert source.count(f"\n      case {kernel.codes()[op.name]}:") == 4
    assert "// table:" not in source.partition("#include")[2]


@pytest.mark.parametrize("name", ["exp", "log", "softplus", "tanh"])
def test_elementary_functions_are_right_to_the_last_places(name):
    generator = random.Random(name)
    numbers = [generator.uniform(0.01, 20) for _ in range(50)] + [1e-9, 1e-300, 700.0]
    x, w = Value(1.0), Value(1.0, "w")
    found = Tape(make_plan(getattr(w * x, name)(), [x], [w]), 1, lambda node: "")
    found.vector[:] = 1.0
    for number in numbers:
        expected = getattr(Value(number), name)().data
        assert found(np.array([[number]])) == pytest.approx(expected, rel=1e-15)


def test_the_source_lists_what_is_computed_when():
    model = MLP(2, [3, 1], seed=1)
    x, t = [Value(1, "x_1"), Value(2, "x_2")], Value(1, "t")
    loss = hinge(model(x), t) + 0.1 * total(p * p for p in model.parameters())
    source = replay(loss, [*x, t], model.parameters(), backend="tape").source
    assert "[a_1 … a_3] = weights (3 × 3) · (x_1, x_2, 1)\n" in source
    assert "[z_1 … z_3] = " in source
    assert source.startswith("# once, from the parameters\n")


def test_a_layer_whose_outputs_are_added_to_its_inputs_stays_one_instruction():
    w = [[Value(0.1 * (i - j), f"w_{i}{j}") for j in range(3)] for i in range(3)]
    x = [Value(1, "x_1"), Value(2, "x_2"), Value(3, "x_3")]
    ends = [(a + dot(row, x)).tanh() for a, row in zip(x, w)]
    source = replay(total(ends), x, [v for row in w for v in row], backend="tape").source
    assert "= weights (3 × 3) · (x_1, x_2, x_3)\n" in source


def test_weights_that_are_not_side_by_side_are_copied_once_for_all_layers():
    w = [[Value(0.3 * i - 0.2 * j, f"w_{i}{j}") for j in range(3)] for i in range(3)]
    columns = [*zip(*w)]

    def tape(layers):
        x = [Value(k, f"x_{k}") for k in range(3)]
        ends = x
        for _ in range(layers):
            ends = [dot(column, ends).tanh() for column in columns]
        return Tape(make_plan(total(ends), x, [v for row in w for v in row]), 9, lambda node: "")

    assert len(tape(20)._once) == len(tape(1)._once)


def test_the_results_for_each_sample_are_those_of_the_engine():
    w, x = Value(2.0, "w"), Value(1.0, "x")
    tape = Tape(make_plan((w * x).log(), [x], [w]), 1, lambda node: "")
    tape.vector[:] = 2.0
    data = np.linspace(0.5, 9, 300)[:, None]
    data[7] = -1.0  # outside the domain
    expected = [math.log(2 * number) if number > 0 else math.nan for number in data[:, 0]]
    assert tape.each(data) == pytest.approx(np.array(expected), rel=1e-14, nan_ok=True)
    assert tape(data[8:]) == pytest.approx(np.mean(expected[8:]), rel=1e-12)
    assert tape.gradient == pytest.approx([0.5])


def test_the_tape_is_the_default():
    w = Value(2.0, "w")
    assert replay(w * w).backend == "tape"


def test_a_sample_outside_the_domain_is_named():
    w, x = Value(1.0, "w"), Value(1.0, "x")
    program = replay((w * x).log(), [x], [w])
    with pytest.raises(ValueError, match=r"sample 1.*log is undefined"):
        program([[1.0], [-1.0]])
    assert program([[1.0], [1.0]]) == 0.0


def test_an_overflow_that_a_later_operation_hides_is_named():
    w, x = Value(1.0, "w"), Value(1.0, "x")
    program = replay((w * x).exp().tanh(), [x], [w])
    with pytest.raises(ValueError, match=r"sample 0.*exp overflows"):
        program([[1000.0]])


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_the_kernel_of_every_processor_gives_the_same_numbers(level, monkeypatch):
    library = kernel.library()
    if not 0 < level <= library.level() or not hasattr(library, f"run_{level}"):
        return  # compiled for other processors
    monkeypatch.setattr("micrograd_lab.replaying.tape.tape.load", lambda: library[f"run_{level}"])
    model = MLP(3, [21, 2], activation=["tanh", "softplus"], seed=1)
    for count in (1, 5, 130):
        check(
            lambda row: squared_error(model(row), row[:2]), 3, model.parameters(), samples(count, 3)
        )


def test_a_kernel_that_was_written_from_another_table_is_not_used(monkeypatch):
    monkeypatch.setattr(kernel, "fingerprint", lambda: 1)
    assert kernel.load.__wrapped__() is None


def test_without_a_kernel_the_tape_says_so_and_numpy_is_the_default():
    program = """
from micrograd_lab import Value, replay
from micrograd_lab.replaying.tape import kernel
kernel.LIBRARY = "no such file"
w, x = Value(2, "w"), Value(0, "x")
for _ in range(2):
    program = replay(w * x, [x], [w])
print(program.backend, program([[3], [5]]))
replay(w * x, [x], [w], backend="tape")
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.stdout == "numpy 8.0\n"
    assert done.stderr.count("no kernel was compiled when this was installed; replays run") == 1
    assert "ImportError: no kernel for the tape was compiled" in done.stderr
    assert 'backend="numpy" needs none' in done.stderr


def test_rows_that_no_double_is_aligned_in_are_copied_for_the_kernel():
    w, x = Value(2, "w"), Value(0, "x")
    program = replay(w * x, [x], [w], backend="tape")
    odd = np.frombuffer(bytearray(8 * 5 + 1), offset=1).reshape(5, 1)
    odd[:] = 1
    assert program(odd) == 2
    assert program._runner._job.data % 8 == 0
    odd[:] = 3  # the copy is made anew
    assert program(odd) == 6


def test_an_array_that_was_resized_is_read_where_it_lies_now():
    w, x = Value(2, "w"), Value(0, "x")
    program = replay(w * x, [x], [w], backend="tape")
    data = np.ones((5, 1))
    assert program(data) == 2
    data.resize((200_000, 1), refcheck=False)
    data[:] = 3
    assert program(data) == 6
    assert program._runner._job.data == data.ctypes.data
