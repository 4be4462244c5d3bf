"""Weighted means, sums, losses and other nodes of many samples, from a program or a function."""

import threading

import pytest

from micrograd_lab import MLP, Graph, Value, cross_entropy, dot, replay, total
from micrograd_lab.replaying.program import by_samples

np = pytest.importorskip("numpy")
DATA = [[0.5, 1.0], [-1.0, 0.25], [2.0, -0.5], [0.1, 0.0], [-0.3, 2.0]]
WEIGHTS = [1.0, 0.0, 2.5, 0.5, 4.0]


def leaves():
    return [Value(1.0, "x"), Value(0.0, "t")], [Value(0.7, "w"), Value(-0.2, "b"), Value(1.1, "u")]


def straight(x, t, w, b, u):
    y = (w * x + b).tanh()
    y.label = "y"
    return (u * y - t).half_square() + 0.1 * w * w


def branched(x, t, w, b, u):
    y = w * x + b if x > 0 else u * x - b
    y.label = "y"
    return (y - t).half_square()


def programs(backend):
    """Each with the function that it replays and its parameters."""
    for function in (straight, branched):
        inputs, parameters = leaves()
        of_row = lambda *row, f=function, p=tuple(parameters): f(*row, *p)
        yield replay(of_row, inputs, parameters, backend=backend), of_row, parameters
        yield replay(of_row, parameters=parameters, backend=backend), of_row, parameters
        if function is straight:
            loss = straight(*inputs, *parameters)
            yield replay(loss, inputs, parameters, backend=backend), of_row, parameters


def summed(function, parameters, weights):
    """Σ weight · loss and its gradient by the engine."""
    for p in parameters:
        p.grad = 0.0
    loss = total(k * function(*map(Value, row)) for k, row in zip(weights, DATA))
    loss.backward()
    return loss.data, [p.grad for p in parameters]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weights", [WEIGHTS, None, np.array(WEIGHTS) * 1000])
def test_a_weighted_mean_or_sum_is_the_engines(backend, weights, reduction):
    for program, function, parameters in programs(backend):
        numbers = [1.0] * 5 if weights is None else [*weights]
        scale = sum(numbers) if reduction == "mean" else 1.0
        loss, grads = summed(function, parameters, numbers)
        assert program(DATA, weights, reduction=reduction) == pytest.approx(loss / scale, rel=1e-12)
        expected = [grad / scale for grad in grads]
        assert [p.grad for p in parameters] == pytest.approx(expected, rel=1e-11, abs=1e-13)


def test_a_weighted_mean_is_torchs():
    torch = pytest.importorskip("torch")
    scores, weights = np.random.default_rng(0).normal(size=(6, 3)), [1.0, 5.0, 0.5]
    classes = [0, 2, 1, 1, 0, 2]
    loss = torch.nn.CrossEntropyLoss(weight=torch.tensor(weights, dtype=torch.float64))
    expected = loss(torch.tensor(scores), torch.tensor(classes)).item()
    w = Value(1.0, "w")
    program = replay(lambda *x: cross_entropy([w * s for s in x[:3]], x[3]), parameters=[w])
    rows = np.column_stack((scores, classes))
    assert program(rows, [weights[k] for k in classes]) == pytest.approx(expected, rel=1e-12)
    program(rows)
    assert len(program.paths) == 1  # whatever the class


def test_run_takes_weights_at_its_vector_and_leaves_the_values_alone(backend):
    inputs, parameters = leaves()
    program = replay(straight(*inputs, *parameters), inputs, parameters, backend=backend)
    program.load()
    program.vector[0] = 2.0
    numbers = dict(zip(program.values, [float(x) for x in program.vector]))
    losses = [by_samples(program.loss, inputs, numbers, [row])[0] for row in DATA]
    assert program.run(DATA, WEIGHTS) == pytest.approx(np.average(losses, weights=WEIGHTS))
    assert [p.data for p in parameters] == [0.7, -0.2, 1.1]


