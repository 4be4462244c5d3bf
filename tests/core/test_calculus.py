import math

import pytest

from micrograd_lab import Value, gradients, logsumexp, maximum, minimum


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
