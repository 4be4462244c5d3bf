import math

import pytest
from table import ROWS, apply, points, title

from micrograd_lab import Graph, Value, check_gradient, dot, total
from micrograd_lab.checks import slope
from micrograd_lab.engine import record
from micrograd_lab.ops import OPS

every_row = pytest.mark.parametrize("op", ROWS, ids=title)


@every_row
def test_every_operation_passes(op):
    for at in points(op):
        fixed = at[: int(op.name == "take")]  # an index
        check_gradient(
            lambda *values, i=fixed: apply(op, [*map(Value, i), *values]), at[len(fixed) :]
        )
        check_gradient(apply(op, [Value(x) for x in at]))


def shared():
    w, x = Value(0.7, "w"), Value(-1.3, "x")
    z = dot([w, x], [x, 0.5], w)
    z.label = "z"
    f = total([z.tanh() * z, (z * w).sigmoid(), x])
    f.label = "f"
    return f, w, x, z


def test_a_graph_with_shared_values_passes_at_leaves_and_between():
    f, w, x, z = shared()
    check_gradient(f)
    check_gradient(f, [z, w, x])


def test_a_wrong_local_derivative_is_named_with_both_numbers():
    x = Value(3.0, "x")
    f = record(9.0, OPS["half_square"], (x,), (6.0,))
    f.label = "f"
    message = "∂f/∂x is 6 by backward, but the slope is 3$"
    with pytest.raises(AssertionError, match=message):
        check_gradient(f)


def test_an_error_of_one_part_in_a_hundred_thousand_is_seen():
    x = Value(3.0, "x")
    with pytest.raises(AssertionError, match=r"is 3\.00003 by backward, but the slope is 3$"):
        check_gradient(record(4.5, OPS["half_square"], (x,), (3.00003,)))


def test_a_function_whose_gradient_is_wrong_is_named_by_argument():
    def detached(x, y):
        return x * y.detach()

    message = "the gradient of argument 2 is 0 by backward, but the slope is 3"
    with pytest.raises(AssertionError, match=message):
        check_gradient(detached, [3.0, 4.0])


def test_checking_changes_no_gradient():
    f, w, x, z = shared()
    f.backward()
    before = [v.grad for v in (f, w, x, z)]
    check_gradient(f)
    assert [v.grad for v in (f, w, x, z)] == before


def test_at_a_kink_any_gradient_between_the_two_slopes_is_right():
    check_gradient(lambda x: x.relu(), [0.0])
    check_gradient(lambda x: x.leaky_relu(0.2), [0.0])
    check_gradient(abs, [0.0])
    x = Value(0.0, "x")
    with pytest.raises(AssertionError, match=r"is 1\.5 by backward, but the slope is 0\.5"):
        check_gradient(record(0.0, OPS["relu"], (x,), (1.5,)))


def test_a_slope_is_measured_close_to_the_border_of_the_domain():
    check_gradient(lambda x: x.log(), [1e-9])
    check_gradient(lambda x: x.sqrt(), [1e-6])


def test_a_small_gradient_of_a_large_number_passes():
    check_gradient(lambda x: x.sigmoid() * 1e-9 + 1000, [0.3])


def test_what_cannot_be_measured_is_an_error():
    with pytest.raises(ValueError, match="argument 1 cannot be measured at nan"):
        check_gradient(lambda x: x * 2, [math.nan])


def test_a_value_from_elsewhere_is_refused_by_name():
    f, *_ = shared()
    with pytest.raises(ValueError, match=r"Value\(q: 1, grad=0\) is not part of .* Value\(f: "):
        check_gradient(f, [Value(1.0, "q")])


def test_neither_a_value_nor_a_function_is_refused():
    with pytest.raises(TypeError, match="of must be a Value or a function, got int 3"):
        check_gradient(3)


def test_a_function_without_numbers_is_refused():
    with pytest.raises(TypeError, match="give the numbers to call it with"):
        check_gradient(abs)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (math.sin, 1e-9, 1.0),
        (math.exp, 20.0, math.exp(20.0)),
        (lambda x: 1 / x, 1e-3, -1e6),
        (lambda x: x**3, 1e8, 3e16),
        (lambda x: 5.0, 2.0, 0.0),
    ],
)
def test_slopes_are_measured_to_eight_digits(f, x, expected):
    assert slope(f, x)[0] == pytest.approx(expected, rel=1e-8)


def test_a_graph_is_evaluated_with_other_numbers_without_being_changed():
    f, w, x, z = shared()
    moved = Graph(f).evaluate({w: 0.9, x: 0.1})
    w2, x2 = Value(0.9), Value(0.1)
    z2 = dot([w2, x2], [x2, 0.5], w2)
    assert moved == total([z2.tanh() * z2, (z2 * w2).sigmoid(), x2]).data
    assert Graph(f).evaluate({}) == f.data
    assert Graph(f, products=False).evaluate({z: 0.0}) == 0.0 + 0.5 + x.data
    assert (w.data, x.data) == (0.7, -1.3)


def test_evaluating_outside_a_domain_says_where():
    x = Value(1.0, "x")
    with pytest.raises(ValueError, match="log is undefined at x = Value\\(-1, grad=0\\)"):
        Graph(x.log()).evaluate({x: -1.0})


def test_evaluating_with_a_value_from_elsewhere_is_refused():
    with pytest.raises(ValueError, match=r"Value\(q: 1, grad=0\) is not a node of this graph"):
        Graph(Value(1.0, "x").log()).evaluate({Value(1.0, "q"): 2.0})


def test_at_a_kink_of_a_curve_any_gradient_between_both_slopes_is_right():
    x = Value(1.0)
    check_gradient(x.log() + x.log().relu())


def test_a_gradient_that_is_half_right_is_seen_through_the_noise_of_a_large_number():
    x = Value(0.3, "x")
    small = record(x.sigmoid().data, OPS["sigmoid"], (x,), (0.5 * x.sigmoid().slopes[0],))
    with pytest.raises(AssertionError, match=r"by backward, but the slope is 2\.4"):
        check_gradient(small * 1e-9 + 1000)


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e6])
def test_the_estimate_of_the_error_is_neither_too_small_nor_far_too_large(offset):
    for x in (-2.0, 0.1, 1.0, 3.0):
        measured, error = slope(lambda x: math.sin(x) + offset, x)
        noise = math.ulp(1 + offset) / (0.1 * abs(x))
        assert abs(measured - math.cos(x)) <= error <= 1e-12 + 100 * noise


def test_a_computed_value_that_is_changed_keeps_its_number_when_its_inputs_change_too():
    f, w, x, z = shared()
    both = Graph(f, products=False).evaluate({z: 2.0, x: 0.1, w: w.data})
    assert both == total([Value(2.0).tanh() * 2, (2.0 * w).sigmoid(), 0.1]).data
