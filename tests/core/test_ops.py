import itertools
import math
import pickle
from contextlib import nullcontext

import pytest
from table import ONE_INPUT, OPERATORS, ROWS, apply, arity, inside, points, title

from micrograd_lab import Value, gradients
from micrograd_lab.formulas import ELEMENTARY, evaluate, functions_of
from micrograd_lab.ops import OPS, row
from micrograd_lab.tell.languages import formula_latex, formula_numpy, formula_text

mpmath = pytest.importorskip("mpmath")

every_row = pytest.mark.parametrize("op", ROWS, ids=title)
row_of_letters = pytest.mark.parametrize("op", [op for op in ROWS if not op.variadic], ids=title)


def precise(formula, **letters):
    """`formula` in 50-digit arithmetic."""
    functions = {name: getattr(mpmath, name, None) for name in ELEMENTARY}
    functions |= {
        "pow": mpmath.power,
        "abs": abs,
        "max": max,
        "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    }
    return eval(formula, functions, letters)


def close(ours, precisely, rel=4e-15):
    return abs(mpmath.mpf(ours) - precisely) <= rel * abs(precisely)


@row_of_letters
def test_partials_are_the_slope_of_the_formula(op):
    with mpmath.workdps(50):
        for at in points(op):
            values = [Value(x) for x in at]
            apply(op, values).backward()
            n = {} if op.n is None else {"n": mpmath.mpf(op.n)}
            for i, value in enumerate(values):

                def along(x, i=i, at=at, n=n):
                    return precise(op.formula, **dict(zip("xyz", (*at[:i], x, *at[i + 1 :]))), **n)

                slope = mpmath.diff(along, mpmath.mpf(at[i]), h=mpmath.mpf("1e-20"))
                assert close(value.grad, slope, rel=1e-14), (at, i)


@row_of_letters
def test_the_value_is_the_formula(op):
    with mpmath.workdps(50):
        for at in points(op):
            letters = {letter: mpmath.mpf(x) for letter, x in zip("xyz", at)}
            n = {} if op.n is None else {"n": mpmath.mpf(op.n)}
            assert close(apply(op, [*map(Value, at)]).data, precise(op.formula, **letters, **n))


@row_of_letters
def test_the_textbook_form_says_the_same(op):
    for at in points(op):
        letters = dict(zip("xyz", at)) | {"n": op.n}
        letters["f"] = evaluate(op.formula, letters)
        for accurate, printed in zip((op.formula, *op.partials), op.shown, strict=True):
            expected = evaluate(accurate, letters)
            assert evaluate(printed, letters) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@row_of_letters
def test_the_textbook_form_says_the_same_at_a_kink(op):
    for at in itertools.product((0.0, 1.0), repeat=arity(op)):
        if inside(op, at) and not (op.name == "pow" and at[0] == 0):  # a book has x > 0 there
            letters = dict(zip("xyz", at)) | {"n": op.n}
            letters["f"] = evaluate(op.formula, letters)
            for accurate, printed in zip((op.formula, *op.partials), op.shown, strict=True):
                expected = evaluate(accurate, letters)
                assert evaluate(printed, letters) == pytest.approx(expected, rel=1e-15)


@row_of_letters
def test_the_numpy_form_says_the_same(op):
    np = pytest.importorskip("numpy")
    for formula in (op.formula, *op.partials):
        columns = [np.array(column) for column in zip(*points(op))]
        letters = dict(zip("xyz", columns)) | {"n": op.n}
        scope = functions_of(np) | {"np": np}
        with np.errstate(over="ignore"):  # `where` computes both of its branches
            letters["f"] = eval(formula_numpy(op.formula), scope, letters)
            got = np.broadcast_to(eval(formula_numpy(formula), scope, letters), columns[0].shape)
        for i, at in enumerate(points(op)):
            numbers = dict(zip("xyz", at)) | {"n": op.n, "f": float(letters["f"][i])}
            assert got[i] == pytest.approx(evaluate(formula, numbers), rel=1e-14)


@every_row
def test_every_formula_can_be_typeset(op):
    matplotlib = pytest.importorskip("matplotlib.mathtext")
    parser = matplotlib.MathTextParser("path")
    for formula in op.shown:
        typeset = formula_latex(formula)
        assert typeset.count("{") == typeset.count("}")
        if r"\begin" not in typeset:  # cases are for MathJax and LaTeX; mathtext has none
            plain = typeset.replace(r"\left|", "|").replace(r"\right|", "|")
            parser.parse(f"${plain}$")


@every_row
def test_every_formula_can_be_written_out(op):
    for formula in op.shown:
        text = formula_text(formula, {"x": "0.669", "y": "−2", "z": "1", "f": "f", "n": "3"})
        assert "x" not in text.replace("exp", "").replace("max", "")


@row_of_letters
def test_outside_the_domain_is_an_error_that_names_it(op):
    outside = [
        at
        for at in [(-1.0,), (0.0,), (710.0,), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.5), (0.0, 0.5)]
        if len(at) == len(op.partials) and not inside(op, at)
    ]
    assert outside or not op.domain or op.n in (2, 3)  # the square of anything is defined
    for at in outside:
        with pytest.raises(ValueError, match=op.name) as error:
            apply(op, [Value(x, "q") for x in at])
        assert op.domain in str(error.value)
        assert f"x = Value(q: {at[0]:g}, grad=0)" in str(error.value)


@row_of_letters
def test_the_domain_is_where_there_is_no_error(op):
    for at in itertools.product((-2.0, -0.5, 0.0, 0.5, 1.0, 3.0), repeat=arity(op)):
        with nullcontext() if inside(op, at) else pytest.raises(ValueError, match="is undefined"):
            apply(op, [*map(Value, at)])


