import math

import pytest

from micrograd_lab.formulas import evaluate, in_floats
from micrograd_lab.tell.languages import (
    HTML,
    LATEX,
    TEXT,
    formula_c,
    formula_javascript,
    formula_latex,
    formula_numpy,
    formula_text,
    with_number,
)


def test_numbers_are_put_in_as_the_slide_writes_them():
    assert formula_text("f * (1 - f)", {"f": "0.669"}) == "0.669 × (1 − 0.669)"


@pytest.mark.parametrize(
    ("formula", "letters", "text"),
    [
        ("x * y", {"x": "−2", "y": "5"}, "−2 × 5"),
        ("x * y", {"x": "2", "y": "−5"}, "2 × (−5)"),
        ("x - y", {"x": "0.1", "y": "−0.2"}, "0.1 − (−0.2)"),
        ("1 + x * y", {"x": "−2", "y": "5"}, "1 + (−2 × 5)"),
        ("-x", {"x": "−2"}, "−(−2)"),
        ("x ** 2", {"x": "−2"}, "(−2)^2"),
        ("x ** 2", {"x": "7.6·10⁻⁹"}, "(7.6·10⁻⁹)^2"),
        ("x ** 2", {"x": "w_{1}^{(1)}"}, "(w_{1}^{(1)})^2"),
        ("pow(x, n - 1)", {"x": "3", "n": "2"}, "3^(2 − 1)"),
        ("x - (y - x)", {}, "x − (y − x)"),
        ("x / (y * y)", {}, "x ÷ (y × y)"),
        ("1 if x > 0 else 0", {"x": "−0.5"}, "1 if −0.5 > 0 else 0"),
        ("f * sigmoid(-x)", {"f": "0.5", "x": "1"}, "0.5 × σ(−1)"),
        ("x ** 2", {"x": "(y − t)"}, "(y − t)^2"),
        ("x ** 2", {"x": "(y) − (t)"}, "((y) − (t))^2"),
    ],
)
def test_brackets_stand_where_they_are_needed(formula, letters, text):
    assert formula_text(formula, letters) == text


@pytest.mark.parametrize(
    ("formula", "typeset"),
    [
        ("-x / y ** 2", r"\frac{-x}{y^{2}}"),
        ("2 * (3 * x)", r"2 \cdot 3 x"),
        ("1 if x > 0 else 0", r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}"),
        ("n * pow(x, n - 1)", "n x^{n - 1}"),
        ("abs(x)", r"\left|x\right|"),
        ("sqrt(x + 1)", r"\sqrt{x + 1}"),
        ("sum(x * y) + b", r"\sum x y + b"),
    ],
)
def test_latex(formula, typeset):
    assert formula_latex(formula) == typeset


def test_a_condition_becomes_where():
    np = pytest.importorskip("numpy")
    source = formula_numpy("1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))", {"x": "a"})
    assert source.startswith("np.where(a >= 0.0, 1.0 / (1.0 + np.exp(-a)), ")
    a = np.array([-2.0, 0.0, 3.0])
    assert eval(source) == pytest.approx(1 / (1 + np.exp(-a)), rel=1e-15)


def test_a_row_called_in_a_formula_is_written_out():
    assert formula_numpy("softplus(2 * x)", {"x": "a"}).count("2.0 * a") == 4


def test_outside_a_domain_math_raises_and_numpy_goes_on():
    np = pytest.importorskip("numpy")
    with pytest.raises(ValueError, match=r"math domain|expected a positive"):
        evaluate("log(x)", {"x": -1.0})
    with np.errstate(all="ignore"):
        assert math.isnan(evaluate("log(x)", {"x": np.float64(-1.0)}, np))


@pytest.mark.parametrize("formula", ["[x]", "x.real", "lambda: x", "x[0]", "'x'"])
def test_what_is_not_a_formula_is_refused(formula):
    with pytest.raises(ValueError, match="is not part of a formula"):
        formula_text(formula, {})


@pytest.mark.parametrize(
    ("write", "written"),
    [
        (formula_text, "(1.00·10⁻¹⁰)^x × 0.707"),
        (formula_latex, r"\left(1.00 \cdot 10^{-10}\right)^{x} 0.707"),
        (formula_numpy, "1e-10 ** x * 0.7071067811865476"),
    ],
)
def test_a_number_in_a_formula_is_written_as_every_other_number(write, written):
    assert write("1e-10 ** x * 0.7071067811865476", {}) == written


def test_a_letter_that_stands_for_a_bracket_gets_no_second_one():
    assert formula_text("x ** 2 / y", {"x": "(a + b)", "y": "(c · d)"}) == "(a + b)^2 ÷ (c · d)"


def test_numpy_chooses_with_where():
    chosen = formula_numpy("1 if x > 0 else 0 if x <= 0 else x", {"x": "a"})
    assert chosen == "np.where(a > 0.0, 1.0, np.where(a <= 0.0, 0.0, a))"


def test_c_has_a_function_for_each_row():
    in_c = "(x > 0.0) ? f * sigmoid_of(-x) : 0.0"
    assert formula_c("f * sigmoid(-x) if x > 0 else 0") == in_c


def test_javascript_asks_an_object_for_functions_and_division():
    in_javascript = "x !== 0.0 ? m.div(-x, m.pow(y, 2.0)) : m.sigmoid(n)"
    assert formula_javascript("-x / y ** 2 if x != 0 else sigmoid(n)") == in_javascript


@pytest.mark.parametrize(("n", "text"), [(3.0, "3.0 * x ** 2.0"), (2.0, "2.0 * x")])
def test_arithmetic_on_numbers_alone_is_carried_out(n, text):
    assert with_number("n * x ** (n - 1)", n) == text


def test_whole_numbers_become_floats():
    assert in_floats("1 / (2 * f) + 0.5 + 1e-10") == "1.0 / (2.0 * f) + 0.5 + 1e-10"


@pytest.mark.parametrize(
    ("writing", "slope"),
    [
        (TEXT, "∂E/∂z_1"),
        (HTML, "∂<i>E</i>/∂<i>z</i><sub>1</sub>"),
        (LATEX, r"\frac{\partial E}{\partial z_1}"),
    ],
    ids=["text", "html", "latex"],
)
def test_a_slope_is_written_in_each_form_of_mathematics(writing, slope):
    assert writing.slope("E", "z_1") == slope
