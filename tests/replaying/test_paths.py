"""A function with branches, replayed path by path."""

import copy
import math
import random

import pytest

from micrograd_lab import Value, ieee, maximum, replay, total
from micrograd_lab.replaying.paths import MAX_PATHS

np = pytest.importorskip("numpy")


def leaves():
    return [Value(0, "x"), Value(0, "t")], [Value(0.7, "w"), Value(-0.2, "b")]


def recorded(function, rows, parameters):
    """The mean loss and gradient that recording every sample gives."""
    for p in parameters:
        p.grad = 0.0
    losses = []
    for row in rows:
        result = function(*map(Value, row))
        result.backward()
        losses.append(result.data)
    grads = [p.grad / len(rows) for p in parameters]
    for p in parameters:
        p.grad = 0.0
    return sum(losses) / len(rows), grads


def functions(w, b):
    def branch(x, t):
        y = w * x + b
        return y - t if y > t else (t - y) * 2

    def clipped(x, t):
        return max(Value(0), 1 - t * (w * x + b))

    def ranked(x, t):
        low, middle, high = sorted([w * x, t + 0.0, b * 1])
        return high - low + middle**2

    def fixed_point(x, t):
        z, before = (w * x).tanh(), Value(9)
        while abs(z - before) > 0.01:
            z, before = (0.5 * w * z + b + t * 0.1).tanh(), z
        return z

    def chained(x, t):
        if x <= 0:
            return w * x
        if not t >= x:
            return (b * t).exp()
        return w * b * x * t

    return [branch, clipped, ranked, fixed_point, chained]


def rows(count):
    drawn = random.Random(5)
    return [[drawn.uniform(-2, 2), drawn.choice([-1.0, 1.0, 0.3])] for _ in range(count)]


@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_every_sample_has_the_engines_numbers(which, backend):
    inputs, (w, b) = leaves()
    function = functions(w, b)[which]
    program = replay(function, inputs, [w, b], backend=backend)
    for w.data in (0.7, -1.3, 0.1):
        data = rows(40)
        loss, grads = recorded(function, data, [w, b])
        assert program(data) == pytest.approx(loss, rel=1e-12)
        assert [w.grad, b.grad] == pytest.approx(grads, rel=1e-10, abs=1e-14)
    assert 1 < len(program.paths) < 30


def test_a_path_is_recorded_once():
    inputs, (w, b) = leaves()
    calls = []

    def function(x, t):
        calls.append(x.data)
        return w * x if x > t else b * x

    program = replay(function, inputs, [w, b], backend="numpy")
    for _ in range(3):
        program(rows(50))
    assert len(calls) == len(program.paths) == 2


def test_the_source_says_which_way_each_path_goes():
    inputs, (w, b) = leaves()
    program = replay(lambda x, t: w * x if x > t else b * x, inputs, [w, b], backend="numpy")
    program([[1, 0], [0, 1]])
    assert program.source.startswith("# x > t held\nimport numpy as np\n")
    assert "# x > t did not hold\n" in program.source


def test_a_function_that_reads_a_plain_number_is_recorded_for_each_sample():
    inputs, (w, b) = leaves()
    calls = []

    def function(x, t):
        calls.append(x.data)
        return w * x * round(float(t))

    program = replay(function, inputs, [w, b], backend="numpy")
    data = rows(6)
    assert program(data) == pytest.approx(recorded(function, data, [w, b])[0])
    assert program.paths == []
    assert len(calls) == 6 + 5 + 6  # for the loss, to measure its slope, and by `recorded`


