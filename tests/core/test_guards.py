import copy
import gc
import math
import pickle
import warnings

import numpy as np
import pytest

from micrograd_lab import Value
from micrograd_lab.context import Mark, guards_of, watched


def told(trace):
    return [
        (guard.left.label, guard.sign, guard.right.label, guard.held)
        for guard in trace
        if not isinstance(guard, Mark)
    ]


def test_a_comparison_in_a_watched_call_is_a_guard_of_the_call():
    x, y = Value(1, "x"), Value(2, "y")
    with watched() as trace:
        assert max(x, y) is y
        assert sorted([y, x]) == [x, y]
        assert not x >= y
    assert told(trace) == [
        ("y", "gt", "x", True),
        ("x", "lt", "y", True),
        ("x", "ge", "y", False),
    ]
    assert not guards_of(x)


def test_a_comparison_with_a_number_is_a_guard():
    x = Value(1, "x")
    with watched() as trace:
        assert x > 0
    assert trace[0].right.data == 0.0


def test_a_computed_value_keeps_its_guards_itself():
    x = Value(1, "x")
    y = x * 2
    assert y > x
    assert y < 3
    assert [(g.left, g.sign, g.right.data, g.held) for g in guards_of(y)] == [
        (y, "gt", 1.0, True),
        (y, "lt", 3.0, True),
    ]
    assert not guards_of(x)


def test_the_younger_of_two_keeps_the_guard():
    y = Value(1) * 2
    z = y + 1
    assert y < z
    assert not guards_of(y)
    assert [(g.left, g.right) for g in guards_of(z)] == [(y, z)]


def test_guards_make_no_cycles():
    gc.collect()
    y = Value(1) * 2
    assert y < y + 1
    assert y <= y  # noqa: PLR0124
    del y
    assert gc.collect() == 0


def test_reading_a_value_as_a_number_is_a_mark():
    x = Value(1.5, "x")
    with watched() as trace:
        math.tanh(x)
        int(float(x))
    assert [mark.value for mark in trace] == [x, x]


@pytest.mark.parametrize(
    ("read", "number"),
    [
        (int, -2),
        (math.trunc, -2),
        (round, -3),
        (lambda v: round(v, 1), -2.8),
    ],
    ids=["int", "trunc", "round", "digits"],
)
def test_rounding_a_value_gives_a_number_and_is_a_mark(read, number):
    x = Value(-2.75, "x")
    with watched() as trace:
        rounded = read(x)
    assert (rounded, type(rounded)) == (number, type(number))
    assert [mark.value for mark in trace] == [x]


def test_a_watched_call_within_another_is_its_own():
    with watched() as outer:
        with watched() as inner:
            assert Value(1) < 2
        assert Value(3) > 2
    assert (len(inner), len(outer)) == (1, 1)


def test_a_truth_value_is_that_of_an_object():
    assert Value(0)


def put_into_an_array(h):
    array = np.zeros(2)
    array[0] = h
    return array[0]


def cut(read):
    """A result with a value that was read on the way."""
    w, x = Value(2, "w"), Value(1, "x")
    h = w * x
    return h * read(h)


@pytest.mark.parametrize(
    "read",
    [
        math.tanh,
        float,
        lambda h: np.array([h], dtype=float)[0],
        lambda h: np.add(np.zeros(2), float(h))[0],
        put_into_an_array,
        lambda h: np.floor([h])[0],
    ],
    ids=["math", "float", "array", "numpy", "element", "floor"],
)
def test_backward_warns_of_a_value_that_was_cut_off(read):
    result = cut(read)
    with pytest.warns(UserWarning, match=r"Value\(2, grad=0\) was read as a plain number"):
        result.backward()
    result.backward()  # once


def test_what_is_read_to_be_looked_at_is_no_cut(capsys):
    losses = []
    w = Value(2, "w")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            hidden = w * 3
            print(hidden, f"{hidden:.2f} {hidden.data}")
            loss = hidden**2
            losses.append(float(loss))
            loss.backward()
            losses.append(float(loss))
            float(w)
            round(float(hidden), 2)
            loss = (w * 3 - 1) ** 2
            loss.backward()


@pytest.mark.parametrize("target", [1, 0.25, -3.5, 1e-3])
def test_what_is_read_and_followed_by_a_written_number_is_no_cut(target):
    plotted = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            y = Value(2, "w") * 3
            plotted.append(float(y))
            ((y - target) ** 2).backward()


def test_what_is_read_where_no_number_comes_in_afterwards_is_no_cut():
    w, target = Value(2, "w"), Value(0.123456789)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = w * 3
        float(y)
        ((y - target).tanh() * y).backward()


def test_a_number_made_from_one_that_was_read_is_a_cut():
    y = Value(2, "w") * 3
    result = y * (1 - math.exp(-y) / 2)
    with pytest.warns(UserWarning, match=r"Value\(-6, grad=0\) was read as a plain number"):
        result.backward()


def test_an_error_outside_a_domain_reads_nothing():
    x = Value(-1, "x")
    y = x * 2
    with pytest.raises(ValueError, match="log is undefined"):
        y.log()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (y * x).backward()


def test_copies_are_made_of_values_with_guards():
    y = Value(1, "x") * 2
    assert y > 0
    for again in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        assert [(g.left, g.sign, g.right.data, g.held) for g in guards_of(again)] == [
            (again, "gt", 0.0, True)
        ]
