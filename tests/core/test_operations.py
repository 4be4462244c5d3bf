import math
import pickle

import pytest

from micrograd_lab import (
    MLP,
    Value,
    check_gradient,
    draw,
    explain,
    expression,
    fit,
    forward_steps,
    gradients,
    moons,
    operation,
    replay,
    step,
    take,
    to_torch,
)
from micrograd_lab.ops import OPS
from micrograd_lab.replaying.program import BACKENDS

SOFTSIGN = "softsign", "x / (1 + abs(x))", ["1 / (1 + abs(x)) ** 2"]


@pytest.fixture(autouse=True)
def _the_table_as_it_was():
    before = dict(OPS)
    yield
    for name in OPS.keys() - before.keys():
        del OPS[name]
        if hasattr(Value, name):
            delattr(Value, name)


def test_an_operation_of_one_input_is_a_function_and_a_method():
    softsign = operation(*SOFTSIGN)
    x = Value(-3.0)
    y = softsign(x)
    y.backward()
    assert (y.data, x.grad, y.op.symbol) == (-0.75, 1 / 16, "softsign")
    assert (x.softsign().data, softsign(-3).data) == (-0.75, -0.75)
    assert (softsign.__name__, "x / (1 + abs(x))" in softsign.__doc__) == ("softsign", True)


def test_of_two_and_three_inputs_it_is_a_function():
    hypot = operation(
        "hypot", "sqrt(x * x + y ** 2)", ["x / f", "y / f"], domain="x != 0 or y != 0"
    )
    box = operation("box", "n * x * y * z", ["n * y * z", "n * x * z", "n * x * y"], n=0.5)
    a, b = Value(3.0), Value(4.0)
    assert (hypot(a, b).data, hypot(a, b).slopes) == (5.0, (0.6, 0.8))
    assert (box(a, b, 2).data, box(a, b, 2).slopes) == (12.0, (4.0, 3.0, 6.0))
    assert not hasattr(Value, "hypot")


def test_its_number_may_be_another():
    swish = operation(
        "swish", "x * sigmoid(n * x)", ["sigmoid(n * x) + n * f * sigmoid(-n * x)"], n=1
    )
    x = Value(0.5)
    assert swish(x).data == x.silu().data
    assert (
        swish(x, 2.0).data == swish(x, n=2.0).data == x.swish(2.0).data == (2 * x).silu().data / 2
    )


def test_second_derivatives_go_through_it():
    operation("cube", "x ** 3 * exp(log(2))", ["6 * x ** 2"])
    x = Value(2.0)
    (slope,) = gradients(x.cube(), [x])
    (curvature,) = gradients(slope, [x])
    assert (slope.data, curvature.data) == (24.0, 24.0)


def test_partials_may_call_functions_of_plain_numbers():
    operation("scaled", "x * sqrt(2)", ["sqrt(2)"])
    x = Value(3.0)
    (slope,) = gradients(x.scaled() * x, [x])
    assert slope.data == pytest.approx(6 * math.sqrt(2))


def test_words_and_pictures_follow():
    operation(*SOFTSIGN, symbol="S")
    x = Value(3.0, "x")
    y = x.softsign()
    check_gradient(y)
    assert [*map(str, forward_steps(y))] == ["v2 = x ÷ (1 + abs(x)) = 3 ÷ (1 + abs(3)) = 0.750"]
    assert "∂v2/∂x = 1 ÷ (1 + abs(x))^2 = 1 ÷ (1 + abs(3))^2" in str(explain(y, x))
    assert "S" in draw(y).source
    assert "1 + abs(" in step(y).html
    assert expression("softsign(S(x))", {"x": 3.0}).op is OPS["softsign"]


CONSTANTS = [
    ("tiny", "log(x * x + 1e-10)", ["2 * x / (x * x + 1e-10)"], {}),
    (
        "decimal",
        "log(abs(x) + 0.0000000001)",
        ["(1 if x > 0 else -1) / (abs(x) + 0.0000000001)"],
        {},
    ),
    ("floor", "log(max(x, 1e-10))", ["1 / x if x > 1e-10 else 0"], {"gate": True}),
    (
        "power",
        "abs(x) ** 1e-10 + 1e-10",
        ["1e-10 * abs(x) ** (1e-10 - 1) * (1 if x > 0 else -1)"],
        {},
    ),
    ("base", "1e-10 ** x", ["f * log(1e-10)"], {}),
    ("number", "1e-10 * x + n", ["1e-10"], {"n": 1e-10}),
    ("branch", "1e-10 if x < 1e-10 else 1e-10 * x", ["0 if x < 1e-10 else 1e-10"], {}),
    ("root", "sqrt(x)", ["1 / (2 * f)"], {"domain": "x > 0"}),
    (
        "bell",
        "erf(x / sqrt(2)) + atan(x)",
        ["exp(-x * x / 2) * 0.7978845608028654 + 1 / (1 + x * x)"],
        {},
    ),
]