def test_too_many_paths_are_said_once_and_recorded():
    w = [Value(k / 10, f"w_{k}") for k in range(5)]
    x = [Value(0, f"x_{k}") for k in range(5)]

    def function(*x):
        low, *_, high = sorted(a * b for a, b in zip(x, w))
        return high - low

    drawn = random.Random(1)
    data = [[drawn.uniform(-1, 1) for _ in x] for _ in range(400)]
    program = replay(function, x, w, backend="numpy")
    with pytest.warns(UserWarning, match=f"more than {MAX_PATHS} paths lead through"):
        loss = program(data)
    assert program(data) == loss  # said once: a second warning would be an error
    assert loss == pytest.approx(recorded(function, data, w)[0])


def test_the_gradient_of_samples_that_are_recorded_is_the_sum_that_recording_gives():
    inputs, (w, b) = leaves()

    def function(x, t):
        return w * x * round(float(t)) + b * b

    data = rows(6)
    program = replay(function, inputs, [w, b], backend="numpy")
    for _ in range(2):  # and again: nothing is left over from the first time
        program(data)
        gradient = [w.grad, b.grad]
        assert gradient == pytest.approx(recorded(function, data, [w, b])[1], rel=1e-14)


def test_the_gradient_within_ieee_is_the_one_that_recording_gives():
    inputs, (w, b) = leaves()

    def function(x, t):
        return (w * x).relu() ** 0.5 * t if x > -9 else b * x

    data = [[1.0, 2.0], [-1.0, 3.0], [2.0, -1.0]]
    program = replay(function, inputs, [w, b], backend="numpy")
    with ieee():
        program(data)
        gradient = [w.grad, b.grad]
        assert gradient == pytest.approx(recorded(function, data, [w, b])[1], rel=1e-14)


def test_maximum_records_no_choice():
    inputs, (w, b) = leaves()
    program = replay(lambda x, t: maximum(w * x, b * t, 0), inputs, [w, b], backend="numpy")
    program(rows(50))
    assert len(program.paths) == 1


def test_a_sample_that_leaves_a_domain_is_named():
    inputs, (w, b) = leaves()
    program = replay(lambda x, t: (w * x).log() + t if t > 0 else b * x, inputs, [w, b])
    with pytest.raises(ValueError, match=r"sample 2, \w+: log is undefined at x = Value"):
        program([[1, 1], [1, -1], [-1, 1]])


def test_an_update_moves_the_vector():
    inputs, (w, b) = leaves()
    program = replay(lambda x, t: (w * x - t) ** 2 if x > 0 else b * b, inputs, [w, b])
    program.load()
    first = program.run([[1, 2], [-1, 0]])
    program.vector -= 0.1 * program.gradient
    assert program.run([[1, 2], [-1, 0]]) < first
    program.store()
    assert w.data > 0.7
    assert abs(b.data) < 0.2


def test_gradients_of_parameters_are_left_alone_while_running():
    inputs, (w, b) = leaves()
    w.grad = 5.0
    program = replay(lambda x, t: w * float(x) + b, inputs, [w, b])
    program.load()
    program.run([[1, 2]])
    assert w.grad == 5.0


def test_a_function_needs_its_parameters_named():
    with pytest.raises(TypeError, match="a function has no labels to go by; name its parameters"):
        replay(lambda x: x, [Value(0, "x")])


def test_a_function_that_returns_a_number_says_what_to_write():
    x, w = Value(0, "x"), Value(1, "w")
    program = replay(lambda x: math.tanh(x), [x], [w])
    with pytest.raises(TypeError, match=r"sample 0: the function returned float .*no Value"):
        program([[1]])


# a finished loss


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_a_recorded_loss_refuses_a_sample_that_goes_another_way(backend):
    w, x = Value(2, "w"), Value(1, "x")
    y = w * x
    y.label = "y"
    loss = y * 2 if y > 0 else y
    program = replay(loss, [x], [w], backend=backend)
    assert program([[1], [2]]) == 6.0
    message = r"sample 1: y > 0 held when this was recorded, and picked a branch .*replay\(function"
    with pytest.raises(ValueError, match=message):
        program([[1], [-2]])


