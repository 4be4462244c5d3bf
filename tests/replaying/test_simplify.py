"""Formulas for arrays, and plans, as programs are written from them."""

import ast

import pytest

from micrograd_lab import Value
from micrograd_lab.ops import OPS
from micrograd_lab.replaying.plan import make_plan
from micrograd_lab.replaying.simplify import (
    array_expression,
    build,
    doubtful_slopes,
    hides,
    parsed,
    simplified,
    without_slope,
)


def test_a_number_for_n_leaves_out_what_it_decides():
    assert simplified("n * pow(x, n - 1) if n != 0 else 0", 2.0) == "2.0 * x"


def test_a_number_for_a_letter_is_computed_with():
    letters = {"x": ast.Constant(1.0)}
    assert ast.unparse(array_expression("f * log(x) if x > 0 else y", letters)) == "f * 0.0"


def test_a_factor_of_1_is_left_out():
    assert ast.unparse(build("u * x", u=parsed("a + b"), x=parsed("1.0"))) == "a + b"


@pytest.mark.parametrize(("name", "flat"), [("step", [0]), ("where", [0]), ("relu", [])])
def test_which_inputs_have_no_slope_anywhere(name, flat):
    assert without_slope(OPS[name]) == flat


@pytest.mark.parametrize(("name", "doubtful"), [("log", []), ("pow", [0, 1])])
def test_which_slopes_may_have_no_number_where_the_formula_has_one(name, doubtful):
    assert [*doubtful_slopes(OPS[name])] == doubtful


@pytest.mark.parametrize(
    ("name", "hidden"), [("step", [True]), ("pow", [True, True]), ("mul", [False, False])]
)
def test_which_formulas_may_hide_that_an_input_is_nan(name, hidden):
    assert hides(OPS[name]) == hidden


def test_a_plan_sorts_terms_by_when_they_are_computed():
    w, x, b = Value(2), Value(3), Value(1)
    plan = make_plan((w * x + w * b + b).tanh(), [x], [w, b])
    found = [(op.name, phase) for op, phase in zip(plan.ops, plan.phases) if op]
    assert found == [("mul", 0), ("add", 0), ("mul", 1), ("add", 1), ("tanh", 1)]
