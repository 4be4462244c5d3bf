"""Classes by name or number: what fit learns, what predictions are called, what is refused."""

import math
import random

import numpy as np
import pytest

from micrograd_lab import (
    MLP,
    Adam,
    accuracy,
    binary_cross_entropy,
    cross_entropy,
    fit,
    hinge,
    softmax,
    squared_error,
)

NAMES = ["cow", "dog", "ant"]


def blobs(seed=1, each=15):
    """Points around three corners, and the corner of each."""
    drawn = random.Random(seed)
    corners = [(-1, -1), (1, -1), (0, 1)]
    kinds = [k for k in range(3) for _ in range(each)]
    drawn.shuffle(kinds)
    return [[x + drawn.gauss(0, 0.2) for x in corners[k]] for k in kinds], kinds


def two_blobs():
    return zip(*((x, kind) for x, kind in zip(*blobs()) if kind < 2))


def fitted(targets, *, inputs=None, outputs=3, loss=cross_entropy, **options):
    model = MLP(2, [outputs], seed=1)
    adam = Adam(model.parameters(), lr=0.1)
    options = {"epochs": 40} | options
    return model, fit(
        model,
        blobs()[0] if inputs is None else inputs,
        targets,
        loss=loss,
        optimizer=adam,
        **options,
    )


def one_hot(kinds, k=3):
    return np.eye(k)[kinds]


KINDS = blobs()[1]
FORMS = {
    "names": ([NAMES[k] for k in KINDS], ["ant", "cow", "dog"]),
    "array of names": (np.array([NAMES[k] for k in KINDS]), ["ant", "cow", "dog"]),
    "a column of names": ([[NAMES[k]] for k in KINDS], ["ant", "cow", "dog"]),
    "a column of objects": (np.array([[NAMES[k]] for k in KINDS], object), ["ant", "cow", "dog"]),
    "arrays of one name": ([np.array(NAMES[k]) for k in KINDS], ["ant", "cow", "dog"]),
    "whole numbers": (KINDS, [0, 1, 2]),
    "floats": ([float(k) for k in KINDS], [0, 1, 2]),
    "a column": ([[k] for k in KINDS], [0, 1, 2]),
    "other numbers": ([10 * k + 3 for k in KINDS], [3, 13, 23]),
    "one-hot rows": (one_hot(KINDS).tolist(), [0, 1, 2]),
}


@pytest.mark.parametrize("form", FORMS)
def test_classes_are_learned_kept_in_order_and_predicted_by_name(form):
    targets, classes = FORMS[form]
    model, history = fitted(targets)
    assert (list(model.classes), history.classes) == (classes, classes)
    assert accuracy(model, blobs()[0], targets) == 1
    flat = KINDS if form == "one-hot rows" else np.ravel(targets)
    assert model.predict(blobs()[0]).tolist() == list(flat)


def test_names_learn_what_their_one_hot_rows_learn():
    names, _ = fitted([sorted(NAMES)[k] for k in KINDS])
    rows, _ = fitted(one_hot(KINDS))
    assert [p.data for p in names.parameters()] == [p.data for p in rows.parameters()]


def test_series_of_names_are_classes():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    names = [NAMES[k] for k in KINDS]
    for labels in (
        pandas.Series(names, index=range(44, -1, -1)),
        pandas.Series(names, dtype="category"),
        polars.Series(names),
        pandas.DataFrame({"y": names}),
        polars.DataFrame({"y": names}),
    ):
        assert fitted(labels, epochs=1)[1].classes == ["ant", "cow", "dog"]


def test_a_loss_of_ones_own_takes_names_too():
    model, _ = fitted([NAMES[k] for k in KINDS], loss=lambda s, t: cross_entropy(s, t) * 2)
    assert accuracy(model, blobs()[0], [NAMES[k] for k in KINDS]) == 1


def test_a_loss_of_ones_own_takes_whole_numbers_as_they_are():
    model, history = fitted(KINDS, loss=lambda s, t: cross_entropy(s, t))
    assert history.classes == []
    assert model.predict(blobs()[0]).argmax(axis=1).tolist() == KINDS


@pytest.mark.parametrize("loss", [binary_cross_entropy, hinge])
@pytest.mark.parametrize("names", [("no", "yes"), ("b", "a")])
def test_two_names_need_one_output(loss, names):
    inputs, kinds = two_blobs()
    labels = [names[k] for k in kinds]
    model, _ = fitted(labels, inputs=inputs, outputs=1, loss=loss)
    assert list(model.classes) == sorted(names)
    assert model.predict(inputs).tolist() == labels
    assert accuracy(model, inputs, labels) == accuracy(model, inputs, labels, loss=loss) == 1


@pytest.mark.parametrize(("loss", "pair"), [(binary_cross_entropy, (0, 1)), (hinge, (-1, 1))])
def test_a_score_is_above_zero_for_the_second_class(loss, pair):
    inputs, kinds = two_blobs()
    labels = [pair[k] for k in kinds]
    model, _ = fitted(labels, inputs=inputs, outputs=1, loss=loss)
    assert model.predict(inputs).tolist() == labels
    assert accuracy(model, inputs, labels) == 1