def test_a_comparison_of_what_the_loss_does_not_depend_on_is_no_guard_of_it():
    w, x = Value(2, "w"), Value(1, "x")
    other = x * 3
    assert other > 0
    assert replay(w * x, [x], [w], backend="numpy")([[-1.0]]) == -2.0


def test_the_outputs_of_each_sample_are_the_engines_on_every_path():
    inputs, (w, b) = leaves()

    def function(x, t):
        return [w * x, max(w * x + b, t), Value(3.0), (x + t) * 2 if x > t else x]

    data = rows(40)
    program = replay(function, inputs, [w, b])
    for w.data in (0.7, -1.3):
        expected = [[y.data for y in function(Value(x), Value(t))] for x, t in data]
        program.load()
        assert program.outputs(data) == pytest.approx(np.array(expected), rel=1e-12)
    assert len(program.paths) > 2


def test_a_sample_whose_slope_has_no_number_is_named_where_outputs_are_asked_for():
    x = Value(1.0, "x")
    program = replay(lambda x: [x.relu().sqrt().step()], [x], [])
    with pytest.raises(ValueError, match="sample 1: sqrt is undefined at x = Value"):
        program.outputs([[1.0], [0.0], [2.0]])
    with ieee():
        assert program.outputs([[1.0], [0.0], [4.0]]).tolist() == [[1], [1], [1]]


def test_outputs_that_are_no_values_are_refused_with_their_sample():
    with pytest.raises(TypeError, match="sample 0: the function returned str 'a', no Value"):
        replay(lambda x: [x, "a"], [Value(0.0, "x")], []).outputs([[1.0]])
    with pytest.raises(TypeError, match=r"sample 0: the function returned list \[Value"):
        replay(lambda x: [x, x], [Value(0.0, "x")], [])([[1.0]])


def test_rows_of_any_length_have_the_engines_loss_and_gradient():
    w, b = Value(0.5, "w"), Value(-0.2, "b")

    def loss(*xs):
        state = Value(0.0)
        for x in xs:
            state = (w * state + x + b).tanh() if x > 0 else w * state - x
        return state.half_square()

    rows = [[0.3], [1.0, -2.0], [0.5], [-1.0, 0.2, 0.9], [], [2.0, 1.0]]
    program = replay(loss, parameters=[w, b])
    found = [program(rows), w.grad, b.grad]
    w.grad = b.grad = 0.0
    losses = [loss(*map(Value, row)) for row in rows]
    for each in losses:
        each.backward()
    expected = [sum(each.data for each in losses), w.grad, b.grad]
    assert found == pytest.approx([number / len(rows) for number in expected], rel=1e-12)


def test_rows_of_any_length_share_one_vector():
    w = Value(2.0, "w")
    program = replay(lambda *xs: w * total(xs), parameters=[w])
    assert program.run([[1.0], [1.0, 2.0]]) == 4.0  # the value's number, to begin with
    program.vector[:] = 3.0
    assert program.run([[1.0]]) == 3.0
    assert program.run([[1.0, 2.0]]) == 9.0


def test_a_bad_row_of_any_length_is_named():
    w = Value(2.0, "w")
    program = replay(lambda *xs: (w * total(xs)).log(), parameters=[w])
    with pytest.raises(ValueError, match=r"^sample 2, v6: log is undefined"):
        program([[1.0], [1.0, 2.0], [1.0, -2.0]])


def test_a_loss_that_is_nan_by_both_is_no_difference():
    w = Value(math.inf, "w")
    program = replay(lambda x: w * x - w, [Value(0, "x")], [w])
    program.load()
    with ieee():
        assert program.difference([2.0], "sample 0") == ""