@pytest.mark.parametrize(
    ("name", "formula", "partials", "more"), CONSTANTS, ids=[c[0] for c in CONSTANTS]
)
@pytest.mark.parametrize("backend", [*BACKENDS, None])
def test_every_backend_but_the_tape_runs_it(backend, name, formula, partials, more):
    if backend in ("torch", "jax"):
        pytest.importorskip(backend)
    own = operation(name, formula, partials, **more)
    w, x = Value(0.7, "w"), Value(1.5, "x")
    loss = own(w * x) * w + own(w)
    if backend == "tape":
        with pytest.raises(
            ValueError, match=f"the tape's kernel does not know the operation {name}"
        ):
            replay(loss, [x], [w], backend=backend)
        return
    program = replay(loss, [x], [w], backend=backend)
    rows = [[1.5], [0.3], [2.0]]
    found, gradient = program(rows), w.grad
    w.grad, losses = 0.0, []
    for (at,) in rows:
        again = own(w * at) * w + own(w)
        losses.append(again.data)
        (again / 3).backward()
    assert found == pytest.approx(sum(losses) / 3, rel=1e-13)
    assert gradient == pytest.approx(w.grad, rel=1e-13)


def test_a_function_is_replayed_and_fitted_with_it_by_default():
    softsign = operation(*SOFTSIGN)
    w, x = Value(0.7, "w"), Value(0.0, "x")
    program = replay(lambda x: softsign(w * x) if x > 0 else x * w, [x], [w])
    assert program([[1.0], [-1.0]]) == pytest.approx((0.7 / 1.7 - 0.7) / 2)
    model = MLP(2, [4, 1], activation="softsign", seed=1)
    losses = fit(model, *moons(60, seed=1), epochs=3, progress=False).loss
    assert losses[-1] < losses[0]


def test_a_default_replay_that_falls_back_on_numpy_looks_rows_up_there():
    softsign = operation(*SOFTSIGN)
    a, b, i = Value(2.0, "a"), Value(3.0, "b"), Value(1.0, "i")
    program = replay(softsign(take([a, b], i)), [i], [a, b])
    assert (program([[0], [1]]), a.grad, b.grad) == ((2 / 3 + 3 / 4) / 2, 1 / 18, 1 / 32)


def test_a_network_has_it_as_an_activation_by_name_or_as_a_function():
    softsign = operation(*SOFTSIGN, symbol="S")
    by_name, by_function = (
        MLP(1, [2], activation=[kind], seed=1) for kind in ("softsign", softsign)
    )
    assert by_function.layers[0].neurons[0].activation == "softsign"
    assert [y.data for y in by_name([2])] == [y.data for y in by_function([2])]


