"""Predictions for many rows at once, and the summary of a model."""

import time

import numpy as np
import pytest

from micrograd_lab import (
    MLP,
    Layer,
    Module,
    Neuron,
    Value,
    accuracy,
    cross_entropy,
    dot,
    hinge,
    ieee,
    logsumexp,
    maximum,
    softmax,
    total,
)
from micrograd_lab.nn.modules import outputs

ROWS = np.random.default_rng(1).normal(size=(60, 3))


def scalar(model, rows=ROWS):
    """The engine's numbers, row by row."""
    found = [model([Value(x) for x in row]) for row in rows.tolist()]
    return [[y.data for y in (out if isinstance(out, list) else [out])] for out in found]


def newton(x):
    root = Value(1.0)
    while abs(root * root - x[0] ** 2) > 1e-3:
        root = (root + x[0] ** 2 / root) / 2
    return root


MODELS = {
    "relu": MLP(3, [4, 4, 2], seed=1),
    "sigmoid": MLP(3, [4, 1], activation=["sigmoid", "tanh"], seed=1),
    "masks": MLP(3, [2, 1], masks=[[[1, 0, 1], [0, 1, 1]], None], seed=1),
    "by hand": lambda x: (x[0] * 2 - x[1] / 3 + dot(x, [1, 2, 3], x[0])) ** 2,
    "several operations": lambda x: [
        logsumexp(x),
        *softmax(x),
        maximum(*x),
        x[0].abs().sqrt(),
        x[1].leaky_relu(0.1),
        total(x).softplus(),
        x[2].step(),
        Value(2.5),
        (x[0] ** 2 + 1) ** x[1],
    ],
    "max": lambda x: max(x) * 3,
    "if": lambda x: x[0] if x[1] > x[2] else x[2] ** 2,
    "while": newton,
    "an operation of one's own": lambda x: (
        Value(x[0].data ** 3, (x[0],), (3 * x[0].data ** 2,)) * 2
    ),
    "a plain number read": lambda x: Value(float(x[0]) ** 2),
    "data read": lambda x: x[0] * x[1].data,
    "more paths than anyone wants": lambda x: x[0] * sum(x[0] > k / 50 for k in range(-150, 150)),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_outputs_of_many_rows_are_the_engines(name):
    assert outputs(MODELS[name], ROWS) == pytest.approx(np.array(scalar(MODELS[name])), rel=1e-12)


def test_what_follows_from_a_number_that_was_read_is_recorded_for_each_row():
    found = outputs(
        lambda x: x[0] * (1 if float(x[0]) > 0 else 5), np.array([[1.0], [-1.0], [2.0]])
    )
    assert found.tolist() == [[1], [-5], [2]]


def test_more_rows_than_are_computed_at_once_are_all_there():
    rows = np.random.default_rng(2).normal(size=(9000, 3))
    found = outputs(MODELS["if"], rows)[:, 0]
    assert found.tolist() == pytest.approx([x[0] if x[1] > x[2] else x[2] ** 2 for x in rows])


def test_one_output_gives_a_number_a_row_and_several_a_row_of_them():
    assert MODELS["sigmoid"].predict(ROWS).shape == (60,)
    assert MODELS["relu"].predict(ROWS.tolist()).shape == (60, 2)
    assert Neuron(1, activation=None).predict([1, 2, 3]).shape == (3,)
    assert Layer(3, 2).predict(ROWS[:1]).shape == (1, 2)


def test_a_model_with_names_of_classes_predicts_those():
    model = MLP(3, [2], seed=1)
    model.classes = ["cat", "dog"]
    assert model.predict(ROWS).tolist() == ["cat" if a >= b else "dog" for a, b in scalar(model)]


@pytest.mark.parametrize("activation", ["log", "sqrt"])
def test_a_row_outside_a_domain_is_named_as_the_engine_names_it(activation):
    model = Neuron(1, activation=activation)
    model.w[0].data = 1.0
    rows = np.arange(1.0, 101).reshape(-1, 1)
    rows[33] = -1
    with pytest.raises(ValueError, match=f"sample 33: {activation} is undefined at x = Value"):
        model.predict(rows)
    with ieee():
        found = model.predict(rows)
    assert np.isnan(found[33])
    assert np.isfinite(np.delete(found, 33)).all()


def test_what_a_later_operation_hides_is_found_too():
    with pytest.raises(ValueError, match="sample 1: log is undefined"):
        outputs(lambda x: x[0].log().relu(), np.array([[1.0], [0.0], [2.0]]))


def test_predictions_for_what_does_not_fit_are_refused():
    with pytest.raises(ValueError, match="sample 0: 3 inputs to a neuron with 2"):
        MLP(2, [1]).predict(ROWS)
    with pytest.raises(
        ValueError, match="1 inputs to a neuron with 2; give a row of 2, or for many"
    ):
        MLP(2, [1]).predict([1, 2])
    with pytest.raises(ValueError, match="0 inputs; give at least 1"):
        MLP(2, [1]).predict([])
    with pytest.raises(
        TypeError, match=r"sample 0: the function returned float .*, no Value; a function of math"
    ):
        outputs(lambda x: x[0].data, ROWS)


def test_many_rows_take_no_longer_than_a_few_recordings():
    model, rows = MLP(64, [32, 10], seed=1), np.random.default_rng(3).normal(size=(10_000, 64))
    start = time.process_time()
    for row in rows[:100].tolist():
        model(row)
    a_hundred = time.process_time() - start
    start = time.process_time()
    model.predict(rows)
    assert time.process_time() - start < 20 * a_hundred


@pytest.mark.parametrize("loss", [cross_entropy, lambda y, t: cross_entropy(y, t) * 2])
def test_accuracy_is_the_share_of_lowest_losses_for_any_loss(loss):
    model = MLP(3, [3], seed=1)
    kinds = np.random.default_rng(4).integers(0, 3, 60)
    best = np.array([row.index(max(row)) for row in scalar(model)])
    assert accuracy(model, ROWS, np.eye(3)[kinds], loss=loss) == (best == kinds).mean()


def test_accuracy_of_a_hinge_is_the_share_of_right_signs():
    model = MLP(3, [1], seed=1)
    signs = np.where(np.random.default_rng(5).random(60) > 0.5, 1, -1)
    right = [(y > 0) == (t > 0) for (y,), t in zip(scalar(model), signs)]
    assert accuracy(model, ROWS, signs, loss=hinge) == np.mean(right)


def test_a_summary_counts_every_layer_and_shows_itself_at_a_prompt():
    summary = MLP(784, [128, 10], activation=[lambda x: x * x.sigmoid(), None]).summary()
    assert (
        repr(summary)
        == str(summary)
        == (
            "layer       size  activation  parameters\n"
            "    1  784 → 128           f      100480\n"
            "    2   128 → 10      linear        1290\n"
            "total                             101770"
        )
    )


def test_a_summary_of_a_module_of_ones_own_finds_its_layers_and_the_rest():
    class Net(Module):
        def __init__(self):
            self.first, self.parts = MLP(2, [3]), [Layer(3, 2), Neuron(2)]
            self.scale = Value(1)

        def parameters(self):
            parts = (self.first, *self.parts)
            return [p for part in parts for p in part.parameters()] + [self.scale]

    rows = [line.split() for line in Net().summary().splitlines()]
    assert [(row[0], row[-1]) for row in rows[1:]] == [
        ("1", "9"), ("2", "8"), ("others", "4"), ("total", "21"),
    ]  # fmt: skip