@pytest.mark.parametrize("given", [[Value(0.0, "x")], ()])
def test_a_sample_that_is_nan_is_an_error_and_named(given):
    w = Value(2.0, "w")
    program = replay(lambda x: w * x, given, [w])
    program.run([[1.0]])
    with pytest.raises(ValueError, match=r"sample 1.*it is nan; replay within ieee\(\)"):
        program.run([[1.0], [math.nan]])
    with pytest.raises(ValueError, match=r"sample 0: the loss is nan"):
        replay(lambda x: w * x, [Value(0.0)], [w]).run([[math.nan]])


def test_check_and_outputs_leave_vector_and_values_alone():
    w, x = Value(2.0, "w"), Value(0.0, "x")
    program = replay(lambda x: w * x if x > 0 else -w * x, [x], [w])
    program.vector[:] = 5.0
    assert program.outputs([[1.0], [-3.0]]).tolist() == [[5.0], [15.0]]
    program.check([[1.0]])
    program.run([[-1.0], [2.0]])
    assert (program.vector.tolist(), w.data) == ([5.0], 2.0)


def test_a_mistyped_backend_is_refused_by_name():
    w, x = Value(2.0, "w"), Value(0.0, "x")
    with pytest.raises(ValueError, match="no backend 'nunpy'; there are tape, numpy"):
        replay(lambda x: w * x, [x], [w], backend="nunpy").run([[1.0], [2.0]])


def test_results_of_another_number_are_refused_with_their_sample():
    w, x = Value(2.0, "w"), Value(0.0, "x")
    program = replay(lambda x: [x * w] if x > 2 else [x, w * x], [x], [w])
    with pytest.raises(ValueError, match=r"sample 1: the function returned 1 values, not 2, as"):
        program.outputs([[1.0], [3.0], [1.0]])
    with pytest.raises(ValueError, match=r"sample 0: the function returned 0 values, not at least"):
        replay(lambda x: [], [x], [w]).outputs([[1.0]])


def test_rows_of_any_length_are_checked_and_copied():
    w, scale = Value(2.0, "w"), [1.0]
    program = replay(lambda *xs: scale[0] * w * total(xs), parameters=[w])
    program.run([[1.0], [1.0, 2.0]])
    program.check([[1.0], [1.0, 2.0]])
    scale[0] = 10.0
    with pytest.raises(ValueError, match="sample 1: recording gives the loss 60, the replay 6"):
        program.check([[], [1.0, 2.0]])
    with pytest.raises(TypeError, match="replay what holds its parameters"):
        copy.deepcopy(program)


@pytest.mark.parametrize(
    ("data", "told"), [([], "0 rows"), (3, "data 3; give one row"), ("ab", "data")]
)
def test_what_holds_no_rows_of_any_length_is_refused(data, told):
    with pytest.raises((TypeError, ValueError), match=told):
        replay(lambda *xs: total(xs), parameters=[Value(1.0)]).run(data)


@pytest.mark.parametrize(
    "function",
    [
        lambda w, x: (w * x) * math.tanh(w * x),
        lambda w, x: w * math.exp(w) + x,
        lambda w, x: w * x * np.array([w * x], dtype=float)[0],
    ],
    ids=["tanh", "exp", "array"],
)
def test_a_gradient_that_a_plain_number_cuts_is_an_error(function):
    w = Value(0.5, "w")
    program = replay(lambda x: function(w, x), [Value(0.0, "x")], [w])
    with pytest.raises(
        TypeError, match=r"the gradient is cut there: .*; write v\.tanh\(\), not math"
    ):
        program.run([[1.0]])
    assert (w.data, w.grad, program.vector.tolist()) == (0.5, 0.0, [0.5])


def test_numbers_that_are_read_and_do_not_cut_are_no_error():
    w, seen = Value(0.5, "w"), []
    table = [5.0, 7.0, 9.0]

    def loss(x):
        y = w * x
        seen.append(float(y))  # a log
        return y * table[int(float(x))] + y.detach()

    program = replay(loss, [Value(0.0, "x")], [w])
    program.run([[1.0], [2.0]])
    assert program.gradient.tolist() == [(7.0 + 18.0) / 2]
