import copy
import gc
import math
import pickle
import subprocess
import sys
import tracemalloc
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from micrograd_lab import Value, dot, gradients, ieee, total
from micrograd_lab.engine import propagate, recorded


def chain(links, start=1.0):
    y, a, b = Value(start, "start"), Value(0.999999, "a"), Value(1e-6, "b")
    for _ in range(links // 2):
        y = y * a + b
    return y


# what a value holds


@pytest.mark.parametrize("number", [2, 2.0, True, Fraction(1, 4), Decimal("0.25")])
def test_every_real_number_is_a_number(number):
    assert Value(number).data == float(number)
    assert type(Value(number).data) is float


@pytest.mark.parametrize("kind", ["float64", "float32", "int8", "uint64", "bool_"])
def test_numpy_scalars_are_numbers_on_both_sides(kind):
    np = pytest.importorskip("numpy")
    number = getattr(np, kind)(1)
    assert Value(number).data == 1.0
    assert type(number * Value(3.0)) is Value
    assert type(Value(3.0) - number) is Value


@pytest.mark.parametrize("foreign", [1j, "2", None, [1.0], (), {}, b"1", object()])
def test_anything_else_is_refused_by_name(foreign):
    with pytest.raises(TypeError, match=f"one real number, not {type(foreign).__name__}"):
        Value(foreign)
    for operation in (
        lambda a, b: a + b,
        lambda a, b: a / b,
        lambda a, b: a**b,
        lambda a, b: a < b,
    ):
        with pytest.raises(TypeError):
            operation(Value(1.0), foreign)
        with pytest.raises(TypeError):
            operation(foreign, Value(1.0))


def test_an_array_is_no_number():
    with pytest.raises(TypeError, match="not ndarray"):
        Value(np.ones(2))


def test_a_foreign_operand_gets_its_turn():
    class Other:
        def __radd__(self, value):
            return "mine"

    assert Value(1.0) + Other() == "mine"


@pytest.mark.parametrize("wrong", [1, b"x", {"label": 2}], ids=repr)
def test_a_label_is_text(wrong):
    given = wrong if isinstance(wrong, dict) else {"children": wrong}
    with pytest.raises(TypeError, match=r"a label is text, not (int|bytes)|values, not int"):
        Value(1.0, **given)


# operators


def test_operators_take_numbers_on_either_side():
    a = Value(4.0)
    results = [a + 1, 1 + a, a - 1, 1 - a, a * 2, 2 * a, a / 2, 2 / a, a**2, 2**a, -a, +a, abs(-a)]
    assert [r.data for r in results] == [5, 5, 3, -3, 8, 8, 2, 0.5, 16, 16, -4, 4, 4]


def test_comparisons_are_by_number_and_equality_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert a <= b
    assert not a < b
    assert a < 2
    assert a > 0
    assert a >= Fraction(1, 2)
    assert a != b
    assert len({a, b, a}) == 2


def test_max_and_sorted_work_on_values():
    values = [Value(x) for x in (2, 3, 1)]
    assert max(values) is values[1]
    assert [v.data for v in sorted(values)] == [1, 2, 3]


def test_float_and_format_give_the_number():
    assert float(Value(0.5)) == 0.5
    assert f"{Value(0.66966):.3f}" == "0.670"
    assert f"{Value(0.5)}" == "Value(0.5, grad=0)"


def test_the_repr_reads_well():
    assert repr(Value(-1, "p")) == "Value(p: -1, grad=0)"


def test_the_repr_shows_a_gradient_that_is_no_number():
    v = Value(2)
    v.grad = None
    assert repr(v) == "Value(2, grad=None)"


def test_a_negative_base_stays_real():
    assert (Value(-2.0) ** 3).data == -8.0
    with pytest.raises(
        ValueError, match=r"pow_scalar is undefined at x = Value\(-8, grad=0\), n = 0\.5"
    ):
        Value(-8) ** 0.5


def test_sum_leaves_no_stray_zero():
    a, b = Value(1.0), Value(2.0)
    assert [node.data for node in recorded(sum([a, b]))] == [1.0, 2.0, 3.0]


def test_a_zero_that_somebody_wrote_is_recorded():
    assert [node.data for node in recorded(0.0 + Value(1.0))] == [1.0, 0.0, 1.0]


def test_total_is_one_node():
    values = [Value(float(i)) for i in range(20_000)]
    result = total(values)
    result.backward()
    assert result.inputs == tuple(values)
    assert result.data == sum(range(20_000))
    assert {v.grad for v in values} == {1.0}


def test_the_total_of_nothing_is_zero():
    assert total([]).data == 0.0
    assert total([]).inputs == ()


def test_dot_is_one_node_with_the_partner_as_slope():
    w, z, b = [Value(0.15), Value(0.2)], [Value(0.12), Value(0.3)], Value(0.1)
    a = dot(w, z, b)
    a.backward()
    assert a.inputs == (*w, *z, b)
    assert a.data == pytest.approx(0.178, rel=1e-15)
    assert [v.grad for v in (*w, *z, b)] == [0.12, 0.3, 0.15, 0.2, 1.0]


def test_dot_takes_numbers_and_no_bias():
    np = pytest.importorskip("numpy")
    assert dot([1, Value(2)], [np.float64(3), Fraction(1, 2)]).data == 4.0
    assert dot(np.arange(3), np.ones(3)).data == 3.0


@pytest.mark.parametrize(("weights", "inputs"), [(3, 2), (0, 0), (0, 1)])
def test_dot_says_how_many_there_were(weights, inputs):
    with pytest.raises(ValueError, match=f"{weights} weights but {inputs} inputs"):
        dot([1.0] * weights, [1.0] * inputs)


def test_dot_refuses_what_is_not_a_number():
    with pytest.raises(TypeError, match="not str 'a'"):
        dot([Value(1.0)], ["a"])


@pytest.mark.parametrize("foreign", ["a", None, [1.0], 1j, Value(2.0)])
def test_the_number_of_an_operation_is_a_number(foreign):
    for operation in (Value(3.0).leaky_relu, Value(3.0).pow_scalar):
        with pytest.raises(TypeError, match=f"one real number, not {type(foreign).__name__}"):
            operation(foreign)


@pytest.mark.parametrize("number", [2, True, Fraction(1, 4), Decimal("0.25")])
def test_the_number_of_an_operation_is_a_float(number):
    for value in (Value(3.0) ** number, Value(-3.0).leaky_relu(number)):
        assert type(value.op.n) is type(value.slopes[0]) is float
        assert value.op.n == number


def test_an_operation_goes_by_its_name():
    with pytest.raises(TypeError, match=r"Value\.tanh\(\) takes 1 positional argument"):
        Value(1.0).tanh(2)
    assert Value.tanh.__code__.co_name == "tanh"


# backward


def test_the_lecture_toy():
    w, x, b = Value(-2), Value(5), Value(3)
    f = w * x + b
    f.backward()
    assert (f.data, w.grad, x.grad, b.grad, f.grad) == (-7, 5, -2, 1, 1)


def test_a_value_used_twice_has_two_edges():
    a = Value(3.0)
    square = a * a
    square.backward()
    assert square.inputs == (a, a)
    assert a.grad == 6.0


def test_leaves_accumulate_and_computed_values_do_not():
    a = Value(2.0)
    b = a * 3
    c = b * b
    c.backward()
    c.backward()
    assert a.grad == 2 * 36.0
    assert b.grad == 12.0


def test_two_results_on_one_trunk_are_summed_on_the_leaves():
    a = Value(2.0)
    trunk = a * a
    (trunk * 3).backward()
    (trunk * 5).backward()
    assert a.grad == (3 + 5) * 4.0


def test_gradients_do_not_follow_data_changed_after_recording():
    a, b = Value(2.0), Value(3.0)
    product = a * b
    b.data = 100.0
    product.backward()
    assert a.grad == 3.0


def test_the_gradient_to_start_with_becomes_a_float():
    a = Value(2.0)
    (a * 3).backward(Fraction(1, 2))
    assert (type(a.grad), a.grad) == (float, 1.5)
    with pytest.raises(TypeError, match="one real number, not str '2'"):
        (a * 3).backward("2")


def test_a_leaf_is_its_own_result_and_accumulates():
    a = Value(2.0)
    a.backward()
    assert a.grad == 1.0
    a.backward()
    assert a.grad == 2.0


def test_a_detached_value_stops_the_gradient():
    a = Value(2.0, "a")
    stopped = (a * a).detach()
    (stopped * a).backward()
    assert a.grad == 4.0
    assert a.detach().label == "a"
    assert not stopped.inputs


def test_a_dead_relu_stops_even_an_infinite_gradient():
    x = Value(-1.0)
    infinite = Value(math.inf)
    (x.relu() * infinite).backward()
    assert x.grad == 0.0
    assert gradients(x.relu() * infinite, [x])[0].data == 0.0


def test_multiplying_by_zero_does_not_stop_it():
    x = Value(1.0)
    (x * 0.0 * Value(math.inf)).backward()
    assert math.isnan(x.grad)


def test_propagate_takes_one_node_at_a_time():
    w, x, b = Value(-2), Value(5), Value(3)
    g = w * x
    f = g + b
    f.grad = 1.0
    propagate([f])
    assert (g.grad, b.grad, w.grad) == (1.0, 1.0, 0.0)
    propagate([g])
    assert (w.grad, x.grad) == (5.0, -2.0)


def test_the_order_is_the_order_of_making():
    a = Value(1.0)
    b = a + 1
    c = b * a
    assert recorded(c)[-1] is c
    serials = [node.serial for node in recorded(c)]
    assert serials == sorted(serials)


# outside a domain


def test_ieee_gives_infinity_where_the_engine_would_raise():
    with ieee():
        assert Value(0.0).log().data == -math.inf
        assert (1 / Value(0.0)).data == math.inf
        assert Value(1000.0).exp().data == math.inf
        assert math.isnan(((-8) ** Value(0.5)).data)
    with pytest.raises(ValueError, match="log is undefined"):
        Value(0.0).log()


def test_ieee_ends_when_its_block_raises():
    with pytest.raises(KeyError), ieee():
        raise KeyError
    with pytest.raises(ValueError, match="exp overflows at x = Value"):
        Value(1000.0).exp()


def test_infinity_that_arrives_flows_through_without_ieee():
    assert math.isnan(Value(math.inf).sin().data)
    assert math.isnan(Value(-math.inf).log().data)
    assert (Value(-math.inf) ** 0.5).data == math.inf
    assert (Value(math.inf) / 0).data == math.inf


def test_an_overflow_says_so():
    with pytest.raises(
        ValueError, match=r"pow_scalar overflows at x = Value\(1e\+200, grad=0\), n = 2"
    ):
        Value(1e200) ** 2


def test_zero_to_a_negative_power_names_both_numbers():
    with pytest.raises(
        ValueError, match=r"x = Value\(z: 0, grad=0\), n = -1\.0; it needs x > 0 or"
    ):
        Value(0, "z") ** -1


# second derivatives


def test_gradients_leave_grad_alone():
    x = Value(2.0)
    gradients(x.sin() * x, [x])
    assert x.grad == 0.0


def test_higher_derivatives_of_sine_go_round():
    x = Value(0.7)
    f = x.sin()
    for expected in (math.cos(0.7), -math.sin(0.7), -math.cos(0.7), math.sin(0.7)):
        (f,) = gradients(f, [x])
        assert f.data == pytest.approx(expected, rel=1e-14)


def test_mixed_second_derivatives_agree():
    x, y = Value(0.3), Value(1.7)
    f = (x * y).sigmoid() + dot([x, y], [y, x], x) * total([x, y]).tanh() + x**y
    fx, fy = gradients(f, [x, y])
    (fxy,) = gradients(fx, [y])
    (fyx,) = gradients(fy, [x])
    assert fxy.data == pytest.approx(fyx.data, rel=1e-13)


def test_the_gradient_with_respect_to_a_stranger_is_zero():
    x, stranger = Value(1.0), Value(1.0)
    assert [g.data for g in gradients(x * 2, [stranger, x])] == [0.0, 2.0]


def test_the_gradient_with_respect_to_a_label_is_refused():
    with pytest.raises(TypeError, match="not str 'x'"):
        gradients(Value(1.0, "x") * 2, ["x"])


def test_gradients_with_respect_to_a_computed_value_stop_there():
    x = Value(3.0)
    y = x * x
    assert gradients(y * y, [y])[0].data == 18.0


def test_the_third_derivative_of_sigmoid_at_zero():
    f = x = Value(0.0)
    f = x.sigmoid()
    for _ in range(3):
        (f,) = gradients(f, [x])
    assert f.data == pytest.approx(-0.125, rel=1e-14)


# copies


def test_copies_are_whole_and_separate():
    x = Value(2.0, "x")
    y = x * x + x.exp()
    y.label = "y"
    y.backward()
    for again in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        assert [(v.data, v.grad, v.label, v.slopes) for v in recorded(again)] == [
            (v.data, v.grad, v.label, v.slopes) for v in recorded(y)
        ]
        (leaf,) = [v for v in recorded(again) if not v.inputs]
        leaf.grad = 0.0
        again.backward()
        assert leaf.grad == x.grad
        assert leaf is not x


def test_a_shallow_copy_shares_its_inputs():
    x = Value(2.0, "x")
    y = x * 3
    again = copy.copy(y)
    assert again.inputs == y.inputs
    assert again is not y


def test_a_deep_copy_keeps_what_is_shared():
    x = Value(2.0)
    hidden = x * 3
    again = copy.deepcopy({"x": x, "hidden": hidden, "y": hidden + x})
    assert again["y"].inputs == (again["hidden"], again["x"])


def test_a_pickle_keeps_shared_leaves():
    w = Value(2.0, "w")
    loss, parameters = pickle.loads(pickle.dumps((w * w, [w])))
    loss.backward()
    assert parameters[0].grad == 4.0


def test_a_pickle_keeps_computed_values_shared():
    w = Value(3.0, "w")
    h = w * 2
    f, again = pickle.loads(pickle.dumps((h * 3, h)))
    f.backward()
    assert again.grad == 3.0
    assert f.inputs[0] is again


def test_a_pickle_of_a_chain_of_values_is_linear():
    values = [Value(1.0)]
    for _ in range(300):
        values.append(values[-1] * 1.001 + 0.1)
    packed = pickle.dumps(values)
    assert len(packed) < 1.3 * len(pickle.dumps(values[-1]))
    for again in (pickle.loads(packed), copy.deepcopy(values), copy.deepcopy(values[::-1])[::-1]):
        assert [v.data for v in again] == [v.data for v in values]
        assert all(b.inputs[0].inputs[0] is a for a, b in pairwise(again))


def test_what_was_pickled_before_is_not_part_of_the_next_pickle():
    x = Value(2.0)
    y = x * 3
    first = pickle.dumps(y)
    y.data = 7
    assert pickle.loads(first).data == 6.0
    assert pickle.loads(pickle.dumps(y)).data == 7.0


def test_a_number_that_is_assigned_becomes_a_float():
    w = Value(3, "w")
    for number in (10, np.float32(10), Fraction(10), True + 9):
        w.data = number
        assert type(w.data) is float
        assert float(w) == 10.0
        assert f"{w:.2f}" == "10.00"


@pytest.mark.parametrize("wrong", ["3", None, [1.0], Value(1), 1j, np.ones(1)], ids=repr)
def test_what_is_no_number_is_refused_where_it_is_assigned(wrong):
    w = Value(3, "w")
    with pytest.raises(TypeError, match="a value holds one real number, not"):
        w.data = wrong
    assert w.data == 3.0


# size


@pytest.mark.slow
def test_long_chains_need_no_recursion():
    limit = sys.getrecursionlimit()
    y = chain(200_000)
    y.backward()
    assert y.inputs[0].grad == 1.0
    assert copy.deepcopy(y).data == y.data
    assert pickle.loads(pickle.dumps(y)).data == y.data
    assert gradients(y, [y.inputs[1]])[0].data > 0
    del y
    assert sys.getrecursionlimit() == limit


def test_an_operation_takes_at_most_256_bytes():
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    y = chain(20_000)
    y.backward()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / 20_000 <= 256


def test_there_is_nothing_for_the_cycle_collector():
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            chain(100).backward()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_importing_leaves_the_collector_alone():
    program = (
        "import gc; before = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count();"
        "import micrograd_lab;"
        "print(before == (gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_a_leaf_has_neither_inputs_nor_slopes():
    x = Value(3.0)
    assert (x.op, x.inputs, x.slopes) == (None, (), ())


def test_an_overflow_of_two_values_says_so():
    with pytest.raises(ValueError, match=r"pow overflows at x = .*200.*, y = .*it needs a result"):
        Value(1e200) ** Value(2.0)
