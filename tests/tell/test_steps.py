import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from table import ROWS, apply, points, title

from micrograd_lab import Graph, Value, backward_steps, dot, forward_steps, total
from micrograd_lab.engine import recorded
from micrograd_lab.formulas import evaluate
from micrograd_lab.ops import OPS


def neuron():
    """σ(w_1·z_1 + w_2·z_2 + w_0) and its parts, with the numbers of the lecture's y_1."""
    w1, w2, w0 = Value(0.4, "w_1"), Value(0.5, "w_2"), Value(0.2, "w_0")
    z1, z2 = Value(0.544, "z_1"), Value(0.578, "z_2")
    s = dot([w1, w2], [z1, z2], w0)
    s.label = "s"
    y = s.sigmoid()
    y.label = "y"
    return y, s, (w1, w2, z1, z2, w0)


SHAPES = [
    lambda x, y, z: x + y,
    lambda x, y, z: x - y,
    lambda x, y, z: x * y * 0.5,
    lambda x, y, z: x * x * 0.25,
    lambda x, y, z: (x * x + 1).sqrt(),
    lambda x, y, z: x.tanh(),
    lambda x, y, z: x.relu(),
    lambda x, y, z: x.sigmoid(),
    lambda x, y, z: total([x, y, z, x]) / 3,
    lambda x, y, z: dot([x, y], [z, x], y) / 4,
]


def random_graph(seed):
    """A value computed from three leaves by forty random operations that share their inputs."""
    draw = random.Random(seed)
    leaves = [Value(draw.uniform(-2, 2), label) for label in ("a", "b", "w")]
    values = list(leaves)
    for _ in range(40):
        x, y, z = draw.choices(values[-8:], k=3)
        values.append(draw.choice(SHAPES)(x, y, z))
    return values[-1] + total(leaves), leaves


def gradients_of(result):
    return [node.grad for node in recorded(result)]


@pytest.mark.parametrize("seed", range(40))
def test_steps_run_to_their_end_leave_the_gradients_of_backward(seed):
    stepped, backed = random_graph(seed)[0], random_graph(seed)[0]
    for _ in backward_steps(stepped):
        pass
    backed.backward()
    assert gradients_of(stepped) == gradients_of(backed)


