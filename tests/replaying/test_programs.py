"""A program as an object: used by several threads, copied, pickled, checked."""

import copy
import functools
import pickle
import re
import sys
import threading
from html import escape

import pytest

from micrograd_lab import MLP, Value, replay
from micrograd_lab.nn.losses import squared_error
from micrograd_lab.replaying.paths import Paths
from micrograd_lab.replaying.program import Program

np = pytest.importorskip("numpy")


class Error:
    """The squared error of a model, with another branch for negative outputs."""

    def __init__(self, model):
        self.model = model

    def __call__(self, x, y, t):
        z = self.model([x, y])
        return squared_error(z, t) if z > 0 else (z - t) ** 2 * 0.25

    of_sample = __call__


def error_of(model, x, y, t):
    return Error(model)(x, y, t)


def leaves():
    return [Value(0.3, "x"), Value(0.2, "y"), Value(0.7, "t")]


def programs(backend):
    """A recorded loss and a function as programs."""
    model, inputs = MLP(2, [8, 1], seed=1), leaves()
    recorded = squared_error(model(inputs[:2]), inputs[2])
    yield replay(recorded, inputs, model.parameters(), backend=backend)
    yield replay(Error(model), inputs, model.parameters(), backend=backend)


@pytest.fixture
def eager_threads():
    """Threads that take turns as often as Python lets them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("which", [0, 1], ids=["loss", "function"])
def test_four_threads_at_once_get_the_losses_of_one(backend, which, eager_threads):
    program = [*programs(backend)][which]
    rows = 4 if backend == "python" else 400
    tables = [np.random.default_rng(k).normal(size=(rows, 3)) for k in range(4)]
    expected = [program(table) for table in tables]
    wrong, together = [], threading.Barrier(4)

    def work(k):
        together.wait()
        for _ in range(20 if backend == "jax" else 100):
            loss = program(tables[k])
            if loss != expected[k]:
                wrong.append((k, loss))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("which", [0, 1], ids=["loss", "function"])
@pytest.mark.parametrize(
    "twin", [lambda p: pickle.loads(pickle.dumps(p)), copy.deepcopy], ids=["pickle", "deepcopy"]
)
def test_a_copy_computes_the_same_with_values_of_its_own(backend, which, twin):
    program = [*programs(backend)][which]
    table = np.random.default_rng(0).normal(size=(10, 3))
    loss, grads = program(table), [value.grad for value in program.values]
    other = twin(program)
    assert other.run(table) == loss  # at the same vector
    assert other(table) == loss
    assert other.backend == backend
    assert [value.grad for value in other.values] == grads
    assert set(other.values).isdisjoint(program.values)


def test_a_pickled_program_is_as_large_as_its_graph():
    sizes = []
    for count in (1_000, 10_000):
        w = v = Value(0.5, "w")
        for _ in range(count):
            v = v * w
        sizes.append(len(pickle.dumps(replay(v, [], [w], backend="python"))))
    assert sizes[1] < 11 * sizes[0]


@pytest.mark.parametrize("twin", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_function_that_finds_its_parameters_elsewhere_is_not_copied(twin):
    w = Value(2, "w")
    program = replay(lambda x: w * x, [Value(0, "x")], [w], backend="numpy")
    message = (
        r"a copy of .*<lambda> would read the values that it reads now, and not their copies; "
        r"replay what holds its parameters: an object with __call__, a method or functools\.partial"
    )
    with pytest.raises(TypeError, match=message):
        twin(program)


@pytest.mark.parametrize(
    "hold",
    [lambda model: Error(model).of_sample, lambda model: functools.partial(error_of, model)],
    ids=["method", "partial"],
)
def test_what_holds_its_parameters_is_copied_with_them(hold):
    model = MLP(2, [3, 1], seed=1)
    program = replay(hold(model), leaves(), model.parameters(), backend="numpy")
    other = copy.deepcopy(program)
    model.parameters()[0].data += 1.0
    program([[1, 2, 3]])
    loss = other([[1, 2, 3]])
    model.parameters()[0].data -= 1.0
    assert loss == program([[1, 2, 3]])


def test_check_finds_a_number_that_no_comparison_shows(backend):
    w, scale = Value(2, "w"), [1.0]
    program = replay(lambda x: scale[0] * w * x, [Value(0, "x")], [w], backend=backend)
    program([[3], [4]])
    program.check([[3], [4]])
    scale[0] = 10.0
    message = (
        "sample 0: recording gives the loss 60, the replay 6; the function read a number that no "
        "comparison of values shows, such as p.data or one that has changed since"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        program.check([[3], [4]])


def test_check_is_at_the_vector_and_leaves_the_values():
    w = Value(2, "w")
    program = replay(lambda x: w.data * w * x, [Value(0, "x")], [w], backend="numpy")
    program([[1]])
    program.vector[:] = 3.0
    with pytest.raises(ValueError, match=r"sample 1: .* the loss 18, the replay 12; the function"):
        program.check([[0], [2]])
    assert w.data == 2.0


def test_a_program_says_what_it_is_and_shows_its_source_in_a_notebook():
    w, x = Value(2, "w"), Value(3, "x<y")
    program = Program(w * x, [x], [w], "python")
    assert repr(program) == "Program on python: 1 inputs, 1 parameters, 3 nodes"
    assert escape(repr(program)) in program._repr_html_()
    assert escape(program.source) in program._repr_html_()


def test_a_long_source_is_cut_in_a_notebook():
    f = Value(1, "w")
    for _ in range(3000):
        f = f.tanh()
    program = Program(f, [], None, "python")
    assert len(program.source) > 21_000 > len(program._repr_html_())
    assert program._repr_html_().endswith("…</pre>")


def test_paths_say_how_many_there_are():
    w = Value(2, "w")

    def bent(x):
        return w * x if x > 0 else x * x

    program = Paths(bent, [Value(1, "x")], [w], "numpy")
    program([[1.0], [-1.0]])
    assert repr(program) == "Paths of bent on numpy: 2 paths so far, 1 parameters"