@pytest.mark.parametrize(
    ("weights", "reduction", "told"),
    [
        ([1.0, 2.0], "mean", "2 weights but 5 samples; give one weight each"),
        ([1, 1, -2, 1, 1], "mean", "weight 2 is -2; give finite numbers, for a mean from 0 up"),
        ([1, 1, 1, float("nan"), 1], "sum", "weight 3 is nan; give finite numbers"),
        ([float("inf"), 1, 1, 1, 1], "mean", "weight 0 is inf; give finite numbers"),
        ([0.0] * 5, "mean", "the weights sum to 0; one has to be larger"),
        (["a"] * 5, "mean", "weight 0 is 'a'; give numbers"),
        ([[1, 2]] * 5, "mean", "10 weights but 5 samples"),
        (None, "none", "no reduction 'none'; there are mean and sum"),
    ],
)
def test_other_weights_are_refused(weights, reduction, told):
    for program, *_ in programs("numpy"):
        with pytest.raises((TypeError, ValueError), match=told):
            program.run(DATA, weights, reduction=reduction)


def test_a_sum_takes_negative_weights():
    inputs, (w, *_) = leaves()
    program = replay(w * inputs[0], inputs[:1], [w])
    assert program([[1], [3]], [-1.0, 2.0], reduction="sum") == pytest.approx(3.5, rel=1e-15)
    assert w.grad == pytest.approx(5.0, rel=1e-15)


def test_one_number_has_no_weights():
    w = Value(2.0, "w")
    with pytest.raises(TypeError, match="weights or a sum, but no data; a loss without inputs is"):
        replay(w * w, [], [w])(None, [1.0])


def test_a_bad_sample_is_named_with_weights_too(backend):
    inputs, (w, *_) = leaves()
    program = replay((w * inputs[0]).log(), inputs[:1], [w], backend=backend)
    with pytest.raises(ValueError, match=r"sample 2, .*log is undefined at x = .*-2.1"):
        program([[1], [2], [-3]], [1, 1, 1])


def test_losses_and_named_nodes_are_the_engines(backend):
    for program, function, _ in programs(backend):
        program.load()
        expected = [function(*map(Value, row)) for row in DATA]
        assert program.losses(DATA) == pytest.approx([loss.data for loss in expected], rel=1e-13)
        found = program.outputs(DATA, "y", "b")
        y = [next(v.data for v in Graph(loss).nodes if v.label == "y") for loss in expected]
        assert np.asarray(found) == pytest.approx(np.array([[a, -0.2] for a in y]), rel=1e-13)


def test_any_node_is_called_what_messages_call_it():
    inputs, parameters = leaves()
    loss = straight(*inputs, *parameters)
    program = replay(loss, inputs, parameters)
    with pytest.raises(ValueError, match="nothing is called 'Y'; the nearest names are "):
        program.outputs(DATA, "Y")
    assert program.outputs(DATA, "v6").tolist() == pytest.approx(
        np.array([[0.7 * x] for x, _ in DATA])
    )


def test_outputs_raise_the_engines_error_with_the_sample(backend):
    inputs, (w, *_) = leaves()
    y = (w * inputs[0]).log()
    y.label = "y"
    program = replay(y * y, inputs[:1], [w], backend=backend)
    with pytest.raises(ValueError, match=r"sample 1, y: log is undefined at x = .*-0.7"):
        program.losses([[1], [-1]])
    assert program.outputs([[1], [-1]], "x").tolist() == [[1], [-1]]  # which needs no logarithm


def test_outputs_of_another_branch_are_refused():
    w, x = Value(2.0, "w"), Value(1.0, "x")
    y = w * x
    program = replay(y if y > 0 else -y, [x], [w])
    with pytest.raises(ValueError, match=r"sample 1: .* > 0 held when this was recorded"):
        program.outputs([[1.0], [-1.0]])


def test_a_loss_without_inputs_has_outputs_too():
    w = Value(2.0, "w")
    h = w * 3
    h.label = "h"
    program = replay(h * h, [], [w])
    program.vector[:] = 1.0
    assert program.outputs(None, "h", "w").tolist() == [[3.0, 1.0]]