@pytest.mark.parametrize("seed", range(10))
def test_steps_over_opened_dot_products_leave_the_gradients_of_backward_on_the_leaves(seed):
    result, leaves = random_graph(seed)
    list(backward_steps(Graph(result, products=True)))
    stepped = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = 0.0
    result.backward()
    assert stepped == pytest.approx([leaf.grad for leaf in leaves], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_what_a_step_announces_is_what_happens(seed):
    result, _ = random_graph(seed)
    announced = {}
    for step in backward_steps(result):
        assert all(x.grad == after for x, after in announced.items())
        assert step.upstream == step.node.grad
        before = {edge.receiver: edge.receiver.grad for edge in step.edges}
        for edge in step.edges:
            assert edge.before == before[edge.receiver]
            assert edge.after == edge.before + edge.contribution
            before[edge.receiver] = edge.after
        announced = before
    assert all(x.grad == after for x, after in announced.items())


def test_a_step_is_shown_before_it_is_applied():
    y, s, (w1, *_) = neuron()
    steps = backward_steps(y)
    next(steps)
    assert s.grad == 0
    next(steps)
    assert (s.grad != 0, w1.grad) == (True, 0)
    assert next(steps, None) is None
    assert w1.grad == s.grad * 0.544


def test_two_losses_accumulate_on_the_leaves_as_with_backward():
    def losses():
        w = Value(0.5, "w")
        trunk = (w * 3).tanh()
        return w, trunk * 2, trunk * trunk

    w, first, second = losses()
    list(backward_steps(first))
    steps = list(backward_steps(second))
    v, one, two = losses()
    one.backward()
    two.backward()
    assert w.grad == v.grad
    assert steps[-1].edges[0].before == 0


def test_the_steps_after_backward_show_their_own_pass():
    w, x = Value(2, "w"), Value(3, "x")
    f = w * x + w
    once = [*map(str, backward_steps(f))]
    f.backward()
    assert [*map(str, backward_steps(f))] == once
    assert once[-1] == "∂v4/∂w += 1 × 3 = 3, adds to 1 → 4\n∂v4/∂x += 1 × 2 = 2"
    assert (w.grad, x.grad) == (12.0, 6.0)  # three passes


def test_a_leaf_alone_has_no_steps_but_a_gradient():
    x = Value(3.0)
    assert (list(forward_steps(x)), list(backward_steps(x)), x.grad) == ([], [], 1.0)


def test_a_repeated_input_receives_both_contributions():
    x = Value(3.0, "x")
    (step,) = backward_steps(x * x)
    assert [(edge.before, edge.after) for edge in step.edges] == [(0, 3), (3, 6)]
    assert str(step) == "∂v2/∂x += 1 × 3 = 3\n∂v2/∂x += 1 × 3 = 3, adds to 3 → 6"


def test_a_gate_stops_an_infinite_gradient_in_the_announcement_too():
    x = Value(-1.0, "x")
    closed = x.relu()
    *_, step = backward_steps(closed * float("inf"))
    assert (step.upstream, step.edges[0].contribution, x.grad) == (float("inf"), 0.0, 0.0)


def test_a_backward_line_is_the_line_of_the_lecture():
    y, *_ = neuron()
    y.label = "E"
    first, second = backward_steps(y)
    assert str(first) == "∂E/∂s += 1 × 0.221 = 0.221"
    assert first.edges[0].partial == "f * (1 - f)"
    assert first.edges[0].text.symbols == "E × (1 − E)"
    assert first.edges[0].text.numbers == "0.670 × (1 − 0.670)"
    assert str(second).splitlines()[2] == "∂E/∂z_1 += 0.221 × 0.400 = 0.0885"


def test_a_local_derivative_is_written_out():
    *_, first, second = backward_steps(neuron()[0])
    assert first.edges[0].text.derived == "∂y/∂s = y × (1 − y) = 0.670 × (1 − 0.670) = 0.221"
    assert second.edges[2].text.derived == "∂s/∂z_1 = w_1 = 0.4"
    assert second.edges[4].text.derived == "∂s/∂w_0 = 1"


def test_the_local_derivative_of_a_product_is_the_other_factor():
    *_, step = backward_steps(neuron()[0])
    assert [edge.text.symbols for edge in step.edges] == ["z_1", "z_2", "w_1", "w_2", "1"]
    assert [edge.text.numbers for edge in step.edges] == ["0.544", "0.578", "0.4", "0.5", "1"]
    assert [edge.local for edge in step.edges] == [0.544, 0.578, 0.4, 0.5, 1]


@pytest.mark.parametrize("op", ROWS, ids=title)
def test_the_formula_of_a_step_gives_its_local_derivative(op):
    for at in points(op):
        (step,) = backward_steps(apply(op, [Value(x) for x in at]))
        for edge in step.edges:
            letters = dict(op.partial(edge.index, at)[1]) | {"f": step.data, "n": op.n}
            assert evaluate(edge.partial, letters) == pytest.approx(edge.local, rel=1e-6)


def test_a_forward_line_is_the_line_of_the_lecture():
    sum_, activation = forward_steps(neuron()[0])
    assert str(sum_) == (
        "s = w_1 × z_1 + w_2 × z_2 + w_0 = 0.4 × 0.544 + 0.5 × 0.578 + 0.2 = 0.707"
    )
    assert str(activation) == "y = 1 ÷ (1 + exp(−s)) = 1 ÷ (1 + exp(−0.707)) = 0.670"


def test_a_line_has_parts_in_html_and_latex():
    *_, step = backward_steps(neuron()[0])
    assert step.edges[0].html.target == "∂<i>y</i>/∂<i>w</i><sub>1</sub>"
    assert step.edges[0].latex.target == r"\frac{\partial y}{\partial w_1}"
    assert step.edges[0].latex.product == r"0.221 \times 0.544"
    symbols = next(forward_steps(neuron()[0])).html.symbols
    assert symbols.startswith("<i>w</i><sub>1</sub> × <i>z</i><sub>1</sub>")


def test_a_label_cannot_inject_html():
    evil = Value(2.0, "<script>alert(1)</script>")
    (forward,) = forward_steps(evil.exp())
    (backward,) = backward_steps(evil.exp())
    for part in (*forward.html, *backward.edges[0].html):
        assert "<script" not in part


def test_a_step_keeps_its_numbers_when_a_parameter_moves():
    w = Value(2.0, "w")
    (forward,), (backward,) = forward_steps(w * w), backward_steps(w * w)
    w.data = 100.0
    assert str(forward) == "v2 = w × w = 2 × 2 = 4"
    assert backward.edges[0].text.numbers == "2"


def test_a_sum_of_many_terms_is_cut_off():
    (step,) = forward_steps(total([Value(i, f"x_{i}") for i in range(20_000)]))
    assert str(step).startswith("v20001 = x_0 + x_1 + x_2 + x_3 + … = 0 + 1 + 2 + 3 + … = ")


def test_a_chain_of_ten_thousand_operations_steps_without_recursion():
    x = Value(1.0)
    y = x
    for _ in range(10_000):
        y = y * 1.0
    assert sum(1 for _ in backward_steps(y)) == 10_000
    assert x.grad == 1.0


@pytest.mark.parametrize("op", OPS.values(), ids=OPS.keys())
def test_every_operation_has_both_lines(op):
    x, y, z = Value(0.0 if op.name == "take" else 0.3, "x"), Value(0.7, "y"), Value(0.9, "z")
    f = apply(op, [x, y] if op.variadic else [x, y, z][: len(op.partials)])
    f.label = "f"
    (forward,) = forward_steps(f)
    (backward,) = backward_steps(f)
    for writing in ("text", "html", "latex"):
        assert all(getattr(forward, writing))
        assert all(all(getattr(edge, writing)) for edge in backward.edges)
    assert str(forward).startswith("f = ")
    assert str(backward).startswith("∂f/∂x += 1 × ")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=4))
def test_any_numbers_can_be_stepped(numbers):
    values = [Value(x) for x in numbers]
    result = total([x * x for x in values])
    assert all(str(step) for step in forward_steps(result))
    assert all(str(step) for step in backward_steps(result))


@pytest.mark.parametrize("steps", [forward_steps, backward_steps])
def test_what_is_no_value_has_no_steps(steps):
    with pytest.raises(TypeError, match=r"result must be a Value, got float 2\.5"):
        list(steps(2.5))


@pytest.mark.parametrize(
    ("n", "derived"),
    [
        (2, "∂v2/∂x = 2 × x = 2 × 5 = 10"),
        (3, "∂v2/∂x = 3 × x^2 = 3 × 5^2 = 75"),
        (-1, "∂v2/∂x = −1 × x^(−2) = −1 × 5^(−2) = −0.0400"),
        (0.5, "∂v2/∂x = 0.5 × x^(−0.5) = 0.5 × 5^(−0.5) = 0.224"),
    ],
)
def test_an_exponent_is_put_in_and_worked_out(n, derived):
    (step,) = backward_steps(Value(5.0, "x") ** n)
    assert step.edges[0].text.derived == derived


def test_the_steps_of_a_leaf_add_to_its_gradient_as_backward_does():
    x = Value(3.0)
    x.backward()
    list(backward_steps(x))
    assert x.grad == 2.0
