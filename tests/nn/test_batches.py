"""Batches from elsewhere: PyTorch's DataLoader, or anything that gives them anew in every epoch."""

import subprocess
import sys

import numpy as np
import pytest

from micrograd_lab import (
    MLP,
    SGD,
    Module,
    Value,
    accuracy,
    binary_cross_entropy,
    cross_entropy,
    fit,
    hinge,
    moons,
)

INPUTS, KINDS = moons(20, seed=1)


def batches(size=6, targets=KINDS):
    return [(INPUTS[i : i + size], targets[i : i + size]) for i in range(0, 20, size)]


def weights(model):
    return [p.data for p in model.parameters()]


@pytest.mark.parametrize("engine", ["auto", "scalar"])
def test_batches_are_learned_one_by_one_in_their_order(engine):
    model, by_hand = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=1)
    history = fit(model, batches(), loss=binary_cross_entropy, epochs=2, engine=engine)
    sgd, losses = SGD(by_hand.parameters(), lr=0.1), []
    for _ in range(2):
        total = 0.0
        for x, t in batches():
            sgd.zero_grad()
            for row, target in zip(x, t):
                loss = binary_cross_entropy(by_hand(row), target) / len(x)
                loss.backward()
                total += loss.data * len(x)
            sgd.step()
        losses.append(total / 20)
    assert weights(model) == pytest.approx(weights(by_hand), rel=1e-12)
    assert history.loss == pytest.approx(losses, rel=1e-12)


@pytest.mark.parametrize("loss", [cross_entropy, binary_cross_entropy])
def test_a_data_loader_gives_the_batches(loss):
    torch = pytest.importorskip("torch")
    data = torch.utils.data
    x, t = torch.tensor(INPUTS), torch.tensor(KINDS)
    t = t if loss is cross_entropy else t.double()
    loader = data.DataLoader(
        data.TensorDataset(x, t), batch_size=8, shuffle=True,
        generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    model = MLP(2, [8, 2 if loss is cross_entropy else 1], seed=1)
    history = fit(
        model, loader, loss=loss, epochs=100, validation=loader,
        optimizer=SGD(model.parameters(), lr=0.5),
    )  # fmt: skip
    assert (history.classes, len(history.validation)) == ([0, 1], 100)
    assert accuracy(model, loader) == 1
    assert model.predict(x).tolist() == KINDS


def test_torch_is_not_imported_for_it():
    program = (
        "import sys; from micrograd_lab import MLP, fit;"
        "fit(MLP(1, [1]), [([[1.0]], [2.0])], epochs=1); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_names_are_found_in_all_batches():
    names = ["b"] * 6 + ["c"] * 6 + ["a"] * 8
    model = MLP(2, [3], seed=1)
    assert fit(model, batches(targets=names), loss=cross_entropy, epochs=1).classes == [
        "a",
        "b",
        "c",
    ]


@pytest.mark.parametrize("engine", ["auto", "scalar"])
def test_what_is_wrong_with_a_batch_is_said_with_its_number(engine):
    def told(source, error, message, loss=hinge):
        with pytest.raises(error, match=message):
            fit(MLP(2, [1], seed=1), source, loss=loss, epochs=2, engine=engine)

    first = ([[0.0, 1.0]] * 3, [1, -1, 1])
    told(
        [first, ([[0.0, 1.0]], [2])], ValueError, "batch 1, sample 0: target 2; hinge needs -1 or 1"
    )
    told([first, ([[0.0, 1.0]], [1, 1])], ValueError, "batch 1, 1 inputs but 2 targets; give one")
    told([first, ([[0.0, np.nan]], [1])], ValueError, "batch 1, input 0: x_2 is nan")
    told([first, ([[0.0]], [1])], ValueError, "batch 1, sample 0: 1 inputs to a neuron")
    told(
        [first, [1, 2, 3]], TypeError, r"batch 1 is list \[1, 2, 3\]; give batches of \(inputs, tar"
    )
    told([], ValueError, "0 batches; give at least 1")
    told(iter([first]), TypeError, "without targets, inputs are batches .* not list_iterator")
    told(7, TypeError, "without targets, inputs are batches .* not int 7")
    told(moons(5), TypeError, r"batch 0 is list .* apart: fit\(model, \*data\)")
    told(np.zeros((3, 2)), TypeError, "batch 0 is ndarray")


def test_a_batch_size_belongs_to_the_source():
    with pytest.raises(ValueError, match="batch_size is 4, but the batches come as they are"):
        fit(MLP(2, [1]), batches(), batch_size=4)


class Holder:
    """A model that holds an MLP and forgets its parameters."""

    def __init__(self):
        self.mlp = MLP(2, [1])

    def __call__(self, x):
        return self.mlp(x)


class Forgetful(Holder, Module):
    pass


@pytest.mark.parametrize("model", [Holder(), Forgetful()])
def test_a_model_without_parameters_hears_what_to_write(model):
    message = (
        rf"{type(model).__name__} has no parameters to move; write: "
        r"def parameters\(self\): return self\.mlp\.parameters\(\)$"
    )
    with pytest.raises(TypeError, match=message):
        fit(model, INPUTS, KINDS)


def test_what_is_no_model_hears_it():
    with pytest.raises(TypeError, match="function has no parameters to move; write: def"):
        fit(lambda x: x[0], INPUTS, KINDS)
    with pytest.raises(TypeError, match=r"MLP is a class; give a model of it: MLP\(\.\.\.\)"):
        fit(MLP, INPUTS, KINDS)


def test_a_model_of_ones_own_is_fitted_once_it_lists_its_parameters():
    class Listed(Holder):
        def parameters(self):
            return self.mlp.parameters()

    model = Listed()
    assert fit(model, INPUTS, KINDS, loss=binary_cross_entropy, epochs=2).classes == [0, 1]
    assert model.classes == [0, 1]
    assert isinstance(model.mlp.parameters()[0], Value)


@pytest.mark.parametrize("engine", ["auto", "scalar"])
def test_an_error_in_a_later_batch_keeps_the_steps_before_it(engine):
    model, until = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=1)
    fit(until, batches()[:1], epochs=1, engine=engine)
    with pytest.raises(ValueError, match="batch 1, 1 inputs but 2 targets"):
        fit(model, [batches()[0], ([[0.0, 1.0]], [1, 1])], epochs=1, engine=engine)
    assert weights(model) == weights(until)
