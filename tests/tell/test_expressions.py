import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_lab import Value, expression
from micrograd_lab.ops import OPS
from micrograd_lab.tell.expressions import names_read

ONE_INPUT = [op for op in OPS.values() if op.unary]


def test_the_toy_example_is_recorded_with_its_names():
    f = expression("w*x + b", {"w": -2, "x": 5, "b": 3})
    f.backward()
    product, b = f.inputs
    assert (f.data, f.op.name, product.op.name, b.label) == (-7, "add", "mul", "b")
    assert [leaf.grad for leaf in (*product.inputs, b)] == [5, -2, 1]


def test_named_steps_label_the_values_between():
    f = expression("g = w*x; f = g + b", {"w": -2, "x": 5, "b": 3})
    assert (f.label, f.inputs[0].label) == ("f", "g")


def test_a_name_read_twice_is_one_value():
    square = expression("a*a", {"a": 3})
    assert square.inputs[0] is square.inputs[1]


def test_a_value_that_is_given_is_used_itself():
    x = Value(2, "x")
    assert expression("3*x", {"x": x}).inputs[1] is x


def test_a_power_by_a_typed_number_is_the_operation_of_one_input():
    assert expression("x ** -2", {"x": 4}).op.name == "pow_scalar"
    assert expression("2 ** x", {"x": 4}).op.name == "pow"


@pytest.mark.parametrize("op", ONE_INPUT, ids=lambda op: op.name)
def test_every_operation_of_one_input_is_a_function_by_its_name(op):
    assert expression(f"{op.name}(x)", {"x": 0.5}).op.name == op.name


@pytest.mark.parametrize(
    ("text", "name"), [("ln(x)", "log"), ("σ(x)", "sigmoid"), ("ReLU(x)", "relu")]
)
def test_a_function_can_be_called_by_its_symbol(text, name):
    assert expression(text, {"x": 0.5}).op.name == name


def test_a_slope_can_be_given_to_leaky_relu():
    assert expression("leaky_relu(x, 0.3)", {"x": -1}).data == -0.3


def test_dot_and_sum_are_one_node_each():
    a = expression("sum(dot([0.15, 0.2], [x, 0.3], 0.1), 1, x)", {"x": 0.12})
    assert (a.op.name, a.inputs[0].op.name) == ("sum", "dot")
    assert a.data == pytest.approx(0.178 + 1 + 0.12)


def test_a_value_is_called_as_it_was_typed():
    assert expression("w_hidden", {"w_hidden": 1}).label == "w_hidden"


def test_a_name_is_the_same_however_its_letters_are_encoded():
    micro, mu = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"
    assert expression(f"{micro} + {mu}", {micro: 2}).data == 4