@pytest.mark.parametrize("op", ONE_INPUT, ids=title)
def test_a_nan_that_arrives_is_never_hidden(op):
    x = Value(math.nan)
    y = apply(op, [x])
    assert math.isnan(y.data)
    if op.name not in OPERATORS and op.partials[0] not in ("1", "-1"):
        y.backward()
        assert math.isnan(x.grad)


@pytest.mark.parametrize("op", ONE_INPUT, ids=title)
def test_second_derivatives_are_the_slope_of_the_first(op):
    with mpmath.workdps(50):
        for at in points(op):
            x = Value(at[0])
            (slope,) = gradients(apply(op, [x]), [x])
            (curvature,) = gradients(slope, [x])
            n = {} if op.n is None else {"n": mpmath.mpf(op.n)}

            def first(x, n=n):
                letters = {"x": x, "f": precise(op.formula, x=x, **n)} | n
                return precise(op.partials[0], **letters)

            expected = mpmath.diff(first, mpmath.mpf(at[0]), h=mpmath.mpf("1e-20"))
            assert abs(curvature.data - expected) <= 1e-12 * max(1, abs(expected)), at


@pytest.mark.parametrize(
    ("name", "slope"),
    [("relu", 0.0), ("leaky_relu", 0.01), ("abs", 0.0), ("step", 0.0)],
)
def test_the_slope_at_a_kink_is_the_one_torch_takes(name, slope):
    x = Value(0.0)
    apply(OPS[name], [x]).backward()
    assert x.grad == slope


@pytest.mark.parametrize("x", [-40.0, 40.0, -700.0, 25.0])
def test_the_tails_of_sigmoid_and_tanh_keep_their_slopes(x):
    with mpmath.workdps(400):
        for name in ("sigmoid", "tanh"):
            value = Value(x)
            getattr(value, name)().backward()
            at = mpmath.mpf(x)
            slope = mpmath.sech(at) ** 2 if name == "tanh" else 1 / (2 + 2 * mpmath.cosh(at))
            assert close(value.grad, slope, rel=1e-14) or slope < 1e-307


@pytest.mark.parametrize(("x", "expected"), [(1000.0, 1.0), (1e-20, 1e-20), (-1000.0, -1.0)])
def test_tanh_neither_overflows_nor_loses_small_numbers(x, expected):
    assert Value(x).tanh().data == expected


def test_sigmoid_and_softplus_do_not_overflow():
    assert [Value(x).sigmoid().data for x in (-1000, 1000)] == [0.0, 1.0]
    assert [Value(x).softplus().data for x in (-1000, 1000)] == [0.0, 1000.0]


@pytest.mark.parametrize("x", [1000.0, -1000.0, math.inf, -math.inf])
def test_logaddexp_neither_overflows_nor_underflows(x):
    assert OPERATORS["logaddexp"](Value(x), Value(x)).data == x + math.log(2)


def test_logaddexp_keeps_small_slopes():
    x, y = Value(1000.0), Value(960.0)
    OPERATORS["logaddexp"](x, y).backward()
    assert (x.grad, y.grad) == (1.0, pytest.approx(math.exp(-40), rel=1e-15))


@every_row
def test_a_row_is_pickled_by_its_name(op):
    again = pickle.loads(pickle.dumps(op))
    assert (again.name, again.n, again.formula) == (op.name, op.n, op.formula)


def test_the_number_of_a_row_is_put_in():
    assert row("pow_scalar", 3.0).n == 3.0
    assert row("leaky_relu", 0.01) is OPS["leaky_relu"]


@pytest.mark.parametrize("name", ["relu", "step"])
def test_a_shut_gate_stops_an_infinite_gradient(name):
    x = Value(-1.0)
    (getattr(x, name)() * Value(math.inf)).backward()
    assert x.grad == 0.0


@pytest.mark.parametrize("y", [0.0, 1.0, 2.5])
def test_a_power_of_zero_has_the_slopes_that_torch_takes(y):
    torch = pytest.importorskip("torch")
    base, exponent = Value(0.0), Value(y)
    (base**exponent).backward()
    at = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (0.0, y)]
    torch.pow(*at).backward()
    assert [base.grad, exponent.grad] == [x.grad.item() for x in at]


def test_the_symbols_are_those_of_the_lecture_and_of_calculus():
    shown = {
        "neg": "−", "half_square": "½(·)²", "exp": "exp", "log": "ln", "sqrt": "√", "sin": "sin",
        "cos": "cos", "abs": "|·|", "tanh": "tanh", "sigmoid": "σ", "softplus": "softplus",
        "relu": "ReLU", "step": "step", "identity": "id", "leaky_relu": "LReLU",
        "pow_scalar": "(·)^n", "add": "+", "sub": "−", "mul": "×", "div": "÷", "pow": "xʸ",
        "logaddexp": "LSE", "maximum": "max", "minimum": "min", "sum": "Σ", "dot": "Σ",
        "expm1": "expm1", "log1p": "log1p", "tan": "tan", "atan": "atan", "erf": "erf",
        "erfc": "erfc", "silu": "SiLU", "gelu": "GELU", "gelu_tanh": "GELU", "elu": "ELU",
        "clip": "clip", "where": "where", "take": "[·]",
    }  # fmt: skip
    assert shown == {name: op.symbol for name, op in OPS.items()}


def test_the_bias_of_a_dot_product_has_a_letter_of_its_own():
    assert OPS["dot"].partial(4, ["w1", "w2", "z1", "z2", "w0"]) == ("1", {"b": "w0"})