def test_numbers_to_come_near_to_are_no_classes():
    for loss, targets in ((squared_error, [0, 1]), (binary_cross_entropy, [0.0, 0.5])):
        model = MLP(1, [1], seed=1)
        assert fit(model, [0, 1], targets, loss=loss, epochs=1).classes == []
        assert model.predict([0, 1]).tolist() == [model([x]).data for x in (0, 1)]


def test_soft_labels_are_no_classes():
    soft = [[0.2, 0.3, 0.5]] * 45
    model, history = fitted(soft, epochs=300)
    assert history.classes == []
    assert [p.data for p in softmax(model([0.0, 0.0]))] == pytest.approx(soft[0], abs=0.05)


def test_a_class_that_is_missing_among_the_samples_keeps_its_number():
    assert fitted([0, 2] * 22 + [2], epochs=1)[1].classes == [0, 1, 2]


def test_classes_stay_when_a_fit_goes_on_with_fewer_of_them():
    model, _ = fitted([NAMES[k] for k in KINDS])
    assert fit(model, [[0.0, 0.0]], ["dog"], loss=cross_entropy, epochs=1).classes == sorted(NAMES)


def test_validation_may_have_fewer_classes_and_no_others():
    names = [NAMES[k] for k in KINDS]
    _, history = fitted(names, validation=([[0.0, 0.0]], ["cow"]), epochs=2)
    assert len(history.validation) == 2
    with pytest.raises(
        ValueError, match="validation target 1 is 'cat'; the classes are 'ant', 'cow'"
    ):
        fitted(names, validation=([[0.0, 0.0]] * 2, ["cow", "cat"]), epochs=2)
    with pytest.raises(
        TypeError, match="validation targets are names, those to learn from are num"
    ):
        fitted([[0.2, 0.3, 0.5]] * 45, validation=([[0.0, 0.0]], ["cow"]))


def test_an_unknown_class_is_named_where_accuracy_meets_it():
    model, _ = fitted([NAMES[k] for k in KINDS])
    with pytest.raises(ValueError, match="target 1 is 'cat'; the classes are 'ant', 'cow', 'dog'"):
        accuracy(model, [[0, 0], [1, 1]], ["cow", "cat"])


@pytest.mark.parametrize(
    ("targets", "outputs", "loss", "message"),
    [
        (
            ["a", "b"],
            3,
            cross_entropy,
            r"2 classes \('a', 'b'\) but 3 outputs; give the last layer",
        ),
        (["a", "b", "c"], 1, hinge, r"3 classes \('a', 'b', 'c'\) but 1 outputs"),
        (["a", "a"], 1, hinge, r"1 classes \('a'\) but 1 outputs"),
        ([1, 5, 9], 2, cross_entropy, r"3 classes \(1, 5, 9\) but 2 outputs"),
        ([*range(1, 9)], 2, cross_entropy, r"8 classes \(1, 2, 3, 4, 5, 6, \.\.\.\) but 2"),
        ([0, 1.5], 2, cross_entropy, r"target 1 is 1\.5; a class is a whole number"),
        ([0, 1], 1, cross_entropy, "1 score; cross_entropy needs one per class"),
        (["a", "b"], 1, cross_entropy, r"names \('a', 'b'\) for one output need binary_cross"),
        (["a", "b"], 1, squared_error, r"names .* give numbers, or the last layer 2 outputs"),
        ([0, 2], 1, binary_cross_entropy, "epoch 0, sample 1: target 2 is not a probability"),
        ([0, 1], 1, hinge, "epoch 0, sample 0: target 0; hinge needs -1 or 1"),
        ([[1, 1], [0, 1]], 2, cross_entropy, "epoch 0, sample 0: targets sum to 2, not 1"),
    ],
)
def test_targets_that_fit_no_model_are_refused(targets, outputs, loss, message):
    with pytest.raises(ValueError, match=message):
        fitted(targets, inputs=[[0.0, 0.0]] * len(targets), outputs=outputs, loss=loss)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("frame", [list, "Series", "DataFrame"])
@pytest.mark.parametrize("nothing", [None, math.nan])
def test_a_target_that_is_neither_name_nor_number_is_refused_by_its_row(row, frame, nothing):
    names = ["a", "b", "a"]
    names[row] = nothing
    make = frame if frame is list else getattr(pytest.importorskip("pandas"), frame)
    with pytest.raises(TypeError, match=f"target {row} is (None|nan) among texts; give texts or"):
        fitted(make(names), inputs=[[0.0, 0.0]] * 3, outputs=2)


def test_classes_by_number_without_their_loss_are_told_the_loss_that_takes_them():
    model, _ = fitted(KINDS, loss=lambda s, t: cross_entropy(s, t) + 0.0)
    message = (
        "3 outputs but 1 targets; give one target per output, or loss=cross_entropy for a class by "
        "its number"
    )
    with pytest.raises(ValueError, match=message):
        accuracy(model, blobs()[0], KINDS)
    assert accuracy(model, blobs()[0], KINDS, loss=cross_entropy) == 1
