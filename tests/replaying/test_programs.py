"""A program as an object: used by several threads."""

import sys
import threading

import pytest

from micrograd_lab import MLP, Value, replay
from micrograd_lab.nn.losses import squared_error
from micrograd_lab.replaying.program import BACKENDS

np = pytest.importorskip("numpy")


@pytest.fixture(params=BACKENDS)
def backend(request):
    if needed := {"torch": "torch", "jax": "jax", "tape": "numba"}.get(request.param):
        pytest.importorskip(needed)
    return request.param


class Error:
    """The squared error of a model, with another branch for negative outputs."""

    def __init__(self, model):
        self.model = model

    def __call__(self, x, y, t):
        z = self.model([x, y])
        return squared_error(z, t) if z > 0 else (z - t) ** 2 * 0.25


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
