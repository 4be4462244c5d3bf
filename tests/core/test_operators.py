import operator
import subprocess
import sys

import numpy as np
import pytest
from table import ONE_INPUT, TWO_INPUTS, apply, inside, points, title

from micrograd_lab import Value, dot
from micrograd_lab.context import guards_of
from micrograd_lab.ops import OPS

SPELLED = {
    "neg": np.negative, "abs": np.abs, "add": np.add, "sub": np.subtract, "mul": np.multiply,
    "div": np.divide, "pow": np.power,
}  # fmt: skip
UFUNCS = {name: SPELLED.get(name) or getattr(np, name, None) for name in OPS}
UFUNCS["atan"] = None  # arrays of objects ask for a method of NumPy's name, arctan
OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "pow": operator.pow,
}  # fmt: skip
WITH_UFUNC = [op for op in [*ONE_INPUT, *TWO_INPUTS] if isinstance(UFUNCS[op.name], np.ufunc)]


def numbers(values):
    return [[v.data, v.op.name, v.slopes] for v in np.ravel(values)]


def test_the_table_has_the_rows_that_numpy_has():
    assert {op.name for op in WITH_UFUNC} == {
        "neg", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "abs", "tanh",
        "add", "sub", "mul", "div", "pow", "logaddexp", "maximum", "minimum",
    }  # fmt: skip


@pytest.mark.parametrize("op", [op for op in WITH_UFUNC if op in ONE_INPUT], ids=title)
def test_a_ufunc_of_one_value_or_many_is_the_row(op):
    at = [x for (x,) in points(op)]
    one_by_one = [apply(op, [Value(x)]) for x in at]
    assert numbers([UFUNCS[op.name](Value(x)) for x in at]) == numbers(one_by_one)
    assert type(UFUNCS[op.name](Value(at[0]))) is Value
    assert numbers(UFUNCS[op.name](np.array([Value(x) for x in at]))) == numbers(one_by_one)


@pytest.mark.parametrize("op", [op for op in WITH_UFUNC if op in TWO_INPUTS], ids=title)
@pytest.mark.parametrize("left", [True, False], ids=["value left", "value right"])
def test_a_ufunc_of_a_value_and_an_array_is_the_row_for_each_element(op, left):
    ufunc, v = UFUNCS[op.name], Value(1.7)
    pairs = [(1.7, x) if left else (x, 1.7) for x in (-3.0, 0.5, 1.7, 2.0, 6.0)]
    at = [pair for pair in pairs if inside(op, pair)]
    array = np.array([pair[left] for pair in at])
    one_by_one = numbers([apply(op, [Value(x), Value(y)]) for x, y in at])
    ways = [ufunc, OPERATORS.get(op.name, ufunc)]
    for way in ways:
        result = way(v, array) if left else way(array, v)
        assert (result.dtype, result.shape) == (object, array.shape)
        assert [row[0] for row in numbers(result)] == [row[0] for row in one_by_one]
        total = result.sum()
        v.grad = 0.0
        total.backward()
        assert v.grad == pytest.approx(sum(row[2][not left] for row in one_by_one), rel=1e-14)


def test_a_matrix_times_values_is_their_dot_products():
    X, b = np.arange(6.0).reshape(2, 3), Value(0.5)
    w = np.array([Value(1.0), Value(-2.0), Value(3.0)])
    results = X @ w + b
    assert [v.data for v in results] == [dot(row, list(w), b).data for row in X]
    results[1].backward()
    assert [v.grad for v in w] == [3.0, 4.0, 5.0]


@pytest.mark.parametrize("kind", ["float64", "float32", "int8", "uint64", "bool_", "longdouble"])
@pytest.mark.parametrize("sign", OPERATORS)
def test_a_numpy_scalar_beside_a_value_gives_a_value(kind, sign):
    scalar, v, f = getattr(np, kind)(1), Value(3.0), OPERATORS[sign]
    for result, expected in ((f(scalar, v), f(1.0, 3.0)), (f(v, scalar), f(3.0, 1.0))):
        assert type(result) is Value
        assert result.data == expected


def test_an_array_of_no_dimension_is_a_number():
    assert (Value(2.0) * np.array(3.0)).data == (np.array(3.0) * Value(2.0)).data == 6.0


def test_comparisons_are_elementwise_and_written_down():
    v = Value(1.0) * 1
    assert (np.arange(3.0) < v).tolist() == [True, False, False]
    assert (v <= np.arange(3.0)).tolist() == [False, True, True]
    assert np.float64(3) > v
    assert len(guards_of(v)) == 7


def test_equality_stays_by_identity():
    v, w = Value(1.0), Value(1.0)
    assert (np.array([v, w]) == v).tolist() == [True, False]


def test_at_a_tie_the_maximum_shares_the_gradient():
    v = Value(0.0)
    largest = np.maximum(v, 0)
    largest.backward()
    assert (largest.op.name, v.grad) == ("maximum", 0.5)


@pytest.mark.parametrize("name", ["floor", "ceil", "sign", "exp2", "arctan", "isnan", "matmul"])
def test_what_is_no_row_is_refused_by_name(name):
    ufunc = getattr(np, name)
    with pytest.raises(TypeError, match=f"np.{name} is no row of the table of operations"):
        ufunc(*[Value(0.5)] * ufunc.nin)


@pytest.mark.parametrize(
    "foreign", [np.complex128(2), np.array([1j]), np.array(["2"]), np.datetime64("2020-01-01")]
)
def test_what_is_no_real_number_is_refused(foreign):
    for operation in (operator.mul, lambda a, b: b * a):
        with pytest.raises(TypeError, match=r"real number, not|[Cc]annot cast"):
            operation(Value(1.0), foreign)


def test_an_array_of_objects_is_changed_in_place_and_one_of_floats_refuses():
    values, v = np.array([Value(1.0), Value(2.0)]), Value(3.0)
    same = values
    values += v
    assert values is same
    assert [x.data for x in values] == [4.0, 5.0]
    floats = np.ones(2)
    with pytest.raises(TypeError, match="Cannot cast ufunc 'add' output"):
        floats += v


def test_other_methods_of_a_ufunc_take_values():
    v = Value(2.0)
    assert [x.data for x in np.multiply.outer(np.arange(3.0), v)] == [0.0, 2.0, 4.0]
    assert np.sum([v, v]).data == np.add.reduce(np.array([v, v])).data == 4.0
    assert np.mean([v, v * 2]).data == 3.0


def test_beside_arrays_the_core_imports_no_numpy_of_its_own():
    program = (
        "import sys; from micrograd_lab import Value; Value(1) + 2; print('numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