NUMBERS = {"w": -2.0, "x": 5.0, "b": 3.0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing to compute; give an expression such as"),
        ("2x + b", "cannot read '2x + b'; write * for a product, near '2x'"),
        ("2(x + b)", "write * for a product in '2(x + b)'"),
        ("w*(x + b)(x)", "write * for a product in '(x + b)(x)'"),
        ("(x + b) w", "cannot read '(x + b) w'; write * for a product, near ') w'"),
        ("1e5*x +", "cannot read '1e5*x +' at character"),
        ("x(w + b)", "x is a number, not a function; write * for a product"),
        ("w*x +", "cannot read 'w*x +' at character"),
        ("w^x + b", "write ** for a power, not ^, in 'w^x + b'"),
        ("sigmod(x)", "sigmod is not a function here; did you mean sigmoid?"),
        ("frobnicate(x)", "frobnicate is not a function here; there are neg, "),
        ("w*x + b + q", "q has no number; give q=…"),
        ("w*x + b + p*q", "p, q have no number; give p=… q=…"),
        ("w*x", "b has a number, but the expression does not read it"),
        ("w*x + bb", "bb has no number; give bb=…; b has one but is not read"),
        ("tanh(w, x) + b", "tanh takes one number, as in tanh(x)"),
        ("leaky_relu([w, x, b], 0.1)", "leaky_relu takes one number, as in leaky_relu(x)"),
        ("sum([w, x, b])", "sum takes numbers, as in sum(x)"),
        ("dot([w], [x, b])", "1 weights but 2 inputs; give one weight each"),
        ("dot(w, x, b)", "dot takes weights, inputs and perhaps a bias"),
        ("[w, x, b]", "'[w, x, b]' is a list; lists are for dot"),
        ("[w]*x + b", "'[w]' is a list; lists are for dot"),
        ("w*x; b", "'w*x' has no name; write y = ... to use it"),
        ("b*log(w*x)", "log is undefined at x = Value(-10, grad=0); it needs x > 0"),
        (f"w*x*b*{10**400}", "a number beyond 1.8e308"),
        ("w*x + b" + " " * 10_000, "the expression has 10007 characters, more than 10000"),
        ("-" * 9_000 + "w*x*b", "too deeply nested; name a part of it"),
        ("(" * 9_000 + "w*x*b", "cannot read"),
        ("9" * 9_000 + ")", "cannot read"),
        ("q" * 9_000, "qqq... has no number; give qqq"),
        ("q" * 9_000 + "(x)", "qqq... is not a function here"),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_not_understood_is_said_in_one_line(text, says):
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        expression(text, NUMBERS)
    message = str(raised.value)
    assert says in message
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__.__bases__[0].__subclasses__()",
        "x.data",
        "x.__class__",
        "getattr(x, 'data')",
        "eval('1')",
        "open('f')",
        "exp.__globals__",
        "(lambda: 1)()",
        "[x for x in x]",
        "x if x else x",
        "x[0]",
        "{x: x}",
        "f'{x}'",
        "'x' * 9",
        "b'x'",
        "1j * x",
        "True",
        "...",
        "x := 2",
        "exp(*x)",
        "exp(x=x)",
        "exp(**x)",
        "x < 1",
        "x and x",
        "not x",
        "~x",
        "x % 2",
        "x // 2",
        "x @ x",
        "x << 2",
        "x, x",
        "import os",
        "del x",
        "x = y = 1",
        "x.y = 1",
        "x += 1",
        "def f(): return 1",
        "class C: pass",
        "while 1: pass",
        "await x",
        "yield x",
        "backward(x)",
        "detach(x)",
        "__repr__(x)",
        "'\\d'",
        "1if x else 2",
        "\ud800",
        "x\0",
    ],
)
def test_python_that_is_not_an_expression_is_refused(text):
    with pytest.raises(ValueError, match=r"not understood|cannot read|not a function here"):
        expression(text, {"x": 1})


def test_a_tower_of_powers_ends_at_the_largest_float():
    with pytest.raises(ValueError, match="pow overflows"):
        expression("9**9**9**9")


@given(st.text(alphabet="wx+-*/().,=[]0123456789e^_ ;\n'\"\\:σ{}", max_size=40))
def test_any_text_gives_a_value_or_says_why_not(text):
    try:
        answer = expression(text, {"w": 0.5, "x": 1.5})
    except ValueError as error:
        answer = str(error)
    assert isinstance(answer, Value) or "\n" not in answer


numbers = st.floats(-3, 3).map(lambda x: round(x, 3))
texts = st.recursive(
    st.sampled_from(["w", "x"]) | numbers.map(str),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({' '.join(t)})"),
        inner.map(lambda t: f"-{t}"),
        inner.map(lambda t: f"tanh({t})"),
    ),
)


@given(texts, numbers, numbers)
def test_an_expression_has_the_value_that_python_gives_it(text, w, x):
    value = expression(f"{text} + 0*w*x", {"w": w, "x": x})
    assert value.data == eval(f"{text} + 0*w*x", {"w": w, "x": x, "tanh": math.tanh})


def test_the_names_that_an_expression_reads_are_those_it_does_not_assign():
    assert names_read("g = w*x; g + b") == ["w", "x", "b"]
