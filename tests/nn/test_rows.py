"""The door for data: what comes in as an array, and what is refused with which words."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from micrograd_lab import MLP, Data, Neuron, Value, accuracy, fit, squared_error
from micrograd_lab.rows import table

ROWS = [[0.0, 1.0], [2.0, -1.0], [0.5, 0.25]]


def frames():
    """The same rows in every kind of container."""
    yield "lists", ROWS
    yield "tuples", tuple(map(tuple, ROWS))
    yield "array", np.array(ROWS)
    yield "float32", np.array(ROWS, "f4")
    yield "objects", np.array(ROWS, object)
    yield "rows of arrays", [*map(np.array, ROWS)]
    yield "numbers of no dimension", [[*map(np.array, row)] for row in ROWS]
    yield "exact numbers", [[Fraction(x) for x in ROWS[0]], [Decimal(2), -1], [0.5, 0.25]]


def foreign(kind):
    if kind == "pandas":
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(ROWS, columns=["b", "a"], index=[7, 0, 3])
        return frame, pandas.Series([1, 0, 1], index=[0, 7, 3])
    if kind == "polars":
        polars = pytest.importorskip("polars")
        return polars.DataFrame(ROWS, ["b", "a"], orient="row"), polars.Series([1, 0, 1])
    torch = pytest.importorskip("torch")
    kinds = {"torch": torch.float32, "bfloat16": torch.bfloat16, "gradients": torch.float64}
    rows = torch.tensor(ROWS, dtype=kinds[kind], requires_grad=kind == "gradients")
    return rows, torch.tensor([1, 0, 1])


FOREIGN = ["pandas", "polars", "torch", "bfloat16", "gradients"]


@pytest.mark.parametrize(("name", "rows"), [*frames()])
def test_rows_come_in_every_container(name, rows):
    assert table(rows, "input").tolist() == ROWS


@pytest.mark.parametrize("kind", FOREIGN)
def test_frames_and_tensors_are_rows_in_order_whatever_their_index(kind):
    inputs, targets = foreign(kind)
    assert table(inputs, "input").tolist() == ROWS
    assert table(targets, "target").tolist() == [[1], [0], [1]]


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_fit_learns_from_frames_and_tensors_what_it_learns_from_lists(kind):
    def learned(inputs, targets):
        model = MLP(2, [3, 1], seed=1)
        fit(model, inputs, targets, epochs=3, batch_size=2, seed=1, validation=(inputs, targets))
        return [p.data for p in model.parameters()], accuracy(model, inputs, targets)

    assert learned(*foreign(kind)) == learned(ROWS, [1, 0, 1])


def test_a_shuffled_frame_is_read_by_place():
    pandas, selection = (
        pytest.importorskip("pandas"),
        pytest.importorskip("sklearn.model_selection"),
    )
    frame = pandas.DataFrame({"a": range(8), "b": range(8, 16)})
    x, _, y, _ = selection.train_test_split(frame, frame.a % 2, random_state=1)
    assert list(x.index) != sorted(x.index)
    assert table(x, "input").tolist() == x.to_numpy().tolist()
    assert len(fit(MLP(2, [1], seed=1), x / 16, y, epochs=2).loss) == 2


@pytest.mark.parametrize("kind", FOREIGN)
def test_data_in_frames_and_tensors_can_be_split(kind):
    train, held = Data(*foreign(kind)).split(1 / 3, seed=1)
    rows = [
        *map(tuple, table(train.inputs, "input").tolist() + table(held.inputs, "input").tolist())
    ]
    assert sorted(rows) == sorted(map(tuple, ROWS))
    assert (len(train.targets), len(held.targets)) == (2, 1)


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_model_takes_a_row_of_a_frame_or_tensor(kind):
    inputs, _ = foreign(kind)
    row = inputs.iloc[1] if kind == "pandas" else inputs.row(1) if kind == "polars" else inputs[1]
    model, neuron = MLP(2, [1], seed=1), Neuron(2, seed=1)
    assert model(row).data == model(ROWS[1]).data
    assert neuron(row).data == neuron(ROWS[1]).data


def test_an_array_of_numbers_stays_the_array_it_is():
    array = np.ones((4, 3), "f4")
    assert np.shares_memory(table(array, "input"), array)
    tensor = pytest.importorskip("torch").ones(4, 3)
    assert np.shares_memory(table(tensor, "input"), tensor.numpy())


def test_images_are_laid_out_in_rows():
    assert table(np.arange(8).reshape(2, 2, 2), "input").tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_no_value_is_made_of_a_number_that_no_sample_needs(monkeypatch):
    made = []
    start = Value.__init__
    monkeypatch.setattr(
        Value, "__init__", lambda self, *a, **k: (made.append(1), start(self, *a, **k))[1]
    )
    model = Neuron(50, activation=None, seed=1)
    fit(model, np.ones((2000, 50)), np.ones(2000), epochs=1, loss=squared_error)
    assert len(made) < 1000


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((x for x in ROWS), TypeError, "inputs are generator .*, which is used up after one look"),
        (map(list, ROWS), TypeError, "inputs are map .*; give a list, an array, a frame"),
        ("abc", TypeError, "inputs are str 'abc'; give a list"),
        ({1: 2}, TypeError, "inputs are dict {1: 2}; give a list"),
        ({1, 2}, TypeError, "inputs are set {1, 2}; give a list"),
        (None, TypeError, "inputs are NoneType None; give a list"),
        (3, TypeError, "inputs are int 3; give a list"),
        (np.array(3.0), TypeError, r"one number, 3\.0, and no inputs; give a list of them"),
        ([[1], [1, 2]], ValueError, "input 1 has 2 numbers, input 0 has 1"),
        ([[1, 2], None], TypeError, "input 1 holds NoneType None; give real numbers"),
        ([[1, 2], [3, 1j]], TypeError, "input 1 holds complex 1j; give real numbers"),
        (np.array([1j]), TypeError, "input 0 holds complex128 .*; give real numbers"),
        (np.array(["2020"], "M8[Y]"), TypeError, "input 0 holds datetime64 .*; give real"),
        ([[1, "a"]], TypeError, "input 0 holds str 'a'; give real numbers"),
        ([[Value(1)]], TypeError, r"input 0 holds Value Value\(1, grad=0\); give real numbers"),
        ([[1], [10**400]], TypeError, "input 1 holds int 1000.*; give real numbers"),
        (["1", "2"], TypeError, "input 0 is '1'; give numbers"),
        (["a", 1], TypeError, "input 1 is 1 among texts; give texts or numbers alone"),
        (np.array([[1, None]], object), TypeError, "input 0 holds NoneType None"),
        ([[1, 2], [3, math.nan]], ValueError, "input 1: x_2 is nan; leave it out, or put a number"),
        ([1, -math.inf], ValueError, "input 1 is -inf; leave it out"),
        (np.ma.array([1, 2], mask=[0, 1]), ValueError, r"some inputs are masked; give data.filled"),
    ],
    ids=repr,
)
def test_what_is_no_table_is_refused_with_its_row(data, error, message):
    with pytest.raises(error, match=message):
        table(data, "input")


def test_what_pandas_and_polars_cannot_make_numbers_of_is_refused():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    with pytest.raises(TypeError, match="input 0 holds str 'x'; give real numbers"):
        table(frame, "input")
    with pytest.raises(TypeError, match="input 1 holds str 'x'; give real numbers"):
        table([[1, 2], frame.iloc[0]], "input")
    with pytest.raises((TypeError, ValueError), match=r"input 1 (is|holds) (nan|NAType)"):
        table(pandas.DataFrame({"a": pandas.array([1, None], dtype="Int64")}), "input")
    with pytest.raises(ValueError, match="input 1 is nan"):
        table(polars.Series([1, None]), "input")
    with pytest.raises(TypeError, match="inputs are LazyFrame"):
        table(polars.LazyFrame({"a": [1]}), "input")


@pytest.mark.parametrize("row", ["ab", {0: 1, 1: 2}, (x for x in (1, 2))], ids=str)
def test_a_model_refuses_a_row_that_is_none(row):
    with pytest.raises(TypeError, match=f"numbers are {type(row).__name__} .*; give a list"):
        MLP(2, [1])(row)


def test_a_bad_row_is_named_by_everyone_who_takes_rows():
    bad = [[0.0, 1.0], [math.nan, 1.0]]
    for call in (
        lambda: fit(MLP(2, [1]), bad, [0, 1]),
        lambda: accuracy(MLP(2, [1]), bad, [0, 1]),
        lambda: MLP(2, [1]).predict(bad),
    ):
        with pytest.raises(ValueError, match="input 1: x_1 is nan"):
            call()
    with pytest.raises(ValueError, match="validation target 0 is inf"):
        fit(MLP(1, [1]), [1], [1], validation=([1], [math.inf]))
