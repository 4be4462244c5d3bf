import itertools
import math
import random

import pytest
from table import ROWS, apply, arity, title

from micrograd_lab import Value, clip, gradients, logaddexp, logsumexp, maximum, minimum, where
from micrograd_lab.ops import row


def grads(result, values):
    for value in values:
        value.grad = 0.0
    result.backward()
    return [value.grad for value in values]


def test_the_largest_gets_the_gradient():
    values = [Value(x) for x in (1, 5, -2, 4, 3)]
    assert maximum(*values).data == 5
    assert grads(maximum(*values), values) == [0, 1, 0, 0, 0]
    assert grads(minimum(*values), values) == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("pick", [maximum, minimum])
def test_at_a_tie_of_two_each_gets_half(pick):
    values = [Value(2), Value(2)]
    assert grads(pick(*values), values) == [0.5, 0.5]


@pytest.mark.parametrize("pick", [maximum, minimum])
def test_a_nan_is_not_hidden(pick):
    for at in ((math.nan, 1), (1, math.nan)):
        assert math.isnan(pick(*at).data)


@pytest.mark.parametrize("pick", [maximum, minimum])
def test_what_is_not_picked_stops_even_an_infinite_gradient(pick):
    low, high = Value(1.0), Value(2.0)
    result = pick(low, high)
    result.backward()
    assert {low.grad, high.grad} == {0.0, 1.0}
    tower = (pick(low, high) * math.inf).identity()
    assert sorted(grads(tower, [low, high])) == [0.0, math.inf]


def test_clip_and_where_and_logaddexp_take_numbers():
    assert [clip(x, -1, 2).data for x in (-3, 0.5, 7, Value(7))] == [-1, 0.5, 2, 2]
    assert [where(c, 1, Value(2)).data for c in (-1, 0, 1e-9)] == [2, 2, 1]
    assert logaddexp(0, 0).data == logaddexp(Value(0), Value(0)).data == math.log(2)


@pytest.mark.parametrize(
    ("at", "slopes"),
    [
        ((-3, -1, 2), [0, 1, 0]),
        ((-1, -1, 2), [1, 0, 0]),
        ((0, -1, 2), [1, 0, 0]),
        ((2, -1, 2), [1, 0, 0]),
        ((3, -1, 2), [0, 0, 1]),
        ((0, 3, 1), [0, 0, 1]),
        ((0, 1, 1), [0, 1, 0]),
    ],
)
def test_what_clip_gives_gets_the_gradient(at, slopes):
    values = [*map(Value, at)]
    assert grads(clip(*values), values) == slopes


def test_the_branch_that_where_does_not_take_gets_no_gradient_even_an_infinite_one():
    for c, slopes in ((1, [0, math.inf, 0]), (0, [0, 0, math.inf])):
        values = [Value(c), Value(2), Value(3)]
        assert grads(where(*values) * math.inf, values) == slopes


def test_a_bound_that_does_not_bind_stops_even_an_infinite_gradient():
    for x, slopes in ((0, [math.inf, 0, 0]), (9, [0, 0, math.inf])):
        values = [Value(x), Value(-1), Value(1)]
        assert grads(clip(*values) * math.inf, values) == slopes


@pytest.mark.parametrize("at", [(0, -1, 1), (0, 1, -1), (9, -1, 1), (-9, -1, 1), (9, 1, -1)])
@pytest.mark.parametrize("place", range(3))
def test_clip_hides_no_nan(at, place):
    values = [Value(math.nan if i == place else x) for i, x in enumerate(at)]
    result = clip(*values)
    assert math.isnan(result.data)
    assert all(map(math.isnan, grads(result, values)))


def test_where_hides_no_nan_but_that_of_the_branch_it_does_not_take():
    a, b = Value(1), Value(math.nan)
    assert (where(1, a, b).data, where(0, b, a).data) == (1, 1)
    values = [Value(math.nan), a, Value(2)]
    assert math.isnan(where(*values).data)
    assert all(map(math.isnan, grads(where(*values), values)))


@pytest.mark.parametrize("pick", [maximum, minimum])
def test_one_value_is_too_few_to_pick_from(pick):
    with pytest.raises(ValueError, match=f"{pick.__name__} of 1 values; give at least 2"):
        pick(Value(1))


def test_the_second_derivative_of_maximum_is_zero():
    x = Value(3.0)
    (slope,) = gradients(maximum(x, 1) ** 2, [x])
    (curvature,) = gradients(slope, [x])
    assert (slope.data, curvature.data) == (6.0, 2.0)


def test_logsumexp_shares_the_gradient_as_softmax_does():
    values = [Value(x) for x in (-5, -1, 1, 5)]
    at = [math.exp(v.data) for v in values]
    assert grads(logsumexp(values), values) == pytest.approx([x / sum(at) for x in at])
    assert logsumexp([3]).data == 3


def test_logsumexp_of_nothing_is_refused():
    with pytest.raises(ValueError, match="logsumexp of 0 values; give at least 1"):
        logsumexp([])


def with_backward(x):
    """x², as micrograd's operations make it."""
    square = Value(x.data**2, (x,), "square")

    def _backward():
        x.grad += 2 * x.data * square.grad

    square._backward = _backward
    return square


def test_gradients_go_through_a_node_of_the_program_s_own_once_but_not_twice():
    x = Value(2.0, "x")
    for square in (Value(4.0, (x,), (4.0,)), with_backward(x)):
        y, x.grad = square * 3, 0.0
        (slope,) = gradients(y, [x])
        y.backward()
        assert slope.data == x.grad
        with pytest.raises(ValueError, match=r"∂(given|square)/∂x, here Value\(.*no slopes"):
            gradients(slope, [x])


def test_a_slope_without_a_slope_of_its_own_is_a_number():
    x = Value(0.0, "x")
    y = x**1.5
    y.backward()
    (slope,) = gradients(y, [x])
    assert slope.data == x.grad == 0.0
    with pytest.raises(ValueError, match=r"∂pow_scalar/∂x, here Value\(0, grad=0\), has no slopes"):
        gradients(slope, [x])


EDGES = (
    0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.0, 20.0, -40.0, 700.0, 709.0, -700.0, 1e-8, 5e-324, -1e-320,
    1e-200, 1e150, -1e308,
)  # fmt: skip
AT_EDGES = [*ROWS, *(row("pow_scalar", n) for n in (1.5, 1.0, 0.0, 0.001, 2.5, -1.0))]


@pytest.mark.parametrize("op", AT_EDGES, ids=title)
def test_gradients_are_those_of_backward_at_the_edges_too(op):
    drawn, count = random.Random(op.name), arity(op)
    places = itertools.product(EDGES, repeat=count) if count < 3 else [
        drawn.choices(EDGES, k=count) for _ in range(50)
    ]  # fmt: skip
    for at in places:
        values = [Value(x) for x in at]
        try:
            result = apply(op, values)
        except ValueError:
            continue  # outside the domain
        result.backward()
        for value, slope in zip(values, gradients(result, values)):
            same = slope.data == value.grad or (math.isnan(slope.data) and math.isnan(value.grad))
            assert same or math.isclose(slope.data, value.grad, rel_tol=1e-12), at