def test_an_operation_that_only_has_the_name_of_a_module_is_no_module():
    pytest.importorskip("torch")
    operation("softsign", "x / (2 + abs(x))", ["2 / (2 + abs(x)) ** 2"])
    with pytest.raises(ValueError, match=r"torch\.nn has no module for the activation 'softsign'"):
        to_torch(MLP(1, [1, 1], activation="softsign"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("softsign", "x / (1 + abs(x))", ["1 / (1 + abs(x))"]),
         r"for x, 1 / .*, is 0\.\d+ at x = -?[\d.]+, but the slope of the formula, measured, is 0"),
        (("product", "x * y", ["y", "y"]), r"for y, y, is .* at x = .*, y = .*measured"),
        (("root", "sqrt(x)", ["0.5 / f"]), r"sqrt\(x\) has no value at x = -.*; give its domain"),
        (("ratio", "x", ["1 / (1 - 1)"]), r"the partial for x, .*, is nan at x = .*measured, is 1"),
        (("mul", "x", ["1"]), "mul is taken by the table"),
        (("data", "x", ["1"]), "data is taken"),
        (("max", "x", ["1"]), "max is taken"),
        (("lambda", "x", ["1"]), "'lambda' is no name for an operation"),
        (("_own", "x", ["1"]), "'_own' is no name"),
        (("own", "x + w", ["1"]), "'w' is not part of a formula here; it has .*, x, functions"),
        (("own", "x + f", ["1"]), "'f' is not part"),
        (("own", "sigmod(x)", ["1"]), "a formula cannot call sigmod; did you mean sigmoid?"),
        (("own", "__import__('os')", ["1"]), "a formula cannot call __import__; "),
        (("own", "x.real", ["1"]), r"'x\.real' is not part"),
        (("own", "0 < x < 1", ["1"]), "'0 < x < 1' is not part"),
        (("own", "not x", ["1"]), "'not x' is not part"),
        (("own", "x * 1e400", ["1"]), "'1e309' is not part"),
        (("own", "max(x, 1, 2)", ["1"]), r"'max\(x, 1, 2\)' is not part"),
        (("own", "x +", ["1"]), r"cannot read the formula 'x \+': invalid syntax"),
        (("own", "x", "1"), "partials '1'; give a list of 1 to 3"),
        (("own", "x", None), r"partials None; give a list"),
        (("own", "x", []), r"partials \[\]; give a list"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_right_is_refused_and_nothing_is_added(arguments, message):
    before = dict(OPS)
    with pytest.raises(ValueError, match=message):
        operation(*arguments)
    assert before == OPS


@pytest.mark.parametrize("arguments", [(3, "x", ["1"]), ("own", 3, ["1"]), ("own", "x", [3])])
def test_a_number_for_a_text_is_a_type_error(arguments):
    with pytest.raises(TypeError, match="3 is int; give a text"):
        operation(*arguments)


def test_textbook_and_domain_are_checked_too():
    with pytest.raises(ValueError, match="1 formulas of a textbook; give 2"):
        operation("own", "x", ["1"], textbook=["x"])
    with pytest.raises(
        ValueError, match="no numbers were found that the domain allows: x > 1e\\+300"
    ):
        operation("own", "x", ["1"], domain="x > 1e300")
    with pytest.raises(ValueError, match="'x' is not part of a formula"):
        operation("own", "x", ["1"], domain="x")


def test_outside_its_domain_it_is_an_error():
    root = operation("root", "sqrt(x)", ["0.5 / f"], domain="x > 0")
    with pytest.raises(ValueError, match=r"root is undefined at x = Value\(-1, .*; it needs x > 0"):
        root(Value(-1))


def test_the_same_again_is_the_same_row_and_another_takes_its_place():
    old = operation(*SOFTSIGN)
    row = OPS["softsign"]
    operation(*SOFTSIGN)
    assert OPS["softsign"] is row
    new = operation("softsign", "x / (2 + abs(x))", ["2 / (2 + abs(x)) ** 2"])
    x, w = Value(1.0, "x"), Value(2.0, "w")
    assert (old(x).data, new(x).data, x.softsign().data) == (1 / 2, 1 / 3, 1 / 3)
    both = old(x * w) + new(x * w)  # side by side in one record
    assert replay(both, [x], [w], backend="numpy")([[1.0]]) == both.data == 2 / 3 + 1 / 2


def test_a_method_goes_with_the_row_that_had_one():
    operation(*SOFTSIGN)
    assert operation("softsign", "x + y", ["1", "1"])(Value(1), 2).data == 3
    assert not hasattr(Value, "softsign")


def test_a_pickle_needs_the_row_it_was_made_with():
    operation(*SOFTSIGN)
    y = Value(3.0, "x").softsign()
    pickled = pickle.dumps(y)
    again = pickle.loads(pickled)
    assert (again.data, again.op) == (0.75, y.op)
    operation("softsign", "x / (2 + abs(x))", ["2 / (2 + abs(x)) ** 2"])
    with pytest.raises(
        ValueError, match=r"there is operation\('softsign', 'x / \(2 .*pickled: oper.*1 \+"
    ):
        pickle.loads(pickled)
    del OPS["softsign"]
    message = r"no operation softsign here; first make the one that was pickled: operation\('softs"
    with pytest.raises(ValueError, match=message):
        pickle.loads(pickled)
    delattr(Value, "softsign")