def test_rows_of_any_length_have_outputs():
    w = Value(2.0, "w")
    program = replay(lambda *xs: [w * total(xs), w], parameters=[w])
    rows = [[1.0, 2.0], [3.0], [1.0, 1.0]]
    assert program.outputs(rows).tolist() == [[6, 2], [6, 2], [4, 2]]
    with pytest.raises(ValueError, match="sample 1: the function returned 1 values, not 2, as for"):
        replay(lambda *xs: [w * x for x in xs], parameters=[w]).outputs(rows)


def test_a_large_table_is_computed_in_parts():
    w, x = Value(2.0, "w"), Value(0.0, "x")
    rows = np.arange(10_000.0)[:, None]
    assert (replay(w * x, [x], [w]).outputs(rows) == 2 * rows).all()


def test_threads_get_their_own_losses():
    inputs, parameters = leaves()
    program = replay(straight(*inputs, *parameters), inputs, parameters, backend="numpy")
    wrong = []

    def ask(weights):
        expected = summed(lambda *row: straight(*row, *parameters), parameters, weights)[0]
        for _ in range(100):
            if program.run(DATA, weights, reduction="sum") != pytest.approx(expected, rel=1e-12):
                wrong.append(weights)

    expected = [np.roll(WEIGHTS, k) for k in range(4)]
    threads = [threading.Thread(target=ask, args=(weights,)) for weights in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_parameters_that_the_function_does_not_read_are_refused_by_name():
    model, other = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
    program = replay(lambda *x: model([*x[:2]]) - x[2], parameters=other.parameters())
    with pytest.raises(
        ValueError, match=r"reads none of the 13 parameters, w_.* and 10 more; give"
    ):
        program([[1, 2, 3]])


def test_a_parameter_that_one_branch_does_not_read_is_no_error():
    w, x = Value(2.0, "w"), Value(0.0, "x")
    program = replay(lambda x: w * x if x > 0 else -x, [x], [w])
    assert (program([[-1.0]]), w.grad) == (1.0, 0.0)


@pytest.mark.parametrize("kind", ["frame", "polars", "tensor", "float32", "rows"])
def test_data_comes_through_the_door_that_fit_has(backend, kind):
    rows, data = [[1.0, 2.0], [3.0, 4.0]], None
    if kind == "frame":
        data = pytest.importorskip("pandas").DataFrame(rows, columns=["b", "a"], index=[7, 3])
    elif kind == "polars":
        data = pytest.importorskip("polars").DataFrame(rows, ["b", "a"], orient="row")
    elif kind == "tensor":
        data = pytest.importorskip("torch").tensor(rows, requires_grad=True)
    else:
        data = np.array(rows, "f4") if kind == "float32" else [*map(np.array, rows)]
    w, x, y = Value(2.0, "w"), Value(0.0, "x"), Value(0.0, "y")
    assert replay(w * x - y, [x, y], [w], backend=backend)(data) == 1.0


def test_the_same_array_is_not_looked_at_again():
    inputs, parameters = leaves()
    program = replay(dot(inputs, parameters[:2]), inputs, parameters)
    data = np.array(DATA)
    program.run(data)
    program._checked = None  # it would not be called
    assert program.run(data) == program.run(data)


def test_masked_numbers_are_refused():
    w, x = Value(2.0, "w"), Value(0.0, "x")
    with pytest.raises(ValueError, match=r"some samples are masked; give data\.filled"):
        replay(w * x, [x], [w])(np.ma.masked_array([[1.0], [2.0]], [[1], [0]]))


def test_the_names_of_outputs_may_be_a_list():
    w, x = Value(2.0, "w"), Value(0.0, "x")
    y = w * x
    y.label = "y"
    program = replay(y.half_square(), [x], [w])
    assert program.outputs([[3.0]], ["y", "x"]).tolist() == [[6.0, 3.0]]
    with pytest.raises(TypeError, match=r"a name is text, not Value Value\(y: 0, grad=0\)"):
        program.outputs([[3.0]], y)
